//! The built-in clecompose settings: the fields around a docker compose file that need no lock, because each has the one
//! value, or one of the few, that changes nothing of what the docker compose file says.
//!
//! It is what Phala Cloud writes (by recorded documents) with every exposure off. Whatever else there is, a field
//! of tomorrow above all, is a reason to lock the compose settings and have a person look at it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::docker_compose::ComposeFile;
use super::prelaunch_script::known_prelaunch_script;
use super::script_variables::launch_script_of;
use crate::compose::{LaunchScript, is_risky};

/// SHA-256 of the empty text: an empty script is none.
const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// Fields that must be there: without them the guest chooses, or refuses.
const NEEDED: [&str; 3] = ["kms_enabled", "manifest_version", "runner"];

/// Why compose settings are not clean, one reason a field, in the order of the names; empty where it is. The settings are as
/// `MeasuredCompose::compose_settings` gives it: scripts are `sha256:` and the hash of their text. `file` is the docker compose file
/// that it surrounds: a variable that may be set from outside must be one that the file refers to, or one that a known
/// script logs in to a registry with.
#[must_use]
pub fn clean_settings_violations(
    compose_settings: &BTreeMap<String, Value>,
    file: &ComposeFile,
) -> Vec<String> {
    let missing = NEEDED
        .iter()
        .filter(|name| !compose_settings.contains_key(**name))
        .map(|name| format!("`{name}` is missing"));
    let wrong = compose_settings.iter().filter_map(|(name, value)| {
        let problem = match name.as_str() {
            "allowed_envs" => allowed_envs(
                value,
                file,
                launch_script_of(compose_settings.get("pre_launch_script")),
            ),
            _ => problem(name, value),
        };
        Some(format!("`{name}` {}", problem?))
    });
    missing.chain(wrong).collect()
}

/// What is wrong with a field; nothing where it is clean.
fn problem(name: &str, value: &Value) -> Option<String> {
    let must_be = |wanted: Value| (*value != wanted).then(|| format!("is not {wanted}"));
    match name {
        "manifest_version" => must_be(2.into()),
        "runner" => must_be("docker-compose".into()),
        "kms_enabled" | "public_tcbinfo" | "secure_time" => must_be(true.into()),
        "local_key_provider_enabled" | "no_instance_id" | "public_logs" | "public_sysinfo" => {
            must_be(false.into())
        }
        // Who can reach the app over the gateway does not change what it is.
        "gateway_enabled" | "tproxy_enabled" => (!value.is_boolean()).then(|| "is not a boolean".to_owned()),
        "name" => (!value.is_string()).then(|| "is not a string".to_owned()),
        // The name of the gateway, which the pre-launch script exports.
        "default_gateway_domain" => {
            (!value.is_string() && !value.is_null()).then(|| "is not a string".to_owned())
        }
        "storage_fs" => {
            let known = value.is_null() || matches!(value.as_str(), Some("zfs" | "ext4"));
            (!known).then(|| "is none of zfs, ext4, null".to_owned())
        }
        "features" => {
            let known = |item: &Value| matches!(item.as_str(), Some("kms" | "tproxy-net"));
            let clean = value.as_array().is_some_and(|items| items.iter().all(known));
            (!clean).then(|| "has more than kms and tproxy-net".to_owned())
        }
        "pre_launch_script" => pre_launch_script(value),
        "init_script" => Some("runs as root before Docker".to_owned()),
        _ => Some("is a field that the built-in clean settings do not have".to_owned()),
    }
}

fn allowed_envs(value: &Value, file: &ComposeFile, script: LaunchScript) -> Option<String> {
    let Some(items) = value.as_array() else {
        return Some("is not a list".to_owned());
    };
    items.iter().find_map(|item| {
        let Some(name) = item.as_str() else {
            return Some("has an entry that is not a string".to_owned());
        };
        if !is_variable_name(name) {
            return Some(format!("has {name:?}, which is not the name of a variable"));
        }
        if script.logs_in_with(name) {
            return (!file.unpinned.is_empty()).then(|| {
                format!("allows `{name}`, which chooses the registry of images that are not pinned by digest")
            });
        }
        if is_risky(name) {
            return Some(format!("allows `{name}`, which can change what runs"));
        }
        (!file.references.contains(name))
            .then(|| format!("allows `{name}`, which the docker compose file does not refer to"))
    })
}

