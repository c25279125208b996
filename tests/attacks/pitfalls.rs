//! The pitfalls that other verifiers fell into, by number (`P3` to `P19`), each with the check that holds against it. Most
//! have a longer test under the number of their threat.

use cvm_verify_core::policy::OsImagePolicy;
use cvm_verify_core::report::{CheckId, Status, Verdict};
use cvm_verify_core::verify::Layout;
use serde_json::json;
use simulator::{Cvm, EventLogForm, Lie, MrConfigId, QuoteEncoding, ReportDataLayout, World};

use crate::deployment::Deployment;
use crate::judge::{Judged, Trial};

fn lie(lie: Lie) -> Judged {
    Trial::lying(|cvm| lie.apply(cvm)).judge()
}

#[test]
fn p03_an_event_name_cut_at_another_colon_fails() {
    // The V1 digest is the same for both cuts, so that RTMR3 replays.
    let judged = lie(Lie::ResplitEvent);
    judged.fails(CheckId::BootOrder, "bad-payload");
    judged.proves(CheckId::EventLog);
}

#[test]
fn p04_ascii_and_raw_do_not_stand_in_for_each_other() {
    for (signed, expected) in [
        (ReportDataLayout::Ascii, Layout::Raw),
        (ReportDataLayout::Raw, Layout::Ascii),
    ] {
        Trial::lying(|cvm| cvm.report_data = signed)
            .with(|trial| trial.policy.report_data.layout = Some(expected))
            .judge()
            .leaves_open(CheckId::Freshness, "other-layout");
    }
}

#[test]
fn p05_out_of_date_fails_and_an_advisory_beside_up_to_date_does_not() {
    lie(Lie::OutOfDatePlatform).fails(CheckId::TcbStatus, "not-up-to-date");
    Trial::lying(|cvm| cvm.world.tcb_info.land_on("UpToDate", &["INTEL-SA-00001"]))
        .judge()
        .passes()
        .says(CheckId::TcbStatus, Status::Warn, "advisory");
}

/// `vm_config` says that the image is a production one.
fn claiming_production(cvm: &mut Cvm) {
    let claim = |body: &mut serde_json::Value| {
        body["vm_config"] = r#"{"os_image_hash":"00","image":"dstack-0.5.8","is_dev":false}"#.into();
    };
    cvm.body.edit_attestation(claim);
    cvm.body.edit_info(claim);
}

#[test]
fn p07_an_image_hash_that_the_host_names_identifies_nothing() {
    let judged = Trial::lying(claiming_production)
        .with(|trial| trial.policy.os_image = OsImagePolicy::Known)
        .judge();
    judged.says(CheckId::OsImage, Status::Skip, "no-reference");
    judged.concludes(Verdict::Inconclusive);
}

#[test]
fn p08_an_image_hash_event_that_differs_from_vm_config_is_legal() {
    Trial::lying(claiming_production)
        .judge()
        .passes()
        .proves(CheckId::OsImage);
}

#[test]
fn p09_padding_and_encodings_are_legal_and_other_trailing_bytes_are_not() {
    for encoding in [
        QuoteEncoding::Hex,
        QuoteEncoding::Hex0x,
        QuoteEncoding::HexUpper,
        QuoteEncoding::Base64,
    ] {
        Trial::lying(|cvm| {
            cvm.body.quote = encoding;
            cvm.quote.trailing = vec![0; 3065];
        })
        .judge()
        .passes();
    }
    lie(Lie::TrailingBytes).fails(CheckId::QuoteSignature, "trailing-bytes");
}

#[test]
fn p10_mr_aggregated_in_either_form_is_never_read() {
    for value in [json!("00".repeat(32)), json!("junk"), json!(null)] {
        Trial::lying(|cvm| {
            let of_info = value.clone();
            cvm.body
                .edit_info(move |body| body["mr_aggregated"] = of_info.clone());
        })
        .judge()
        .passes();
    }
}

#[test]
fn p11_two_answers_of_two_instances_are_left_open() {
    Trial::lying(|cvm| {
        cvm.body
            .edit_info(|body| body["instance_id"] = "66".repeat(20).into())
    })
    .judge()
    .leaves_open(CheckId::Evidence, "two-instances");
}

#[test]
fn p12_a_development_image_that_is_labelled_production_fails() {
    Trial::lying(|cvm| {
        Lie::DevelopmentImage.apply(cvm);
        claiming_production(cvm);
    })
    .judge()
    .fails(CheckId::OsImage, "register-mismatch");
}

#[test]
fn p17_an_empty_digest_outside_runtime_events_fails() {
    Trial::lying(|cvm| cvm.edit_log_after_quote(|log| log[0].digest.clear()))
        .judge()
        .fails(CheckId::EventLog, "missing-digest");
    Trial::lying(|cvm| {
        cvm.edit_log_after_quote(|log| {
            let event = log
                .iter_mut()
                .find(|event| event.event == "compose-hash")
                .unwrap();
            event.digest.clear();
            event.event_type = 1;
        });
    })
    .judge()
    .fails(CheckId::EventLog, "wrong-event-type");
}

