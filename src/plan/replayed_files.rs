//! The files of a replay, as the other commands take them: a finding about a recording advises what to do with the recording.

use std::path::Path;

use super::next_commands::{EvidenceFiles, word};
use crate::recorded::loose::{DASH, LooseFiles};

/// What a replay read.
pub(crate) struct ReplayedFiles<'a> {
    /// The bundle that it wrote of loose files.
    pub written: Option<&'a Path>,
    /// The file that it was given: a bundle or a bare quote.
    pub given: Option<&'a Path>,
    /// Whether that is a bundle.
    pub is_bundle: bool,
    /// The other files.
    pub loose: &'a LooseFiles,
    /// As of when it was judged, as it was typed.
    pub at: Option<&'a str>,
    /// Whether the collateral was fetched, and is in no file.
    pub is_collateral_fetched: bool,
}

impl ReplayedFiles<'_> {
    /// As the other commands take them; none where no file holds what was judged, such as standard input.
    pub fn evidence_files(&self) -> Option<EvidenceFiles> {
        let at = self
            .at
            .map(|at| format!(" --at {}", word(at)))
            .unwrap_or_default();
        let is_file = |path: &&Path| *path != Path::new(DASH);
        let given = self.given.filter(is_file);
        if let Some(bundle) = self.written.or(given.filter(|_| self.is_bundle)) {
            let collateral = option("collateral", self.loose.collateral.as_deref());
            return Some(EvidenceFiles {
                pin: format!("--from {}{collateral}{at}", shown(bundle)),
                diff: shown(bundle),
                inspect: shown(bundle),
            });
        }
        let attestation = self.given.or(self.loose.attestation.as_deref()).filter(is_file);
        let attestation = attestation.filter(|_| !self.is_collateral_fetched)?;
        let nonce = self
            .loose
            .nonce
            .as_deref()
            .map(|nonce| format!(" --nonce {}", word(nonce)));
        let diff = format!(
            "--attestation {}{}{}{}{}",
            shown(attestation),
            option("info", self.loose.info.as_deref()),
            option("app-compose", self.loose.app_compose.as_deref()),
            option("collateral", self.loose.collateral.as_deref()),
            nonce.unwrap_or_default()
        );
        Some(EvidenceFiles {
            pin: format!("{diff}{at}"),
            diff,
            inspect: shown(attestation),
        })
    }
}

fn shown(path: &Path) -> String {
    word(&path.display().to_string())
}

/// An option whose value is a file, with a blank before it; nothing where there is none.
fn option(name: &str, file: Option<&Path>) -> String {
    file.map(|file| format!(" --{name} {}", shown(file)))
        .unwrap_or_default()
}
