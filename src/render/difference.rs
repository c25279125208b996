//! What changed between two deployments, for people, for pages and for machines.

use serde::Serialize;

use super::escape::{code, prose, terminal, terminal_lines};
use super::page::{Ink, TextPage};
use super::{banner, diff_lines, json};
use crate::compare::{Comparison, Explained, Side};
use cvm_verify_core::lock;

/// The name of the JSON format.
const SCHEMA: &str = "cvm-verify/difference/v1";

/// Where the lines of a text's diff begin: behind those of the value.
const INDENT: usize = 4;

/// As text for people. `simulated`: some evidence relies on another root than Intel's.
#[must_use]
pub fn difference_text(
    before: &Side,
    after: &Side,
    comparison: &Comparison,
    simulated: bool,
    width: usize,
) -> String {
    let mut page = TextPage::new(width, false);
    if simulated {
        page.line(Ink::Plain, banner::SIMULATED);
    }
    page.line(Ink::Plain, &format!("- {}", terminal(&title(before))));
    page.line(Ink::Plain, &format!("+ {}", terminal(&title(after))));
    page.blank();
    if comparison.changes.is_empty() {
        page.line(Ink::Plain, SAME);
    }
    for Explained { change, diff } in &comparison.changes {
        let text = lock::difference_text(std::slice::from_ref(change));
        for line in text.lines() {
            page.line(Ink::Plain, &terminal_lines(line));
        }
        diff_lines::on_page(&mut page, INDENT, diff);
    }
    if !comparison.notes.is_empty() {
        page.blank();
    }
    for note in &comparison.notes {
        page.hanging("Note: ", 6, Ink::Plain, &terminal(note));
    }
    page.into_text()
}

/// Said if nothing changed.
const SAME: &str = "Nothing that was compared differs.";

fn title(side: &Side) -> String {
    format!("{} ({})", side.name, side.kind.as_str())
}

/// As Markdown.
#[must_use]
pub fn difference_markdown(before: &Side, after: &Side, comparison: &Comparison, simulated: bool) -> String {
    let mut page = String::new();
    if simulated {
        page.push_str(&format!("**{}**\n\n", banner::SIMULATED));
    }
    page.push_str(&format!(
        "From {} to {}:\n\n",
        code(&title(before)),
        code(&title(after))
    ));
    if comparison.changes.is_empty() {
        page.push_str(&format!("{SAME}\n\n"));
    }
    for Explained { change, diff } in &comparison.changes {
        page.push_str(&format!("- {}: {}\n", code(&change.key), prose(&change.means)));
        for (label, value) in [("before", &change.old), ("after", &change.new)] {
            if let Some(value) = value {
                page.push_str(&format!("  - {label} {}\n", code(value)));
            }
        }
        page.push('\n');
        page.push_str(&diff_lines::in_markdown(diff));
    }
    for note in &comparison.notes {
        page.push_str(&format!("<sub>{}</sub>\n\n", prose(note)));
    }
    page
}

/// What changed between two deployments.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Document<'a> {
    /// The name of this format.
    schema: &'static str,
    /// The first side.
    before: DocumentSide<'a>,
    /// The second side.
    after: DocumentSide<'a>,
    /// Whether evidence relies on another root than Intel's, and so proves nothing about hardware.
    simulated: bool,
    /// Whether nothing that was compared differs.
    same: bool,
    /// Every change, in the order of a lock file.
    changes: Vec<DocumentChange<'a>>,
    /// What was not compared, and what speaks against a side; a sentence each.
    notes: &'a [String],
}

/// One side.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct DocumentSide<'a> {
    /// Path or address; of a bundle with the time of capture.
    name: &'a str,
    /// `lock`, `bundle` or `live`.
    kind: &'a str,
}

