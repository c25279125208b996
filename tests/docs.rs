//! The documentation against the program: generated pages, links, options and check ids that exist, the webhook receiver.

#[path = "docs/action.rs"]
mod action;
#[cfg(unix)]
#[path = "docs/commands_run.rs"]
mod commands_run;
#[path = "docs/dependencies.rs"]
mod dependencies;
#[path = "docs/examples.rs"]
mod examples;
#[path = "docs/hosts.rs"]
mod hosts;
#[path = "docs/links.rs"]
mod links;
#[path = "docs/names.rs"]
mod names;
#[path = "docs/options.rs"]
mod options;
#[path = "docs/receiver.rs"]
mod receiver;
#[path = "docs/threats.rs"]
mod threats;
#[path = "docs/watch.rs"]
mod watch;

use std::path::{Path, PathBuf};

/// Behind `<!-- ` at the top of a generated page.
const DO_NOT_EDIT: &str = "by `UPDATE_GENERATED=1 cargo test --test docs`. Do not edit.";

/// A path in the repository.
fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn read(path: &str) -> String {
    std::fs::read_to_string(repository(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// README.md and every page below docs/, as paths in the repository.
fn pages() -> Vec<String> {
    let mut pages = vec!["README.md".to_owned()];
    for folder in ["docs", "docs/checks"] {
        for entry in std::fs::read_dir(repository(folder)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if name.ends_with(".md") {
                pages.push(format!("{folder}/{name}"));
            }
        }
    }
    pages.sort();
    pages
}

/// Pages that people write, and that speak of the program: not those made from it, not those for maintainers.
fn written_pages() -> Vec<String> {
    let skipped = [
        "docs/options.md",
        "docs/action.md",
        "docs/releasing.md",
        "docs/live-results.md",
    ];
    pages()
        .into_iter()
        .filter(|page| !skipped.contains(&page.as_str()) && !page.starts_with("docs/checks/"))
        .collect()
}

/// Asserts that a file of the repository holds exactly `text`. With `UPDATE_GENERATED=1` it is written instead.
fn assert_generated(path: &str, text: &str) {
    simulator::generated::assert_generated(&repository(path), text, "--test docs");
}
