//! All images: the worst decides, and all are named.

use super::judge::{Judged, Outcome};
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

/// The worst of the images and of the rules without an image decides, and all are named. `roots` is what a proven image rests on
/// beside its statement.
pub(super) fn join(
    judged: Vec<Judged<'_>>,
    unused: Vec<&SourceRule>,
    mut roots: Option<Acceptance>,
) -> Finding {
    let count = judged.len();
    let mut lines = Vec::new();
    let mut accepted = Vec::new();
    let mut worst = Worst::default();
    let mut grants = count > 0;
    for Judged { image, outcome, rule } in judged {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::source_provenance::identity::Matched;
    use crate::report::{AcceptedKind, Status};

    #[test]
    fn what_was_accepted_is_named_beside_an_image_without_a_rule() {
        let judged = |image: &str, outcome| Judged {
            image: image.to_owned(),
            outcome,
            rule: None,
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
}
