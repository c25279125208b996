//! Each claim of a signer against a rule.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::policy::{ExpectedSource, GITHUB_ACTIONS, Origin, RefPattern, WrittenRule};
use crate::verify::provenance::PROVENANCE;

const COMMIT: &str = "95baf2766ce4c0cb4a4a2bd7b0ee4ce61f0ba012";
const WORKFLOW: &str = ".github/workflows/release.yml";

/// The number of each claim (Fulcio's `oid-info.md`).
const ISSUER: u32 = 8;
const SIGNER: u32 = 9;
const RUNNER: u32 = 11;
const REPOSITORY: u32 = 12;
const BUILT: u32 = 13;
const REF: u32 = 14;
const REPOSITORY_ID: u32 = 15;
const TRIGGER: u32 = 20;
const ENVIRONMENT: u32 = 23;

/// A release of `example/shop`, with these claims in place of its own; an empty text is no claim.
fn claims_with(subject: &str, others: &[(u32, &str)]) -> SignerClaims {
    let own = [
        (ISSUER, GITHUB_ACTIONS),
        (SIGNER, subject),
        (RUNNER, "github-hosted"),
        (REPOSITORY, "https://github.com/example/shop"),
        (BUILT, COMMIT),
        (REF, "refs/tags/v1"),
        (REPOSITORY_ID, "42"),
        (TRIGGER, "push"),
        (ENVIRONMENT, "production"),
    ];
    let claims = own.into_iter().chain(others.iter().copied());
    let mut claims: Vec<(u32, &str)> = claims
        .filter(|(arc, text)| {
            !text.is_empty() && !others.iter().any(|(other, own)| other == arc && own != text)
        })
        .collect();
    claims.sort_unstable();
    SignerClaims::made_up(Some(subject), &claims)
}

fn subject(place: &str, git_ref: &str) -> String {
    format!("https://github.com/{place}@{git_ref}")
}

pub(in crate::checks::source_provenance) fn claims(others: &[(u32, &str)]) -> SignerClaims {
    claims_with(
        &subject(&format!("example/shop/{WORKFLOW}"), "refs/tags/v1"),
        others,
    )
}

/// Everything of that release.
pub(in crate::checks::source_provenance) fn rule() -> BuildSource {
    BuildSource {
        repository: "example/shop".to_owned(),
        repository_id: Some(42),
        workflow: Some(WORKFLOW.to_owned()),
        workflow_ref: Some("refs/tags/v1".to_owned()),
        refs: vec![RefPattern::Prefix("refs/tags/".to_owned())],
        commits: vec![COMMIT.to_owned()],
        any_runner: false,
        environment: Some("production".to_owned()),
        issuer: GITHUB_ACTIONS.to_owned(),
        signature_suffices: false,
        attestation_repository: None,
        from: Vec::new(),
        via_buildkit: false,
    }
}

fn rule_with(change: impl FnOnce(&mut BuildSource)) -> BuildSource {
    let mut rule = rule();
    change(&mut rule);
    rule
}

/// The reason, and how many rules were kept before; none where the signer is as the rule says.
fn refused(claims: &SignerClaims, rule: &BuildSource) -> Option<(&'static str, u8)> {
    let mismatch = judge_signer(claims, rule).err()?;
    Some((mismatch.reason.id, mismatch.progress))
}

#[test]
fn each_claim_that_is_another_or_none_is_refused_for_its_own_reason() {
    assert_eq!(refused(&claims(&[]), &rule()), None);
    for (claim, others, reason, place) in [
        (SIGNER, &[][..], "other-signer", 1),
        (ISSUER, &["https://token.actions.octo.ghe.com"], "other-signer", 1),
        (ISSUER, &["https://gitlab.com"], "other-issuer", 2),
        (
            REPOSITORY,
            &[
                "https://github.com/example/shop2",
                "https://gitlab.com/example/shop",
            ],
            "other-repository",
            3,
        ),
        (REPOSITORY_ID, &["43"], "other-repository-id", 4),
        (
            TRIGGER,
            &["pull_request", "pull_request_target"],
            "other-trigger",
            5,
        ),
        (REF, &["refs/heads/v1", "refs/pull/1/merge"], "other-ref", 8),
        (
            BUILT,
            &["95baf2766ce4c0cb4a4a2bd7b0ee4ce61f0ba013"],
            "other-commit",
            9,
        ),
        (RUNNER, &["self-hosted"], "other-runner", 10),
        (ENVIRONMENT, &["staging"], "other-environment", 11),
    ] {
        for other in others {
            assert_eq!(
                refused(&claims(&[(claim, other)]), &rule()),
                Some((reason, place)),
                "{other}"
            );
        }
        // An issuer that is not said is no signer at all.
        let expected = if claim == ISSUER {
            ("other-signer", 1)
        } else {
            (reason, place)
        };
        assert_eq!(
            refused(&claims(&[(claim, "")]), &rule()),
            Some(expected),
            "{reason}"
        );
    }
    for (place, git_ref, expected) in [
        (
            "example/shop/.github/workflows/other.yml",
            "refs/tags/v1",
            ("other-workflow", 6),
        ),
        (
            "example/tools/.github/workflows/release.yml",
            "refs/tags/v1",
            ("other-workflow", 6),
        ),
        (
            "example/shop/.github/workflows/release.yml",
            "refs/heads/main",
            ("other-workflow", 7),
        ),
    ] {
        let claims = claims_with(&subject(place, git_ref), &[]);
        assert_eq!(refused(&claims, &rule()), Some(expected), "{place}@{git_ref}");
    }
}

