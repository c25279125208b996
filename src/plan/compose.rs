//! Which compose document settings expect, by its hash, its text or its docker compose file.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::reader::SettingsReader;
use super::release;
use super::setting_problem::SettingProblem;
use crate::compose_document;
use crate::config::path_of;
use cvm_verify_core::compose::{UnprovenDocument, compose_forms};
use cvm_verify_core::policy::{Expected, SecondHash};

impl SettingsReader<'_> {
    pub(super) fn compose_file(&mut self) -> Option<Vec<u8>> {
        let value = self.settings.one("app-compose-file")?;
        let read = compose_document::read(&path_of(value));
        self.kept_of_file("app-compose-file", value, read)
    }

    pub(super) fn compose_hash(&mut self, file: Option<&[u8]>) -> Option<Expected<[u8; 32]>> {
        let given = self.hex::<32>("compose-hash");
        let of_file = file
            .zip(self.settings.one("app-compose-file"))
            .map(|(bytes, value)| Expected {
                value: Sha256::digest(bytes).into(),
                origin: value.origin.clone(),
            });
        if let (Some(given), Some(file), Some(bytes), Some(value)) =
            (&given, &of_file, file, self.settings.one("compose-hash"))
            && !is_a_form(bytes, &given.value)
        {
            let sha256 = hex::encode(file.value);
            let problem = format!(
                "`app-compose-file` contradicts it: that file's SHA-256 is {sha256}, and no form of the document has the other hash; \
                 remove one of them"
            );
            self.problems
                .push(SettingProblem::of("compose-hash", value, problem));
        }
        given.or(of_file)
    }

    /// The document of the file, if it can be read: a hash of another form of it is told from that of another document.
    pub(super) fn given_document(file: Option<&[u8]>) -> Option<Arc<UnprovenDocument>> {
        let text = std::str::from_utf8(file?).ok()?;
        UnprovenDocument::read(text).ok().map(Arc::new)
    }

    pub(super) fn docker_compose(&mut self, document: Option<&[u8]>) -> Option<Expected<String>> {
        let value = self.settings.one("docker-compose")?;
        release::docker_compose(value, document)
            .map_err(|problem| self.problems.push(problem))
            .ok()
    }

    pub(super) fn second_hash(&mut self) -> Option<SecondHash> {
        self.parsed("also-compose-hash", str::parse)
    }
}

/// Whether a hash is that of the document as it is, or as a tool writes it: then it says which form is deployed.
fn is_a_form(document: &[u8], hash: &[u8; 32]) -> bool {
    let text = std::str::from_utf8(document).ok();
    let forms = text.and_then(|text| compose_forms(text).ok());
    <[u8; 32]>::from(Sha256::digest(document)) == *hash
        || forms.is_some_and(|(forms, _)| forms.iter().any(|form| form.hash == *hash))
}
