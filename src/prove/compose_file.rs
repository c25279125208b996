//! What the docker compose file inside a measured compose document starts (dstack-attestation.md §9).

use std::collections::BTreeMap;

use serde_json::Value;

use super::compose::MeasuredCompose;
use super::yaml;

/// Where a service says what is executed inside its container, health checks and hooks included.
const COMMANDS: [&str; 5] = ["command", "entrypoint", "healthcheck", "post_start", "pre_stop"];

/// What a compose file starts, and what in it can change without changing its hash.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ComposeFile {
    /// Image reference by service.
    pub images: BTreeMap<String, String>,
    /// Places where something else than the measured text decides what runs.
    pub unpinned: Vec<String>,
    /// Places where a container reaches beyond itself.
    pub host_access: Vec<String>,
}

/// Why a compose file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ComposeFileError {
    /// The document around it.
    #[error("{0}")]
    Document(#[from] crate::evidence::EvidenceError),
    /// `docker_compose_file` is not a string.
    #[error("`docker_compose_file` is not a string")]
    NotAString,
    /// The YAML.
    #[error("`docker_compose_file` is not plain YAML: {0}")]
    Yaml(String),
    /// Another shape than a compose file.
    #[error("`docker_compose_file` {0}")]
    Shape(String),
}

impl MeasuredCompose {
    /// Reads the docker compose file. `None` where the document has none (runner `bash`).
    ///
    /// # Errors
    /// [`ComposeFileError`].
    pub fn compose_file(&self) -> Result<Option<ComposeFile>, ComposeFileError> {
        let members = self.members()?;
        if members.get("runner").and_then(Value::as_str) == Some("bash") {
            return Ok(None);
        }
        match members.get("docker_compose_file") {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => read(text).map(Some),
            Some(_) => Err(ComposeFileError::NotAString),
        }
    }
}

impl ComposeFile {
    /// Reads a docker compose file that nothing vouches for. For `inspect`, which gives no verdict.
    ///
    /// # Errors
    /// [`ComposeFileError`].
    pub(crate) fn read_unproven(text: &str) -> Result<Self, ComposeFileError> {
        read(text)
    }
}

fn read(text: &str) -> Result<ComposeFile, ComposeFileError> {
    let yaml = yaml::parse(text).map_err(|problem| ComposeFileError::Yaml(problem.to_string()))?;
    let root = yaml
        .as_object()
        .ok_or_else(|| ComposeFileError::Shape("is not a mapping".to_owned()))?;
    let mut file = ComposeFile::default();
    if root.contains_key("include") {
        file.unpinned.push("`include` names another file".to_owned());
    }
    if let Some(volumes) = root.get("volumes").and_then(Value::as_object) {
        for (name, volume) in volumes {
            read_named_volume(name, volume, &mut file);
        }
    }
    let Some(services) = root.get("services") else {
        return Ok(file);
    };
    let services = services
        .as_object()
        .ok_or_else(|| ComposeFileError::Shape("has `services` that are no mapping".to_owned()))?;
    for (name, service) in services {
        let service = service
            .as_object()
            .ok_or_else(|| ComposeFileError::Shape(format!("has a service {name:?} that is no mapping")))?;
        read_service(name, service, &mut file);
    }
    Ok(file)
}

/// A named volume may be a folder of the VM: driver `local` mounts whatever `device` says.
fn read_named_volume(name: &str, volume: &Value, file: &mut ComposeFile) {
    if let Some(variable) = first_variable(volume) {
        file.unpinned
            .push(format!("the volume `{name}` has `{variable}`"));
    }
    let device = volume
        .get("driver_opts")
        .and_then(|options| options.get("device"))
        .and_then(Value::as_str);
    if let Some(device) = device.filter(|device| device.starts_with('/')) {
        file.host_access
            .push(format!("the volume `{name}` mounts `{device}` of the VM"));
    }
}

