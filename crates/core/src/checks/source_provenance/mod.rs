//! `source-provenance`: the expected workflow built each image from the expected source.
//!
//! A statement counts if its signature is proven (`prove/provenance`) and its signer is the one of the first rule that names the
//! image (`identity.rs`). It does not show that the workflow built the digest from that source, only that it says so.

mod identity;
mod locked;
mod reasons;
mod sought;

use std::collections::{BTreeMap, BTreeSet};

use super::measured_compose::{COMPOSE_NOT_PROVEN, NO_COMPOSE_DOCUMENT, measured_compose};
use super::{
    Acceptance, BOOT_ORDER_NOT_PROVEN, Check, EVENT_LOG_NOT_PROVEN, Finding, QUOTE_NOT_PROVEN, Reason,
    Required,
};
use crate::compose::launch_script;
use crate::evidence::MAX_LOOKED_UP;
use crate::policy::{
    BuildSource, ExpectedSource, ImagePattern, Origin, Policy, SourcePolicy, SourceRule, normal_name,
};
use crate::report::{AcceptedKind, CheckId, SideTier, SourceRecord, Status, rfc3339};
use crate::verify::provenance::{Refusal, SignedStatement, SignerClaims, Weight};
use crate::verify::{Claims, ImageStatements, name_and_digest};
use identity::{Matched, Mismatch};
use reasons as why;

pub use locked::{SeveralSources, locked_sources};
pub use sought::{Sought, sought_in, sought_sources, statements_of_files};

pub(super) const CHECK: Check = Check {
    id: CheckId::SourceProvenance,
    title: "Source provenance",
    proves: "The expected workflow states that it built each image from the expected source.",
    prevents: "An image that was built elsewhere, or from other code, and then pinned by its digest.",
    reasons: &[
        &why::NOT_CONFIGURED,
        &why::NO_RULE,
        &why::UNPROVEN,
        &why::NO_PROVENANCE,
        &why::LEGACY_SIGNATURE,
        &why::UNPINNED_IMAGE,
        &why::TOO_MANY_IMAGES,
        &why::UNREADABLE_COMPOSE,
        &why::UNUSED_RULE,
        &why::OTHER_SIGNER,
        &why::OTHER_ISSUER,
        &why::OTHER_REPOSITORY,
        &why::OTHER_REPOSITORY_ID,
        &why::OTHER_WORKFLOW,
        &why::OTHER_REF,
        &why::OTHER_COMMIT,
        &why::OTHER_RUNNER,
        &why::OTHER_TRIGGER,
        &why::OTHER_ENVIRONMENT,
        &why::OTHER_PREDICATE,
        &why::PREDICATE_MISMATCH,
        &why::OTHER_SUBJECT,
        &why::MALFORMED,
        &why::UNSUPPORTED,
        &why::UNTRUSTED_CHAIN,
        &why::OUTSIDE_VALIDITY,
        &why::NO_SCT,
        &why::SCT_INVALID,
        &why::NOT_LOGGED,
        &why::NO_INCLUSION_PROOF,
        &why::UNKNOWN_LOG,
        &why::INCLUSION_INVALID,
        &why::CHECKPOINT_INVALID,
        &why::SET_INVALID,
        &why::LOG_ENTRY_MISMATCH,
        &why::TIME_INVALID,
        &why::TIME_AHEAD,
        &why::TIMESTAMP_OTHER_SIGNATURE,
        &why::TIMESTAMP_UNTRUSTED,
        &why::TIMESTAMP_OUTSIDE_VALIDITY,
        &why::NO_AUTHENTICATED_TIME,
        &why::SIGNATURE_INVALID,
        &why::ROOT_OUTDATED,
        &why::ROOTS_GROW_OLD,
        &why::ROOT_UNUSABLE,
        &why::CANNOT_SEE,
        &why::API_DENIED,
        &why::RATE_LIMITED,
        &why::UNREACHABLE,
        &why::MALFORMED_ANSWER,
        &why::TOO_MANY_STATEMENTS,
        &why::NOT_RECORDED,
        &NO_COMPOSE_DOCUMENT,
        &COMPOSE_NOT_PROVEN,
        &QUOTE_NOT_PROVEN,
        &EVENT_LOG_NOT_PROVEN,
        &BOOT_ORDER_NOT_PROVEN,
    ],
    required: Required::Grants(&[SideTier::Source]),
    harmless_skips: &[&why::NO_RULE],
    harmless_warnings: FORECASTS,
    is_configured: |policy| {
        !policy.sources.rules.is_empty() || policy.required.sides().includes(SideTier::Source)
    },
    run,
};

