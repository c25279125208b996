//! Reads the cases of a folder.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use serde::Deserialize;

use crate::case::{Case, Verdict};

/// One file: cases that belong together.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    case: Vec<Case>,
}

/// The cases of all files, in the order of the files' names, whose own name contains `only`.
pub fn read(folder: &Path, only: &str) -> anyhow::Result<Vec<Case>> {
    let mut paths = fs::read_dir(folder)
        .with_context(|| format!("cannot read {}", folder.display()))?
        .map(|entry| Ok(entry?.path()))
        .collect::<anyhow::Result<Vec<_>>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    let mut cases = vec![];
    for path in &paths {
        let text = fs::read_to_string(path)?;
        let file: File = toml::from_str(&text).with_context(|| path.display().to_string())?;
        cases.extend(file.case);
    }
    let mut names = BTreeSet::new();
    for case in &cases {
        check(case).with_context(|| format!("case {:?}", case.name))?;
        ensure!(names.insert(&case.name), "two cases are named {:?}", case.name);
    }
    cases.retain(|case| case.name.contains(only));
    if cases.is_empty() {
        bail!("no case of {} has {only:?} in its name", folder.display());
    }
    Ok(cases)
}

/// A case must say what it expects, and why it is there.
fn check(case: &Case) -> anyhow::Result<()> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
    ensure!(
        !case.name.is_empty() && case.name.chars().all(plain),
        "a name has small letters, digits, dots and hyphens"
    );
    let refused = matches!(case.expected.verdict, Verdict::Fail | Verdict::Inconclusive);
    // A check may pass, and not meet what is required.
    let is_open = case.expected.verdict == Verdict::Inconclusive && case.expected.status() == "pass";
    if refused {
        ensure!(
            case.expected.check.is_some() && (case.expected.reason.is_some() || is_open),
            "a case that is refused names check and reason"
        );
        ensure!(
            !case.threats.is_empty(),
            "a case that is refused names its threat"
        );
    }
    for threat in &case.threats {
        let number = threat
            .strip_prefix('T')
            .and_then(|number| number.parse::<u16>().ok());
        ensure!(
            number.is_some(),
            "{threat:?} is not the number of a threat, such as T5"
        );
    }
    Ok(())
}
