//! Images that are accepted in writing alone: for development, or vulnerable.

use super::*;

#[test]
fn what_is_not_for_production_is_accepted_by_its_hash_in_writing_alone() {
    for (name, class, by_default, kind) in [
        (
            "dstack-dev-0.9.0",
            "development",
            (Status::Fail, "development-image"),
            AcceptedKind::DevelopmentImage,
        ),
        (
            "dstack-0.9.0-rc1",
            "prerelease",
            (Status::Skip, "no-reference"),
            AcceptedKind::ObservedImage,
        ),
    ] {
        let version = name
            .rsplit_once("dev-")
            .map_or_else(|| name.trim_start_matches("dstack-"), |(_, version)| version);
        let row = image(name, version, class);
        judge("known", &row, honest).says(CheckId::OsImage, by_default.0, by_default.1);
        let judged = judge("HASH", &row, honest);
        match class {
            "development" => judged.says(CheckId::OsImage, Status::Warn, "development-image"),
            _ => judged.proves(CheckId::OsImage),
        };
        judged.concludes(Verdict::Pass);
        assert_eq!(judged.0.assurance, Assurance::Hardware);
        let [accepted] = judged.0.accepted.as_slice() else {
            panic!("{:?}", judged.0.accepted)
        };
        assert_eq!(accepted.what, kind);
    }
}

#[test]
fn t34_a_vulnerable_release_fails_by_whatever_it_is_named_until_its_end_is_written_down() {
    let row = image("dstack-0.6.1-of-a-test", "0.6.1", "production");
    for named in ["known", "HASH", "HASH:until=2020-01-01"] {
        judge(named, &row, honest).says(CheckId::OsImage, Status::Fail, "vulnerable-image");
    }
    let judged = judge("HASH:until=2099-12-31", &row, honest);
    judged.says(CheckId::OsImage, Status::Warn, "vulnerable-image");
    assert_eq!(judged.0.assurance, Assurance::Hardware);
    assert_eq!(judged.0.accepted[0].what, AcceptedKind::VulnerableImage);
}

#[test]
fn t33_what_is_accepted_in_writing_does_not_accept_unknown_acpi_tables() {
    for (name, version, class, named) in [
        (
            "dstack-0.6.1-of-a-test",
            "0.6.1",
            "production",
            "HASH:until=2099-12-31",
        ),
        ("dstack-dev-0.9.0", "0.9.0", "development", "HASH"),
        ("dstack-0.9.0-rc1", "0.9.0-rc1", "prerelease", "HASH"),
    ] {
        let row = image(name, version, class).replace(SHAPE, "");
        let judged = judge(named, &row, honest);
        judged.says(CheckId::OsImage, Status::Warn, "acpi-unverified");
        judged.concludes(Verdict::Inconclusive);
        assert!(judged.0.accepted.is_empty(), "{name}");
    }
}

#[test]
fn t34_a_hole_wins_over_every_class() {
    for class in ["production", "development", "prerelease", "observed"] {
        let version = if class == "prerelease" {
            "0.6.0-rc9"
        } else {
            "0.6.0"
        };
        let name = match class {
            "development" => "dstack-dev-of-a-test",
            _ => "an image of a test",
        };
        let row = image(name, version, class);
        for named in ["known", "HASH"] {
            judge(named, &row, honest).says(CheckId::OsImage, Status::Fail, "vulnerable-image");
        }
        let judged = judge("HASH:until=2099-12-31", &row, honest);
        judged.says(CheckId::OsImage, Status::Warn, "vulnerable-image");
        judged.concludes(Verdict::Pass);
        let classes = judged
            .0
            .accepted
            .iter()
            .filter(|one| one.what != AcceptedKind::VulnerableImage);
        assert_eq!(classes.count(), usize::from(class != "production"), "{class}");
    }
}

/// A lock that knows an image by its hash is judged by what the table says of that hash.
#[test]
fn t34_a_lock_of_an_image_that_turns_out_to_be_vulnerable_fails() {
    use cvm_verify_core::policy::KnownBy;
    use cvm_verify_core::policy::OsImagePolicy;

    for (shows_document, known_by_hash) in [(true, false), (false, true), (true, true)] {
        let mut trial = Trial::of(Cvm::lite(&World::default()));
        let os_image_hash = trial.cvm.boot.os_image_hash();
        let rows = image("dstack-0.6.1-of-a-test", "0.6.1", "production").replace(SHAPE, "");
        let rows = format!(
            "updated = \"2026-11-25\"\n{}",
            rows.replace("HASH", &hex::encode(os_image_hash))
        );
        let reference = ReferenceValues::built_in().with_file("rows.toml", rows.as_bytes());
        trial.policy.reference = reference.unwrap().into();
        let OsImagePolicy::Lock { known_by, .. } = &mut trial.policy.os_image else {
            panic!("a trial has a lock");
        };
        *known_by = Some(match known_by_hash {
            true => KnownBy::PublishedHash(os_image_hash),
            false => KnownBy::Unknown,
        });
        if !shows_document {
            trial.cvm.vm_config_edits.push(std::sync::Arc::new(|config| {
                drop(config.as_object_mut().unwrap().remove("tdx_measurement"));
            }));
        }
        let judged = trial.judge();
        judged.says(CheckId::OsImage, Status::Fail, "vulnerable-image");
    }
}
