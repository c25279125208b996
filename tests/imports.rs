//! The layers of the sources: no folder imports one of a higher layer, no two files import each other, and what decides
//! (from evidence to report) knows no network, no clock and no environment. Read from the sources themselves.
//!
//! The picture in docs/architecture.md is made from the same imports: `UPDATE_GENERATED=1 cargo test --test imports`.

#[path = "imports/sources.rs"]
mod sources;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use sources::{Sources, folder_of};

/// Folders and files by layer, the lowest first; those of the core begin with `core/`. Those of one layer do not import each
/// other.
const LAYERS: [&[&str]; 19] = [
    &[
        "core/recent",
        "core/report",
        "core/toml_text",
        "git",
        "usage_error",
        "watchdog",
    ],
    &[
        "address",
        "bounded_io",
        "core/evidence",
        "core/reference",
        "interrupt",
        "standard_output",
    ],
    &["core/verify", "net"],
    &["core/compose"],
    &["core/policy"],
    &["core/lock"],
    &["core/checks"],
    &["core/tiers"],
    &["core/appraise"],
    &["files", "runtime"],
    &[
        "collateral",
        "compare",
        "compose_document",
        "deploy_plan",
        "image_source",
        "source",
    ],
    &["config"],
    &["engine", "render"],
    &["env", "inspect", "merge", "unknown_variables"],
    &["alert", "artifacts", "attempts", "recorded", "statement_check"],
    &["github_step", "plan"],
    &[
        "alert_test",
        "diff",
        "inspect_run",
        "pin",
        "run_alerts",
        "verify_run",
        "watch",
    ],
    &["cli"],
    &["main"],
];

/// From evidence to report, the core is a pure function of its arguments.
fn is_core(folder: &str) -> bool {
    folder.starts_with("core/")
}

/// What the core may not name.
const IMPURE: [&str; 12] = [
    "Instant::now",
    "SystemTime::now",
    "Utc::now",
    "clap::",
    "hyper::",
    "octocrab::",
    "reqwest::",
    "std::env::",
    "std::fs::",
    "TcpStream",
    "UdpSocket",
    "tokio::",
];

/// A library reads this clock in any case: the file reads it to say so, and for nothing else.
const LIBRARY_CLOCK: (&str, &str) = ("core/verify/provenance/machine_clock.rs", "SystemTime::now");

fn layer_of(folder: &str) -> usize {
    LAYERS
        .iter()
        .position(|layer| layer.contains(&folder))
        .unwrap_or_else(|| panic!("{folder} is in no layer: add it to LAYERS"))
}

#[test]
fn no_folder_imports_one_of_its_own_layer_or_a_higher_one() {
    let mut wrong = BTreeSet::new();
    for (from, to, path) in Sources::read().imports() {
        let (low, high) = (folder_of(&from), folder_of(&to));
        if low != high && layer_of(&low) <= layer_of(&high) {
            wrong.insert(format!("{from} imports {to} ({path})"));
        }
    }
    assert_eq!(wrong, BTreeSet::new());
}

#[test]
fn no_two_files_import_each_other() {
    assert_eq!(Sources::read().circles(), Vec::<BTreeSet<String>>::new());
}

#[test]
fn code_for_tests_says_so_in_its_name() {
    assert_eq!(sources::unnamed_test_modules(), Vec::new());
}

