//! The values of a rule of who must have built images, each read from its text.

use super::image_name::{DOCKER_HUB, ImagePattern, normal_name, split_host};
use super::source::RefPattern;

/// What is wrong with a rule: continues "the rule for IMAGE".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{key}` {problem}")]
pub struct SourceRuleError {
    /// The key.
    pub key: &'static str,
    /// What is wrong with its value.
    pub problem: String,
}

impl SourceRuleError {
    pub(super) fn new(key: &'static str, problem: impl Into<String>) -> Self {
        Self {
            key,
            problem: problem.into(),
        }
    }
}

/// An image name, a prefix `NAME/*`, or `*`.
pub(super) fn image_pattern(text: &str) -> Result<ImagePattern, SourceRuleError> {
    let wrong = |problem: &str| Err(SourceRuleError::new("image", problem));
    if text == "*" {
        return Ok(ImagePattern::Rest);
    }
    let (name, is_prefix) = match text.strip_suffix("/*") {
        Some(name) => (name, true),
        None => (text, false),
    };
    if name.contains('@') || name.rsplit('/').next().is_some_and(|last| last.contains(':')) {
        return wrong("names an image without tag and digest, such as \"ghcr.io/example/web\"");
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/:".contains(c);
    if name.is_empty() || !name.chars().all(plain) {
        return wrong(
            "is not the name of an image; write \"ghcr.io/example/web\", \"ghcr.io/example/*\" or \"*\"",
        );
    }
    if !is_prefix {
        return Ok(ImagePattern::Exact(normal_name(name)));
    }
    Ok(ImagePattern::Prefix(match split_host(name) {
        (Some(host), rest) => format!("{host}/{rest}/"),
        // A host alone is not an image of Docker Hub.
        (None, host) if host.contains(['.', ':']) || host == "localhost" => {
            match split_host(&format!("{host}/")) {
                (Some(host), _) => format!("{host}/"),
                (None, host) => host.to_owned(),
            }
        }
        (None, name) => format!("{DOCKER_HUB}/{name}/"),
    }))
}

/// `OWNER/NAME`.
pub(super) fn repository_name(key: &'static str, text: &str) -> Result<String, SourceRuleError> {
    let plain = |part: &str| {
        !part.is_empty()
            && part != "."
            && part != ".."
            && part
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
    };
    match text.split_once('/') {
        Some((owner, name)) if plain(owner) && plain(name) => Ok(text.to_owned()),
        _ => Err(SourceRuleError::new(
            key,
            "is not a repository on GitHub; write \"OWNER/NAME\"",
        )),
    }
}

/// The path of a workflow file, or `OWNER/NAME/PATH` of a reusable one.
pub(super) fn workflow(text: &str) -> Result<String, SourceRuleError> {
    const FOLDER: &str = ".github/workflows/";
    let text = text.trim_start_matches("./");
    let is_file = |(before, file): (&str, &str)| {
        let stem = file.strip_suffix(".yml").or_else(|| file.strip_suffix(".yaml"));
        let is_there = match before.strip_suffix('/') {
            Some(repository) => repository_name("workflow", repository).is_ok(),
            None => before.is_empty(),
        };
        is_there && stem.is_some_and(|stem| !stem.is_empty() && !stem.contains('/'))
    };
    if !text.split_once(FOLDER).is_some_and(is_file) {
        return Err(SourceRuleError::new(
            "workflow",
            "is not a workflow file; write \".github/workflows/release.yml\", or \"OWNER/NAME/.github/workflows/x.yml\" for a \
             reusable one (its ref goes into `workflow-ref`)",
        ));
    }
    Ok(text.to_owned())
}

/// A whole ref: `refs/…` without `*`.
fn exact_ref(key: &'static str, text: &str) -> Result<String, SourceRuleError> {
    if text.starts_with("refs/") && text.len() > "refs/".len() && !text.contains('*') {
        return Ok(text.to_owned());
    }
    Err(SourceRuleError::new(
        key,
        "is not a whole ref; write \"refs/heads/main\" or \"refs/tags/v1.2.0\"",
    ))
}

/// The ref of a reusable workflow, or the commit that it is called by.
pub(super) fn workflow_ref(text: &str) -> Result<String, SourceRuleError> {
    let problem =
        "is neither a whole ref nor a commit; write \"refs/tags/v1.2.0\", or all 40 hex digits of the commit";
    let read = exact_ref("workflow-ref", text).or_else(|_| commit(text));
    read.map_err(|_| SourceRuleError::new("workflow-ref", problem))
}

/// A whole ref, or a prefix `refs/…/*`.
pub(super) fn ref_pattern(text: &str) -> Result<RefPattern, SourceRuleError> {
    match text.strip_suffix("/*") {
        Some(prefix) => exact_ref("ref", prefix).map(|prefix| RefPattern::Prefix(format!("{prefix}/"))),
        None => exact_ref("ref", text).map(RefPattern::Exact),
    }
}

/// 40 hex digits, in lower case.
pub(super) fn commit(text: &str) -> Result<String, SourceRuleError> {
    let is_commit = text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_commit {
        return Ok(text.to_ascii_lowercase());
    }
    Err(SourceRuleError::new(
        "commit",
        "is not a commit; write all 40 hex digits of it",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_name_what_they_say_and_no_more() {
        let prefix = image_pattern("ghcr.io/example/*").unwrap();
        assert!(prefix.names("ghcr.io/example/web"));
        assert!(
            image_pattern("redis")
                .unwrap()
                .names(&normal_name("docker.io/library/redis"))
        );
        assert!(
            image_pattern("docker.io/library/redis")
                .unwrap()
                .names(&normal_name("redis"))
        );
        assert!(
            image_pattern("example/*")
                .unwrap()
                .names(&normal_name("example/web"))
        );
        for (pattern, name) in [
            ("ghcr.io/*", "ghcr.io/example/web"),
            ("GHCR.io/*", "ghcr.io/example/web"),
            ("GHCR.io/example/*", "ghcr.io/example/web"),
            ("ghcr.io/example/web", "GHCR.IO/example/web"),
            ("index.docker.io/*", "redis"),
            ("docker.io/example/*", "example/web"),
            ("docker.io/redis", "redis"),
            ("index.docker.io/library/*", "docker.io/redis"),
            ("localhost/*", "localhost/web"),
        ] {
            assert!(
                image_pattern(pattern).unwrap().names(&normal_name(name)),
                "{pattern} {name}"
            );
        }
        assert!(
            !image_pattern("docker.io/redis")
                .unwrap()
                .names(&normal_name("docker.io/example/redis"))
        );
        assert!(!prefix.names("ghcr.io/example-evil/web"));
        assert!(
            !image_pattern("ghcr.io/example/web")
                .unwrap()
                .names("ghcr.io/example/web2")
        );
        let tags = ref_pattern("refs/tags/*").unwrap();
        assert!(tags.accepts("refs/tags/v1"));
        assert!(!tags.accepts("refs/tags-evil/v1"));
        assert!(
            !ref_pattern("refs/heads/main")
                .unwrap()
                .accepts("refs/heads/main2")
        );
    }
}
