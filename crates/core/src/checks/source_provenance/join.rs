//! All images: the worst decides, and all are named.

use std::collections::BTreeSet;

use super::identity::Lack;
use super::judge::{ImageOutcome, JudgedImage};
use super::reasons as why;
use crate::checks::{Acceptance, Finding, Reason};
use crate::policy::{Origin, SourceRule};
use crate::report::SideTier;

/// The weight of a rule that names no image among those of the images: it is not determined who built what it is about.
const UNUSED: u8 = 4;

/// How many images a finding names.
const MAX_NAMED: usize = 20;

/// The image that decides, so far.
#[derive(Default)]
struct Worst {
    weight: u8,
    reason: Option<&'static Reason>,
    values: Option<(String, String)>,
    origin: Option<Origin>,
}

/// The worst of the images and of the rules without an image decides, and all are named. `roots` is what a proven image relies on
/// next to its statement.
pub(super) fn join(
    judged: Vec<JudgedImage<'_>>,
    unused: Vec<&SourceRule>,
    mut roots: Option<Acceptance>,
) -> Finding {
    let count = judged.len();
    let mut lines = Vec::new();
    let mut accepted = Vec::new();
    let mut worst = Worst::default();
    let mut grants = true;
    let mut lacks = BTreeSet::new();
    for JudgedImage { image, outcome, rule } in judged {
        let (weight, reason, words, values) = match outcome {
            ImageOutcome::Proven(matched) => {
                grants &= matched.grants();
                lacks.extend(matched.lacks);
                accepted.extend(roots.take());
                (0, None, matched.words, None)
            }
            ImageOutcome::Unproven(acceptance) => {
                grants = false;
                accepted.push(acceptance);
                (
                    1,
                    Some(&why::UNPROVEN),
                    "not proven, accepted in writing".to_owned(),
                    None,
                )
            }
            ImageOutcome::NoRule => {
                let words = "no rule for this image".to_owned();
                (2, Some(&why::NO_RULE), words, None)
            }
            ImageOutcome::Unpinned => {
                let words = "not pinned by digest".to_owned();
                (3, Some(&why::UNPINNED_IMAGE), words, None)
            }
            ImageOutcome::Undetermined(reason, words) => (4, Some(reason), words, None),
            ImageOutcome::Refused(reason, words, values) => (5, Some(reason), words, values),
        };
        if weight > worst.weight {
            worst = Worst {
                weight,
                reason,
                values,
                origin: rule.map(|rule| rule.origin.clone()),
            };
        }
        let digest_start = image
            .find("@sha256:")
            .map_or(image.len(), |at| at + "@sha256:".len() + 12);
        let short = image.get(..digest_start).unwrap_or(&image);
        lines.push((weight, format!("{short}: {words}")));
    }
    for rule in unused {
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
            false => Finding::pass(detail)
                .accepting(accepted)
                .advising(how_to_reach_source(&lacks)),
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

/// What to do where every image is as its rule says, and the tier is not granted.
fn how_to_reach_source(lacks: &BTreeSet<Lack>) -> String {
    let all: Vec<&str> = lacks.iter().map(|lack| lack.fix()).collect();
    format!("To reach the tier `source`: {}.", all.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::source_provenance::identity::Matched;
    use crate::report::{AcceptedKind, Status};

    fn of(count: usize, make: impl Fn() -> ImageOutcome) -> Vec<JudgedImage<'static>> {
        let judged = |at| JudgedImage {
            image: format!("image-{at}@sha256:{}", "ab".repeat(32)),
            outcome: make(),
            rule: None,
        };
        (0..count).map(judged).collect()
    }

    /// The advice names what is missing, and nothing that the rule names already.
    #[test]
    fn the_advice_for_the_tier_names_what_is_missing_alone() {
        let of = |lacks: &[Lack]| {
            let matched = Matched {
                words: String::new(),
                lacks: lacks.iter().copied().collect(),
            };
            let judged = JudgedImage {
                image: "image".to_owned(),
                outcome: ImageOutcome::Proven(matched),
                rule: None,
            };
            join(vec![judged], Vec::new(), None)
        };
        let signed = of(&[Lack::Provenance]);
        assert_eq!((signed.status, signed.grants), (Status::Pass, None));
        let fix = signed.fix.unwrap();
        assert!(
            fix.contains("actions/attest") && !fix.contains("--source-"),
            "{fix}"
        );
        let fix = of(&[Lack::Workflow, Lack::Code]).fix.unwrap();
        assert!(
            fix.contains("--source-workflow") && fix.contains("--source-ref"),
            "{fix}"
        );
        assert!(
            !fix.contains("actions/attest") && !fix.contains("workflow-ref"),
            "{fix}"
        );
        assert_eq!(of(&[]).fix, None);
    }

    fn proven(grants: bool) -> ImageOutcome {
        ImageOutcome::Proven(Matched {
            words: "built from example/shop".to_owned(),
            lacks: (!grants).then_some(Lack::Code).into_iter().collect(),
        })
    }

    fn accepted() -> ImageOutcome {
        let rule = Origin::Option("--provenance");
        ImageOutcome::Unproven(Acceptance::new(
            AcceptedKind::UnprovenSource,
            &rule,
            "an old image".to_owned(),
        ))
    }

    fn open() -> ImageOutcome {
        ImageOutcome::Undetermined(&why::ROOT_OUTDATED, "it is newer".to_owned())
    }

    fn refused() -> ImageOutcome {
        ImageOutcome::Refused(&why::OTHER_REF, "another ref".to_owned(), None)
    }

    #[test]
    fn the_worst_image_decides_in_any_order() {
        type Row = (
            &'static [fn() -> ImageOutcome],
            Status,
            Option<&'static str>,
            bool,
        );
        let rows: [Row; 12] = [
            (&[|| proven(true), || proven(true)], Status::Pass, None, true),
            (&[|| proven(true), || proven(false)], Status::Pass, None, false),
            (&[], Status::Skip, Some("no-rule"), false),
            (
                &[|| proven(true), accepted],
                Status::Skip,
                Some("unproven-images"),
                false,
            ),
            (
                &[accepted, || ImageOutcome::NoRule],
                Status::Skip,
                Some("no-rule"),
                false,
            ),
            (
                &[|| ImageOutcome::NoRule, || ImageOutcome::Unpinned],
                Status::Warn,
                Some("unpinned-image"),
                false,
            ),
            (
                &[|| ImageOutcome::Unpinned, open],
                Status::Error,
                Some("root-outdated"),
                false,
            ),
            (&[open, refused], Status::Fail, Some("other-ref"), false),
            (
                &[|| proven(true), refused],
                Status::Fail,
                Some("other-ref"),
                false,
            ),
            (&[accepted, open], Status::Error, Some("root-outdated"), false),
            (
                &[|| proven(true), open],
                Status::Error,
                Some("root-outdated"),
                false,
            ),
            (
                &[|| ImageOutcome::Unpinned, accepted],
                Status::Warn,
                Some("unpinned-image"),
                false,
            ),
        ];
        for (outcomes, status, reason, grants) in rows {
            let join_in = |outcomes: Vec<ImageOutcome>| {
                let judged = outcomes.into_iter().flat_map(|outcome| {
                    let outcome = std::cell::RefCell::new(Some(outcome));
                    of(1, move || outcome.borrow_mut().take().unwrap())
                });
                let found = join(judged.collect(), Vec::new(), None);
                (
                    found.status,
                    found.reason.map(|reason| reason.id),
                    found.grants.is_some(),
                )
            };
            let forward = outcomes.iter().map(|make| make()).collect();
            let backward = outcomes.iter().rev().map(|make| make()).collect();
            assert_eq!(join_in(forward), (status, reason, grants));
            assert_eq!(join_in(backward), (status, reason, grants), "in the other order");
        }
    }

    #[test]
    fn of_two_that_weigh_the_same_the_first_is_told_and_the_images_are_named_up_to_a_number() {
        let two = vec![
            of(1, open).remove(0),
            of(1, || {
                ImageOutcome::Undetermined(&why::NOT_RECORDED, "no look-up".to_owned())
            })
            .remove(0),
        ];
        let found = join(two, Vec::new(), None);
        assert_eq!(found.reason.map(|reason| reason.id), Some("root-outdated"));
        let named = |count| join(of(count, || proven(true)), Vec::new(), None).detail;
        assert!(
            named(1).starts_with("image-0@sha256:abababababab: built from example/shop."),
            "{}",
            named(1)
        );
        assert!(
            named(MAX_NAMED).ends_with("image-19@sha256:abababababab: built from example/shop."),
            "{}",
            named(MAX_NAMED)
        );
        assert!(
            named(MAX_NAMED + 3).ends_with("; and 3 more."),
            "{}",
            named(MAX_NAMED + 3)
        );
    }

    /// Rules that name no image weigh as much as an image of which nothing is determined, and less than what convicts.
    #[test]
    fn a_rule_that_names_no_image_takes_the_place_of_what_weighs_less_alone() {
        let rule = SourceRule {
            image: crate::policy::ImagePattern::Exact("example/shop".to_owned()),
            expected: crate::policy::ExpectedSource::Unproven(String::new()),
            is_optional: false,
            origin: Origin::Option("--provenance"),
        };
        type Row = (Option<fn() -> ImageOutcome>, Status, &'static str, bool);
        let rows: [Row; 5] = [
            (None, Status::Error, "unused-rule", true),
            (Some(|| proven(true)), Status::Error, "unused-rule", true),
            (
                Some(|| ImageOutcome::Unpinned),
                Status::Error,
                "unused-rule",
                true,
            ),
            (Some(open), Status::Error, "root-outdated", false),
            (Some(refused), Status::Fail, "other-ref", false),
        ];
        for (image, status, reason, is_of_rule) in rows {
            let judged = image.map_or_else(Vec::new, |make| of(1, make));
            let found = join(judged, vec![&rule], None);
            assert_eq!(
                (found.status, found.reason.map(|reason| reason.id)),
                (status, Some(reason))
            );
            assert_eq!(found.origin, is_of_rule.then(|| rule.origin.clone()), "{reason}");
            assert!(found.grants.is_none());
        }
    }

    #[test]
    fn what_was_accepted_is_named_beside_an_image_without_a_rule() {
        let judged = |image: &str, outcome| JudgedImage {
            image: image.to_owned(),
            outcome,
            rule: None,
        };
        let matched = Matched {
            words: "built from example/shop".to_owned(),
            lacks: BTreeSet::new(),
        };
        let roots = Acceptance::new(
            AcceptedKind::SigstoreRoot,
            Origin::Option("--sigstore-root"),
            String::new(),
        );
        let found = join(
            vec![
                judged("a", ImageOutcome::Proven(matched)),
                judged("b", ImageOutcome::NoRule),
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
}
