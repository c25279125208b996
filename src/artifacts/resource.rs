//! What a statement is about: one name of a deployment, which no other deployment has.

use std::collections::BTreeMap;

use url::Url;

use crate::engine::Deployment;
use crate::source::Source;
use cvm_verify_core::report::TargetReport;

/// The address with its path, without what is nobody's business: query, fragment, user. Where the attestation is asked for at another
/// path than the usual one, two deployments may share the address: the fragment names that path. Of a source whose address answers for every
/// app, a name of the app and its instance, as they were measured; `None` if they were not.
pub(super) fn resource_of(source: &Source, report: &TargetReport) -> Option<String> {
    match source.row().is_of_one {
        true => address(source.url(), source.other_attestation_path().as_deref()),
        false => name_of_app(report),
    }
}

/// Targets of a run whose statements would have one name, by that name: their addresses differ in the query alone, which is in no
/// statement. The statement of one would be taken for that of the other.
#[derive(Debug, Default)]
pub(crate) struct SharedNames(Vec<(String, Vec<String>)>);

impl SharedNames {
    /// Those of all targets of a run, also of other shards.
    pub(crate) fn of<'d>(deployments: impl IntoIterator<Item = &'d Deployment>) -> Self {
        // One deployment under two policies has one name, and statements about it.
        let mut names: BTreeMap<String, BTreeMap<Option<String>, Vec<String>>> = BTreeMap::new();
        for deployment in deployments {
            let source = &deployment.source;
            // Elsewhere what is measured tells two apart.
            let is_named = source.row().is_of_one;
            let name = is_named.then(|| address(source.url(), source.other_attestation_path().as_deref()));
            if let Some(name) = name.flatten() {
                let of_query = names.entry(name).or_default();
                let targets = of_query.entry(source.attestation_query()).or_default();
                targets.push(deployment.name.clone());
            }
        }
        let several = names.into_iter().filter(|(_, of_query)| of_query.len() > 1);
        Self(
            several
                .map(|(name, of_query)| (name, of_query.into_values().flatten().collect()))
                .collect(),
        )
    }

    /// Whether this target is one of them.
    pub(crate) fn contain(&self, target: &str) -> bool {
        let mut targets = self.0.iter().flat_map(|(_, targets)| targets);
        targets.any(|other| other == target)
    }

    /// What a person must know of each name.
    pub(crate) fn problems(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|(name, targets)| {
            format!(
                "the statements of the targets {} would have one name, {name}: their addresses differ in the query alone, which is in no \
                 statement. Give each target a host or a path of its own",
                list(targets)
            )
        })
    }
}

fn list(targets: &[String]) -> String {
    let quoted: Vec<String> = targets.iter().map(|target| format!("{target:?}")).collect();
    quoted.join(" and ")
}

fn address(url: &str, attestation_path: Option<&str>) -> Option<String> {
    let mut url = Url::parse(url).ok()?;
    url.set_query(None);
    url.set_fragment(None);
    url.set_username("").ok()?;
    url.set_password(None).ok()?;
    let address = url.as_str().trim_end_matches('/').to_owned();
    let Some(path) = attestation_path else {
        return Some(address);
    };
    url.set_fragment(Some(&format!("attestation={path}")));
    Some(format!("{address}#{}", url.fragment()?))
}

fn name_of_app(report: &TargetReport) -> Option<String> {
    let measured = &report.measurements;
    let app_id = measured.app_id.as_deref().filter(|id| !id.is_empty())?;
    let instance = measured.instance_id.as_deref().filter(|id| !id.is_empty());
    let instance = instance.map(|id| format!(":instance:{id}")).unwrap_or_default();
    Some(format!("urn:dstack:app:{app_id}{instance}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples;
    use crate::source::app::AppEndpoints;

    #[test]
    fn an_address_is_named_with_its_path_and_without_its_secrets() {
        for (url, expected) in [
            ("https://shop.example", "https://shop.example"),
            ("https://shop.example/", "https://shop.example"),
            ("https://shop.example:8443/eu/", "https://shop.example:8443/eu"),
            (
                "https://me:secret@shop.example/eu?token=x#part",
                "https://shop.example/eu",
            ),
        ] {
            assert_eq!(address(url, None).as_deref(), Some(expected), "{url}");
        }
        assert_eq!(address("shop", None), None);
    }

    #[test]
    fn endpoints_of_one_host_are_told_apart() {
        for (path, expected) in [
            ("/two", "https://shop.example/eu#attestation=/two"),
            ("/a b", "https://shop.example/eu#attestation=/a%20b"),
        ] {
            let named = address("https://shop.example/eu/?token=x#part", Some(path));
            assert_eq!(named.as_deref(), Some(expected));
        }
        let of = |path: &str| {
            let endpoints =
                AppEndpoints::with_paths("https://shop.example".parse().unwrap(), path, "/info").unwrap();
            Source::App(endpoints).other_attestation_path()
        };
        assert_eq!(of("/attestation?x=1"), None);
        assert_eq!(of("attestation"), None);
        assert_eq!(of("two?token=x").as_deref(), Some("/two"));
    }

    #[test]
    fn an_app_of_a_list_is_named_by_what_was_measured() {
        let mut report = samples::pass();
        report.measurements.app_id = Some("aa".repeat(20).into());
        report.measurements.instance_id = Some("bb".repeat(20).into());
        let app = format!("urn:dstack:app:{}", "aa".repeat(20));
        let named = name_of_app(&report).unwrap();
        assert_eq!(named, format!("{app}:instance:{}", "bb".repeat(20)));
        // An app without instance ids measures an empty one.
        report.measurements.instance_id = Some(String::new().into());
        assert_eq!(name_of_app(&report), Some(app));
        report.measurements.app_id = None;
        assert_eq!(name_of_app(&report), None);
    }
}
