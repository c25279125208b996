//! Which variables Phala's pre-launch scripts read and hand on, by version.
//!
//! Source: the texts of `phala-cloud-prelaunch-script/prelaunch.sh` in the public repository dstack-examples, and of the
//! scripts that were seen deployed. A script runs as root in the shell that starts Docker Compose, so what it exports is
//! what `${NAME}` stands for.

use serde_json::{Map, Value};

use super::prelaunch_script::known_prelaunch_script;
use crate::compose::LaunchScript;
use crate::verify::MeasuredCompose;
use crate::verify::digest::sha256;

/// What the scripts of some versions do with variables.
struct Variables {
    /// The first of the versions, which are in order.
    since: &'static str,
    /// What they export.
    exports: &'static [&'static str],
    /// What they read to log in to a registry, and for nothing else.
    registry_login: &'static [&'static str],
}

/// The oldest first: a version has the last row whose `since` it reaches.
const BY_VERSION: [Variables; 3] = [
    // Its text is not public: it counts as one that exports everything that a later one exports.
    Variables {
        since: "0.0.1",
        exports: EXPORTS,
        registry_login: &[],
    },
    Variables {
        since: "0.0.2",
        exports: &[],
        registry_login: REGISTRY_LOGIN,
    },
    // It is not published when the exports began: every version from here on counts as one that has them.
    Variables {
        since: "0.0.3",
        exports: EXPORTS,
        registry_login: REGISTRY_LOGIN,
    },
];

const REGISTRY_LOGIN: &[&str] = &[
    "DSTACK_AWS_ACCESS_KEY_ID",
    "DSTACK_AWS_ECR_REGISTRY",
    "DSTACK_AWS_REGION",
    "DSTACK_AWS_SECRET_ACCESS_KEY",
    "DSTACK_AWS_SESSION_TOKEN",
    "DSTACK_DOCKER_PASSWORD",
    "DSTACK_DOCKER_REGISTRY",
    "DSTACK_DOCKER_USERNAME",
];

const EXPORTS: &[&str] = &[
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "DSTACK_APP_DOMAIN",
    "DSTACK_APP_ID",
    "DSTACK_GATEWAY_DOMAIN",
];

/// What the pre-launch script of a measured document is known to do.
#[must_use]
pub fn launch_script(compose: &MeasuredCompose) -> LaunchScript {
    match compose.compose_settings() {
        Ok(settings) => launch_script_of(settings.get("pre_launch_script")),
        Err(_) => LaunchScript::None,
    }
}

/// The same of a document's members.
pub(super) fn launch_script_in(members: &Map<String, Value>) -> LaunchScript {
    match members.get("pre_launch_script") {
        None | Some(Value::Null) => LaunchScript::None,
        Some(Value::String(text)) if text.is_empty() => LaunchScript::None,
        Some(Value::String(text)) => of_hash(&hex::encode(sha256(text.as_bytes()))),
        Some(_) => LaunchScript::Unknown,
    }
}

/// SHA-256 of an empty text, hex.
const SHA256_OF_NOTHING: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// What the script of compose settings, `sha256:` and the hash of its text, is known to do.
#[must_use]
pub(crate) fn launch_script_of(value: Option<&Value>) -> LaunchScript {
    match value {
        None | Some(Value::Null) => LaunchScript::None,
        Some(value) => match value.as_str().and_then(|text| text.strip_prefix("sha256:")) {
            Some(SHA256_OF_NOTHING) => LaunchScript::None,
            Some(hash) => of_hash(hash),
            None => LaunchScript::Unknown,
        },
    }
}

/// What the script with this hash is known to do.
fn of_hash(hash: &str) -> LaunchScript {
    let row = known_prelaunch_script(hash)
        .and_then(|script| Some((script.version.as_str(), variables_of(&script.version)?)));
    match row {
        Some((version, row)) => LaunchScript::Known {
            version,
            exports: row.exports,
            registry_login: row.registry_login,
        },
        None => LaunchScript::Unknown,
    }
}

fn variables_of(version: &str) -> Option<&'static Variables> {
    let number = number_of(version)?;
    BY_VERSION
        .iter()
        .rev()
        .find(|row| number_of(row.since).is_some_and(|since| since <= number))
}

/// The numbers of `0.0.14` or `0.0.14, as deployed`.
fn number_of(version: &str) -> Option<[u32; 3]> {
    let number = version.split([',', ' ', '-']).next()?;
    let mut parts = number.split('.').map(str::parse);
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(Ok(major)), Some(Ok(minor)), Some(Ok(patch)), None) => Some([major, minor, patch]),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::ReferenceValues;
    use crate::verify::compose_settings_of;

    #[test]
    fn every_known_script_has_a_row() {
        for script in ReferenceValues::built_in().scripts() {
            assert!(variables_of(&script.version).is_some(), "{}", script.version);
            assert!(matches!(
                of_hash(&script.sha256.to_string()),
                LaunchScript::Known { .. }
            ));
        }
        assert_eq!(of_hash(&"0".repeat(64)), LaunchScript::Unknown);
    }

    #[test]
    fn a_script_is_known_by_its_hash_as_by_its_text() {
        use serde_json::json;
        for script in [
            json!(null),
            json!(""),
            json!("echo"),
            json!(["echo"]),
            json!([]),
            json!(1),
        ] {
            let members = Map::from_iter([("pre_launch_script".to_owned(), script)]);
            let settings = compose_settings_of(&members);
            let by_hash = launch_script_of(settings.get("pre_launch_script"));
            assert_eq!(by_hash, launch_script_in(&members), "{members:?}");
        }
        assert_eq!(launch_script_of(None), launch_script_in(&Map::new()));
    }

    #[test]
    fn a_version_has_the_row_of_its_number() {
        let exports = |version: &str| variables_of(version).unwrap().exports.len();
        assert_eq!(exports("0.0.2"), 0);
        assert_eq!(exports("0.0.14, as deployed"), EXPORTS.len());
        assert_eq!(exports("0.1.0"), EXPORTS.len());
        assert!(variables_of("newest").is_none());
    }
}