fn read_service(name: &str, service: &serde_json::Map<String, Value>, file: &mut ComposeFile) {
    let image = service.get("image").and_then(Value::as_str);
    file.images
        .insert(name.to_owned(), image.unwrap_or("(none)").to_owned());
    match image {
        None => file.unpinned.push(format!("service `{name}` has no image")),
        Some(image) if !is_pinned(image) => file.unpinned.push(format!("service `{name}` uses `{image}`")),
        Some(_) => {}
    }
    for key in ["build", "extends"] {
        if service.contains_key(key) {
            file.unpinned.push(format!("service `{name}` has `{key}`"));
        }
    }
    for key in COMMANDS.into_iter().chain(["volumes"]) {
        if let Some(variable) = service.get(key).and_then(first_variable) {
            file.unpinned
                .push(format!("service `{name}` has `{variable}` in `{key}`"));
        }
    }
    host_access(name, service, &mut file.host_access);
}

/// `name@sha256:` and 64 hex digits at the very end, no variables. A tag beside the digest is fine.
fn is_pinned(image: &str) -> bool {
    let Some((name, digest)) = image.split_once("@sha256:") else {
        return false;
    };
    !name.is_empty()
        && !name.contains('$')
        && digest.len() == 64
        && digest
            .bytes()
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// The first variable in any string of a value. `$$` is a literal dollar.
fn first_variable(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => variable_in(text),
        Value::Array(items) => items.iter().find_map(first_variable),
        Value::Object(members) => members.values().find_map(first_variable),
        _ => None,
    }
}

fn variable_in(text: &str) -> Option<String> {
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('$') {
        if let Some(escaped) = after.strip_prefix('$') {
            rest = escaped;
        } else if after.starts_with(|c: char| c == '{' || c == '_' || c.is_ascii_alphabetic()) {
            let name: String = after
                .chars()
                .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '{' | '}'))
                .take(64)
                .collect();
            return Some(format!("${name}"));
        } else {
            rest = after;
        }
    }
    None
}

fn host_access(name: &str, service: &serde_json::Map<String, Value>, found: &mut Vec<String>) {
    if service
        .get("privileged")
        .is_some_and(|value| value != &Value::Bool(false))
    {
        found.push(format!("service `{name}` is privileged"));
    }
    if service
        .get("use_api_socket")
        .is_some_and(|value| value != &Value::Bool(false))
    {
        found.push(format!(
            "service `{name}` gets the Docker socket (`use_api_socket`)"
        ));
    }
    for key in ["pid", "ipc", "network_mode", "userns_mode"] {
        match service.get(key).and_then(Value::as_str) {
            Some("host") => found.push(format!("service `{name}` has `{key}: host`")),
            // The deployer may write `host` into it.
            Some(text) if variable_in(text).is_some() => {
                found.push(format!("service `{name}` has `{key}: {text}`"));
            }
            _ => {}
        }
    }
    if service
        .get("cap_add")
        .is_some_and(|value| value.as_array().is_none_or(|list| !list.is_empty()))
    {
        found.push(format!("service `{name}` adds capabilities"));
    }
    let volumes = service
        .get("volumes")
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice);
    for source in volumes.iter().filter_map(mount_source) {
        if source.contains("docker.sock") {
            found.push(format!("service `{name}` mounts the Docker socket"));
        } else if source.starts_with(['/', '.', '~']) && !is_guest_agent_socket(source) {
            found.push(format!("service `{name}` mounts `{source}` of the VM"));
        }
    }
}

fn mount_source(volume: &Value) -> Option<&str> {
    match volume {
        Value::String(text) => text.split(':').next(),
        Value::Object(members) => members
            .get("source")
            .or_else(|| members.get("src"))
            .and_then(Value::as_str),
        _ => None,
    }
}

