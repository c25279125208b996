//! docs/dependencies.md names every crate that a manifest names, and no other.

use std::collections::BTreeSet;

use crate::read;

/// The crates that these tables of a manifest name, without those of this repository.
fn named(manifest: &toml::Table, tables: &[&str], optional: bool) -> BTreeSet<String> {
    let tables = tables.iter().filter_map(|table| manifest.get(*table)?.as_table());
    let crates = tables.flatten().filter(|(_, value)| {
        let is = |key: &str| value.get(key).is_some();
        let is_optional = value.get("optional").and_then(toml::Value::as_bool) == Some(true);
        !is("path") && (optional || !is_optional)
    });
    crates.map(|(name, _)| name.clone()).collect()
}

/// The crates of the table under this heading, in its order.
fn listed(page: &str, heading: &str) -> Vec<String> {
    let section = page
        .split("\n## ")
        .find(|section| section.starts_with(heading))
        .unwrap();
    let cells = section
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` | "));
    cells
        .map(|(name, rest)| {
            let filled = rest
                .trim_end_matches(" |")
                .split(" | ")
                .all(|cell| !cell.trim().is_empty());
            assert!(filled, "{name}: a cell is empty");
            name.to_owned()
        })
        .collect()
}

#[test]
fn every_dependency_has_a_row_and_every_row_a_dependency() {
    let workspace: toml::Table = read("Cargo.toml").parse().unwrap();
    let members = workspace["workspace"]["members"].as_array().unwrap().iter();
    let (mut program, mut all) = (BTreeSet::new(), BTreeSet::new());
    for member in members.map(|member| member.as_str().unwrap()) {
        let path = format!("{member}/Cargo.toml");
        let in_program = member == "." || member.starts_with("crates/");
        let manifest: toml::Table = read(&path).parse().unwrap();
        if in_program {
            program.extend(named(&manifest, &["dependencies"], false));
        }
        let tables = ["dependencies", "dev-dependencies", "build-dependencies"];
        all.extend(named(&manifest, &tables, true));
    }
    let others: Vec<String> = all.difference(&program).cloned().collect();
    let page = read("docs/dependencies.md");
    let what = "docs/dependencies.md: give the new dependency a row in its place, or take the old row out";
    assert_eq!(
        listed(&page, "In the program"),
        program.into_iter().collect::<Vec<_>>(),
        "{what}"
    );
    assert_eq!(listed(&page, "Only for tests"), others, "{what}");
}
