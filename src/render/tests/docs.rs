//! The pages under `docs/checks/`, made of the words that the program itself prints.

use std::fmt::Write as _;

use cvm_verify_core::checks::{ALL, Check};

use super::explain::{required, what_to_do};
use super::generated::assert_generated;
use super::own_words::{cell, own};

/// So that nobody edits a page by hand.
const GENERATED: &str = "<!-- Made from crates/core/src/checks/ by `UPDATE_GENERATED=1 cargo test --lib render`. Do not edit. -->";

/// The page of one check in `docs/checks`. Each reason is a heading, so that it can be linked to.
fn check_page_markdown(check: &Check) -> String {
    let mut page = format!(
        "{GENERATED}\n\n# {}: {}\n\n**Proves:** {}\n\n**Prevents:** {}\n\n**Required** {}.\n\n## Reasons\n",
        check.id,
        check.title,
        own(check.proves),
        own(check.prevents),
        own(&required(check.id)),
    );
    for reason in check.reasons {
        // Writing to a string cannot fail.
        let _ = write!(
            page,
            "\n### {}\n\n{}\n\n*What to do:* {}\n",
            reason.id,
            own(reason.means),
            own(what_to_do(reason)),
        );
    }
    page
}

/// The page `docs/checks/README.md`: all checks, with links.
fn check_index_markdown() -> String {
    let mut page = format!(
        "{GENERATED}\n\n# The checks\n\nIn the order in which they run. `cvm-verify explain CHECK` prints the same.\n\n\
         | check | proves | prevents | required |\n|---|---|---|---|\n"
    );
    for check in ALL {
        // Writing to a string cannot fail.
        let _ = writeln!(
            page,
            "| [`{id}`]({id}.md) | {} | {} | {} |",
            cell(check.proves),
            cell(check.prevents),
            cell(&required(check.id)),
            id = check.id,
        );
    }
    page
}

#[test]
fn the_pages_are_made_of_the_checks_own_words() {
    for check in ALL {
        assert_generated(
            &format!("docs/checks/{}.md", check.id),
            &check_page_markdown(check),
        );
    }
    assert_generated("docs/checks/README.md", &check_index_markdown());
}

#[test]
fn no_page_is_left_of_a_check_that_is_gone() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/checks");
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let id = name.strip_suffix(".md").unwrap();
        assert!(
            id == "README" || id.parse::<cvm_verify_core::report::CheckId>().is_ok(),
            "{name}"
        );
    }
}

#[test]
fn code_spans_are_closed() {
    for check in ALL {
        for reason in check.reasons {
            assert_eq!(reason.means.matches('`').count() % 2, 0, "{}", reason.id);
            assert_eq!(reason.fix.matches('`').count() % 2, 0, "{}", reason.id);
        }
    }
}
