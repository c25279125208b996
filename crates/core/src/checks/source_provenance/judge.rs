//! One image: the rule that names it, and what its statements say.

use std::collections::BTreeMap;

use super::identity::{self, Matched, Mismatch};
use super::reasons as why;
use super::rules::{name_of, rule_of};
use crate::checks::{Acceptance, Reason};
use crate::evidence::StatementSource;
use crate::policy::{BuildSource, ExpectedSource, ImagePattern, Origin, SourcePolicy, SourceRule};
use crate::report::AcceptedKind;
use crate::verify::provenance::{Refusal, SignedStatement, Weight};
use crate::verify::{AboutImage, ImageStatements, name_and_digest};

/// One image with what was decided about it.
pub(super) struct JudgedImage<'p> {
    pub(super) image: String,
    pub(super) outcome: ImageOutcome,
    /// The rule that was met: the first one that names the image.
    pub(super) rule: Option<&'p SourceRule>,
}

impl JudgedImage<'_> {
    /// Whether the image may be the one that `unused` is about, under another name. Not where a rule names it in full, and not where
    /// what is demanded of it is at least what `unused` demands. What came of the rule does not count.
    pub(super) fn may_escape(&self, unused: &SourceRule) -> bool {
        self.rule.is_none_or(|rule| match &rule.image {
            ImagePattern::Exact(_) => false,
            ImagePattern::Prefix(_) if rule.image.is_of_official_images() => false,
            ImagePattern::Prefix(_) | ImagePattern::Rest => !rule.demands_at_least(unused),
        })
    }
}

/// The rule that options make for all other images, where it demands commits that are demanded of no image: the other rules name all
/// that run. The release that was asked for is not judged.
pub(super) fn commit_of_no_image<'p>(
    judged: &[JudgedImage<'_>],
    policy: &'p SourcePolicy,
) -> Option<&'p SourceRule> {
    policy.rules.iter().find(|rule| {
        let ExpectedSource::Built(asked) = &rule.expected else {
            return false;
        };
        let is_demanded = |image: &JudgedImage<'_>| match image.rule.map(|rule| &rule.expected) {
            Some(ExpectedSource::Built(source)) => {
                source.commits.iter().any(|commit| asked.commits.contains(commit))
            }
            _ => false,
        };
        rule.image == ImagePattern::Rest
            && matches!(rule.origin, Origin::Option(_))
            && !asked.commits.is_empty()
            && !judged.iter().any(is_demanded)
    })
}

