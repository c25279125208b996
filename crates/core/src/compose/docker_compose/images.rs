//! Images: which of them a digest pins.

use serde_json::Value;

use super::judge::Judge;
use super::place::{ComposePlace, shown};
use super::variables::Template;

/// The platform of a TDX guest, what containerd takes for the same, and none.
const GUEST_PLATFORM: [&str; 5] = ["linux/amd64", "linux/x86_64", "amd64", "x86_64", ""];

/// Whether a script sets the platform that Docker takes where a container names none to another than the guest's.
pub(super) fn sets_other_platform(script: &str) -> bool {
    let ends = |c: char| c.is_whitespace() || matches!(c, ';' | '&' | '|' | ')');
    let is_other = |after: &str| {
        let value = after.strip_prefix('=').and_then(|rest| rest.split(ends).next());
        value.is_none_or(|value| !GUEST_PLATFORM.contains(&value.trim_matches(['"', '\''])))
    };
    script.split("DOCKER_DEFAULT_PLATFORM").skip(1).any(is_other)
}

impl Judge<'_> {
    /// Notes what a container starts or mounts. A service may be named as the path of a job is written: neither hides the other.
    pub(super) fn add_image(&mut self, name: &str, image: &str) {
        let mut key = name.to_owned();
        let mut number = 1_usize;
        while self.file.images.get(&key).is_some_and(|other| other != image) {
            number = number.saturating_add(1);
            key = format!("{name} ({number})");
        }
        self.file.images.insert(key, image.to_owned());
    }

    pub(super) fn image(&mut self, path: &str, value: &Value) {
        let Some(text) = value.as_str() else {
            return self.unknown(path, value);
        };
        self.pinned(path, text);
    }

    /// Whether an image reference is pinned; otherwise it is named.
    pub(super) fn pinned(&mut self, path: &str, text: &str) {
        if let Some(place) = self.substituted(path, text, "write name@sha256:…") {
            self.file.unpinned.add(place);
            return;
        }
        let image = Template::read(text).map_or_else(
            |_| text.to_owned(),
            |template| template.evaluate(&|name| self.settable.value(name)),
        );
        if !is_pinned(&image) {
            let says = format!("`{}` has no digest: write name@sha256:…", shown(&image));
            self.file.unpinned.add(ComposePlace::new(path, text, says));
        }
    }

    /// Whether a container with this `platform` may run another image of an index than the one for linux/amd64.
    pub(super) fn is_other_platform(&self, value: &Value) -> bool {
        let Some(template) = value.as_str().and_then(|text| Template::read(text).ok()) else {
            return !value.is_null();
        };
        let platform = template.evaluate(&|name| self.settable.value(name));
        !GUEST_PLATFORM.contains(&platform.as_str())
    }

    pub(super) fn pull_policy(&mut self, path: &str, value: &Value) {
        let Some(text) = value.as_str() else {
            return self.unknown(path, value);
        };
        if self
            .fixed(path, text)
            .is_some_and(|policy| policy.trim() == "build")
        {
            let says = "`build`: the image is built in the VM; remove it";
            self.file.unpinned.add(ComposePlace::new(path, text, says));
        }
    }
}

/// `name@sha256:` and 64 hex digits at the very end. A tag beside the digest is fine.
pub(super) fn is_pinned(image: &str) -> bool {
    let Some((name, digest)) = image.split_once("@sha256:") else {
        return false;
    };
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/:".contains(&byte);
    !name.is_empty()
        && name.bytes().all(is_name)
        // An image of nerdctl that lies in a file or a file system.
        && !name.contains("://")
        && digest.len() == 64
        && digest
            .bytes()
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::compose::docker_compose::{LaunchScript, read_document};

    #[test]
    fn containers_whose_names_are_written_alike_lose_no_image() {
        let yaml = json!({
            "services": { "jobs.web": { "image": "one" }, "web": { "image": "two" } },
            "jobs": { "web": { "image": "three" }, "jobs.web": { "image": "one" } },
        });
        let members = json!({ "runner": "docker-compose", "docker_compose_file": yaml.to_string() });
        let file = read_document(members.as_object().unwrap(), LaunchScript::Unknown);
        let images = file.unwrap().unwrap().images;
        let found: Vec<(&str, &str)> = images
            .iter()
            .map(|(name, image)| (name.as_str(), image.as_str()))
            .collect();
        let expected = [
            ("jobs.jobs.web", "one"),
            ("jobs.web", "one"),
            ("jobs.web (2)", "three"),
            ("web", "two"),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_container_or_a_script_names_another_platform() {
        let names_another = |platform: Option<&str>, script: &str| {
            let service = json!({ "image": "web", "platform": platform });
            let members = json!({
                "runner": "docker-compose",
                "docker_compose_file": json!({ "services": { "web": service } }).to_string(),
                "allowed_envs": ["ARCH"],
                "pre_launch_script": script,
            });
            let file = read_document(members.as_object().unwrap(), LaunchScript::Unknown);
            file.unwrap().unwrap().names_other_platform
        };
        for platform in [None, Some("linux/amd64"), Some("linux/x86_64"), Some("amd64")] {
            assert!(!names_another(platform, "echo"), "{platform:?}");
        }
        for platform in ["linux/386", "linux/arm64", "linux/amd64/v3", "linux/${ARCH}"] {
            assert!(names_another(Some(platform), "echo"), "{platform}");
        }
        for script in [
            "export DOCKER_DEFAULT_PLATFORM=linux/amd64",
            "DOCKER_DEFAULT_PLATFORM=\"linux/amd64\"; export DOCKER_DEFAULT_PLATFORM=''",
        ] {
            assert!(!names_another(None, script), "{script}");
        }
        for script in [
            "export DOCKER_DEFAULT_PLATFORM=linux/arm64",
            "DOCKER_DEFAULT_PLATFORM=linux/amd64 true; DOCKER_DEFAULT_PLATFORM=$A",
            "read DOCKER_DEFAULT_PLATFORM < /a",
        ] {
            assert!(names_another(None, script), "{script}");
        }
    }
}
