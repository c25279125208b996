//! What the report says beside the checks.

use std::collections::BTreeMap;

use super::{Subject, appraise};
use crate::checks::claims_for_tests::{expected, healthy, listed_image, listed_shape, of_image};
use crate::policy::{LockOrigin, LockedCompose, Policy, SecondHash};
use crate::reference::OsClass;
use crate::report::TargetReport;
use crate::verify::{Claims, TrustRoot};

fn report(claims: &Claims, policy: &Policy) -> TargetReport {
    let subject = Subject {
        name: "app".to_owned(),
        url: None,
        root: TrustRoot::Intel,
        at: claims.at,
        bundle: None,
    };
    appraise(Ok(claims), policy, &subject)
}

#[test]
fn an_image_of_the_table_is_named() {
    let row = listed_image(OsClass::Production, false);
    let claims = of_image(row, listed_shape());
    let named = report(&claims, &Policy::default()).measurements.os_image;
    assert_eq!(named.as_deref(), Some(row.name.as_str()));
    assert_eq!(report(&healthy(), &Policy::default()).measurements.os_image, None);
}

#[test]
fn a_second_release_is_told_where_its_hash_passes() {
    let claims = healthy();
    let own = *claims.boot.as_ref().unwrap().compose_hash();
    let until = "2026-06-10".parse().unwrap();
    let policy = |is_locked: bool| Policy {
        compose_hash: Some(expected("--compose-hash", [7; 32])),
        second_compose_hash: Some(SecondHash {
            value: own,
            until,
            ends: claims.at + 1,
        }),
        locked_compose: is_locked.then(|| LockedCompose {
            compose_settings: BTreeMap::new(),
            images: BTreeMap::new(),
            places: Vec::new(),
            lock: LockOrigin::from("cvm.lock"),
        }),
        ..Policy::default()
    };
    let told = report(&claims, &policy(false)).second_release_until;
    assert_eq!(told.as_deref(), Some("2026-06-10"));
    // Its settings are not the locked ones.
    assert_eq!(report(&claims, &policy(true)).second_release_until, None);
}

/// A word that the user wrote binds whatever the tier; the same word as the default binds the tiers that require it.
#[test]
fn a_requirement_that_was_written_down_is_open_at_a_tier_that_does_not_require_it() {
    use crate::policy::Origin;
    use crate::report::{CheckId, RequiredAssurance, Status, Verdict};

    let mut cvm = simulator::Cvm::healthy(&simulator::World::default());
    simulator::Lie::MutableImageTag.apply(&mut cvm);
    let claims = crate::checks::claims_for_tests::of(&cvm);
    let of = |written: &[&'static str]| {
        let origin = |key: &&'static str| (*key, Origin::Option("--test"));
        let policy = Policy {
            required: RequiredAssurance::Hardware,
            settings: written.iter().map(origin).collect(),
            demanded: written.iter().map(|key| key.parse().unwrap()).collect(),
            ..Policy::default()
        };
        let report = report(&claims, &policy);
        let of = |id| report.checks.iter().find(|check| check.id == id).unwrap();
        let said = [of(CheckId::OsImage), of(CheckId::ImagePins)].map(|check| check.status);
        (report.verdict, said)
    };
    assert_eq!(of(&[]), (Verdict::Pass, [Status::Skip, Status::Warn]));
    assert_eq!(
        of(&["os-image"]),
        (Verdict::Inconclusive, [Status::Skip, Status::Warn])
    );
    assert_eq!(
        of(&["image-pins"]),
        (Verdict::Inconclusive, [Status::Skip, Status::Error])
    );
}

/// An image that is expected by its files is written down as much as one that is expected by its hash.
#[test]
fn what_replaces_the_setting_of_a_checks_own_name_binds_as_it_does() {
    use super::bound;
    use crate::checks::{Check, Finding};
    use crate::policy::Origin;
    use crate::report::{CheckId, RequiredAssurance, Status};

    let check = Check::of(CheckId::OsImage);
    let unverified = check.reason("acpi-unverified").unwrap();
    let of = |origin: Option<&'static str>| {
        let policy = Policy {
            required: RequiredAssurance::Hardware,
            os_image_origin: origin.map(Origin::Option),
            demanded: origin.iter().map(|_| CheckId::OsImage).collect(),
            ..Policy::default()
        };
        let finding = bound(
            Finding::warn(unverified, "RTMR0 is not compared."),
            check,
            &policy,
        );
        (finding.status, finding.origin.map(|origin| origin.to_string()))
    };
    assert_eq!(of(None), (Status::Warn, None));
    let files = Some("--os-image-files".to_owned());
    assert_eq!(of(Some("--os-image-files")), (Status::Error, files));
}