#[test]
fn p18_mr_config_id_zero_is_never_a_pass_and_a_false_hash_of_any_form_fails() {
    let launched = |id| {
        Trial::healthy()
            .with(|trial| trial.cvm.mr_config_id = MrConfigId::Raw(id))
            .judge()
    };
    launched([0; 48]).says(CheckId::MrConfigId, Status::Skip, "unbound");
    // The compose hash where a hash of it and more belongs.
    let hash = Trial::healthy().cvm.compose_hash();
    for tag in [2, 3] {
        let mut id = [0; 48];
        id[0] = tag;
        id[1..33].copy_from_slice(&hash);
        launched(id).fails(CheckId::MrConfigId, "mismatch");
    }
    // A document that leaves out what it must name.
    let document = format!(r#"{{"compose_hash":"{}","version":3}}"#, hex::encode(hash));
    Trial::lying(|cvm| cvm.mr_config_id = MrConfigId::Tag03(document))
        .judge()
        .fails(CheckId::MrConfigId, "mismatch");
}

#[test]
fn p19_report_data_of_another_length_is_refused_and_never_cut() {
    for digits in [127, 129, 130, 256] {
        Trial::lying(|cvm| {
            cvm.body
                .edit_attestation(move |body| body["report_data"] = "0".repeat(digits).into());
        })
        .judge()
        .fails(CheckId::Evidence, "malformed-field");
        Deployment::of(Cvm::healthy(&World::default()))
            .verify(&[&format!("--report-data-value={}", "0".repeat(digits))])
            .assert_usage_error("--report-data-value");
    }
}

/// The app hands over its quote without the log, and `/info` comes from elsewhere: another instance, which may run other code or have
/// another shape, or an earlier moment of this one. All are honest.
#[test]
fn p11_the_log_of_another_info_may_prove_and_convicts_nobody() {
    type Elsewhere = fn(&mut Cvm);
    let elsewhere: [Elsewhere; 5] = [
        |cvm| cvm.instance_id = vec![0x77; 20],
        |cvm| cvm.app_compose.push(' '),
        |cvm| cvm.app_events.push(("the-app".into(), b"started".to_vec())),
        |cvm| {
            cvm.instance_id = vec![0x77; 20];
            cvm.boot.memory_size = 4 << 30;
        },
        |cvm| cvm.boot.memory_size = 4 << 30,
    ];
    let trial = Trial::lying(|cvm| cvm.body.event_log = EventLogForm::Absent);
    let attestation = trial.bodies().0;
    let info_of = |elsewhere: Elsewhere| {
        let mut other = Cvm::healthy(&World::default());
        elsewhere(&mut other);
        other.info_body()
    };
    trial.judge_bodies(&attestation, Some(&info_of(|_| ()))).passes();
    for (number, elsewhere) in elsewhere.into_iter().enumerate() {
        let judged = trial.judge_bodies(&attestation, Some(&info_of(elsewhere)));
        judged.leaves_open(CheckId::Evidence, "two-instances");
        judged.says(CheckId::EventLog, Status::Error, "no-event-log");
        judged.accuses_no_deployment(&number);
        // The log that came with the quote is judged as before.
        let own = Trial::healthy().bodies().0;
        trial
            .judge_bodies(&own, Some(&info_of(elsewhere)))
            .proves(CheckId::EventLog);
    }
    // Nor does a log that contradicts itself: whoever answered /info may have changed it.
    let forged = info_of(|cvm| Lie::ForgedEventLog.apply(cvm));
    trial
        .judge_bodies(&attestation, Some(&forged))
        .leaves_open(CheckId::Evidence, "two-instances")
        .accuses_no_deployment(&"a forged log");
    // The log that came with the quote convicts.
    Trial::lying(|cvm| cvm.edit_log_after_quote(|log| log.truncate(log.len() - 1)))
        .judge()
        .fails(CheckId::EventLog, "rtmr-mismatch");
}

/// A cache, or the app, keeps `/info` from before the VM was resized.
#[test]
fn p11_one_instance_with_an_old_info_is_not_two() {
    let mut older = Cvm::healthy(&World::default());
    older.boot.memory_size = 4 << 30;
    let trial = Trial::healthy();
    let judged = trial.judge_bodies(&trial.bodies().0, Some(&older.info_body()));
    judged.leaves_open(CheckId::Evidence, "two-instances");
    judged.detail_says(CheckId::Evidence, "the registers of another boot");
    let fix = judged.check(CheckId::Evidence).fix.as_deref().unwrap_or_default();
    assert!(fix.contains("caches /info"), "{fix}");
}