/// The caller of a reusable workflow may name a commit in the place of a ref.
#[test]
fn a_reusable_workflow_that_is_called_by_its_commit_can_be_pinned_to_it() {
    let written = |at: &str| WrittenRule {
        image: "ghcr.io/example/web".to_owned(),
        repository: Some("example/shop".to_owned()),
        workflow: Some("example/tools/.github/workflows/build.yml".to_owned()),
        workflow_ref: Some(at.to_owned()),
        ..WrittenRule::default()
    };
    let rule = |at: &str| match written(at).rule(Origin::Option("--test")).unwrap().expected {
        ExpectedSource::Built(source) => *source,
        ExpectedSource::Unproven(_) => unreachable!(),
    };
    let signed_at = |at: &str| claims_with(&subject("example/tools/.github/workflows/build.yml", at), &[]);
    let other = COMMIT.replace('9', "8");
    assert_eq!(refused(&signed_at(COMMIT), &rule(COMMIT)), None);
    assert_eq!(refused(&signed_at(COMMIT), &rule(&COMMIT.to_uppercase())), None);
    let expected = Some(("other-workflow", 7));
    assert_eq!(refused(&signed_at(&other), &rule(COMMIT)), expected);
    assert_eq!(
        refused(&signed_at(&format!("refs/heads/{COMMIT}")), &rule(COMMIT)),
        expected
    );
    for at in ["v1", &COMMIT[1..], "refs/tags/*"] {
        let error = written(at).rule(Origin::Option("--test")).unwrap_err();
        assert_eq!(error.key, "workflow-ref", "{at}");
    }
}

#[test]
fn a_rule_that_leaves_something_out_does_not_ask_for_it() {
    type Change = fn(&mut BuildSource);
    type Row = (Change, &'static [(u32, &'static str)], Option<&'static str>);
    let rows: [Row; 12] = [
        (|rule| rule.repository = "Example/SHOP".to_owned(), &[], None),
        (|rule| rule.repository_id = None, &[(REPOSITORY_ID, "")], None),
        (|rule| rule.workflow_ref = None, &[], None),
        (|rule| rule.any_runner = true, &[(RUNNER, "self-hosted")], None),
        (|rule| rule.environment = None, &[(ENVIRONMENT, "")], None),
        (|rule| rule.commits.clear(), &[(BUILT, "")], None),
        (|rule| rule.commits.insert(0, "00".repeat(20)), &[], None),
        (|rule| rule.refs.clear(), &[(REF, "refs/heads/main")], None),
        (|rule| rule.refs.clear(), &[(REF, "refs/tags/v2")], None),
        // A pull request is never meant, whatever a rule allows.
        (
            |rule| rule.refs.clear(),
            &[(REF, "refs/pull/1/merge")],
            Some("other-ref"),
        ),
        (
            |rule| rule.refs = vec![RefPattern::Prefix("refs/".to_owned())],
            &[(REF, "refs/pull/1/merge")],
            Some("other-ref"),
        ),
        (
            |rule| rule.refs = vec![RefPattern::Prefix("refs/".to_owned())],
            &[(REF, "refs/heads/x")],
            None,
        ),
    ];
    for (at, (change, others, expected)) in rows.into_iter().enumerate() {
        let found = refused(&claims(others), &rule_with(change));
        assert_eq!(found.map(|(reason, _)| reason), expected, "row {at}");
    }
    // Any workflow of the repository, or one of another repository by its whole name.
    let other_file = claims_with(
        &subject("example/shop/.github/workflows/other.yml", "refs/tags/v1"),
        &[],
    );
    let tools = claims_with(
        &subject("Example/tools/.github/workflows/release.yml", "refs/tags/v1"),
        &[],
    );
    let any = rule_with(|rule| rule.workflow = None);
    let of_tools = rule_with(|rule| rule.workflow = Some(format!("example/tools/{WORKFLOW}")));
    assert_eq!(refused(&other_file, &any), None);
    assert_eq!(refused(&tools, &any), Some(("other-workflow", 6)));
    assert_eq!(refused(&tools, &of_tools), None);
    assert_eq!(refused(&claims(&[]), &of_tools), Some(("other-workflow", 6)));
}