#[test]
fn what_decides_knows_no_network_no_clock_and_no_environment() {
    let mut wrong = Vec::new();
    for (file, text) in Sources::read().texts() {
        if is_core(&folder_of(file)) {
            wrong.extend(
                IMPURE
                    .iter()
                    .filter(|name| text.contains(*name) && (file, **name) != LIBRARY_CLOCK)
                    .map(|name| format!("{file}: {name}")),
            );
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

/// One name has one meaning.
#[test]
fn no_two_types_have_one_name() {
    let sources = Sources::read();
    let mut names: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (file, text) in sources.texts() {
        for name in sources::types_of(text) {
            names.entry(name).or_default().insert(file);
        }
    }
    assert!(names.len() > 900, "the reader finds only {}", names.len());
    names.retain(|_, files| files.len() > 1);
    assert_eq!(names, BTreeMap::new());
}

/// The reader finds what it is looking for: imports that are there, whatever their form.
#[test]
fn imports_of_every_form_are_seen() {
    let imports = Sources::read().imports();
    let seen = |from: &str, to: &str| imports.iter().any(|(one, other, _)| one == from && other == to);
    for (from, to, form) in [
        (
            "core/appraise.rs",
            "core/report/target.rs",
            "a list, through a re-export",
        ),
        (
            "core/checks/app_id.rs",
            "core/checks/not_proven.rs",
            "`super::`, through mod.rs",
        ),
        ("core/tiers.rs", "core/checks/check.rs", "one name"),
        ("merge/mod.rs", "core/report/target.rs", "the other crate"),
        ("main.rs", "cli/mod.rs", "the program"),
    ] {
        assert!(seen(from, to), "{form}: src/{from} imports src/{to}");
    }
    assert!(imports.len() > 1000, "{}", imports.len());
}

/// The examples in docs/architecture.md name files that are there.
#[test]
fn the_examples_name_files_that_exist() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(repository.join("docs/architecture.md")).unwrap();
    let (_, examples) = text.split_once("## Four examples").expect("the examples");
    let mut named = 0;
    for path in examples.split('`').skip(1).step_by(2) {
        if path.ends_with(".rs") || path.ends_with('/') {
            let file = match path.strip_prefix("core/") {
                Some(rest) => format!("crates/core/src/{rest}"),
                None if path.starts_with("src/") => path.to_owned(),
                None => format!("src/{path}"),
            };
            let alone = repository.join("crates/core/src/checks").join(path);
            assert!(repository.join(&file).exists() || alone.exists(), "{path}");
            named += 1;
        }
    }
    assert!(named > 15, "{named}");
}

/// Each folder has a row in one of the two tables of docs/architecture.md.
#[test]
fn every_folder_is_described() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/architecture.md");
    let text = std::fs::read_to_string(page).unwrap();
    let first_columns: Vec<&str> = text.lines().filter_map(|line| line.split('|').nth(1)).collect();
    for folder in LAYERS
        .iter()
        .copied()
        .flatten()
        .filter(|folder| **folder != "main")
    {
        let name = format!("`{}`", folder.trim_start_matches("core/"));
        assert!(
            first_columns.iter().any(|column| column.contains(&name)),
            "{folder}"
        );
    }
}

/// Documents of dstack's repository and of Fulcio's that comments cite, and files that the program writes.
const OF_OTHERS: [&str; 5] = [
    "docs/guest-api-v1.md",
    "docs/security/security-best-practices.md",
    "oid-info.md",
    "sdk/curl/api.md",
    "summary.md",
];

/// A document that a comment cites is in this repository, or one of the list.
#[test]
fn comments_cite_documents_that_exist() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut cited = 0;
    for (file, text) in sources::sources() {
        for line in text.lines().filter(|line| line.trim_start().starts_with("//")) {
            let words = line.split(|c: char| !(c.is_ascii_alphanumeric() || "./-_:".contains(c)));
            for document in words.map(|word| word.trim_end_matches(['.', ':'])) {
                if document.ends_with(".md") && !document.starts_with("https:") {
                    let known = repository.join(document).is_file() || OF_OTHERS.contains(&document);
                    assert!(known, "{file} cites {document}: {line}");
                    cited += 1;
                }
            }
        }
    }
    assert!(cited > 40, "{cited}");
}

#[test]
fn the_picture_is_that_of_the_imports() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/architecture.md");
    let text = std::fs::read_to_string(&page).unwrap();
    let (start, end) = (
        "<!-- picture: made by `UPDATE_GENERATED=1 cargo test --test imports` -->\n",
        "<!-- end of the picture -->",
    );
    let (before, rest) = text.split_once(start).expect("the mark where the picture starts");
    let (_, after) = rest.split_once(end).expect("the mark where the picture ends");
    let new = format!("{before}{start}{}{end}{after}", picture());
    simulator::generated::assert_generated(&page, &new, "--test imports");
}

/// Mermaid: the layers, the highest first, and for each folder the folders that it imports and that no folder it imports
/// imports in turn.
fn picture() -> String {
    let mut arrows: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (from, to, _) in Sources::read().imports() {
        let (from, to) = (folder_of(&from), folder_of(&to));
        if from != to && from != "main" {
            arrows.entry(from).or_default().insert(to);
        }
    }
    let reaches = |from: &str, to: &str| {
        let mut open = vec![from.to_owned()];
        let mut seen = BTreeSet::new();
        while let Some(next) = open.pop() {
            for below in arrows.get(&next).into_iter().flatten() {
                if below == to {
                    return true;
                }
                if seen.insert(below.clone()) {
                    open.push(below.clone());
                }
            }
        }
        false
    };
    let mut out = String::from("```mermaid\nflowchart TD\n");
    for (number, layer) in LAYERS
        .iter()
        .enumerate()
        .rev()
        .filter(|(_, layer)| **layer != ["main"])
    {
        out.push_str(&format!("  subgraph layer{number} [ ]\n"));
        for folder in *layer {
            let shape = if is_core(folder) { ("([", "])") } else { ("[", "]") };
            let name = folder.trim_start_matches("core/");
            out.push_str(&format!("    {}{}{name}{}\n", id(folder), shape.0, shape.1));
        }
        out.push_str("  end\n");
    }
    for (from, tos) in &arrows {
        let direct = tos
            .iter()
            .filter(|to| !tos.iter().any(|other| other != *to && reaches(other, to)));
        for to in direct {
            out.push_str(&format!("  {} --> {}\n", id(from), id(to)));
        }
    }
    out.push_str("```\n");
    out
}

/// The name of a box in the picture.
fn id(folder: &str) -> String {
    folder.replace('/', "_")
}