/// One change.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct DocumentChange<'a> {
    /// The key of the lock file with its section; also `docker_compose_file` and `os_image`.
    key: &'a str,
    /// The value before. Null if there was none.
    old: Option<&'a str>,
    /// The value now. Null if there is none.
    new: Option<&'a str>,
    /// What the change means.
    means: &'a str,
    /// The first lines of a unified diff, printable ASCII, where both texts are known. Empty otherwise.
    diff: &'a [String],
}

/// As JSON, with a final newline.
#[must_use]
pub fn difference_json(before: &Side, after: &Side, comparison: &Comparison, simulated: bool) -> String {
    fn side(side: &Side) -> DocumentSide<'_> {
        DocumentSide {
            name: &side.name,
            kind: side.kind.as_str(),
        }
    }
    fn change(one: &Explained) -> DocumentChange<'_> {
        DocumentChange {
            key: &one.change.key,
            old: one.change.old.as_deref(),
            new: one.change.new.as_deref(),
            means: &one.change.means,
            diff: &one.diff,
        }
    }
    json::safe(&Document {
        schema: SCHEMA,
        before: side(before),
        after: side(after),
        simulated,
        same: comparison.changes.is_empty(),
        changes: comparison.changes.iter().map(change).collect(),
        notes: &comparison.notes,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::compare::{SideKind, compare};
    use crate::render::generated::assert_generated_schema;
    use crate::render::hostile::{hostile, is_dangerous};
    use cvm_verify_core::lock::Lock;

    fn side(name: &str, text: &str) -> Side {
        Side {
            name: name.to_owned(),
            kind: SideKind::Live,
            lock: Lock {
                images: [
                    (text.to_owned(), text.to_owned()),
                    ("web".to_owned(), name.to_owned()),
                ]
                .into(),
                compose_settings: [
                    (text.to_owned(), text.into()),
                    ("allowed_envs".to_owned(), serde_json::json!([text])),
                ]
                .into(),
                ..Lock::default()
            },
            texts: [("docker_compose_file".to_owned(), format!("{text}\n{name}"))].into(),
            notes: vec![text.to_owned()],
        }
    }

    #[test]
    fn the_schema_in_the_repository_is_that_of_the_types() {
        assert_generated_schema::<Document<'_>>("schemas/difference-v1.json", SCHEMA);
    }

    #[test]
    fn each_change_has_its_values_and_its_lines() {
        let (before, after) = (side("cvm.lock", "a"), side("https://app.example/", "b"));
        let comparison = compare(&before, &after);
        insta::assert_snapshot!(difference_text(&before, &after, &comparison, true, 100));
        insta::assert_snapshot!(
            "markdown",
            difference_markdown(&before, &after, &comparison, true)
        );
        let json: serde_json::Value =
            serde_json::from_str(&difference_json(&before, &after, &comparison, true)).unwrap();
        assert_eq!(json["schema"], SCHEMA);
        assert_eq!(
            (json["same"].as_bool(), json["simulated"].as_bool()),
            (Some(false), Some(true))
        );
        assert_eq!(
            json["changes"].as_array().unwrap().len(),
            comparison.changes.len()
        );
    }

    proptest! {
        #[test]
        fn t53_nothing_of_a_stranger_acts(text in hostile(), other in hostile()) {
            let (before, after) = (side(&text, &other), side(&other, &text));
            let comparison = compare(&before, &after);
            let shown = difference_text(&before, &after, &comparison, false, 100);
            prop_assert!(!shown.chars().any(|c| c != '\n' && is_dangerous(c)), "{shown:?}");
            prop_assert!(shown.lines().all(|line| !line.trim_start().starts_with("::")), "{shown:?}");
            prop_assert!(!shown.contains("##["), "{shown:?}");
            let json = difference_json(&before, &after, &comparison, false);
            prop_assert!(!json.chars().any(|c| c != '\n' && is_dangerous(c)));
            let page = difference_markdown(&before, &after, &comparison, false);
            prop_assert!(!page.chars().any(|c| c != '\n' && is_dangerous(c)));
            prop_assert!(!page.contains("<img") && !page.contains("]("), "{page:?}");
        }
    }
}