/// An organisation may keep its workflows in its repository `.github`, and what is pinned of them must be accepted again.
#[test]
fn a_workflow_in_a_repository_named_github_is_told_from_its_folder() {
    let shared = "my-org/.github/.github/workflows/build.yml";
    let of_org = claims_with(&subject(shared, "refs/tags/v1"), &[]);
    assert_eq!(
        pinned(&of_org),
        Some(("example/shop".to_owned(), shared.to_owned()))
    );
    let named = rule_with(|rule| rule.workflow = Some(shared.to_owned()));
    assert_eq!(refused(&of_org, &named), None);
    for other in [
        "my-org/.github/workflows/build.yml",
        "example/.github/.github/workflows/build.yml",
    ] {
        let other = claims_with(&subject(other, "refs/tags/v1"), &[]);
        assert_eq!(refused(&other, &named), Some(("other-workflow", 6)));
    }
}

fn statement(kind: &str, predicate: Value) -> SignedStatement {
    SignedStatement::made_up(claims(&[]), kind, predicate)
}

#[test]
fn only_provenance_that_agrees_with_its_certificate_grants_anything() {
    let judged = |statement: &SignedStatement, rule: &BuildSource| {
        judge(statement, rule)
            .map(|matched| (matched.grants(), matched.words))
            .map_err(|mismatch| (mismatch.reason.id, mismatch.progress))
    };
    let provenance = statement(PROVENANCE, json!({}));
    let signature = statement(COSIGN_SIGNATURE, json!({}));
    let either = rule_with(|rule| rule.signature_suffices = true);
    let built = "built from example/shop@95baf27 (refs/tags/v1) by release.yml, github-hosted";
    let signed = "signed by release.yml of example/shop@95baf27 (refs/tags/v1); no provenance";
    assert_eq!(judged(&provenance, &rule()), Ok((true, built.to_owned())));
    assert_eq!(judged(&provenance, &either), Ok((true, built.to_owned())));
    assert_eq!(judged(&signature, &either), Ok((false, signed.to_owned())));
    assert_eq!(judged(&signature, &rule()), Err(("other-predicate", u8::MAX)));
    let list = statement("https://spdx.dev/Document", json!({}));
    assert_eq!(judged(&list, &either), Err(("other-predicate", u8::MAX)));
    let contradicts = json!({ "buildDefinition": {
        "buildType": "https://actions.github.io/buildtypes/workflow/v1",
        "externalParameters": { "workflow": { "repository": "https://github.com/evil/shop" } },
    } });
    let found = judged(&statement(PROVENANCE, contradicts), &rule());
    assert_eq!(found, Err(("predicate-mismatch", u8::MAX)));
    // What a rule leaves open is said, and grants nothing.
    for (open, words) in [
        (
            rule_with(|rule| rule.workflow = None),
            " (accepted: any workflow; so the tier `source` is not reached)",
        ),
        (
            rule_with(|rule| {
                rule.refs.clear();
                rule.commits.clear();
            }),
            " (accepted: any branch; so the tier `source` is not reached)",
        ),
        (
            rule_with(|rule| {
                rule.refs = vec![
                    RefPattern::Prefix("refs/heads/".to_owned()),
                    RefPattern::Prefix("refs/tags/".to_owned()),
                ];
                rule.commits.clear();
            }),
            " (accepted: any branch; so the tier `source` is not reached)",
        ),
    ] {
        assert_eq!(judged(&provenance, &open), Ok((false, format!("{built}{words}"))));
    }
    for one in [
        rule_with(|rule| rule.refs.clear()),
        rule_with(|rule| rule.commits.clear()),
        // The ref of a workflow of the repository itself is its own matter.
        rule_with(|rule| {
            rule.workflow_ref = None;
            rule.commits.clear();
        }),
        rule_with(|rule| {
            rule.workflow = Some(format!("Example/Shop/{WORKFLOW}"));
            rule.workflow_ref = None;
            rule.commits.clear();
        }),
    ] {
        assert_eq!(judged(&provenance, &one), Ok((true, built.to_owned())));
    }
}

