//! What settings expect of the KMS that gives an app its keys.

use super::reader::Reader;
use super::setting_problem::SettingProblem;
use crate::config::path_of;
use crate::files;
use crate::usage_error::UsageError;
use cvm_verify_core::evidence::{KmsBootstrap, MAX_KMS_META_BYTES, parse_user_hex};
use cvm_verify_core::policy::{
    Expected, KeyProviders, KmsHost, KmsMode, KmsPolicy, MAX_KMS, OsImageOption, OsImagePolicy,
    parse_os_image_of,
};
use cvm_verify_core::reference::ReferenceValues;

impl Reader<'_> {
    pub(super) fn kms(&mut self, reference: &ReferenceValues, at: u64) -> KmsPolicy {
        let hash = |text: &str| parse_user_hex(text).map_err(|error| format!("the value {error}"));
        let os_image = self.parsed("kms-os-image", |text| {
            match parse_os_image_of(text, reference).map_err(|error| error.to_string())? {
                OsImageOption::Policy(policy) if !matches!(*policy, OsImagePolicy::Unchecked) => {
                    if let OsImagePolicy::Published(named) = policy.as_ref() {
                        named.check_end(at).map_err(|error| error.to_string())?;
                    }
                    Ok(*policy)
                }
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
        KmsPolicy {
            mode: match self.settings.one("kms").map(|value| value.text.as_str()) {
                Some("required") => KmsMode::Required,
                Some("unchecked") => KmsMode::Unchecked,
                _ => KmsMode::Named,
            },
            hosts,
            compose_hashes: self.list("kms-compose-hash", hash),
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
        match read {
            Ok(text) => Some(Expected {
                value: text,
                origin: value.origin.clone(),
            }),
            Err(error) => {
                self.problems
                    .push(SettingProblem::of_named_file("kms-bootstrap-file", value, error));
                None
            }
        }
    }
}
