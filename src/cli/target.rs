//! Addresses to verify, what they are called, and where their bundles go.

use std::path::{Path, PathBuf};

use url::Url;

use super::error::UsageError;
use super::transport;
use super::trouble::Trouble;
use crate::config::{Origin, Settings, Written};
use crate::source::HostLabel;
use crate::source::app::AppEndpoints;

/// One address to verify.
pub(super) struct Target {
    pub name: String,
    pub endpoints: AppEndpoints,
}

impl Target {
    /// Parses an address.
    pub fn new(text: &str, attestation_path: &str, info_path: &str) -> Result<Self, UsageError> {
        let url = transport::parse_url("URL", text)?;
        let name = name_of(&url);
        let endpoints = AppEndpoints::with_paths(url, attestation_path, info_path)
            .map_err(|error| UsageError::option(text, error))?;
        Ok(Self { name, endpoints })
    }

    /// The address with the paths that settings name.
    pub fn of_settings(address: &Written, settings: &Settings) -> Result<Self, Trouble> {
        let path = |key, default| settings.one(key).map_or(default, |value| value.text.as_str());
        let attestation_path = path("attestation-path", AppEndpoints::ATTESTATION);
        let info_path = path("info-path", AppEndpoints::INFO);
        Self::new(&address.text, attestation_path, info_path).map_err(|error| match &address.origin {
            Origin::File { .. } => Trouble::of("url", address, error),
            _ => Trouble::Other(error.to_string()),
        })
    }

    /// The id in the first label of the address.
    pub fn address_id(&self) -> Option<[u8; 20]> {
        HostLabel::of(self.endpoints.base()).map(|label| label.id.0)
    }
}

/// Host, port where it is given, and path: what tells targets apart.
fn name_of(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!(
        "{}{port}{}",
        url.host_str().unwrap_or_default(),
        url.path().trim_end_matches('/')
    )
}

/// Where each target's bundle goes, by the targets' names: a file, or files in a folder where there are several targets. Without
/// `--evidence` they go into the folder of `--output-dir`.
pub(super) fn bundle_paths(
    evidence: Option<&Path>,
    output_dir: Option<&Path>,
    targets: &[&str],
) -> Result<Vec<Option<PathBuf>>, UsageError> {
    match (evidence, output_dir, targets) {
        (None, None, _) => Ok(targets.iter().map(|_| None).collect()),
        (None, Some(folder), [_]) => Ok(vec![Some(folder.join("evidence.json"))]),
        (Some(folder), _, _) if folder.is_dir() => Ok(in_folder(folder, targets)),
        (None, Some(folder), _) => Ok(in_folder(folder, targets)),
        (Some(file), _, [_]) => Ok(vec![Some(file.to_owned())]),
        (Some(_), _, _) => Err(UsageError::option(
            "--evidence",
            "there are several targets; name an existing folder",
        )),
    }
}

fn in_folder(folder: &Path, targets: &[&str]) -> Vec<Option<PathBuf>> {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || matches!(c, '.' | '-') {
            c
        } else {
            '_'
        }
    };
    let file = |(index, target): (usize, &&str)| {
        let name: String = target.chars().map(plain).collect();
        let number = if targets.len() > 1 {
            format!("{}-", index + 1)
        } else {
            String::new()
        };
        Some(folder.join(format!("{number}{name}.evidence.json")))
    };
    targets.iter().enumerate().map(file).collect()
}