/// What a pass rests on and will end.
pub(super) const FORECASTS: &[&Reason] = &[&why::ROOTS_GROW_OLD];

/// The weight of a rule that names no image among those of the images: it is not determined who built what it is about.
const UNUSED: u8 = 4;

/// How many images a finding names.
const MAX_NAMED: usize = 20;

fn run(claims: &Claims, policy: &Policy) -> Finding {
    if policy.sources.rules.is_empty() {
        return Finding::skip(
            &why::NOT_CONFIGURED,
            "No rule says who must have built the images.",
        );
    }
    let images = match images(claims) {
        Ok(images) => images,
        Err(finding) => return finding,
    };
    let finding = judge_images(&images, &claims.statements, &policy.sources);
    with_age_of_roots(finding, policy.sources.roots.grow_old(claims.at))
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
/// `judge_image` judges one of them.
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
    let judged = images.iter().map(|image| judge(image, statements, policy));
    join(
        judged.collect(),
        unused_rules(images, policy),
        other_roots(policy),
    )
}

/// Whether one image of several meets its rule.
#[must_use]
pub fn judge_image(
    image: &str,
    statements: &BTreeMap<String, ImageStatements>,
    policy: &SourcePolicy,
) -> Finding {
    join(
        vec![judge(image, statements, policy)],
        Vec::new(),
        other_roots(policy),
    )
}

/// The rules that demand a source and name no image: what they demand is not judged, for example after an image was renamed. A rule
/// for all images names whatever runs, a waiver demands nothing, and an `optional` rule may have no image.
fn unused_rules<'p>(images: &BTreeSet<String>, policy: &'p SourcePolicy) -> Vec<&'p SourceRule> {
    let names: Vec<String> = images.iter().map(|image| normal_name(name_of(image))).collect();
    let is_unused = |rule: &&SourceRule| {
        let demands = matches!(rule.expected, ExpectedSource::Built(_)) && rule.image != ImagePattern::Rest;
        demands && !rule.is_optional && !names.iter().any(|name| rule.image.names(name))
    };
    policy.rules.iter().filter(is_unused).collect()
}

/// That the statements rest on other roots than the built-in ones, which the author of the setting accepted.
fn other_roots(policy: &SourcePolicy) -> Option<Acceptance> {
    let sha256 = hex::encode(policy.roots.sha256()?);
    let option = Origin::Option("--sigstore-root");
    Some(Acceptance::new(
        AcceptedKind::SigstoreRoot,
        policy.roots_origin.as_ref().unwrap_or(&option),
        format!(
            "Who built the images rests on the Sigstore roots of a file (SHA-256 {sha256}), not on those that are built in."
        ),
    ))
}

/// The images of the measured compose file, each once.
fn images(claims: &Claims) -> Result<BTreeSet<String>, Finding> {
    let (_, compose) = measured_compose(claims)?;
    match compose.compose_file(launch_script(compose)) {
        Ok(file) => Ok(file
            .into_iter()
            .flat_map(|file| file.images.into_values())
            .collect()),
        Err(problem) => Err(Finding::error(
            &why::UNREADABLE_COMPOSE,
            format!("The measured compose document cannot be read: {problem}."),
        )),
    }
}

/// One image with what was decided about it.
struct Judged {
    image: String,
    outcome: Outcome,
    /// Where the rule is written.
    origin: Option<Origin>,
}

enum Outcome {
    Proven(Matched),
    Unproven(Acceptance),
    NoRule,
    Unpinned,
    Undetermined(&'static Reason, String),
    Refused(&'static Reason, String, Option<(String, String)>),
}

/// The image that decides, so far.
#[derive(Default)]
struct Worst {
    weight: u8,
    reason: Option<&'static Reason>,
    values: Option<(String, String)>,
    origin: Option<Origin>,
}

fn rule_of<'p>(name: &str, policy: &'p SourcePolicy) -> Option<&'p SourceRule> {
    let name = normal_name(name);
    policy.rules.iter().find(|rule| rule.image.names(&name))
}

