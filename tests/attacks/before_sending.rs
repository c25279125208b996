//! What a VM must show in its TLS certificate before it is sent what is not for everyone.

use cvm_verify_core::appraise::meets_policy_so_far;
use cvm_verify_core::policy::{KeyProviders, OsImagePolicy};
use cvm_verify_core::report::RequiredAssurance;
use cvm_verify_core::verify::{Issuer, UnusableCollateral};
use simulator::Lie;

use crate::judge::{Trial, expected};

/// The check for which nothing is sent to a VM with a certificate of its KMS, if one is.
fn held_back(change: impl FnOnce(&mut Trial)) -> Option<String> {
    held_back_from(Issuer::Kms, change)
}

fn held_back_from(issuer: Issuer, change: impl FnOnce(&mut Trial)) -> Option<String> {
    let trial = Trial::healthy().with(change);
    let claims = trial.claims(&trial.evidence().unwrap());
    let why = meets_policy_so_far(&claims, issuer, &trial.policy).err()?;
    Some(why.split(':').next().unwrap().to_owned())
}

#[test]
fn nothing_is_sent_to_a_vm_that_fails_or_whose_code_is_not_proven() {
    type Row<'a> = (&'static str, &'a dyn Fn(&mut Trial));
    let checks: [Row<'_>; 9] = [
        ("quote-signature", &|trial| {
            Lie::BrokenSignature.apply(&mut trial.cvm);
        }),
        ("quote-signature", &|trial| {
            trial.collateral = Err(UnusableCollateral::Missing);
        }),
        ("quote-signature", &|trial| {
            Lie::DebugTd.apply(&mut trial.cvm);
        }),
        ("td-attributes", &|trial| {
            trial.cvm.report.mr_owner = [1; 48];
        }),
        ("tcb-status", &|trial| {
            Lie::OutOfDatePlatform.apply(&mut trial.cvm);
        }),
        ("compose-hash", &|trial| {
            trial.policy.compose_hash = Some(expected("--compose-hash", [7; 32]));
        }),
        // Nobody says what code is expected.
        ("compose-hash", &|trial| trial.policy.compose_hash = None),
        ("app-id", &|trial| {
            trial.policy.app_id = Some(expected("--app-id", [7; 20]));
        }),
        ("instance-id", &|trial| {
            trial.policy.instance_ids = Some(expected("--instance-id", vec![[7; 20]]));
        }),
    ];
    for (check, change) in checks {
        assert_eq!(held_back(change).as_deref(), Some(check));
    }
}

#[test]
fn what_needs_more_than_the_certificate_does_not_hold_anything_back() {
    assert_eq!(held_back(|_| {}), None);
    // The image is known by the files of a measurement document, which is asked for later.
    assert_eq!(held_back(|trial| trial.document = false), None);
    assert_eq!(
        held_back(|trial| trial.policy.os_image = OsImagePolicy::Known),
        None
    );
    let hardware = |trial: &mut Trial| {
        trial.policy.required = RequiredAssurance::Hardware;
        trial.policy.compose_hash = None;
    };
    assert_eq!(held_back(hardware), None);
    // What asks for the hardware alone asks for no code, so nobody has to speak for it.
    let any_code = |trial: &mut Trial| {
        hardware(trial);
        trial.policy.os_image = OsImagePolicy::Known;
        trial.policy.key_provider = None;
    };
    assert_eq!(held_back(any_code), None);
}

/// Who expects a compose hash, an app or an instance expects code, whatever the tier: an unknown operating system logs any of them.
#[test]
fn an_expectation_of_code_below_the_tier_code_is_for_a_known_system_or_kms_as_well() {
    let nobody_speaks = |trial: &mut Trial| {
        trial.policy.required = RequiredAssurance::Hardware;
        trial.policy.os_image = OsImagePolicy::Known;
        trial.policy.key_provider = None;
    };
    type Row = (&'static str, fn(&mut Trial));
    let rows: [Row; 3] = [
        ("compose-hash", |_| {}),
        ("app-id", |trial| {
            trial.policy.compose_hash = None;
            let id = trial
                .claims(&trial.evidence().unwrap())
                .boot
                .unwrap()
                .app_id()
                .to_owned();
            trial.policy.app_id = Some(expected("--app-id", id));
        }),
        ("instance-id", |trial| {
            trial.policy.compose_hash = None;
            let id = trial
                .claims(&trial.evidence().unwrap())
                .boot
                .unwrap()
                .instance_id()
                .copied();
            trial.policy.instance_ids = Some(expected("--instance-id", vec![id.unwrap()]));
        }),
    ];
    for (what, expect) in rows {
        assert_eq!(
            held_back(|trial| {
                expect(trial);
                nobody_speaks(trial);
            })
            .as_deref(),
            Some("os-image"),
            "{what}"
        );
        // A known image speaks for it.
        let known = held_back(|trial| {
            expect(trial);
            trial.policy.required = RequiredAssurance::Hardware;
        });
        assert_eq!(known, None, "{what}");
    }
    // What a certificate cannot show of the expected code holds it back, too.
    let document = held_back(|trial| {
        trial.policy.required = RequiredAssurance::Hardware;
        trial.policy.docker_compose = Some(expected("--docker-compose", "services: {}".to_owned()));
        trial.policy.compose_hash = None;
    });
    assert_eq!(document.as_deref(), Some("compose-hash"));
}

/// A certificate that no KMS signed is anyone's who had the VM quote a key: a policy that names a KMS accepts none.
#[test]
fn nothing_is_sent_to_a_self_made_certificate() {
    let trial = Trial::healthy().with(|trial| trial.policy.key_provider = None);
    let claims = trial.claims(&trial.evidence().unwrap());
    let why = meets_policy_so_far(&claims, Issuer::Td, &trial.policy).unwrap_err();
    assert!(why.starts_with("tls-binding: The VM's keys come from `"), "{why}");
    // Nor does one that names another.
    let trial = Trial::healthy().with(|trial| {
        let other = "tpm".parse::<KeyProviders>().unwrap();
        trial.policy.key_provider = Some(expected("--key-provider", other));
    });
    let claims = trial.claims(&trial.evidence().unwrap());
    let why = meets_policy_so_far(&claims, Issuer::Td, &trial.policy).unwrap_err();
    assert!(why.starts_with("tls-binding: "), "{why}");
}

/// An operating system of the host's own logs any compose hash and any key provider that it likes.
#[test]
fn nothing_is_sent_where_neither_the_image_nor_the_kms_speaks_for_the_compose_hash() {
    let unknown_image: [fn(&mut Trial); 2] = [
        |trial| trial.policy.os_image = OsImagePolicy::Known,
        |trial| trial.policy.os_image = OsImagePolicy::Unchecked,
    ];
    let any_kms: [fn(&mut Trial); 3] = [
        |trial| trial.policy.key_provider = None,
        |trial| trial.policy.key_provider = Some(expected("--key-provider", KeyProviders::AnyKms)),
        |trial| trial.policy.key_provider = Some(expected("--key-provider", KeyProviders::Unchecked)),
    ];
    for image in unknown_image {
        for kms in any_kms {
            let why = held_back(|trial| {
                image(trial);
                kms(trial);
            });
            assert_eq!(why.as_deref(), Some("os-image"));
        }
        // No KMS signed a self-made certificate: the name of the key provider is what the operating system says.
        let why = held_back_from(Issuer::Td, image);
        assert_eq!(why.as_deref(), Some("os-image"));
    }
    for kms in any_kms {
        assert_eq!(held_back(kms), None, "a known image is enough");
    }
    assert_eq!(held_back_from(Issuer::Td, |_| {}), None);
}