fn is_variable_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn pre_launch_script(value: &Value) -> Option<String> {
    let hash = value.as_str().and_then(|text| text.strip_prefix("sha256:"));
    match (hash, hash.and_then(known_prelaunch_script)) {
        (None, _) if value.is_null() => None,
        (Some(EMPTY), _) => None,
        (_, Some(script)) if script.is_published() => None,
        (_, Some(script)) => Some(format!(
            "is Phala's script {} in a text that was not published",
            script.version
        )),
        (_, None) => Some("is not a known script of Phala".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::reference::ReferenceValues;

    fn clean() -> BTreeMap<String, Value> {
        let document = json!({
            "allowed_envs": ["API_KEY"],
            "features": ["kms", "tproxy-net"],
            "gateway_enabled": true,
            "kms_enabled": true,
            "local_key_provider_enabled": false,
            "manifest_version": 2,
            "name": "",
            "no_instance_id": false,
            "pre_launch_script": format!("sha256:{}", ReferenceValues::built_in().scripts()[0].sha256),
            "public_logs": false,
            "public_sysinfo": false,
            "public_tcbinfo": true,
            "runner": "docker-compose",
            "secure_time": true,
            "storage_fs": "zfs",
            "tproxy_enabled": true,
        });
        document.as_object().unwrap().clone().into_iter().collect()
    }

    /// A docker compose file that refers to these variables.
    fn file() -> ComposeFile {
        ComposeFile {
            references: [
                "A",
                "API_KEY",
                "LD_PRELOAD",
                "https_proxy",
                "DSTACK_AUTHORIZED_KEYS",
            ]
            .map(str::to_owned)
            .into(),
            ..ComposeFile::default()
        }
    }

    fn with(name: &str, value: Value) -> Vec<String> {
        let mut compose_settings = clean();
        compose_settings.insert(name.to_owned(), value);
        clean_settings_violations(&compose_settings, &file())
    }

    #[test]
    fn what_phala_cloud_writes_with_every_exposure_off_is_clean() {
        assert_eq!(clean_settings_violations(&clean(), &file()), [""; 0]);
        let least = |name: &str| NEEDED.contains(&name);
        let compose_settings = clean().into_iter().filter(|(name, _)| least(name)).collect();
        assert_eq!(clean_settings_violations(&compose_settings, &file()), [""; 0]);
        for (name, value) in [
            ("pre_launch_script", json!(null)),
            ("pre_launch_script", json!(format!("sha256:{EMPTY}"))),
            ("allowed_envs", json!([])),
            ("features", json!([])),
            ("gateway_enabled", json!(false)),
            ("storage_fs", json!(null)),
            ("name", json!("web")),
            ("default_gateway_domain", json!("gateway.example")),
            ("default_gateway_domain", json!(null)),
            (
                "allowed_envs",
                json!(["A", "DSTACK_DOCKER_USERNAME", "DSTACK_AWS_REGION"]),
            ),
        ] {
            assert_eq!(with(name, value), [""; 0], "{name}");
        }
    }

    #[test]
    fn everything_else_is_named() {
        for (name, value) in [
            ("manifest_version", json!(1)),
            ("manifest_version", json!("2")),
            ("manifest_version", json!("3")),
            ("manifest_version", json!(2.0)),
            ("runner", json!("bash")),
            ("runner", json!("nerdctl-compose")),
            ("kms_enabled", json!(false)),
            ("kms_enabled", json!("true")),
            ("local_key_provider_enabled", json!(true)),
            ("no_instance_id", json!(true)),
            ("public_logs", json!(true)),
            ("public_sysinfo", json!(true)),
            ("public_tcbinfo", json!(false)),
            ("secure_time", json!(false)),
            ("gateway_enabled", json!("yes")),
            ("tproxy_enabled", json!(1)),
            ("name", json!(["a"])),
            ("storage_fs", json!("nfs")),
            ("features", json!(["kms", "shell"])),
            ("features", json!("kms")),
            ("default_gateway_domain", json!(["a"])),
            ("allowed_envs", json!(["A", "APP_COMPOSE_FILE"])),
            ("allowed_envs", json!(["A", "NOT_REFERRED_TO"])),
            ("allowed_envs", json!(["A", "LD_PRELOAD"])),
            ("allowed_envs", json!(["https_proxy"])),
            ("allowed_envs", json!(["DSTACK_AUTHORIZED_KEYS"])),
            ("allowed_envs", json!(["*"])),
            ("allowed_envs", json!(["A=B"])),
            ("allowed_envs", json!([1])),
            ("allowed_envs", json!("A")),
            ("pre_launch_script", json!(format!("sha256:{}", "0".repeat(64)))),
            ("pre_launch_script", json!("")),
            (
                "pre_launch_script",
                json!("sha256:82199da3c8a34b69dbb14a05abf0efa69fedd40034527b1acb23cc2df02398f6"),
            ),
            ("pre_launch_script", json!([])),
            ("init_script", json!(null)),
            ("init_script", json!(["sha256:00"])),
            ("bash_script", json!("sha256:00")),
            ("docker_config", json!({})),
            ("key_provider", json!("kms")),
            ("swap_size", json!(0)),
            ("verity_volumes", json!([])),
            ("", json!(null)),
        ] {
            let found = with(name, value.clone());
            assert_eq!(found.len(), 1, "{name} = {value}: {found:?}");
            assert!(found[0].starts_with(&format!("`{name}` ")), "{found:?}");
        }
        for name in NEEDED {
            let mut compose_settings = clean();
            compose_settings.remove(name);
            assert_eq!(
                clean_settings_violations(&compose_settings, &file()),
                [format!("`{name}` is missing")]
            );
        }
    }

    #[test]
    fn what_a_script_logs_in_with_is_clean_only_where_every_image_is_pinned() {
        let mut compose_settings = clean();
        compose_settings.insert("allowed_envs".to_owned(), json!(["DSTACK_DOCKER_REGISTRY"]));
        assert_eq!(clean_settings_violations(&compose_settings, &file()), [""; 0]);
        let tags = ComposeFile::read_unproven("services:\n  a:\n    image: nginx\n").unwrap();
        assert_eq!(
            clean_settings_violations(&compose_settings, &tags),
            [
                "`allowed_envs` allows `DSTACK_DOCKER_REGISTRY`, which chooses the registry of images that are not pinned by digest"
            ]
        );
        // Without that script nobody reads it.
        compose_settings.remove("pre_launch_script");
        assert_eq!(clean_settings_violations(&compose_settings, &file()).len(), 1);
    }

    proptest! {
        #[test]
        fn no_other_field_is_ever_clean(name in "[a-z_]{1,20}", flag in any::<bool>()) {
            prop_assume!(!clean().contains_key(&name));
            prop_assert_eq!(with(&name, json!(flag)).len(), 1);
        }
    }
}
