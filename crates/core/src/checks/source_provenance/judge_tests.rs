//! One image with several statements: which of them decides.

use serde_json::json;

use super::*;
use crate::checks::source_provenance::identity::tests::{claims, rule};
use crate::evidence::{LookupProblem, StatementSource};
use crate::verify::FoundStatement;
use crate::verify::provenance::{COSIGN_SIGNATURE, PROVENANCE};

/// A bundle that verifies, of the workflow that the rule names.
fn signed(kind: &str) -> FoundStatement {
    found(Ok(SignedStatement::made_up(claims(&[]), kind, json!({}))))
}

fn refused(refusal: Refusal) -> FoundStatement {
    found(Err(refusal))
}

fn found(proven: Result<SignedStatement, Refusal>) -> FoundStatement {
    FoundStatement {
        from: StatementSource::File,
        about: AboutImage::Pinned,
        proven,
    }
}

fn with(bundles: Vec<FoundStatement>) -> ImageStatements {
    ImageStatements {
        bundles,
        ..ImageStatements::default()
    }
}

/// In one word, and the reason.
fn outcome(image: &ImageStatements, rule: &BuildSource) -> (&'static str, &'static str) {
    match weigh(image, rule) {
        ImageOutcome::Proven(matched) => ("proven", if matched.grants() { "grants" } else { "" }),
        ImageOutcome::Undetermined(reason, _) => ("open", reason.id),
        ImageOutcome::Refused(reason, ..) => ("refused", reason.id),
        ImageOutcome::Unproven(_) | ImageOutcome::NoRule | ImageOutcome::Unpinned => {
            panic!("not of one statement")
        }
    }
}

const LIST: &str = "https://spdx.dev/Document";

#[test]
fn in_any_order_the_statement_that_says_most_decides() {
    type Made = fn() -> FoundStatement;
    let provenance: Made = || signed(PROVENANCE);
    let signature: Made = || signed(COSIGN_SIGNATURE);
    let list: Made = || signed(LIST);
    let outdated: Made = || refused(Refusal::RootOutdated);
    let ahead: Made = || refused(Refusal::TimeAhead { signed: 2, now: 1 });
    let unread: Made = || refused(Refusal::Unsupported("a managed key"));
    let forged: Made = || refused(Refusal::SignatureInvalid);
    let malformed: Made = || refused(Refusal::Malformed("not JSON"));
    let of_another: Made = || refused(Refusal::OtherSubject);
    let stranger: Made = || {
        let claims = claims(&[(8, "https://gitlab.com")]);
        found(Ok(SignedStatement::made_up(claims, PROVENANCE, json!({}))))
    };
    let strict = rule();
    let either = BuildSource {
        signature_suffices: true,
        ..rule()
    };
    for (bundles, rule, expected) in [
        (vec![provenance], &strict, ("proven", "grants")),
        (vec![provenance, forged], &strict, ("proven", "grants")),
        (vec![provenance, signature], &either, ("proven", "grants")),
        (vec![signature, forged], &either, ("proven", "")),
        (vec![list], &strict, ("refused", "other-predicate")),
        (vec![stranger], &strict, ("refused", "other-issuer")),
        // The statement that this version cannot judge may be the provenance, whatever else is signed.
        (vec![list, outdated], &strict, ("open", "root-outdated")),
        (vec![stranger, outdated], &strict, ("open", "root-outdated")),
        (vec![list, ahead], &strict, ("open", "time-ahead")),
        (vec![forged, ahead], &strict, ("open", "time-ahead")),
        // A form that is not read says less than a statement that was read.
        (vec![unread], &strict, ("open", "unsupported")),
        (vec![unread, malformed], &strict, ("open", "unsupported")),
        (vec![unread, forged], &strict, ("refused", "signature-invalid")),
        (vec![unread, list], &strict, ("refused", "other-predicate")),
        (vec![forged, of_another], &strict, ("refused", "other-subject")),
        (vec![stranger, list], &strict, ("refused", "other-predicate")),
        (vec![of_another, stranger], &strict, ("refused", "other-issuer")),
    ] {
        let mut image = with(bundles.iter().map(|make| make()).collect());
        assert_eq!(outcome(&image, rule), expected);
        image.bundles.reverse();
        assert_eq!(outcome(&image, rule), expected, "in the other order");
    }
}

