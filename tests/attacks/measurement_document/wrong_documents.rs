//! Documents that do not reproduce the registers, or cannot be read.

use super::*;

#[test]
fn a_document_that_does_not_reproduce_a_register_fails_who_named_it_and_is_noted_for_who_did_not() {
    for register in 1..4_usize {
        let force = move |cvm: &mut Cvm| match register {
            3 => cvm.forced.mr_td = Some([7; 48]),
            _ => cvm.forced.rtmr[register] = Some([7; 48]),
        };
        let name = ["RTMR0", "RTMR1", "RTMR2", "MRTD"][register];
        let named = judge("HASH", SHAPE, force);
        named.says(CheckId::OsImage, Status::Fail, "register-mismatch");
        assert!(named.check(CheckId::OsImage).detail.starts_with(name));
        let (expected, actual) = (
            &named.check(CheckId::OsImage).expected,
            &named.check(CheckId::OsImage).actual,
        );
        assert_eq!(actual.as_deref(), Some(hex::encode([7; 48]).as_str()), "{named}");
        // Of MRTD there are two, and the first is shown.
        let honest = registers(&Cvm::lite(&World::default()));
        let computed = honest.rtmr.get(register).map(hex::encode);
        assert!(computed.is_none() || *expected == computed, "{named}");
        let known = judge("known", SHAPE, force);
        known.says(CheckId::OsImage, Status::Skip, "no-reference");
        assert!(known.check(CheckId::OsImage).detail.contains(name));
    }
}

/// The document says that the kernel's header is not normalized: QEMU up to 10.1 edits it, and so measures another kernel than the
/// document's. That accuses nobody, and is not accepted.
#[test]
fn a_kernel_that_qemu_edits_is_open_where_the_document_says_so() {
    let trial = |qemu| {
        let mut cvm = Cvm::lite(&World::default());
        cvm.boot.files = Some(simulator::ImageFiles { qemu });
        let mut trial = Trial::of(cvm);
        trial.policy.os_image = os_image(&hash(&trial.cvm));
        trial.policy.locked_shape = locked_shape(registers(&trial.cvm).rtmr[0]);
        trial
    };
    let newest = trial(simulator::Qemu::V10_2).judge();
    newest
        .says(CheckId::OsImage, Status::Warn, "published-hash")
        .passes();
    for qemu in [simulator::Qemu::V8, simulator::Qemu::V9] {
        let mut trial = trial(qemu);
        let judged = trial.judge();
        judged.says(CheckId::OsImage, Status::Error, "not-computable");
        judged.concludes(Verdict::Inconclusive);
        assert!(judged.detail(CheckId::OsImage).contains("RTMR1"), "{judged}");
        let named = std::mem::replace(&mut trial.policy.os_image, os_image("known"));
        trial.judge().says(CheckId::OsImage, Status::Skip, "no-reference");
        trial.policy.os_image = os_image(&"ab".repeat(32));
        trial.judge().says(CheckId::OsImage, Status::Error, "no-document");
        trial.policy.os_image = named;
        trial.cvm.forced.rtmr[2] = Some([7; 48]);
        trial.judge().fails(CheckId::OsImage, "register-mismatch");
    }
}

#[test]
fn a_document_of_an_image_that_neither_booted_nor_was_named_says_nothing() {
    let judged = judge(&"ab".repeat(32), SHAPE, |cvm| cvm.forced.rtmr[1] = Some([7; 48]));
    judged.says(CheckId::OsImage, Status::Error, "no-document");
}

