//! Evidence of rounds that did not pass: the first of each failure, before the host changes its mind.

use std::collections::BTreeMap;
use std::path::PathBuf;

use sha2::{Digest as _, Sha256};

use crate::alert::causes;
use crate::files;
use crate::usage_error::WriteError;
use cvm_verify_core::evidence::Bundle;
use cvm_verify_core::report::{TargetReport, Verdict};

/// How many targets and instances have a file: a host can start ever new instances.
const MAX_FILES: usize = 1000;

/// Where evidence is kept, and what of.
pub(crate) struct EvidenceArchive {
    folder: Option<PathBuf>,
    /// By name: what its file shows; nothing once it has passed since.
    shown: BTreeMap<String, Vec<String>>,
}

impl EvidenceArchive {
    /// In this folder, which is made; nowhere without one.
    pub fn new(folder: Option<PathBuf>) -> Result<Self, WriteError> {
        if let Some(folder) = &folder {
            std::fs::create_dir_all(folder).map_err(|error| WriteError::file(folder, error))?;
        }
        Ok(Self {
            folder,
            shown: BTreeMap::new(),
        })
    }

    /// Keeps the evidence of a round that did not pass, unless its file shows the same failure already. Returns what there is
    /// to say of it.
    pub fn keep(
        &mut self,
        report: &TargetReport,
        bundle: Option<&Bundle>,
    ) -> Option<Result<String, WriteError>> {
        let (Some(folder), Some(bundle)) = (&self.folder, bundle) else {
            return None;
        };
        let full = self.shown.len() >= MAX_FILES;
        let known = self.shown.get_mut(&report.name);
        if report.verdict == Verdict::Pass {
            known.into_iter().for_each(Vec::clear);
            return None;
        }
        let failure: Vec<String> = causes(report)
            .iter()
            .map(|check| format!("{}/{}", check.id, check.reason.as_deref().unwrap_or_default()))
            .collect();
        match known {
            Some(known) if *known == failure => return None,
            Some(known) => known.clone_from(&failure),
            None if full => return None,
            None => {
                self.shown.insert(report.name.clone(), failure);
            }
        }
        let path = folder.join(file_name(&report.name));
        let text = bundle.to_json().map_err(|error| WriteError::file(&path, error));
        let written = text.and_then(|text| files::write(&path, &text));
        if written.is_err() {
            // It is tried again in the next round.
            self.shown.remove(&report.name);
        }
        Some(written.map(|()| format!("{}: kept in {}", report.name, path.display())))
    }
}

/// A name for people, and a hash that no other target shares.
fn file_name(target: &str) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || matches!(c, '.' | '-') {
            c
        } else {
            '_'
        }
    };
    let name: String = target.chars().take(80).map(plain).collect();
    let hash = hex::encode(Sha256::digest(target));
    format!("{name}-{}.evidence.json", hash.get(..16).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_targets_share_a_file_and_no_name_leaves_the_folder() {
        assert_eq!(
            file_name("api.example:8443/app"),
            "api.example_8443_app-bc98c4bce3fa62e6.evidence.json"
        );
        assert_ne!(file_name("a/b"), file_name("a_b"));
        for name in ["../../etc/passwd", "a\0b", "\u{202e}x", &"x".repeat(500)] {
            let file = file_name(name);
            assert!(!file.contains(['/', '\\', '\0']) && file.len() < 120, "{file}");
        }
    }
}