/// Apps mount the guest agent's socket to answer attestation requests: that is what it is for.
fn is_guest_agent_socket(source: &str) -> bool {
    matches!(
        source,
        "/var/run/dstack.sock" | "/var/run/dstack/dstack.sock" | "/var/run/dstack" | "/var/run/tappd.sock"
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DIGEST: &str = "@sha256:5618a93a78c9ac9173e7ebf7c8af173bd675be6832a2f8c2a9a7149ac2678f54";

    fn service(yaml: &str) -> ComposeFile {
        read(&format!(
            "services:\n  api:\n    {}\n",
            yaml.replace('\n', "\n    ")
        ))
        .unwrap()
    }

    #[test]
    fn a_digest_pins_with_or_without_a_tag() {
        for image in [
            format!("nginx{DIGEST}"),
            format!("r.io:5000/a/nginx:1.27{DIGEST}"),
        ] {
            assert_eq!(service(&format!("image: {image}")).unpinned, Vec::<String>::new());
        }
    }

    #[test]
    fn tags_variables_comments_and_short_digests_do_not_pin() {
        for image in [
            "nginx:1.27".to_owned(),
            "nginx:${TAG}".to_owned(),
            format!("${{IMAGE}}{DIGEST}"),
            format!("nginx:1.27 # {DIGEST}"),
            "nginx@sha256:5618".to_owned(),
            format!("nginx{DIGEST}00"),
        ] {
            assert_eq!(service(&format!("image: {image}")).unpinned.len(), 1, "{image}");
        }
    }

    #[test]
    fn an_anchor_is_followed_to_what_it_stands_for() {
        let file = read("x-image: &image nginx:latest\nservices:\n  api:\n    image: *image\n").unwrap();
        assert_eq!(file.unpinned, ["service `api` uses `nginx:latest`"]);
        let merged =
            read("x-base: &base\n  image: nginx:latest\nservices:\n  api:\n    <<: *base\n").unwrap();
        assert_eq!(merged.unpinned, ["service `api` uses `nginx:latest`"]);
    }

    #[test]
    fn a_doubled_dollar_is_literal_and_a_single_one_is_not() {
        let pinned = format!("image: nginx{DIGEST}\ncommand: ");
        assert!(service(&format!("{pinned}'echo $$f 5$ $1'")).unpinned.is_empty());
        assert_eq!(
            service(&format!("{pinned}'echo ${{F:-x}}'")).unpinned,
            ["service `api` has `${F` in `command`"]
        );
        assert_eq!(
            service(&format!("{pinned}[sh, -c, 'echo $F']")).unpinned,
            ["service `api` has `$F` in `command`"]
        );
    }

    #[test]
    fn a_variable_in_a_health_check_or_a_hook_is_one_in_a_command() {
        for (yaml, key) in [
            ("healthcheck:\n  test: [CMD-SHELL, '${CHECK}']", "healthcheck"),
            ("healthcheck:\n  test: curl localhost:${CHECK}", "healthcheck"),
            ("post_start:\n  - command: [sh, -c, '${CHECK}']", "post_start"),
            ("pre_stop:\n  - command: ${CHECK}", "pre_stop"),
        ] {
            assert_eq!(
                service(&format!("image: nginx{DIGEST}\n{yaml}")).unpinned,
                [format!("service `api` has `${{CHECK}}` in `{key}`")]
            );
        }
        let literal = "healthcheck:\n  test: [CMD-SHELL, 'curl localhost:$$PORT']";
        assert!(
            service(&format!("image: nginx{DIGEST}\n{literal}"))
                .unpinned
                .is_empty()
        );
    }

    #[test]
    fn a_variable_where_host_may_stand_may_be_host() {
        for key in ["pid", "ipc", "network_mode", "userns_mode"] {
            let file = service(&format!("image: nginx{DIGEST}\n{key}: ${{WHERE:-none}}"));
            assert_eq!(
                file.host_access,
                [format!("service `api` has `{key}: ${{WHERE:-none}}`")]
            );
        }
    }

    #[test]
    fn access_beyond_the_container_is_named() {
        let file = service(&format!(
            "image: nginx{DIGEST}\nprivileged: true\nvolumes:\n  - /var/run/docker.sock:/s\n  - /:/host\n  - data:/data\n  - /var/run/dstack.sock:/var/run/dstack.sock\n  - type: bind\n    source: /etc\n    target: /e"
        ));
        assert_eq!(
            file.host_access,
            [
                "service `api` is privileged",
                "service `api` mounts the Docker socket",
                "service `api` mounts `/` of the VM",
                "service `api` mounts `/etc` of the VM"
            ]
        );
    }

    #[test]
    fn duplicate_keys_and_bombs_are_refused() {
        let error = |text: &str| read(text).unwrap_err().to_string();
        assert!(error("services:\n  api:\n    image: a\n    image: b\n").contains("not plain YAML"));
        let mut bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned();
        for level in 1..12 {
            let aliases = vec![format!("*a{}", level - 1); 9].join(",");
            bomb.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
        }
        assert!(error(&bomb).contains("not plain YAML"));
        assert!(error(&format!("a: {}{}", "[".repeat(100), "]".repeat(100))).contains("not plain YAML"));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,200}") {
            let _ = read(&text);
        }
    }
}
