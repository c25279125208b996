//! Images that a lock or an option names.

use super::*;

#[test]
fn another_image_than_the_locked_one_is_named() {
    let table = Table::read();
    let locked = table.tuple(table.row("dstack-0.5.8"));
    let mut unknown = locked.clone();
    unknown.mrtd = [0x5a; 48];
    for (boots, says, fix) in [
        (
            table.tuple(table.row("dstack-0.5.9")),
            "is dstack-0.5.9, a production image",
            "cvm-verify pin",
        ),
        (
            table.tuple(table.row("dstack-dev-0.5.9")),
            "is dstack-dev-0.5.9, a development image",
            "Stop sending",
        ),
        (unknown, "is not an image in the table", "cvm-verify os-image"),
    ] {
        let judged = showing(&boots, in_lock(&locked));
        judged.fails(CheckId::OsImage, "register-mismatch");
        let check = judged.check(CheckId::OsImage);
        assert!(check.detail.contains(says), "{judged}");
        assert!(check.fix.as_deref().unwrap().contains(fix), "{judged}");
    }
}

/// An option takes the place of the lock, so that `pin` would change nothing.
#[test]
fn where_an_option_names_the_image_the_option_is_to_be_corrected() {
    let table = Table::read();
    let boots = table.tuple(table.row("dstack-0.5.9"));
    let mut other_shape = boots.clone();
    other_shape.rtmr[0] = [0x5a; 48];
    for expected in [
        OsImagePolicy::Tuple(table.tuple(table.row("dstack-0.5.8"))),
        OsImagePolicy::Tuple(other_shape),
        os_image("dstack-0.5.8"),
        os_image(&table.hash("dstack-0.5.8")),
    ] {
        let judged = showing(&boots, expected);
        judged.fails(CheckId::OsImage, "register-mismatch");
        let fix = judged.check(CheckId::OsImage).fix.clone().unwrap();
        assert!(
            fix.contains("correct --os-image") && !fix.contains("cvm-verify pin"),
            "{fix}"
        );
    }
}

#[test]
fn t34_a_development_image_is_accepted_only_in_writing() {
    let table = Table::read();
    let row = table.row("dstack-dev-0.5.8");
    let tuple = table.tuple(row);
    showing(&tuple, OsImagePolicy::Tuple(tuple.clone())).says(
        CheckId::OsImage,
        Status::Warn,
        "development-image",
    );
    // A lock accepts it by a line of its own: nobody was told of it who locked the registers before the table had the row.
    let locked = |accepts_development| OsImagePolicy::Lock {
        tuple: tuple.clone(),
        vulnerable: None,
        known_by: None,
        acpi_change: None,
        accepts_development,
        lock: "cvm.lock".into(),
    };
    showing(&tuple, locked(true)).says(CheckId::OsImage, Status::Warn, "development-image");
    let refused = showing(&tuple, locked(false));
    refused.fails(CheckId::OsImage, "development-image");
    assert!(refused.0.accepted.is_empty(), "{refused}");
    let by_hash = showing(&tuple, os_image(&row.os_image_hash.unwrap().to_string()));
    by_hash.says(CheckId::OsImage, Status::Warn, "development-image");
    assert_eq!(by_hash.0.accepted.len(), 1, "{by_hash}");
    // A production row, by its hash, while the development image runs.
    let production = table.hash("dstack-0.5.8");
    showing(&tuple, os_image(&production)).says(CheckId::OsImage, Status::Fail, "register-mismatch");
}

#[test]
fn t34_a_vulnerable_image_is_accepted_only_by_a_lock_with_an_end_date() {
    let table = Table::read();
    let row = table.row("dstack-0.5.3");
    let tuple = table.tuple(row);
    let now = World::default().now;
    let locked = |until: Option<u64>| OsImagePolicy::Lock {
        tuple: tuple.clone(),
        vulnerable: until.map(|until| VulnerableAcceptance {
            until,
            sentence: None,
        }),
        known_by: None,
        acpi_change: None,
        accepts_development: false,
        lock: "cvm.lock".into(),
    };
    for policy in [
        OsImagePolicy::Tuple(tuple.clone()),
        os_image(&row.os_image_hash.unwrap().to_string()),
        locked(None),
        locked(Some(now)),
    ] {
        showing(&tuple, policy).says(CheckId::OsImage, Status::Fail, "vulnerable-image");
    }
    // An acceptance that names other vulnerabilities is none of these.
    let naming = |sentence: &str| OsImagePolicy::Lock {
        tuple: tuple.clone(),
        vulnerable: Some(VulnerableAcceptance {
            until: now + 30 * 86_400,
            sentence: Some(sentence.to_owned()),
        }),
        known_by: None,
        acpi_change: None,
        accepts_development: false,
        lock: "cvm.lock".into(),
    };
    for (sentence, status) in [
        (
            "dstack-0.5.3 has a published vulnerability: CVE-2025-59054.",
            Status::Warn,
        ),
        ("It has GHSA-jxq2-hpw3-m5wf, which is the same.", Status::Warn),
        ("We upgrade next month.", Status::Warn),
        (
            "dstack-0.5.3 has a published vulnerability: CVE-2025-5905.",
            Status::Fail,
        ),
        ("CVE-0000-00001 is accepted", Status::Fail),
    ] {
        showing(&tuple, naming(sentence)).says(CheckId::OsImage, status, "vulnerable-image");
    }
    let fortnight = 14 * 86_400;
    for (until, reason) in [
        (now + 1, "image-exception-ends-soon"),
        (now + fortnight - 1, "image-exception-ends-soon"),
        (now + fortnight, "vulnerable-image"),
    ] {
        showing(&tuple, locked(Some(until))).says(CheckId::OsImage, Status::Warn, reason);
    }
}