pub(super) enum ImageOutcome {
    Proven(Matched),
    Unproven(Acceptance),
    NoRule,
    Unpinned,
    Undetermined(&'static Reason, String),
    Refused(&'static Reason, String, Option<(String, String)>),
}

pub(super) fn judge<'p>(
    image: &str,
    statements: &BTreeMap<String, ImageStatements>,
    policy: &'p SourcePolicy,
) -> JudgedImage<'p> {
    let no_rule = |outcome| JudgedImage {
        image: image.to_owned(),
        outcome,
        rule: None,
    };
    let Some((name, digest)) = name_and_digest(image) else {
        // A rule says who must have built it, and no statement can be about a tag.
        let rule = rule_of(name_of(image), policy);
        let outcome = match rule.map(|rule| &rule.expected) {
            Some(ExpectedSource::Built(_)) => ImageOutcome::Undetermined(
                &why::UNPINNED_IMAGE,
                "not pinned by digest, so no statement can be about it".to_owned(),
            ),
            Some(ExpectedSource::Unproven(_)) | None => ImageOutcome::Unpinned,
        };
        return JudgedImage {
            rule,
            ..no_rule(outcome)
        };
    };
    let Some(rule) = rule_of(name, policy) else {
        return no_rule(ImageOutcome::NoRule);
    };
    let of = |outcome| JudgedImage {
        rule: Some(rule),
        ..no_rule(outcome)
    };
    let source = match &rule.expected {
        ExpectedSource::Unproven(reason) => {
            return of(ImageOutcome::Unproven(Acceptance::new(
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
        None => ImageOutcome::Undetermined(
            &why::NOT_RECORDED,
            "the evidence contains no look-up of it".to_owned(),
        ),
    })
}

/// One statement that is as expected suffices. Otherwise what could not be looked up comes before what was refused, because the
/// right statement may be there; of several refusals the one that got furthest is told, in both cases.
fn weigh(found: &ImageStatements, source: &BuildSource) -> ImageOutcome {
    let refused = match passing(found, source) {
        Ok((_, matched)) => return ImageOutcome::Proven(matched),
        Err(refused) => refused,
    };
    if let Some(problem) = found.problems.first() {
        let words = match &refused {
            Some(refused) => format!("{}; {}", problem.detail, refused.words()),
            None if found.asked.contains(&StatementSource::File) => {
                format!("{}; the given files hold no statement about it", problem.detail)
            }
            None => problem.detail.clone(),
        };
        return ImageOutcome::Undetermined(why::of_problem(problem.kind), words);
    }
    let Some(refused) = refused else {
        return none_found(found, source);
    };
    let words = refused.words();
    match refused.why {
        Refused::Open(reason, _) => ImageOutcome::Undetermined(reason, words),
        Refused::Bundle(reason, _) => ImageOutcome::Refused(reason, words, None),
        Refused::Identity(mismatch) => {
            ImageOutcome::Refused(mismatch.reason, words, Some((mismatch.expected, mismatch.actual)))
        }
    }
}

/// No statement was found, and every source answered.
fn none_found(found: &ImageStatements, source: &BuildSource) -> ImageOutcome {
    let asked: Vec<&str> = found.asked.iter().map(|source| source.words()).collect();
    let words = format!(
        "no statement was found in {} (repository {})",
        asked.join(" and "),
        source.repository
    );
    if found.has_legacy_signature {
        let words = format!("{words}; it is signed in the old format of cosign, which is not read");
        return ImageOutcome::Undetermined(&why::LEGACY_SIGNATURE, words);
    }
    let words = match found.has_attestation {
        true => {
            format!("{words}; the publisher attached provenance that nobody signed, which is not evidence")
        }
        false => words,
    };
    ImageOutcome::Refused(&why::NO_PROVENANCE, words, None)
}

/// How much a statement that is not as expected says. Of several, the first that says most is told.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Says {
    /// Why its bundle proves nothing, and how far that got.
    Bundle(u8),
    /// In what it is not as the rule says, and how many rules it kept.
    Identity(u8),
    /// That it may be the right one, whatever the others are.
    MayBeRight,
}

/// A statement that is not as expected.
pub(super) struct RefusedStatement {
    /// Who had it.
    from: StatementSource,
    why: Refused,
}

/// What speaks against it.
enum Refused {
    /// Nothing is determined.
    Open(&'static Reason, Refusal),
    Bundle(&'static Reason, Refusal),
    Identity(Mismatch),
}

impl RefusedStatement {
    fn words(&self) -> String {
        let but = match &self.why {
            Refused::Open(_, refusal) | Refused::Bundle(_, refusal) => refusal.to_string(),
            Refused::Identity(mismatch) => format!("by {} instead of {}", mismatch.actual, mismatch.expected),
        };
        format!("a statement exists in {}, but {but}", self.from.words())
    }
}

/// The first statement that is as expected and grants the assurance, else the first that is as expected.
pub(super) fn passing<'f>(
    found: &'f ImageStatements,
    source: &BuildSource,
) -> Result<(&'f SignedStatement, Matched), Option<RefusedStatement>> {
    let mut first = None;
    let mut best: Option<(Says, RefusedStatement)> = None;
    for bundle in &found.bundles {
        let is_via_buildkit = bundle.about == AboutImage::Attestation;
        let proven = match is_via_buildkit && !source.via_buildkit {
            true => &Err(Refusal::OtherSubject),
            false => &bundle.proven,
        };
        let (says, why) = match proven {
            Ok(statement) => match identity::judge(statement, source) {
                Ok(matched) if matched.grants() => return Ok((statement, matched)),
                Ok(matched) => {
                    first.get_or_insert((statement, matched));
                    continue;
                }
                Err(mismatch) => (Says::Identity(mismatch.progress), Refused::Identity(mismatch)),
            },
            Err(refusal) => {
                let (reason, got) = (why::of_refusal(*refusal), Says::Bundle(refusal.progress()));
                match refusal.weight() {
                    Weight::Ours => (Says::MayBeRight, Refused::Open(reason, *refusal)),
                    Weight::Unread => (got, Refused::Open(reason, *refusal)),
                    Weight::Convicts => (got, Refused::Bundle(reason, *refusal)),
                }
            }
        };
        if best.as_ref().is_none_or(|(before, _)| *before < says) {
            let from = bundle.from;
            best = Some((says, RefusedStatement { from, why }));
        }
    }
    first.ok_or_else(|| best.map(|(_, refused)| refused))
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
