//! `source-provenance`: the expected workflow built each image from the expected source.
//!
//! A statement counts if its signature is proven (`prove/provenance`) and its signer is the one of the first rule that names the
//! image (`identity.rs`). It does not show that the workflow built the digest from that source, only that it says so.

mod identity;
mod join;
mod judge;
mod locked;
mod reasons;
mod records;
mod rules;
mod sought;

use crate::checks::known;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::launch_inputs::{script_of_own_row, unreviewed_scripts};
use super::measured_compose::measured_compose;
use super::{Acceptance, Check, Finding, Required};
use crate::compose::UnprovenDocument;
use crate::evidence::MAX_LOOKED_UP;
use crate::policy::{BuildSource, Origin, Policy, SourcePolicy};
use crate::report::{AcceptedKind, CheckId, SideTier, Status};
use crate::verify::provenance::SignerClaims;
use crate::verify::{Claims, ImageStatements};
use join::join;
use judge::{commit_of_no_image, judge};
use reasons as why;
use records::images;
use rules::unused_rules;

pub use locked::{SeveralSources, locked_sources};
pub use records::{for_platforms, proven_sources};
pub use sought::{Sought, met_by_provenance, sought_in, sought_sources, statements_of_files, still_sought};

pub(super) const CHECK: Check = Check {
    id: CheckId::SourceProvenance,
    title: "Source provenance",
    proves: "The expected workflow states that it built each image from the expected source.",
    prevents: "An image that was built elsewhere, or from other code, and then pinned by its digest.",
    reasons: why::REASONS,
    required: Required::Grants(&[SideTier::Source]),
    harmless_skips: &[&why::NO_RULE],
    harmless_warnings: &[&why::ROOTS_GROW_OLD, &why::UNREVIEWED_SCRIPT],
    is_configured: |policy| {
        !policy.sources.rules.is_empty() || policy.required.sides().includes(SideTier::Source)
    },
    run,
    forecasts: &[&why::ROOTS_GROW_OLD],
    ..Check::BASE
};

fn run(claims: &Claims, policy: &Policy) -> Finding {
    if policy.sources.rules.is_empty() {
        return Finding::skip(
            &why::NOT_CONFIGURED,
            "No rule says who must have built the images.",
        );
    }
    let images = known!(images(claims));
    let finding = judge_images(&images, &records::statements(claims), &policy.sources);
    let settings = match measured_compose(claims).map(|(_, compose)| compose.compose_settings()) {
        Ok(Ok(settings)) => settings,
        Ok(Err(_)) => {
            return Finding::error(
                &why::UNREADABLE_COMPOSE,
                "The measured compose document cannot be read.",
            );
        }
        Err(finding) => return finding,
    };
    let finding = with_scripts(finding, settings, policy);
    with_age_of_roots(finding, policy.sources.roots.grow_old(claims.at))
}

/// The same for a document before its deployment, of images that were judged.
#[must_use]
pub fn with_scripts_of(finding: Finding, document: &UnprovenDocument, policy: &Policy) -> Finding {
    with_scripts(finding, &document.compose_settings(), policy)
}

/// What grants the tier beside the scripts before the containers, which can start images that no rule names: it needs that somebody
/// has read each, and rests on who says so.
fn with_scripts(finding: Finding, settings: &BTreeMap<String, Value>, policy: &Policy) -> Finding {
    if finding.grants.is_none() {
        return finding;
    }
    let unreviewed = unreviewed_scripts(settings, policy);
    if unreviewed.is_empty() {
        return finding.accepting(script_of_own_row(settings, policy));
    }
    Finding {
        accepted: finding.accepted,
        ..Finding::warn(
            &why::UNREVIEWED_SCRIPT,
            format!(
                "{} The tier `source` is not reached: {}, and could start other images.",
                finding.detail,
                unreviewed.join("; ")
            ),
        )
    }
}

/// A pass under roots that are old is one, and says so. Anything else has a reason of its own.
fn with_age_of_roots(finding: Finding, are_old: bool) -> Finding {
    if !are_old || finding.status != Status::Pass {
        return finding;
    }
    Finding {
        grants: finding.grants,
        accepted: finding.accepted,
        ..Finding::warn(&why::ROOTS_GROW_OLD, finding.detail)
    }
}

/// Judges the images of a compose document by the rules, with what was found of who built each (by `NAME@sha256:HEX`).
/// `met_by_provenance` says it of one of them.
#[must_use]
pub fn judge_images(
    images: &BTreeSet<String>,
    statements: &BTreeMap<String, ImageStatements>,
    policy: &SourcePolicy,
) -> Finding {
    if images.len() > MAX_LOOKED_UP {
        return Finding::error(
            &why::TOO_MANY_IMAGES,
            format!(
                "Not determined: {} images run; at most {MAX_LOOKED_UP} are looked up.",
                images.len()
            ),
        );
    }
    let judged: Vec<_> = images
        .iter()
        .map(|image| judge(image, statements, policy))
        .collect();
    let mut unused = unused_rules(images, policy);
    unused.retain(|rule| judged.is_empty() || judged.iter().any(|image| image.may_escape(rule)));
    unused.extend(commit_of_no_image(&judged, policy));
    join(judged, unused, other_roots(policy))
}

