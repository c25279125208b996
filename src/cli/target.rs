//! Addresses to verify, what they are called, and where their bundles go.

use std::path::{Path, PathBuf};

use url::Url;

use super::args::{SourceArgs, SourceKind};
use super::error::UsageError;
use super::transport;
use crate::evidence::parse_user_hex;
use crate::source::app::AppEndpoints;
use crate::source::guest_agent::GuestAgent;
use crate::source::phala_cloud::PhalaCloud;
use crate::source::{HostId, Source};

/// One address or app to verify.
pub(super) struct Target {
    pub name: String,
    pub source: Source,
}

impl Target {
    /// Parses what stands for a target: an address, or an id where the source is reached by one.
    pub fn new(text: &str, args: &SourceArgs) -> Result<Self, UsageError> {
        refuse_options_of_other_sources(args)?;
        match args.source {
            SourceKind::App => Self::app(text, args),
            SourceKind::GuestAgent => Self::guest_agent(text, args),
            SourceKind::PhalaCloud => Self::phala_cloud(text, args),
        }
    }

    /// The ids among the expectations, where no address is given: an app is reached by the id that is expected of it, and
    /// each instance by its own.
    pub fn of_expected_ids(
        app_id: Option<&str>,
        instance_ids: &[String],
        args: &SourceArgs,
    ) -> Result<Vec<Self>, UsageError> {
        let ids: Vec<&str> = match args.source {
            SourceKind::App => Vec::new(),
            SourceKind::GuestAgent if !instance_ids.is_empty() => {
                instance_ids.iter().map(String::as_str).collect()
            }
            SourceKind::GuestAgent | SourceKind::PhalaCloud => app_id.into_iter().collect(),
        };
        ids.into_iter().map(|id| Self::new(id, args)).collect()
    }

    fn app(text: &str, args: &SourceArgs) -> Result<Self, UsageError> {
        let url = transport::parse_url("URL", text)?;
        let name = name_of(&url);
        let info_url = args
            .info_url
            .as_deref()
            .map(|text| transport::parse_url("--info-url", text))
            .transpose()?;
        let endpoints = AppEndpoints::with_paths(url, &args.attestation_path, &args.info_path)
            .map_err(|error| UsageError::option(text, error))?
            .with_info_url(info_url);
        Ok(Self {
            name,
            source: Source::App(endpoints),
        })
    }

    fn guest_agent(text: &str, args: &SourceArgs) -> Result<Self, UsageError> {
        let agent = if text.contains("://") {
            GuestAgent::new(transport::parse_url("URL", text)?)
                .map_err(|error| UsageError::option(text, error))?
        } else {
            let id = id("the app's or instance's id", text)?;
            let Some(domain) = &args.gateway_domain else {
                return Err(UsageError::new(format!(
                    "the guest agent of {id} is behind a gateway; name its base domain with --gateway-domain, or give the \
                     agent's whole address, https://{id}-8090.DOMAIN"
                )));
            };
            GuestAgent::of_id(id, domain).map_err(|error| UsageError::option("--gateway-domain", error))?
        };
        Ok(Self {
            name: name_of(agent.base()),
            source: Source::GuestAgent(agent),
        })
    }

    fn phala_cloud(text: &str, args: &SourceArgs) -> Result<Self, UsageError> {
        let id = id("the app's id", text.trim().trim_start_matches("app_"))?;
        let api = args
            .phala_api_url
            .as_deref()
            .map(|text| transport::parse_url("--phala-api-url", text))
            .transpose()?;
        let app = PhalaCloud::new(id, api.as_ref())
            .map_err(|error| UsageError::option("--phala-api-url", error))?;
        Ok(Self {
            name: format!("phala-cloud/{id}"),
            source: Source::PhalaCloud(app),
        })
    }

    /// The id in the address.
    pub fn address_id(&self) -> Option<[u8; 20]> {
        self.source.address_id()
    }