#[test]
fn what_cannot_be_computed_or_read_is_an_error_that_says_why() {
    let hash = hash(&Cvm::lite(&World::default()));
    let other = "cd".repeat(32);
    type Edit = fn(&mut Value);
    let edits: [(Edit, &str, &str); 8] = [
        (
            |config| config["memory_size"] = (3_u64 << 29).into(),
            "not-computable",
            "is not defined",
        ),
        (
            |config| drop(config.as_object_mut().unwrap().remove("memory_size")),
            "not-computable",
            "how much memory",
        ),
        (
            |config| config["memory_size"] = "much".into(),
            "unusable-document",
            "memory_size",
        ),
        (
            |config| config["os_image_hash"] = "cd".repeat(32).into(),
            "unusable-document",
            "os_image_hash",
        ),
        (
            |config| config["tdx_measurement"]["measurement"] = "AAAA".into(),
            "unusable-document",
            "lists measurement.tdx.cbor",
        ),
        (
            |config| config["tdx_measurement"]["checksum_file"] = "AAAA".into(),
            "unusable-document",
            "line 1",
        ),
        (
            |config| config["tdx_measurement"]["measurement"] = "*".into(),
            "unusable-document",
            "base64",
        ),
        (
            |config| config["tdx_measurement"] = json!([]),
            "unusable-document",
            "tdx_measurement",
        ),
    ];
    for (edit, reason, says) in edits {
        for named in ["known", hash.as_str(), other.as_str()] {
            let judged = judge(named, SHAPE, config(edit));
            // The image is the named one by its own registers, and RTMR0 is a listed one: nothing need be computed.
            if (reason, named) == ("not-computable", hash.as_str()) {
                judged.passes();
                judge(named, "", config(edit)).says(CheckId::OsImage, Status::Error, reason);
                continue;
            }
            judged.says(CheckId::OsImage, Status::Error, reason);
            judged.concludes(Verdict::Inconclusive);
            let detail = &judged.check(CheckId::OsImage).detail;
            assert!(detail.contains(says), "{says}: {detail}");
        }
    }
    let none = judge(
        "HASH",
        SHAPE,
        config(|config| drop(config.as_object_mut().unwrap().remove("tdx_measurement"))),
    );
    none.says(CheckId::OsImage, Status::Error, "no-document");
}

#[test]
fn a_wrong_document_convicts_nothing_that_the_registers_acquit() {
    let mut trial = Trial::of(Cvm::lite(&World::default()));
    trial.cvm.vm_config_edits.push(std::sync::Arc::new(|config| {
        config["tdx_measurement"]["measurement"] = "AAAA".into()
    }));
    let judged = trial.judge();
    judged.proves(CheckId::OsImage);
}

/// A self-consistent document of the attacker's own: the image is his, the document is of his image, the checksum file is of
/// his document, and the host's configuration names that hash. Nobody else named it.
#[test]
fn t32_a_document_of_the_attackers_own_is_accepted_under_no_policy() {
    use cvm_verify_core::policy::KnownBy;
    use cvm_verify_core::policy::{ImageRegisters, OsImagePolicy};

    let honest = Trial::of(Cvm::lite(&World::default()));
    let attacker = || {
        let mut trial = Trial::of(Cvm::lite(&World::default()));
        trial.cvm.boot.os_image = "an image of the attacker's".to_owned();
        trial
    };
    let registers = registers(&honest.cvm);
    let [_, rtmr1, rtmr2] = registers.rtmr;
    let image = ImageRegisters {
        mrtd: registers.mrtd,
        rtmr1,
        rtmr2,
    };
    let his_hash = attacker().cvm.boot.os_image_hash();
    let locked = |known_by| OsImagePolicy::LockedImage {
        registers: image,
        vulnerable: None,
        known_by,
        accepts_development: false,
        lock: "cvm.lock".into(),
    };
    for (policy, status, reason) in [
        (os_image("known"), Status::Skip, "no-reference"),
        (os_image(&hash(&honest.cvm)), Status::Fail, "register-mismatch"),
        (os_image("dstack-0.6.6"), Status::Fail, "register-mismatch"),
        (os_image("dstack-0.5.9"), Status::Fail, "register-mismatch"),
        (honest.policy.os_image.clone(), Status::Fail, "register-mismatch"),
        (locked(None), Status::Fail, "register-mismatch"),
        // What a lock says of a hash is about the registers beside it.
        (
            locked(Some(KnownBy::PublishedHash(his_hash))),
            Status::Fail,
            "register-mismatch",
        ),
    ] {
        let mut trial = attacker();
        // His VM has a listed shape: RTMR0 is the same for every image.
        let rtmr0 = hex::encode(trial.cvm.td_report([0; 64]).rtmr[0]);
        let rows = format!("updated = \"2026-11-25\"\n{}", SHAPE.replace("SHAPE", &rtmr0));
        let reference = ReferenceValues::built_in().with_file("rows.toml", rows.as_bytes());
        trial.policy.reference = reference.unwrap().into();
        trial.policy.os_image = policy.clone();
        let judged = trial.judge();
        judged.says(CheckId::OsImage, status, reason);
        assert_ne!(judged.0.verdict, Verdict::Pass, "{policy:?}");
    }
}
