//! docs/network.md names every host that the program calls by itself, and docs/when-red.md every check.

use std::path::Path;

use cvm_verify_core::report::CheckId;

use crate::{read, repository};

/// Folders of the program that make requests.
const CALLERS: [&str; 3] = ["src/alert", "src/collateral", "src/source"];

/// The hosts in the constants of a file, before its tests.
fn hosts(text: &str) -> Vec<String> {
    let program = text.split("#[cfg(test)]").next().unwrap_or_default();
    let mut hosts = Vec::new();
    let mut in_constant = false;
    for line in program.lines() {
        let line = line.trim();
        in_constant |= line.contains("const ");
        if in_constant && !line.starts_with("//") {
            let behind = line.split("\"https://").skip(1);
            let names = behind.filter_map(|rest| rest.split(['/', '"', ':']).next());
            hosts.extend(names.map(str::to_owned));
        }
        in_constant &= !line.ends_with(';');
    }
    hosts
}

fn hosts_below(folder: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            hosts_below(&path, found);
        } else if name.ends_with(".rs") && !name.contains("test") {
            found.extend(hosts(&std::fs::read_to_string(&path).unwrap()));
        }
    }
}

#[test]
fn the_page_of_hosts_names_each_that_is_called() {
    let mut found = Vec::new();
    for folder in CALLERS {
        hosts_below(&repository(folder), &mut found);
    }
    found.sort_unstable();
    found.dedup();
    assert!(found.len() >= 7, "{found:?}");
    let page = read("docs/network.md");
    for host in &found {
        assert!(
            page.contains(&format!("`{host}`")),
            "docs/network.md does not name {host}"
        );
    }
    // And none that is not.
    let named = page.split('`').skip(1).step_by(2);
    for host in named
        .filter(|name| name.contains(".intel.com") || name.contains(".phala.") || name.contains("nvidia"))
    {
        assert!(found.iter().any(|known| known == host), "{host} is not called");
    }
}

#[test]
fn the_page_for_a_red_run_names_each_check_that_can_fail() {
    let page = read("docs/when-red.md");
    for id in CheckId::ALL {
        assert!(
            page.contains(&format!("`{id}`")),
            "docs/when-red.md does not name {id}"
        );
    }
}
