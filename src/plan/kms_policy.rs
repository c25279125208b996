//! What settings expect of the KMS that gives an app its keys.

use sha2::{Digest as _, Sha256};

use super::reader::SettingsReader;
use super::setting_problem::SettingProblem;
use crate::compose_document;
use crate::config::{Settings, path_of};
use crate::files;
use crate::usage_error::UsageError;
use cvm_verify_core::compose::UnprovenDocument;
use cvm_verify_core::evidence::{KmsBootstrap, MAX_KMS, MAX_KMS_META_BYTES, parse_user_hex};
use cvm_verify_core::policy::{
    Expected, KeyProviders, KmsDocument, KmsHost, KmsMode, KmsPolicy, OsImageOption, OsImagePolicy,
    parse_os_image_of,
};
use cvm_verify_core::reference::ReferenceValues;

impl SettingsReader<'_> {
    pub(super) fn kms(&mut self, reference: &ReferenceValues) -> KmsPolicy {
        let hash = |text: &str| parse_user_hex(text).map_err(|error| format!("the value {error}"));
        let os_image = self.parsed("kms-os-image", |text| {
            match parse_os_image_of(text, reference).map_err(|error| error.to_string())? {
                OsImageOption::Policy(policy) if !matches!(*policy, OsImagePolicy::Unchecked) => Ok(*policy),
                _ => {
                    Err("write `known`, the published hash or name of an image, or its registers".to_owned())
                }
            }
        });
        let hosts: Option<Expected<Vec<KmsHost>>> = self.list("kms-host", str::parse);
        if let (Some(hosts), Some(value)) = (&hosts, self.settings.one("kms-host")) {
            let mut seen = hosts.value.clone();
            seen.sort_unstable();
            seen.dedup();
            if seen.len() != hosts.value.len() || seen.len() > MAX_KMS {
                let problem = format!("name each KMS once, and at most {MAX_KMS}");
                self.problems.push(SettingProblem::of("kms-host", value, problem));
            }
        }
        let documents = compose_documents(self.settings, &mut self.problems);
        KmsPolicy {
            mode: self.word("kms", KmsMode::of_word),
            hosts,
            compose_hashes: self.kms_compose_hashes(&documents),
            documents,
            builds: self.list("kms-build", hash),
            os_image: os_image.zip(
                self.settings
                    .one("kms-os-image")
                    .map(|value| value.origin.clone()),
            ),
            key_provider: self.expected("kms-key-provider", |text| KeyProviders::parse(text, reference)),
            bootstrap: self.kms_bootstrap(),
        }
    }

    /// The hashes of the compose documents that the KMS may run: as they are written, or of the files.
    fn kms_compose_hashes(&mut self, documents: &[KmsDocument]) -> Option<Expected<Vec<[u8; 32]>>> {
        let written = self.list("kms-compose-hash", |text| {
            parse_user_hex(text).map_err(|error| format!("the value {error}"))
        });
        let Some(file) = self.settings.one("kms-compose-file") else {
            return written;
        };
        let other = |written: &Expected<Vec<[u8; 32]>>| {
            let mut others = documents.iter();
            let other = others.find(|one| !written.value.contains(&one.hash));
            other.map(|one| hex::encode(one.hash))
        };
        if let Some(sha256) = written.as_ref().and_then(other)
            && let Some(value) = self.settings.one("kms-compose-hash")
        {
            let problem = format!(
                "`kms-compose-file` contradicts it: a file's SHA-256 is {sha256}; remove one of both keys, or add the hash"
            );
            self.problems
                .push(SettingProblem::of("kms-compose-hash", value, problem));
        }
        written.or_else(|| {
            let hashes: Vec<[u8; 32]> = documents.iter().map(|document| document.hash).collect();
            (!hashes.is_empty()).then(|| Expected {
                value: hashes,
                origin: file.origin.clone(),
            })
        })
    }

    /// Evidence of how the root keys of the KMS were made, from a file.
    fn kms_bootstrap(&mut self) -> Option<Expected<String>> {
        let value = self.settings.one("kms-bootstrap-file")?;
        let path = path_of(value);
        let read = files::read(&path, MAX_KMS_META_BYTES as u64).and_then(|bytes| {
            let text = String::from_utf8(bytes).map_err(|_| UsageError::file(&path, "is not UTF-8"))?;
            match KmsBootstrap::of_text(&text) {
                Ok(_) => Ok(text),
                Err(error) => Err(UsageError::file(&path, error)),
            }
        });
        let value_of = |text| Expected {
            value: text,
            origin: value.origin.clone(),
        };
        self.kept_of_file("kms-bootstrap-file", value, read).map(value_of)
    }
}

/// The compose documents that the KMS may run, from files.
pub(crate) fn compose_documents(settings: &Settings, problems: &mut Vec<SettingProblem>) -> Vec<KmsDocument> {
    let mut documents = Vec::new();
    for value in settings.all("kms-compose-file") {
        let path = path_of(value);
        let read = compose_document::read(&path).and_then(|bytes| {
            let hash = Sha256::digest(&bytes).into();
            let text = String::from_utf8(bytes).map_err(|_| UsageError::file(&path, "is not UTF-8"))?;
            let document = UnprovenDocument::read(&text);
            let document = document.map_err(|error| UsageError::file(&path, error))?;
            Ok(KmsDocument { hash, document })
        });
        match read {
            Ok(document) => documents.push(document),
            Err(error) => problems.push(SettingProblem::of_named_file("kms-compose-file", value, error)),
        }
    }
    documents
}
