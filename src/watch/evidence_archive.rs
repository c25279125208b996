//! Evidence of rounds that did not pass: the first of each failure, before the host changes its mind.

use std::collections::BTreeMap;
use std::path::PathBuf;

use sha2::{Digest as _, Sha256};

use crate::alert::causes;
use crate::files;
use crate::usage_error::{CommandError, WriteError};
use cvm_verify_core::evidence::Bundle;
use cvm_verify_core::report::{TargetReport, Verdict};

/// How many targets and instances have a file: a host can start ever new instances.
const MAX_FILES: usize = 1000;

/// Where evidence is kept, and what of.
pub(crate) struct EvidenceArchive {
    folder: Option<PathBuf>,
    /// By name: what its file shows; nothing once it has passed since.
    shown: BTreeMap<String, Vec<String>>,
    /// Whether it was said that no further target gets a file.
    said_full: bool,
}

impl EvidenceArchive {
    /// In this folder, which is made; nowhere without one.
    pub fn new(folder: Option<PathBuf>) -> Result<Self, CommandError> {
        folder.as_deref().map_or(Ok(()), files::make_folder)?;
        Ok(Self {
            folder,
            shown: BTreeMap::new(),
            said_full: false,
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
            None if full => {
                let is_said = std::mem::replace(&mut self.said_full, true);
                return (!is_said).then(|| {
                    let why = format!(
                        "{MAX_FILES} targets and instances have a file here, and no further one gets one: {} has none. Move the files elsewhere and \
                         start `watch` again",
                        report.name
                    );
                    Err(WriteError::file(folder, why))
                });
            }
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
    fn where_no_further_target_gets_a_file_that_is_said_once() {
        let folder = std::env::temp_dir().join(format!("cvm-verify-archive-{}", std::process::id()));
        let mut archive = EvidenceArchive::new(Some(folder.clone())).unwrap();
        archive.shown = (0..MAX_FILES)
            .map(|number| (number.to_string(), Vec::new()))
            .collect();
        let attestation = serde_json::value::to_raw_value(&()).unwrap();
        let from = cvm_verify_core::evidence::BundleSource {
            kind: "app".to_owned(),
            url: None,
        };
        let bundle = Bundle::new(0, from, attestation);
        let mut failing = |name: &str| {
            let mut report = crate::render::samples::fail();
            report.name = name.to_owned();
            archive.keep(&report, Some(&bundle))
        };
        let said = failing("new").unwrap().unwrap_err().to_string();
        assert!(said.contains("no further one gets one: new has none"), "{said}");
        assert!(failing("newer").is_none());
        // One that has a file goes on having it.
        assert!(failing("7").unwrap().is_ok());
        std::fs::remove_dir_all(folder).unwrap();
    }

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
