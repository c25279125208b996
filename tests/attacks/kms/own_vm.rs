//! The VM of the KMS where a check of it does not simply pass.

use cvm_verify_core::reference::ReferenceValues;
use cvm_verify_core::report::AcceptedKind;
use simulator::MrConfigId;

use super::*;
use crate::measurement_document::SHAPE;
use crate::os_image_lock::{reference, row};

/// A guest that binds no identity at launch is as legal for a KMS as for an app.
#[test]
fn t36_a_kms_whose_host_binds_nothing_at_launch_passes() {
    let mut unbound = kms();
    unbound.cvm.mr_config_id = MrConfigId::Zero;
    honest(&Kms::of(unbound.cvm, unbound.root))
        .judge()
        .passes()
        .proves(ID);
}

#[test]
fn t36_an_image_of_the_kms_is_waived_in_writing_alone() {
    let waived = honest(&kms()).with(|trial| {
        trial.policy.kms.os_image = Some((os_image("unchecked"), Origin::Option("kms-os-image")));
    });
    let judged = waived.judge();
    judged.passes().proves(ID);
    let accepted: Vec<AcceptedKind> = judged.0.accepted.iter().map(|one| one.what).collect();
    assert_eq!(accepted, [AcceptedKind::Waiver], "{judged}");
}

/// A warning about its image counts if it is harmless, and not if the shape of the VM is unknown.
#[test]
fn t36_a_kms_of_a_known_image_needs_a_known_shape() {
    let own = crate::judge::registers(&kms().cvm);
    let shape = SHAPE.replace("SHAPE", &hex::encode(own.rtmr[0]));
    let trial = |version: &str, shape: &str| {
        honest(&kms()).with(|trial| {
            let row = row(
                "an image of a test",
                version,
                "production",
                &"01".repeat(32),
                Some(&own),
            );
            trial.policy.reference = reference(trial, &format!("{row}{shape}"), false).into();
            trial.policy.kms.os_image = None;
        })
    };
    for version in ["0.9.0", "0.5.9"] {
        trial(version, &shape).judge().passes().proves(ID);
        is_open(&trial(version, ""), "os-image-unknown").detail_says(ID, "RTMR0 is not known");
    }
    // The app's image has the same registers.
    trial("0.6.0", &shape).judge().fails(ID, "os-image");
}

/// A script that the user's own reference values know is no concern, and the verdict says whose word that is.
#[test]
fn t36_a_script_of_the_users_own_reference_values_is_known_in_the_document_of_a_kms() {
    use sha2::{Digest as _, Sha256};

    const SCRIPT: &str = "echo ours";
    let official = running(OFFICIAL, &[("pre_launch_script", json!(SCRIPT))]);
    let trial = || documents::reviewed(&official, &official);
    trial().judge().says(ID, Status::Warn, "launch-inputs");
    let rows = format!(
        "updated = \"2026-11-25\"\n[[script]]\nversion = \"1\"\nauthor = \"us\"\nsha256 = \"{}\"\ntext = \"published\"\nsource = \"test\"\ndate = \
         \"2026-11-25\"\n",
        hex::encode(Sha256::digest(SCRIPT))
    );
    let known = trial().with(|trial| {
        let reference = ReferenceValues::built_in().with_file("rows.toml", rows.as_bytes());
        trial.policy.reference = reference.unwrap().into();
        let rows = Origin::Option("--rows");
        trial.policy.settings.insert("reference-values", rows);
    });
    let judged = known.judge();
    judged.passes().proves(ID);
    assert_eq!(judged.0.accepted.last().unwrap().by, "--rows", "{judged}");
    let accepted = judged.0.accepted.iter().filter(|one| one.check == ID);
    let accepted: Vec<AcceptedKind> = accepted.map(|one| one.what).collect();
    // The image of the KMS is one that the user took as it is.
    assert_eq!(
        accepted,
        [AcceptedKind::UnknownImage, AcceptedKind::ReferenceValues],
        "{judged}"
    );
}