/// The name of an image that is not pinned, without its tag.
fn name_of(image: &str) -> &str {
    let name = image.split('@').next().unwrap_or(image);
    let path = name.rfind('/').map_or(0, |at| at + 1);
    let tag = name.get(path..).and_then(|last| last.find(':'));
    tag.and_then(|at| name.get(..path + at)).unwrap_or(name)
}

fn judge(image: &str, statements: &BTreeMap<String, ImageStatements>, policy: &SourcePolicy) -> Judged {
    let no_rule = |outcome| Judged {
        image: image.to_owned(),
        outcome,
        origin: None,
    };
    let Some((name, digest)) = name_and_digest(image) else {
        // A rule says who must have built it, and no statement can be about a tag.
        let rule =
            rule_of(name_of(image), policy).filter(|rule| matches!(rule.expected, ExpectedSource::Built(_)));
        return match rule {
            Some(rule) => Judged {
                origin: Some(rule.origin.clone()),
                ..no_rule(Outcome::Undetermined(
                    &why::UNPINNED_IMAGE,
                    "not pinned by digest, so no statement can be about it".to_owned(),
                ))
            },
            None => no_rule(Outcome::Unpinned),
        };
    };
    let Some(rule) = rule_of(name, policy) else {
        return no_rule(Outcome::NoRule);
    };
    let of = |outcome| Judged {
        origin: Some(rule.origin.clone()),
        ..no_rule(outcome)
    };
    let source = match &rule.expected {
        ExpectedSource::Unproven(reason) => {
            return of(Outcome::Unproven(Acceptance::new(
                AcceptedKind::UnprovenSource,
                &rule.origin,
                format!("{name}: {reason}"),
            )));
        }
        ExpectedSource::Built(source) => source,
    };
    let key = format!("{name}@sha256:{}", hex::encode(digest));
    of(match statements.get(&key) {
        Some(found) => weigh(found, source),
        None => Outcome::Undetermined(
            &why::NOT_RECORDED,
            "the evidence holds no look-up of it".to_owned(),
        ),
    })
}

/// One statement that is as expected suffices. Otherwise what could not be looked up comes before what was refused, because the
/// right statement may be there; of several refusals the one that got furthest is told.
fn weigh(found: &ImageStatements, source: &BuildSource) -> Outcome {
    match passing(found, source) {
        Ok((_, matched)) => Outcome::Proven(matched),
        Err(None) if found.problems.is_empty() => none_found(found, source),
        Err(refused) => match (found.problems.first(), refused) {
            (Some(problem), _) => {
                Outcome::Undetermined(why::of_problem(problem.kind), problem.detail.clone())
            }
            (None, Some(Refused::Open(reason, words))) => Outcome::Undetermined(reason, words),
            (None, Some(Refused::Bundle(reason, words))) => Outcome::Refused(reason, words, None),
            (None, Some(Refused::Identity(mismatch))) => Outcome::Refused(
                mismatch.reason,
                format!(
                    "a statement exists, but by {} instead of {}",
                    mismatch.actual, mismatch.expected
                ),
                Some((mismatch.expected, mismatch.actual)),
            ),
            (None, None) => Outcome::NoRule,
        },
    }
}

/// No statement was found, and every source answered.
fn none_found(found: &ImageStatements, source: &BuildSource) -> Outcome {
    let asked: Vec<&str> = found.asked.iter().map(|source| source.words()).collect();
    let words = format!(
        "no statement was found in {} (repository {})",
        asked.join(" and "),
        source.repository
    );
    if found.has_legacy_signature {
        let words = format!("{words}; it is signed in the old format of cosign, which is not read");
        return Outcome::Undetermined(&why::LEGACY_SIGNATURE, words);
    }
    let words = match found.has_attestation {
        true => {
            format!("{words}; the publisher attached provenance that nobody signed, which is not evidence")
        }
        false => words,
    };
    Outcome::Refused(&why::NO_PROVENANCE, words, None)
}