    /// Its name, or that of one of its instances, from 1.
    pub fn name_of(&self, instance: Option<usize>) -> String {
        match instance {
            None => self.name.clone(),
            Some(number) => format!("{} instance {number}", self.name),
        }
    }
}

fn id(what: &str, text: &str) -> Result<HostId, UsageError> {
    let text = text.trim();
    parse_user_hex(text).map(HostId).map_err(|error| {
        let text: String = text.chars().take(100).collect();
        UsageError::new(format!("{text:?} is not {what}: it {error}"))
    })
}

/// An option that would do nothing is a mistake.
fn refuse_options_of_other_sources(args: &SourceArgs) -> Result<(), UsageError> {
    for (option, given, source) in [
        ("--info-url", args.info_url.is_some(), SourceKind::App),
        (
            "--gateway-domain",
            args.gateway_domain.is_some(),
            SourceKind::GuestAgent,
        ),
        (
            "--phala-api-url",
            args.phala_api_url.is_some(),
            SourceKind::PhalaCloud,
        ),
    ] {
        if given && args.source != source {
            let name = match source {
                SourceKind::App => Source::APP,
                SourceKind::GuestAgent => Source::GUEST_AGENT,
                SourceKind::PhalaCloud => Source::PHALA_CLOUD,
            };
            return Err(UsageError::option(
                option,
                format!("it belongs to --source {name} alone"),
            ));
        }
    }
    Ok(())
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

/// Where each target's bundle goes: a file, or files in a folder where there are several targets. Without
/// `--evidence` they go into the folder of `--output-dir`.
pub(super) fn bundle_paths(
    evidence: Option<&Path>,
    output_dir: Option<&Path>,
    targets: &[Target],
) -> Result<Vec<Option<PathBuf>>, UsageError> {
    match (evidence, output_dir, targets) {
        (None, None, _) => Ok(targets.iter().map(|_| None).collect()),
        (None, Some(folder), [_]) => Ok(vec![Some(folder.join("evidence.json"))]),
        (Some(folder), _, _) if folder.is_dir() => Ok(in_folder(folder, targets)),
        (None, Some(folder), _) => Ok(in_folder(folder, targets)),
        (Some(file), _, [_]) => Ok(vec![Some(file.to_owned())]),
        (Some(_), _, _) => Err(UsageError::option(
            "--evidence",
            "there are several URLs; name an existing folder",
        )),
    }
}

fn in_folder(folder: &Path, targets: &[Target]) -> Vec<Option<PathBuf>> {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || matches!(c, '.' | '-') {
            c
        } else {
            '_'
        }
    };
    let file = |(index, target): (usize, &Target)| {
        let name: String = target.name.chars().map(plain).collect();
        let number = if targets.len() > 1 {
            format!("{}-", index + 1)
        } else {
            String::new()
        };
        Some(folder.join(format!("{number}{name}.evidence.json")))
    };
    targets.iter().enumerate().map(file).collect()
}

/// Where the bundle of one of several instances goes: the number stands before the ending.
pub(super) fn bundle_path_of(path: &Path, instance: usize) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let (stem, ending) = match name.strip_suffix(".evidence.json") {
        Some(stem) => (stem, ".evidence.json"),
        None => match name.rfind('.') {
            Some(dot) if dot > 0 => name.split_at(dot),
            _ => (name.as_ref(), ""),
        },
    };
    path.with_file_name(format!("{stem}-instance-{instance}{ending}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bundles_of_instances_have_their_number_before_the_ending() {
        for (path, expected) in [
            ("a/evidence.json", "a/evidence-instance-2.json"),
            ("a/1-app.evidence.json", "a/1-app-instance-2.evidence.json"),
            ("bundle", "bundle-instance-2"),
            (".hidden", ".hidden-instance-2"),
        ] {
            assert_eq!(bundle_path_of(Path::new(path), 2), Path::new(expected));
        }
    }
}