/// Whose workflow it is is said, since it is not the repository's; and its callers choose its ref, which may be a commit of a fork,
/// unless the rule names it or the commit of the caller.
#[test]
fn a_reusable_workflow_is_named_with_its_repository_and_is_pinned_by_its_ref_or_its_caller() {
    const SHARED: &str = "example/tools/.github/workflows/build.yml";
    let statement =
        |at: &str, kind| SignedStatement::made_up(claims_with(&subject(SHARED, at), &[]), kind, json!({}));
    let rule = |change: &dyn Fn(&mut BuildSource)| {
        rule_with(|rule| {
            rule.workflow = Some(SHARED.to_owned());
            rule.workflow_ref = None;
            rule.signature_suffices = true;
            change(rule);
        })
    };
    let judged = |at: &str, kind, change: &dyn Fn(&mut BuildSource)| {
        judge(&statement(at, kind), &rule(change))
            .map(|matched| (matched.grants(), matched.words))
            .unwrap()
    };
    let by = |at: &str| format!("build.yml of example/tools ({at})");
    let built = |at: &str| {
        format!(
            "built from example/shop@95baf27 (refs/tags/v1) by {}, github-hosted",
            by(at)
        )
    };
    let tag = "refs/tags/v2";
    let pinned = judged(tag, PROVENANCE, &|rule| {
        rule.workflow_ref = Some(tag.to_owned());
        rule.commits.clear();
    });
    assert_eq!(pinned, (true, built(tag)));
    assert_eq!(judged(tag, PROVENANCE, &|_| ()), (true, built(tag)));
    let fork = "0123456789012345678901234567890123456789";
    let open = judged(fork, PROVENANCE, &|rule| rule.commits.clear());
    let said = " (accepted: any ref of the workflow; so the tier `source` is not reached)";
    assert_eq!(open, (false, format!("{}{said}", built(fork))));
    let signed = format!(
        "signed by {} for example/shop@95baf27 (refs/tags/v1); no provenance",
        by(tag)
    );
    assert_eq!(judged(tag, COSIGN_SIGNATURE, &|_| ()), (false, signed));
}

#[test]
fn what_signed_is_pinned_as_a_rule_writes_it() {
    let pair = |repository: &str, workflow: &str| Some((repository.to_owned(), workflow.to_owned()));
    assert_eq!(pinned(&claims(&[])), pair("example/shop", WORKFLOW));
    let tools = claims_with(
        &subject("example/tools/.github/workflows/x.yml", "refs/tags/v1"),
        &[],
    );
    assert_eq!(
        pinned(&tools),
        pair("example/shop", "example/tools/.github/workflows/x.yml")
    );
    for missing in [SIGNER, REPOSITORY] {
        assert_eq!(pinned(&claims(&[(missing, "")])), None);
    }
    let tenant = "https://token.actions.octo.ghe.com";
    assert_eq!(github(&claims(&[(ISSUER, tenant)])), "https://octo.ghe.com/");
    assert_eq!(pinned(&claims(&[(ISSUER, tenant)])), None);
}

fn of<'a>(path: &'a str, git_ref: &'a str) -> Signer<'a> {
    Signer {
        repository: "example/shop",
        path,
        git_ref,
    }
}

#[test]
fn a_ref_begins_where_a_whole_ref_or_a_commit_does() {
    let commit = "95baf2766ce4c0cb4a4a2bd7b0ee4ce61f0ba012";
    for (path, git_ref) in [
        (".github/workflows/release.yml", "refs/heads/main"),
        (".github/workflows/release@v2.yml", "refs/heads/main"),
        (".github/workflows/release@v2.yml", commit),
        (".github/workflows/a@refs.yml", "refs/tags/v1@rc"),
        (".github/workflows/release.yml", "refs/heads/x@refs/heads/y"),
    ] {
        let subject = format!("https://github.com/example/shop/{path}@{git_ref}");
        assert_eq!(
            Signer::read(&subject, GITHUB),
            Some(of(path, git_ref)),
            "{subject}"
        );
    }
    for nothing in [
        "https://github.com/example/shop/.github/workflows/release.yml",
        "https://github.com/example/shop/.github/workflows/release.yml@main",
        "https://github.com/example@refs/heads/main",
        "https://gitlab.example/example/shop/.github/workflows/release.yml@refs/heads/main",
    ] {
        assert_eq!(Signer::read(nothing, GITHUB), None, "{nothing}");
    }
}

proptest! {
    #[test]
    fn what_is_joined_is_split_again(name in "[a-z@.]{1,20}", git_ref in "refs/(heads|tags)/[a-z@/.]{1,20}") {
        let path = format!(".github/workflows/{name}.yml");
        let subject = format!("https://github.com/example/shop/{path}@{git_ref}");
        prop_assert_eq!(Signer::read(&subject, GITHUB), Some(of(&path, &git_ref)));
    }
}
