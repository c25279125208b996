//! docs/threats.md against the tests: each threat has its row, each row a test that exists.

use std::collections::BTreeSet;
use std::path::Path;

use crate::{read, repository};

const PAGE: &str = "docs/threats.md";

/// Every function of the tests and the sources, of Rust and of Python.
fn functions(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            functions(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs" || end == "py") {
            let text = std::fs::read_to_string(&path).unwrap();
            for before in ["fn ", "def "] {
                for (at, _) in text.match_indices(before) {
                    let rest = &text[at + before.len()..];
                    let name = rest
                        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                        .next();
                    found.extend(name.map(str::to_owned));
                }
            }
        }
    }
}

fn existing() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for folder in ["tests", "src", "crates"] {
        let folder = repository(folder);
        if folder.is_dir() {
            functions(&folder, &mut found);
        }
    }
    found
}

/// The numbers at the beginning of a test's name: `t51_t53_…` is of two threats.
fn numbers(name: &str) -> Vec<u32> {
    name.split('_')
        .map_while(|part| {
            let digits = part.strip_prefix('t').filter(|digits| digits.len() == 2)?;
            digits.parse().ok()
        })
        .collect()
}

/// The rows of threats: number, what refuses it, tests.
fn rows(page: &str) -> Vec<(u32, &str, Vec<&str>)> {
    page.lines()
        .filter_map(|line| {
            let cells: Vec<&str> = line.split(" | ").collect();
            let number = cells.first()?.strip_prefix("| T")?.parse().ok()?;
            let tests = cells.last()?.split('`').skip(1).step_by(2).collect();
            Some((number, *cells.get(2)?, tests))
        })
        .collect()
}

#[test]
fn every_threat_of_a_test_has_a_row() {
    let page = read(PAGE);
    let listed: BTreeSet<u32> = rows(&page).iter().map(|(number, ..)| *number).collect();
    for name in existing() {
        for number in numbers(&name) {
            assert!(listed.contains(&number), "{name}: {PAGE} has no T{number}");
        }
    }
}

#[test]
fn every_row_names_a_test_that_exists_or_says_that_the_threat_is_not_covered() {
    let (page, existing) = (read(PAGE), existing());
    let rows = rows(&page);
    let numbers: BTreeSet<u32> = rows.iter().map(|(number, ..)| *number).collect();
    assert_eq!(numbers.len(), rows.len(), "a number occurs twice");
    assert_eq!(numbers, (1..=93).collect(), "no number is left out");
    for (number, refused_by, tests) in rows {
        assert!(
            !tests.is_empty() || refused_by.starts_with("Not covered"),
            "T{number} names no test"
        );
        for test in tests {
            assert!(existing.contains(test), "T{number}: there is no {test}");
        }
    }
}

/// The rows of the bounds name threats by their number.
#[test]
fn every_bound_is_tested() {
    let page = read(PAGE);
    let (threats, bounds) = page.split_once("## Bounds").unwrap();
    let listed: Vec<u32> = rows(threats).iter().map(|(number, ..)| *number).collect();
    let rows: Vec<&str> = bounds
        .lines()
        .filter(|line| line.ends_with(" |"))
        .skip(1)
        .collect();
    assert!(rows.len() > 10);
    for row in rows {
        let number = row
            .rsplit(" | ")
            .next()
            .and_then(|cell| cell.trim_end_matches(" |").strip_prefix('T'));
        let number: u32 = number
            .and_then(|number| number.parse().ok())
            .unwrap_or_else(|| panic!("{row}"));
        assert!(listed.contains(&number), "{row}");
    }
}
