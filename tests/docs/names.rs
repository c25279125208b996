//! Options and check ids that the documentation names exist.

use std::collections::BTreeSet;

use cvm_verify_core::report::CheckId;

use crate::{options, read, repository, written_pages};

/// Options of other programs in the examples.
const OTHER_PROGRAMS: [&str; 46] = [
    "--bench",
    "--bin",
    "--bundle",
    "--certificate-identity",
    "--certificate-oidc-issuer",
    "--changed-since",
    "--codes-only",
    "--deny-self-hosted-runners",
    "--env",
    "--example",
    "--from-file",
    "--host",
    "--hostname",
    "--jobs",
    "--jq",
    "--learn",
    "--lib",
    "--locked",
    "--method",
    "--now",
    "--only",
    "--only-head",
    "--base",
    "--out",
    "--path",
    "--plain",
    "--port",
    "--predicate-type",
    "--program",
    "--raw-output",
    "--relay",
    "--release",
    "--repo",
    "--rm",
    "--sample",
    "--seconds",
    "--test",
    "--tls",
    "--type",
    "--version",
    "--volume",
    "--workdir",
    "--workspace",
    "--trust-remote-code",
    "--no-check-certificate",
    "--trusted-host",
];

/// `--word` in a text.
pub fn long_options(text: &str) -> BTreeSet<String> {
    text.match_indices("--")
        .filter(|(at, _)| !text[..*at].ends_with(|c: char| c == '-' || c.is_alphanumeric()))
        .filter_map(|(at, _)| {
            let name: String = text[at + 2..]
                .chars()
                .take_while(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '-')
                .collect();
            let name = name.trim_end_matches('-');
            (!name.is_empty()).then(|| format!("--{name}"))
        })
        .collect()
}

pub fn existing() -> BTreeSet<String> {
    options::commands()
        .iter()
        .flat_map(|command| long_options(&options::help(command)))
        .collect()
}

#[test]
fn every_option_in_the_docs_exists() {
    let existing = existing();
    for page in written_pages() {
        for option in long_options(&read(&page)) {
            let known = existing.contains(&option) || OTHER_PROGRAMS.contains(&option.as_str());
            assert!(known, "{page} speaks of {option}, which no command has");
        }
    }
}

/// Where a check's id stands in the docs.
const BEFORE_AN_ID: [&str; 5] = ["explain ", "\"id\": \"", "waived: ", "checks/", "\nFAIL   "];

#[test]
fn every_check_in_the_docs_exists_and_has_a_page() {
    for page in written_pages() {
        let text = read(&page);
        for before in BEFORE_AN_ID {
            for (at, _) in text.match_indices(before) {
                let id: String = text[at + before.len()..]
                    .chars()
                    .take_while(|c| c.is_ascii_lowercase() || *c == '-')
                    .collect();
                assert!(
                    id.is_empty() || id.parse::<CheckId>().is_ok(),
                    "{page} speaks of {before:?}{id}, and there is no such check"
                );
            }
        }
    }
    for id in CheckId::ALL {
        assert!(repository(&format!("docs/checks/{id}.md")).is_file(), "{id}");
    }
}

/// Whether a module declares or exports an item of this name for other programs.
fn is_public(module: &str, item: &str) -> bool {
    let is_word = |text: &str| {
        text.split(|c: char| !c.is_alphanumeric() && c != '_')
            .any(|word| word == item)
    };
    module.split("pub ").skip(1).any(|public| {
        let declared = match public.strip_prefix("use ") {
            Some(exported) => exported.split(';').next(),
            None => public.split(['(', '{', '<', '=', ';']).next(),
        };
        declared.is_some_and(is_word)
    })
}

/// What a page for programs that embed the verifier names is public.
#[test]
fn every_item_of_a_module_that_a_page_names_is_public() {
    let mut found = 0;
    for page in written_pages() {
        for span in read(&page).split('`').skip(1).step_by(2) {
            let (root, path) = match span.strip_prefix("cvm_verify_core::") {
                Some(path) => ("crates/core/src", path),
                None => ("src", span.trim_start_matches("cvm_verify::")),
            };
            let Some((module, item)) = path.split_once("::") else {
                continue;
            };
            let file = format!("{root}/{module}/mod.rs");
            if repository(&file).exists() {
                found += 1;
                assert!(is_public(&read(&file), item), "{page}: `{span}`: {file} has none");
            }
        }
    }
    assert!(found >= 3, "{found}");
    assert!(!is_public("mod tasks;\npub use run::{Run, verify};", "Tasks"));
}