enum Refused {
    /// Nothing is determined.
    Open(&'static Reason, String),
    Bundle(&'static Reason, String),
    Identity(Mismatch),
}

/// The first statement that is as expected and grants the assurance, else the first that is as expected.
fn passing<'f>(
    found: &'f ImageStatements,
    source: &BuildSource,
) -> Result<(&'f SignedStatement, Matched), Option<Refused>> {
    let mut first = None;
    let mut best: Option<(u8, Refused)> = None;
    for bundle in &found.bundles {
        let proven = match bundle.via_buildkit && !source.via_buildkit {
            true => &Err(Refusal::OtherSubject),
            false => &bundle.proven,
        };
        let (progress, refused) = match proven {
            Ok(statement) => match identity::judge(statement, source) {
                Ok(matched) if matched.grants => return Ok((statement, matched)),
                Ok(matched) => {
                    first.get_or_insert((statement, matched));
                    continue;
                }
                Err(mismatch) => (100 + mismatch.progress, Refused::Identity(mismatch)),
            },
            Err(refusal) => {
                let (reason, words) = (
                    why::of_refusal(*refusal),
                    format!("a statement exists, but {refusal}"),
                );
                match refusal.weight() {
                    // The statement may be the right one, whatever the others are.
                    Weight::Ours => (u8::MAX, Refused::Open(reason, words)),
                    Weight::Unread => (refusal.progress(), Refused::Open(reason, words)),
                    Weight::Convicts => (refusal.progress(), Refused::Bundle(reason, words)),
                }
            }
        };
        if best.as_ref().is_none_or(|(before, _)| *before < progress) {
            best = Some((progress, refused));
        }
    }
    first.ok_or_else(|| best.map(|(_, refused)| refused))
}

/// The worst of the images and of the rules without an image decides, and all are named. `roots` is what a proven image rests on
/// beside its statement.
fn join(judged: Vec<Judged>, unused: Vec<&SourceRule>, mut roots: Option<Acceptance>) -> Finding {
    let count = judged.len();
    // Where each image that runs meets a rule, a rule for another one hides nothing: several targets may share rules.
    let hides = judged.is_empty()
        || judged
            .iter()
            .any(|one| !matches!(one.outcome, Outcome::Proven(_)));
    let mut lines = Vec::new();
    let mut accepted = Vec::new();
    let mut worst = Worst::default();
    let mut grants = count > 0;
    for Judged {
        image,
        outcome,
        origin,
    } in judged
    {
        let (weight, reason, words, values) = match outcome {
            Outcome::Proven(matched) => {
                grants &= matched.grants;
                accepted.extend(roots.take());
                (0, None, matched.words, None)
            }
            Outcome::Unproven(acceptance) => {
                grants = false;
                accepted.push(acceptance);
                (
                    1,
                    Some(&why::UNPROVEN),
                    "not proven, accepted in writing".to_owned(),
                    None,
                )
            }
            Outcome::NoRule => {
                let words = "no rule for this image".to_owned();
                (2, Some(&why::NO_RULE), words, None)
            }
            Outcome::Unpinned => {
                let words = "not pinned by digest".to_owned();
                (3, Some(&why::UNPINNED_IMAGE), words, None)
            }
            Outcome::Undetermined(reason, words) => (4, Some(reason), words, None),
            Outcome::Refused(reason, words, values) => (5, Some(reason), words, values),
        };
        if weight > worst.weight {
            worst = Worst {
                weight,
                reason,
                values,
                origin,
            };
        }
        let digest_start = image
            .find("@sha256:")
            .map_or(image.len(), |at| at + "@sha256:".len() + 12);
        let short = image.get(..digest_start).unwrap_or(&image);
        lines.push((weight, format!("{short}: {words}")));
    }
    for rule in unused.into_iter().filter(|_| hides) {
        if worst.weight < UNUSED {
            worst = Worst {
                weight: UNUSED,
                reason: Some(&why::UNUSED_RULE),
                values: None,
                origin: Some(rule.origin.clone()),
            };
        }
        let line = format!(
            "the rule for {} ({}) names no image that runs",
            rule.image, rule.origin
        );
        lines.push((UNUSED, line));
    }
    lines.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    let all = lines.len();
    let mut detail: Vec<String> = lines.into_iter().map(|(_, line)| line).take(MAX_NAMED).collect();
    if all > MAX_NAMED {
        detail.push(format!("and {} more", all - MAX_NAMED));
    }
    let detail = format!("{}.", detail.join("; "));
    let Some(reason) = worst.reason else {
        return match grants {
            _ if count == 0 => Finding::skip(&why::NO_RULE, "The compose document starts no image."),
            true => Finding::pass(detail)
                .granting(SideTier::Source)
                .accepting(accepted),
            false => Finding::pass(detail).accepting(accepted),
        };
    };
    let finding = match worst.weight {
        0 | 1 => Finding::skip(reason, detail).accepting(accepted),
        2 => Finding::skip(reason, detail).accepting(accepted),
        3 => Finding::warn(reason, detail).accepting(accepted),
        4 => Finding::error(reason, detail),
        _ => Finding::fail(reason, detail),
    };
    match worst.values {
        Some((expected, actual)) => finding.comparing(expected, actual),
        None => finding,
    }
    .against(worst.origin)
}

/// In which way a signer is not the expected one, a sentence without its full stop.
#[must_use]
pub fn signer_problem(claims: &SignerClaims, source: &BuildSource) -> Option<String> {
    let mismatch = identity::judge_signer(claims, source).err()?;
    Some(format!(
        "it was signed by {} instead of {}",
        mismatch.actual, mismatch.expected
    ))
}

/// What is proven of each image that a statement is accepted for, for the report and the statement that is made of it.
#[must_use]
pub fn proven_sources(claims: &Claims, policy: &Policy) -> Vec<SourceRecord> {
    if policy.sources.rules.is_empty() {
        return Vec::new();
    }
    let images = images(claims).unwrap_or_default();
    let record = |image: &String| {
        let (name, digest) = name_and_digest(image)?;
        let ExpectedSource::Built(source) = &rule_of(name, &policy.sources)?.expected else {
            return None;
        };
        let key = format!("{name}@sha256:{}", hex::encode(digest));
        let (statement, _) = passing(claims.statements.get(&key)?, source).ok()?;
        let claims = statement.signer();
        let text = |claim: Option<&str>| claim.map(str::to_owned);
        Some(SourceRecord {
            image: key,
            repository: text(claims.repository()),
            repository_id: text(claims.repository_id()),
            commit: text(claims.commit()),
            git_ref: text(claims.git_ref()),
            workflow: text(claims.subject()),
            runner: text(claims.runner()),
            run: text(claims.run()),
            signed_at: rfc3339(statement.signed_at()),
            log: statement.log().map(|log| log.origin.clone()),
            log_index: statement.log().map(|log| log.index),
            bundle_sha256: hex::encode(statement.bundle_sha256()),
        })
    };
    images.iter().take(MAX_LOOKED_UP).filter_map(record).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::WrittenRule;

    #[test]
    fn what_was_accepted_is_named_beside_an_image_without_a_rule() {
        let judged = |image: &str, outcome| Judged {
            image: image.to_owned(),
            outcome,
            origin: None,
        };
        let matched = Matched {
            words: "built from example/shop".to_owned(),
            grants: true,
        };
        let roots = Acceptance::new(
            AcceptedKind::SigstoreRoot,
            Origin::Option("--sigstore-root"),
            String::new(),
        );
        let found = join(
            vec![
                judged("a", Outcome::Proven(matched)),
                judged("b", Outcome::NoRule),
            ],
            Vec::new(),
            Some(roots),
        );
        assert_eq!(
            (found.status, found.reason.map(|reason| reason.id), found.grants),
            (Status::Skip, Some("no-rule"), None)
        );
        assert_eq!(found.accepted.len(), 1);
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
    fn the_name_of_an_image_is_what_stands_before_tag_and_digest() {
        for (image, name) in [
            ("web", "web"),
            ("web:1", "web"),
            ("r.example:5000/a/web", "r.example:5000/a/web"),
            ("r.example:5000/a/web:1", "r.example:5000/a/web"),
            ("web:1@sha256:00", "web"),
        ] {
            assert_eq!(name_of(image), name);
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
