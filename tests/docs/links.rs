//! Relative links lead somewhere.

use std::path::{Path, PathBuf};

use crate::{pages, read, repository};

/// What stands in `](…)`, outside of code.
fn links(text: &str) -> Vec<String> {
    let mut in_code = false;
    let mut links = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        if in_code {
            continue;
        }
        let ends = line.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        links.extend(ends.map(str::to_owned));
    }
    links
}

/// The anchors of a page's headings, as the forge makes them.
fn anchors(text: &str) -> Vec<String> {
    text.lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| {
            line.trim_start_matches('#')
                .trim()
                .to_lowercase()
                .chars()
                .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
                .map(|c| if c == ' ' { '-' } else { c })
                .collect()
        })
        .collect()
}

#[test]
fn every_relative_link_leads_to_a_file_and_its_anchor_to_a_heading() {
    for page in pages() {
        let folder = repository(&page).parent().map(Path::to_owned).unwrap();
        for link in links(&read(&page)) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let file: PathBuf = if path.is_empty() {
                repository(&page)
            } else {
                folder.join(path)
            };
            assert!(file.exists(), "{page}: {link} leads nowhere");
            if !anchor.is_empty() {
                let text = std::fs::read_to_string(&file).unwrap();
                assert!(
                    anchors(&text).iter().any(|known| known == anchor),
                    "{page}: {link} leads to no heading"
                );
            }
        }
    }
}

#[test]
fn every_page_can_be_reached_from_the_index() {
    let index = links(&read("docs/README.md"));
    for page in pages() {
        let Some(name) = page.strip_prefix("docs/").filter(|name| {
            !name.contains('/') && !["README.md", "releasing.md", "live-results.md"].contains(name)
        }) else {
            continue;
        };
        assert!(
            index.iter().any(|link| link == name),
            "docs/README.md lacks {name}"
        );
    }
}
