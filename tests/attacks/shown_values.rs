//! The values that a report shows beside the checks are those that were signed and measured.

use cvm_verify_core::report::Measurements;
use cvm_verify_core::verify::UnusableCollateral;
use sha2::{Digest as _, Sha256};
use simulator::{Cvm, Lie, World};

use crate::judge::{NONCE, Trial};

fn hex<T: From<String>>(bytes: &[u8]) -> Option<T> {
    Some(hex::encode(bytes).into())
}

#[test]
fn a_report_shows_what_was_signed_and_measured() {
    let cvm = Cvm::healthy(&World::default());
    let mut signed = cvm.td_report([0; 64]);
    signed.report_data[..32].copy_from_slice(&NONCE);
    let (compose_hash, app_id, instance_id) =
        (cvm.compose_hash(), cvm.app_id_bytes(), cvm.instance_id.clone());
    let provider: serde_json::Value = serde_json::from_str(&cvm.key_provider).unwrap();
    let platform = cvm.world.platform.clone();
    let judged = Trial::of(cvm).judge();
    judged.passes();
    let [rtmr0, rtmr1, rtmr2, rtmr3] = &signed.rtmr;
    let expected = Measurements {
        mrtd: hex(&signed.mr_td),
        rtmr0: hex(rtmr0),
        rtmr1: hex(rtmr1),
        rtmr2: hex(rtmr2),
        rtmr3: hex(rtmr3),
        report_data: hex(&signed.report_data),
        td_attributes: hex(&signed.td_attributes),
        xfam: hex(&signed.xfam),
        mr_config_id: hex(&signed.mr_config_id),
        mr_seam: hex(&signed.mr_seam),
        compose_hash: hex(&compose_hash),
        app_id: hex(&app_id),
        instance_id: hex(&instance_id),
        key_provider: Some(
            format!(
                "{}:{}",
                provider["name"].as_str().unwrap(),
                provider["id"].as_str().unwrap()
            )
            .into(),
        ),
        os_image: None,
    };
    assert_eq!(*judged.0.measurements, expected);
    let tcb = &judged.0.tcb;
    assert_eq!(tcb.status.as_deref(), Some("UpToDate"));
    assert_eq!(tcb.fmspc, hex(&platform.fmspc));
    assert_eq!(tcb.platform_id, hex(&Sha256::digest(platform.ppid)));
    assert!(tcb.eval_data_number.is_some_and(|number| number > 0));
    assert!(tcb.expires_at.is_some());
    let signed = judged.0.evidence.signed_sha256.as_deref();
    assert_eq!(signed.map(str::len), Some(64));
}

/// What is refused is told apart from what is only missing.
#[test]
fn claims_are_refused_where_quote_log_boot_or_document_is() {
    let is_refused = |change: &dyn Fn(&mut Trial)| {
        let trial = Trial::healthy().with(|trial| change(trial));
        trial.claims(&trial.evidence().unwrap()).is_refused()
    };
    for lie in [Lie::BrokenSignature, Lie::ForgedEventLog, Lie::MissingSystemReady] {
        assert!(is_refused(&|trial| lie.apply(&mut trial.cvm)), "{lie:?}");
    }
    let other_document = |trial: &mut Trial| {
        trial.cvm.body.show_app_compose = Some("{}".to_owned());
    };
    assert!(is_refused(&other_document));
    assert!(!is_refused(&|_| {}));
    assert!(!is_refused(&|trial| trial.info = false));
    assert!(!is_refused(
        &|trial| trial.collateral = Err(UnusableCollateral::Missing)
    ));
}
