//! `cvm-verify explain`: what a check proves, which attack it prevents, why it fails, how to fix it.

use std::borrow::Cow;

use super::page::{Ink, TextPage};
use cvm_verify_core::checks::{ALL, Check, Reason, Required};
use cvm_verify_core::report::{CheckId, RequiredAssurance, SideTier, SideTiers, Tier};
use cvm_verify_core::tiers::required_from;

/// Where explanations are wrapped at the latest, in characters.
const WIDTH: usize = 88;

/// One check, explained, with a final newline.
#[must_use]
pub fn explain(check: &Check, width: usize) -> String {
    let mut page = TextPage::new(width.min(WIDTH), false);
    page.line(Ink::Plain, &format!("{}: {}", check.id, check.title));
    page.blank();
    for (label, words) in [
        ("proves", Cow::Borrowed(check.proves)),
        ("prevents", Cow::Borrowed(check.prevents)),
        ("required", required(check.id)),
    ] {
        page.hanging(&format!("  {label:<10}"), 12, Ink::Plain, &words);
    }
    for reason in check.reasons {
        page.blank();
        page.line(Ink::Plain, &format!("  {}", reason.id));
        page.paragraph(4, Ink::Plain, reason.means);
        page.advice("    What to do: ", 16, Ink::Plain, what_to_do(reason));
    }
    page.into_text()
}

/// Reasons, each with its check, with a final newline.
#[must_use]
pub fn explain_reasons(found: &[(&Check, &Reason)], width: usize) -> String {
    let mut page = TextPage::new(width.min(WIDTH), false);
    for (index, (check, reason)) in found.iter().enumerate() {
        if index > 0 {
            page.blank();
        }
        page.line(Ink::Plain, &format!("{}/{}", check.id, reason.id));
        page.paragraph(2, Ink::Plain, reason.means);
        page.advice("  What to do: ", 14, Ink::Plain, what_to_do(reason));
        page.hanging("  The check:  ", 14, Ink::Plain, check.proves);
    }
    page.into_text()
}

/// All checks in the order in which they run: the first sentence of what each proves.
#[must_use]
pub fn explain_list(width: usize) -> String {
    let mut page = TextPage::new(width, false);
    let width = ALL.iter().map(|check| check.id.as_str().len()).max().unwrap_or(0);
    for check in ALL {
        let first = check.proves.split_inclusive(". ").next().unwrap_or_default();
        let lead = format!("{:<width$}  ", check.id.as_str());
        page.hanging(&lead, width + 2, Ink::Plain, first.trim_end());
    }
    page.into_text()
}

/// Which tiers need a check, in words.
pub(super) fn required(id: CheckId) -> Cow<'static, str> {
    if let Required::Grants(sides) = Check::of(id).required {
        return Cow::Owned(granted(sides));
    }
    Cow::Borrowed(match (required_from(id), id) {
        (Some(Tier::Hardware), _) => "by every tier: `hardware`, `code`",
        (Some(Tier::Code), CheckId::KeyProvider) => "by the tier `code`; if it fails, no tier is reached",
        (Some(Tier::Code), _) => "by the tier `code`",
        (None, CheckId::ReportData) => {
            "by no tier, but if it fails, no tier is reached and the verdict is fail"
        }
        (None, _) => "by no tier, but if it fails, the verdict is fail",
    })
}

fn granted(sides: &[SideTier]) -> String {
    let levels = sides.iter().map(|side| {
        let level = RequiredAssurance::Code(SideTiers::NONE.with(*side));
        format!("`{level}`")
    });
    let levels: Vec<String> = levels.collect();
    format!(
        "by {}, and by no other tier; if it fails, the verdict is fail",
        levels.join(" and ")
    )
}

/// What to do about a reason; one that follows from another check says so.
pub(super) const fn what_to_do(reason: &Reason) -> &'static str {
    if reason.fix.is_empty() {
        "See the first check that did not pass."
    } else {
        reason.fix
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_of_every_check_is_explained() {
        for check in ALL {
            let text = explain(check, 100);
            for reason in check.reasons {
                assert!(text.contains(&format!("\n  {}\n", reason.id)), "{}", reason.id);
            }
        }
    }

    #[test]
    fn an_explanation() {
        insta::assert_snapshot!(explain(Check::of(CheckId::ComposeHash), 100));
    }

    #[test]
    fn a_reason_is_explained_with_its_check() {
        let check = Check::of(CheckId::OsImage);
        let reason = check
            .reasons
            .iter()
            .find(|reason| reason.id == "no-reference")
            .unwrap();
        insta::assert_snapshot!(explain_reasons(&[(check, reason)], 100));
    }

    #[test]
    fn the_list() {
        insta::assert_snapshot!(explain_list(100));
    }
}
