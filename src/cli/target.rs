//! Addresses to verify, what they are called, and where their bundles go.

use std::path::{Path, PathBuf};

use url::Url;

use super::error::UsageError;
use super::transport;
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

/// Where each target's bundle goes: a file, or files in a folder where there are several targets.
pub(super) fn bundle_paths(
    path: Option<&Path>,
    targets: &[Target],
) -> Result<Vec<Option<PathBuf>>, UsageError> {
    let Some(path) = path else {
        return Ok(targets.iter().map(|_| None).collect());
    };
    if path.is_dir() {
        let file = |(index, target): (usize, &Target)| {
            let name: String = target
                .name
                .chars()
                .map(|c| {
                    if c.is_ascii_alphanumeric() || matches!(c, '.' | '-') {
                        c
                    } else {
                        '_'
                    }
                })
                .collect();
            let number = if targets.len() > 1 {
                format!("{}-", index + 1)
            } else {
                String::new()
            };
            Some(path.join(format!("{number}{name}.evidence.json")))
        };
        return Ok(targets.iter().enumerate().map(file).collect());
    }
    if targets.len() > 1 {
        return Err(UsageError::option(
            "--evidence",
            "there are several URLs; name an existing folder",
        ));
    }
    Ok(vec![Some(path.to_owned())])
}