#[test]
fn a_statement_about_what_buildkit_attests_counts_where_the_rule_says_so() {
    let image = with(vec![FoundStatement {
        about: AboutImage::Attestation,
        ..signed(PROVENANCE)
    }]);
    assert_eq!(outcome(&image, &rule()), ("refused", "other-subject"));
    let via = BuildSource {
        via_buildkit: true,
        ..rule()
    };
    assert_eq!(outcome(&image, &via), ("proven", "grants"));
    // Such a rule takes a statement about the image itself, too.
    assert_eq!(
        outcome(&with(vec![signed(PROVENANCE)]), &via),
        ("proven", "grants")
    );
}

#[test]
fn what_could_not_be_looked_up_comes_before_what_was_refused() {
    let problem = LookupProblem::too_many(StatementSource::File);
    for bundles in [
        vec![],
        vec![refused(Refusal::SignatureInvalid)],
        vec![signed(LIST)],
    ] {
        let image = ImageStatements {
            problems: vec![problem.clone()],
            ..with(bundles)
        };
        assert_eq!(outcome(&image, &rule()), ("open", "too-many-statements"));
    }
    let proven = ImageStatements {
        problems: vec![problem],
        ..with(vec![signed(PROVENANCE)])
    };
    assert_eq!(outcome(&proven, &rule()), ("proven", "grants"));
    assert_eq!(outcome(&with(vec![]), &rule()), ("refused", "no-provenance"));
    let legacy = ImageStatements {
        has_legacy_signature: true,
        ..with(vec![])
    };
    assert_eq!(outcome(&legacy, &rule()), ("open", "legacy-signature"));
}

/// Without the network, the file that the user gave is all that there is: what it says is not hidden by what could not be asked.
#[test]
fn what_was_found_is_told_beside_what_could_not_be_looked_up() {
    let unreachable = |bundles| ImageStatements {
        asked: vec![StatementSource::File, StatementSource::GithubApi],
        problems: vec![LookupProblem::too_many(StatementSource::GithubApi)],
        ..with(bundles)
    };
    let words = |image: &ImageStatements, rule: &BuildSource| match weigh(image, rule) {
        ImageOutcome::Undetermined(reason, words) => {
            assert_eq!(reason.id, "too-many-statements");
            words
        }
        _ => panic!("not open"),
    };
    let other = BuildSource {
        repository: "other/repo".to_owned(),
        workflow: None,
        repository_id: None,
        ..rule()
    };
    let said = words(&unreachable(vec![signed(PROVENANCE)]), &other);
    assert!(
        said.contains("a statement exists in the given files, but by"),
        "{said}"
    );
    assert!(said.contains("other/repo"), "{said}");
    let said = words(&unreachable(vec![refused(Refusal::SignatureInvalid)]), &rule());
    assert!(
        said.contains("a statement exists in the given files, but"),
        "{said}"
    );
    let said = words(&unreachable(vec![]), &rule());
    assert!(
        said.ends_with("; the given files hold no statement about it"),
        "{said}"
    );
}

/// Of two statements that say as much, the first is told.
#[test]
fn of_two_statements_that_say_as_much_the_first_is_told() {
    let outdated = || refused(Refusal::RootOutdated);
    let ahead = || refused(Refusal::TimeAhead { signed: 2, now: 1 });
    for (bundles, reason) in [
        (vec![outdated(), ahead()], "root-outdated"),
        (vec![ahead(), outdated()], "time-ahead"),
    ] {
        assert_eq!(outcome(&with(bundles), &rule()), ("open", reason));
    }
}
