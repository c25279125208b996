//! One image: the rule that names it, and what its statements say.

use std::collections::BTreeMap;

use super::identity::{self, Matched, Mismatch};
use super::reasons as why;
use super::rules::{name_of, rule_of};
use crate::checks::{Acceptance, Reason};
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
/// right statement may be there; of several refusals the one that got furthest is told.
fn weigh(found: &ImageStatements, source: &BuildSource) -> ImageOutcome {
    match passing(found, source) {
        Ok((_, matched)) => ImageOutcome::Proven(matched),
        Err(None) if found.problems.is_empty() => none_found(found, source),
        Err(refused) => match (found.problems.first(), refused) {
            (Some(problem), _) => {
                ImageOutcome::Undetermined(why::of_problem(problem.kind), problem.detail.clone())
            }
            (None, Some(Refused::Open(reason, words))) => ImageOutcome::Undetermined(reason, words),
            (None, Some(Refused::Bundle(reason, words))) => ImageOutcome::Refused(reason, words, None),
            (None, Some(Refused::Identity(mismatch))) => ImageOutcome::Refused(
                mismatch.reason,
                format!(
                    "a statement exists, but by {} instead of {}",
                    mismatch.actual, mismatch.expected
                ),
                Some((mismatch.expected, mismatch.actual)),
            ),
            (None, None) => ImageOutcome::NoRule,
        },
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

pub(super) enum Refused {
    /// Nothing is determined.
    Open(&'static Reason, String),
    Bundle(&'static Reason, String),
    Identity(Mismatch),
}

/// The first statement that is as expected and grants the assurance, else the first that is as expected.
pub(super) fn passing<'f>(
    found: &'f ImageStatements,
    source: &BuildSource,
) -> Result<(&'f SignedStatement, Matched), Option<Refused>> {
    let mut first = None;
    let mut best: Option<(Says, Refused)> = None;
    for bundle in &found.bundles {
        let is_via_buildkit = bundle.about == AboutImage::Attestation;
        let proven = match is_via_buildkit && !source.via_buildkit {
            true => &Err(Refusal::OtherSubject),
            false => &bundle.proven,
        };
        let (says, refused) = match proven {
            Ok(statement) => match identity::judge(statement, source) {
                Ok(matched) if matched.grants => return Ok((statement, matched)),
                Ok(matched) => {
                    first.get_or_insert((statement, matched));
                    continue;
                }
                Err(mismatch) => (Says::Identity(mismatch.progress), Refused::Identity(mismatch)),
            },
            Err(refusal) => {
                let (reason, words) = (
                    why::of_refusal(*refusal),
                    format!("a statement exists, but {refusal}"),
                );
                let got = Says::Bundle(refusal.progress());
                match refusal.weight() {
                    Weight::Ours => (Says::MayBeRight, Refused::Open(reason, words)),
                    Weight::Unread => (got, Refused::Open(reason, words)),
                    Weight::Convicts => (got, Refused::Bundle(reason, words)),
                }
            }
        };
        if best.as_ref().is_none_or(|(before, _)| *before < says) {
            best = Some((says, refused));
        }
    }
    first.ok_or_else(|| best.map(|(_, refused)| refused))
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