/// A plan says of a document what the report of its deployment will: a requirement that was written down binds in both.
#[test]
fn a_forecast_holds_what_was_written_down_at_a_tier_that_does_not_require_it() {
    use super::forecast;
    use crate::compose::UnprovenDocument;
    use crate::policy::Origin;
    use crate::report::{CheckId, RequiredAssurance, Status};

    let text = r#"{"manifest_version":2,"runner":"bash","bash_script":"echo","public_logs":false,"public_sysinfo":false}"#;
    let document = UnprovenDocument::read(text).unwrap();
    let of = |written: &[&'static str]| {
        let policy = Policy {
            required: RequiredAssurance::Hardware,
            settings: written
                .iter()
                .map(|key| (*key, Origin::Option("--test")))
                .collect(),
            demanded: written.iter().map(|key| key.parse().unwrap()).collect(),
            ..Policy::default()
        };
        let found = forecast(&document, &policy).into_iter();
        found
            .map(|(check, keeps_from_pass)| (check.id, check.status, keeps_from_pass))
            .find(|(id, ..)| *id == CheckId::ImagePins)
            .unwrap()
    };
    assert_eq!(of(&[]), (CheckId::ImagePins, Status::Warn, false));
    assert_eq!(of(&["image-pins"]), (CheckId::ImagePins, Status::Error, true));
}

/// The demand binds by itself: a program that embeds the checks names no file and no option.
#[test]
fn a_demand_that_is_written_nowhere_keeps_the_verdict_open_too() {
    use crate::report::{CheckId, RequiredAssurance, Status, Verdict};

    let claims = healthy();
    let of = |demanded: &[CheckId]| {
        let policy = Policy {
            required: RequiredAssurance::Hardware,
            demanded: demanded.iter().copied().collect(),
            ..Policy::default()
        };
        let report = report(&claims, &policy);
        let check = report
            .checks
            .iter()
            .find(|check| check.id == CheckId::KeyProvider)
            .unwrap();
        (report.verdict, check.status, check.reason.clone())
    };
    let reason = Some("unpinned".to_owned());
    assert_eq!(of(&[]), (Verdict::Pass, Status::Warn, reason.clone()));
    assert_eq!(
        of(&[CheckId::KeyProvider]),
        (Verdict::Inconclusive, Status::Error, reason)
    );
}

/// The program refuses such a policy; a library call must not pass it in silence, at a tier that does not require the check either.
#[test]
fn an_expectation_that_nothing_is_compared_with_is_an_error() {
    use crate::policy::ReportDataPolicy;
    use crate::report::{CheckId, RequiredAssurance, Status, Verdict};
    use crate::verify::Layout;

    let claims = healthy();
    let hardware = || Policy {
        required: RequiredAssurance::Hardware,
        ..Policy::default()
    };
    assert_eq!(report(&claims, &hardware()).verdict, Verdict::Pass);
    let of_key = |layout| Policy {
        report_data: ReportDataPolicy {
            layout,
            key: Some([7; 32]),
            value: None,
        },
        ..hardware()
    };
    let second = Policy {
        second_compose_hash: Some(SecondHash {
            value: [7; 32],
            until: "2026-06-10".parse().unwrap(),
            ends: claims.at + 1,
        }),
        ..hardware()
    };
    let locked = Policy {
        locked_compose: Some(LockedCompose {
            compose_settings: BTreeMap::new(),
            images: BTreeMap::new(),
            places: Vec::new(),
            lock: LockOrigin::from("cvm.lock"),
        }),
        ..hardware()
    };
    for (policy, id, key) in [
        (of_key(None), CheckId::ReportData, "report-data-key"),
        (
            of_key(Some(Layout::Ascii)),
            CheckId::ReportData,
            "report-data-key",
        ),
        (second, CheckId::ComposeHash, "also-compose-hash"),
        (locked, CheckId::ComposeHash, "lock"),
    ] {
        let report = report(&claims, &policy);
        let check = report.checks.iter().find(|check| check.id == id).unwrap();
        assert_eq!(
            (check.status, check.reason.as_deref()),
            (Status::Error, Some("not-compared")),
            "{key}"
        );
        assert_eq!(report.verdict, Verdict::Inconclusive, "{key}");
        let problems = policy.problems(claims.at);
        assert_eq!(
            problems
                .iter()
                .map(|one| (one.key, one.check))
                .collect::<Vec<_>>(),
            [(key, id)]
        );
    }
}

/// Nothing is accepted for more than 90 days from the day on which somebody says so.
#[test]
fn what_is_accepted_for_too_long_is_a_problem_of_the_policy() {
    let ends = 1_781_136_000;
    let mut policy = Policy {
        compose_hash: Some(expected("--compose-hash", [7; 32])),
        second_compose_hash: Some(SecondHash {
            value: [8; 32],
            until: "2026-06-10".parse().unwrap(),
            ends,
        }),
        ..Policy::default()
    };
    policy.tcb.exceptions = vec!["OutOfDate:until=2026-06-10".parse().unwrap()];
    let late = |today| {
        let problems = policy.problems(today).into_iter();
        problems.map(|problem| problem.key).collect::<Vec<_>>()
    };
    assert_eq!(late(ends - 91 * 86_400), Vec::<&str>::new());
    assert_eq!(late(ends - 91 * 86_400 - 1), ["accept-tcb", "also-compose-hash"]);
}