/// That the statements rely on other roots than the built-in ones, which the author of the setting accepted.
fn other_roots(policy: &SourcePolicy) -> Option<Acceptance> {
    let sha256 = hex::encode(policy.roots.sha256()?);
    let option = Origin::Option("--sigstore-root");
    Some(Acceptance::new(
        AcceptedKind::SigstoreRoot,
        policy.roots_origin.as_ref().unwrap_or(&option),
        format!(
            "The proof of who built the images relies on the Sigstore roots in a file (SHA-256 {sha256}), not on the built-in \
             ones."
        ),
    ))
}

/// In which way a signer is not the expected one, a sentence without its full stop.
#[must_use]
pub fn signer_problem(claims: &SignerClaims, source: &BuildSource) -> Option<(&'static str, String)> {
    let mismatch = identity::judge_signer(claims, source).err()?;
    let problem = format!(
        "it was signed by {} instead of {}",
        mismatch.actual, mismatch.expected
    );
    Some((mismatch.reason.id, problem))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::WrittenRule;

    /// What runs is `ghcr.io/example/web` and `redis`; the rule that each meets, next to one for `ghcr.io/example/api`.
    #[test]
    fn an_unused_rule_counts_where_an_image_may_have_escaped_from_it() {
        let pinned = |name: &str| format!("{name}@sha256:{}", "ab".repeat(32));
        let images = BTreeSet::from([pinned("ghcr.io/example/web"), pinned("docker.io/library/redis")]);
        let rule = |image: &str, change: &dyn Fn(&mut WrittenRule)| {
            let mut written = WrittenRule {
                image: image.to_owned(),
                repository: Some("example/shop".to_owned()),
                workflow: Some(".github/workflows/release.yml".to_owned()),
                refs: vec!["refs/tags/*".to_owned()],
                ..WrittenRule::default()
            };
            change(&mut written);
            written.rule(Origin::Option("--images")).unwrap()
        };
        let same = |_: &mut WrittenRule| {};
        let waived = |written: &mut WrittenRule| {
            *written = WrittenRule {
                image: written.image.clone(),
                provenance: Some("none: built by hand".to_owned()),
                ..WrittenRule::default()
            };
        };
        let any_ref = |written: &mut WrittenRule| written.refs.clear();
        let any_workflow = |written: &mut WrittenRule| written.workflow = None;
        let other_repository =
            |written: &mut WrittenRule| written.repository = Some("example/tools".to_owned());
        let one_ref = |written: &mut WrittenRule| written.refs = vec!["refs/tags/v1".to_owned()];
        let any_runner = |written: &mut WrittenRule| written.runner = Some("any".to_owned());
        let redis = || rule("docker.io/library/redis", &waived);
        for (name, web, redis, escapes) in [
            (
                "exact rules",
                rule("ghcr.io/example/web", &other_repository),
                redis(),
                false,
            ),
            (
                "exact waivers",
                rule("ghcr.io/example/web", &waived),
                redis(),
                false,
            ),
            (
                "official images",
                rule("ghcr.io/example/web", &any_ref),
                rule("docker.io/library/*", &waived),
                false,
            ),
            (
                "a waiver for a prefix",
                rule("ghcr.io/example/*", &waived),
                redis(),
                true,
            ),
            (
                "a waiver for the rest",
                rule("ghcr.io/example/web", &same),
                rule("*", &waived),
                true,
            ),
            (
                "the same demands",
                rule("ghcr.io/example/*", &same),
                redis(),
                false,
            ),
            (
                "more demands",
                rule("ghcr.io/example/*", &one_ref),
                redis(),
                false,
            ),
            (
                "another repository",
                rule("ghcr.io/example/*", &other_repository),
                redis(),
                true,
            ),
            ("any ref", rule("ghcr.io/example/*", &any_ref), redis(), true),
            ("any workflow", rule("*", &any_workflow), redis(), true),
            (
                "any runner",
                rule("ghcr.io/example/*", &any_runner),
                redis(),
                true,
            ),
            ("no rule", rule("ghcr.io/example/web2", &waived), redis(), true),
        ] {
            // The one that runs nowhere is first: an image of its name would meet it.
            let rules = vec![rule("ghcr.io/example/api", &same), redis, web];
            let policy = SourcePolicy {
                rules: rules.into(),
                ..SourcePolicy::default()
            };
            let found = judge_images(&images, &BTreeMap::new(), &policy);
            let said = "the rule for ghcr.io/example/api (--images) names no image that runs";
            assert_eq!(found.detail.contains(said), escapes, "{name}: {}", found.detail);
            if escapes {
                assert_eq!(found.status, Status::Error, "{name}");
            }
        }
    }

    #[test]
    fn a_script_that_nobody_reviewed_takes_the_tier_and_leaves_what_was_accepted() {
        let accepted = Acceptance::new(AcceptedKind::SigstoreRoot, "--sigstore-root", "Other roots.");
        let granting = Finding::pass("Built.")
            .granting(SideTier::Source)
            .accepting([accepted.clone()]);
        let settings = BTreeMap::from([("pre_launch_script".to_owned(), Value::from("echo"))]);
        let found = with_scripts(granting, &settings, &Policy::default());
        let reason = found.reason.map(|reason| reason.id);
        assert_eq!((found.status, reason), (Status::Warn, Some("unreviewed-script")));
        assert_eq!((found.grants, found.accepted), (None, vec![accepted]));
    }

    #[test]
    fn no_more_images_are_judged_than_are_looked_up() {
        let reason = |count: usize| {
            let image = |number| format!("ghcr.io/example/web-{number}@sha256:{}", "ab".repeat(32));
            let images = (0..count).map(image).collect();
            let found = judge_images(&images, &BTreeMap::new(), &SourcePolicy::default());
            (found.status, found.reason.map(|reason| reason.id))
        };
        assert_eq!(reason(MAX_LOOKED_UP), (Status::Skip, Some("no-rule")));
        assert_eq!(
            reason(MAX_LOOKED_UP + 1),
            (Status::Error, Some("too-many-images"))
        );
    }

    /// What runs is `ghcr.io/example/web`; each rule alone, and whether it holds for nothing.
    #[test]
    fn a_rule_that_names_no_image_that_runs_is_not_determined() {
        let images = BTreeSet::from([format!("ghcr.io/example/web@sha256:{}", "ab".repeat(32))]);
        let rule = |image: &str, optional: bool, provenance: Option<&str>| {
            let written = WrittenRule {
                image: image.to_owned(),
                repository: provenance.is_none().then(|| "example/shop".to_owned()),
                provenance: provenance.map(str::to_owned),
                optional,
                ..WrittenRule::default()
            };
            written.rule(Origin::Option("--images")).unwrap()
        };
        let waiver = Some("none: built by hand");
        for (rule, expected) in [
            (rule("ghcr.io/acme/app", false, None), Some("unused-rule")),
            (rule("ghcr.io/example/webs", false, None), Some("unused-rule")),
            (rule("docker.io/example/web", false, None), Some("unused-rule")),
            (rule("ghcr.io/acme/*", false, None), Some("unused-rule")),
            (rule("ghcr.io/acme/app", true, None), Some("no-rule")),
            (rule("ghcr.io/acme/app", false, waiver), Some("no-rule")),
            (rule("ghcr.io/example/web", false, None), Some("not-recorded")),
            (rule("ghcr.io/example/*", false, None), Some("not-recorded")),
            (rule("*", false, None), Some("not-recorded")),
        ] {
            let name = rule.image.to_string();
            let policy = SourcePolicy {
                rules: vec![rule].into(),
                ..SourcePolicy::default()
            };
            let found = judge_images(&images, &BTreeMap::new(), &policy);
            assert_eq!(found.reason.map(|reason| reason.id), expected, "{name}");
            if expected == Some("unused-rule") {
                assert_eq!(found.status, Status::Error, "{name}");
                assert!(found.detail.contains(&name), "{}", found.detail);
            }
        }
    }

    #[test]
    fn old_roots_are_a_harmless_warning_of_a_pass_and_change_nothing_else() {
        let pass = || Finding::pass("built from example/shop.").granting(SideTier::Source);
        let old = with_age_of_roots(pass(), true);
        assert_eq!(
            (old.status, old.reason.map(|reason| reason.id), old.grants),
            (Status::Warn, Some("roots-grow-old"), Some(SideTier::Source))
        );
        let is_harmless = CHECK
            .harmless_warnings
            .iter()
            .any(|reason| reason.id == "roots-grow-old");
        assert!(is_harmless);
        let young = with_age_of_roots(pass(), false);
        assert_eq!(
            (young.status, young.grants),
            (Status::Pass, Some(SideTier::Source))
        );
        for other in [
            Finding::fail(&why::OTHER_REPOSITORY, ""),
            Finding::error(&why::UNREACHABLE, ""),
            Finding::skip(&why::UNPROVEN, ""),
            Finding::warn(&why::UNPINNED_IMAGE, ""),
        ] {
            let (status, reason) = (other.status, other.reason.map(|reason| reason.id));
            let aged = with_age_of_roots(other, true);
            assert_eq!(
                (aged.status, aged.reason.map(|reason| reason.id)),
                (status, reason)
            );
        }
    }
}
