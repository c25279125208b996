//! Who must have built the images: the rules of `[[target.images]]`, of the short options and of a lock.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::expected::Origin;
use crate::evidence::{StatementFile, StatementSource};
use crate::verify::provenance::SigstoreRoots;

/// Most rules of a target.
pub const MAX_SOURCE_RULES: usize = 64;
/// The OpenID Connect issuer of GitHub Actions.
pub const GITHUB_ACTIONS: &str = "https://token.actions.githubusercontent.com";
/// Longest text of a rule, in bytes.
const MAX_TEXT: usize = 500;

/// Who must have built the images, and whom to trust about it.
#[derive(Debug, Clone)]
pub struct SourcePolicy {
    /// The rules, of which the first one that names an image holds. Empty: nothing is expected.
    pub rules: Arc<[SourceRule]>,
    /// The Sigstore instances that are trusted.
    pub roots: Arc<SigstoreRoots>,
    /// Bundles that the user gave as files.
    pub files: Arc<[StatementFile]>,
}

impl Default for SourcePolicy {
    fn default() -> Self {
        Self {
            rules: Arc::default(),
            roots: SigstoreRoots::shared(),
            files: Arc::default(),
        }
    }
}

/// What is expected of some images, and where that is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceRule {
    /// Which images.
    pub image: ImagePattern,
    /// What they must be.
    pub expected: ExpectedSource,
    /// Who says so.
    pub origin: Origin,
}

/// Which images a rule is about, by name: without tag and digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImagePattern {
    /// One name.
    Exact(String),
    /// Every name that begins with this, a slash at its end included.
    Prefix(String),
    /// Every image.
    Rest,
}

/// What images must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExpectedSource {
    /// Built from here.
    Built(Box<BuildSource>),
    /// Nothing is known of who built them, and a person accepts that: why.
    Unproven(String),
}

/// Where images must come from. An absent value is any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildSource {
    /// `OWNER/NAME` of the source repository on GitHub.
    pub repository: String,
    /// The repository's number, which survives a rename.
    pub repository_id: Option<u64>,
    /// The workflow that signs: a path in that repository, or `OWNER/NAME/PATH` for one of another repository.
    pub workflow: Option<String>,
    /// The ref of that workflow.
    pub workflow_ref: Option<String>,
    /// The refs that may be built. Empty: every branch and tag, and never a pull request.
    pub refs: Vec<RefPattern>,
    /// The commit that must be built, 40 hex digits in lower case.
    pub commit: Option<String>,
    /// Whether a runner of the repository's owner may build it, beside GitHub's own.
    pub any_runner: bool,
    /// The deployment environment of the run.
    pub environment: Option<String>,
    /// The OpenID Connect issuer.
    pub issuer: String,
    /// Whether a signature without provenance is enough.
    pub signature_suffices: bool,
    /// The repository that GitHub stores the statements of, where it is another.
    pub attestation_repository: Option<String>,
    /// Where statements are looked up.
    pub from: Vec<StatementSource>,
}

/// Which refs are accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefPattern {
    /// One ref, `refs/…`.
    Exact(String),
    /// Every ref that begins with this, a slash at its end included.
    Prefix(String),
}

impl SourceRule {
    /// What it expects, for the fingerprint: a fixed number of texts in a fixed order, and then the refs.
    pub(super) fn encoded(&self) -> Vec<String> {
        let Self {
            image,
            expected,
            origin: _,
        } = self;
        let mut out = vec![image.to_string()];
        match expected {
            ExpectedSource::Unproven(_) => out.push("unproven".to_owned()),
            ExpectedSource::Built(source) => {
                let BuildSource {
                    repository,
                    repository_id,
                    workflow,
                    workflow_ref,
                    refs,
                    commit,
                    any_runner,
                    environment,
                    issuer,
                    signature_suffices,
                    attestation_repository,
                    from: _,
                } = source.as_ref();
                let text = |value: &Option<String>| value.clone().unwrap_or_default();
                out.extend([
                    "built".to_owned(),
                    repository.to_ascii_lowercase(),
                    repository_id.map(|id| id.to_string()).unwrap_or_default(),
                    text(workflow),
                    text(workflow_ref),
                    text(commit),
                    any_runner.to_string(),
                    text(environment),
                    issuer.clone(),
                    signature_suffices.to_string(),
                    text(attestation_repository),
                ]);
                out.extend(refs.iter().map(ToString::to_string));
            }
        }
        out
    }
}

impl RefPattern {
    /// Whether it accepts a ref.
    #[must_use]
    pub fn accepts(&self, git_ref: &str) -> bool {
        match self {
            Self::Exact(exact) => exact == git_ref,
            Self::Prefix(prefix) => git_ref.starts_with(prefix),
        }
    }
}

impl fmt::Display for RefPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(exact) => f.write_str(exact),
            Self::Prefix(prefix) => write!(f, "{prefix}*"),
        }
    }
}

impl ImagePattern {
    /// Whether it names this image: a name without tag and digest.
    #[must_use]
    pub fn names(&self, image: &str) -> bool {
        match self {
            Self::Exact(exact) => exact == image,
            Self::Prefix(prefix) => image.starts_with(prefix),
            Self::Rest => true,
        }
    }
}

impl fmt::Display for ImagePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(exact) => f.write_str(exact),
            Self::Prefix(prefix) => write!(f, "{prefix}*"),
            Self::Rest => f.write_str("*"),
        }
    }
}

impl BuildSource {
    /// Whether the workflow, and what it built, are pinned: what the assurance `source` needs.
    #[must_use]
    pub fn pins_workflow_and_code(&self) -> bool {
        self.workflow.is_some() && (self.commit.is_some() || !self.refs.is_empty())
    }
}

/// A rule as it is written: the keys of a block of `[[target.images]]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct WrittenRule {
    /// `ghcr.io/example/web`, `ghcr.io/example/*` or `*`.
    pub image: String,
    /// `OWNER/NAME`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// The repository's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository_id: Option<u64>,
    /// `.github/workflows/release.yml`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow: Option<String>,
    /// The ref of a reusable workflow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow_ref: Option<String>,
    /// `refs/tags/*`.
    #[serde(default, rename = "ref", skip_serializing_if = "Vec::is_empty")]
    pub refs: Vec<String>,
    /// 40 hex digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// `github-hosted` or `any`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runner: Option<String>,
    /// The deployment environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The OpenID Connect issuer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// `provenance`, `signature`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accept: Vec<String>,
    /// `OWNER/NAME` of the repository that GitHub stores the statements of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attestation_repository: Option<String>,
    /// `github-api`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub from: Vec<String>,
    /// `none: REASON`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provenance: Option<String>,
}

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
    fn new(key: &'static str, problem: impl Into<String>) -> Self {
        Self {
            key,
            problem: problem.into(),
        }
    }
}

impl WrittenRule {
    /// The keys that a block takes.
    pub const KEYS: [&'static str; 14] = [
        "image",
        "repository",
        "repository-id",
        "workflow",
        "workflow-ref",
        "ref",
        "commit",
        "runner",
        "environment",
        "issuer",
        "accept",
        "attestation-repository",
        "from",
        "provenance",
    ];

    /// Judges a rule.
    ///
    /// # Errors
    /// [`SourceRuleError`] names the key and what to write.
    pub fn rule(&self, origin: Origin) -> Result<SourceRule, SourceRuleError> {
        self.within_limits()?;
        let image = image_pattern(&self.image)?;
        let expected = match &self.provenance {
            Some(text) => self.unproven(text)?,
            None => ExpectedSource::Built(Box::new(self.built()?)),
        };
        Ok(SourceRule {
            image,
            expected,
            origin,
        })
    }

    fn within_limits(&self) -> Result<(), SourceRuleError> {
        let texts = [
            ("image", Some(&self.image)),
            ("repository", self.repository.as_ref()),
            ("workflow", self.workflow.as_ref()),
            ("workflow-ref", self.workflow_ref.as_ref()),
            ("commit", self.commit.as_ref()),
            ("environment", self.environment.as_ref()),
            ("issuer", self.issuer.as_ref()),
            ("attestation-repository", self.attestation_repository.as_ref()),
            ("provenance", self.provenance.as_ref()),
        ];
        let lists = [
            ("ref", &self.refs),
            ("accept", &self.accept),
            ("from", &self.from),
        ];
        let texts = texts.into_iter().filter_map(|(key, text)| Some((key, text?)));
        let listed = lists
            .into_iter()
            .flat_map(|(key, list)| list.iter().map(move |text| (key, text)));
        for (key, text) in texts.chain(listed) {
            if text.trim().is_empty() {
                return Err(SourceRuleError::new(key, "is empty"));
            }
            if text.len() > MAX_TEXT || text.chars().any(char::is_control) {
                return Err(SourceRuleError::new(
                    key,
                    format!("is longer than {MAX_TEXT} bytes or holds a control character"),
                ));
            }
        }
        Ok(())
    }

    fn unproven(&self, text: &str) -> Result<ExpectedSource, SourceRuleError> {
        let reason = text
            .strip_prefix("none:")
            .map(str::trim)
            .filter(|reason| !reason.is_empty());
        let Some(reason) = reason else {
            return Err(SourceRuleError::new(
                "provenance",
                "waives the proof, so it needs a reason: write \"none: REASON\"",
            ));
        };
        let bare = Self {
            image: self.image.clone(),
            provenance: self.provenance.clone(),
            ..Self::default()
        };
        if *self != bare {
            return Err(SourceRuleError::new(
                "provenance",
                "waives the proof of these images, and the rule expects a source, too; remove one of them",
            ));
        }
        Ok(ExpectedSource::Unproven(reason.to_owned()))
    }

    fn built(&self) -> Result<BuildSource, SourceRuleError> {
        let Some(repository) = &self.repository else {
            return Err(SourceRuleError::new(
                "repository",
                "is missing: write \"OWNER/NAME\", or waive the proof with provenance = \"none: REASON\"",
            ));
        };
        let commit = self.commit.as_deref().map(commit).transpose()?;
        let refs = self
            .refs
            .iter()
            .map(|text| ref_pattern(text))
            .collect::<Result<_, _>>()?;
        let any_runner = match self.runner.as_deref() {
            None | Some("github-hosted") => false,
            Some("any") => true,
            Some(_) => {
                return Err(SourceRuleError::new(
                    "runner",
                    "is neither \"github-hosted\" nor \"any\"",
                ));
            }
        };
        let mut signature_suffices = false;
        for word in &self.accept {
            match word.as_str() {
                "provenance" => {}
                "signature" => signature_suffices = true,
                _ => {
                    return Err(SourceRuleError::new(
                        "accept",
                        "is neither \"provenance\" nor \"signature\"",
                    ));
                }
            }
        }
        let issuer = match &self.issuer {
            None => GITHUB_ACTIONS.to_owned(),
            Some(issuer) if issuer.starts_with("https://") => issuer.clone(),
            Some(_) => return Err(SourceRuleError::new("issuer", "is not an https address")),
        };
        let mut from = Vec::new();
        for word in &self.from {
            from.push(match word.as_str() {
                "github-api" => StatementSource::GithubApi,
                _ => {
                    return Err(SourceRuleError::new(
                        "from",
                        "is not \"github-api\"; statements in a registry are not read",
                    ));
                }
            });
        }
        if from.is_empty() {
            from.push(StatementSource::GithubApi);
        }
        Ok(BuildSource {
            repository: repository_name("repository", repository)?,
            repository_id: self.repository_id,
            workflow: self.workflow.as_deref().map(workflow).transpose()?,
            workflow_ref: self
                .workflow_ref
                .as_deref()
                .map(|text| exact_ref("workflow-ref", text))
                .transpose()?,
            refs,
            commit,
            any_runner,
            environment: self.environment.clone(),
            issuer,
            signature_suffices,
            attestation_repository: self
                .attestation_repository
                .as_deref()
                .map(|text| repository_name("attestation-repository", text))
                .transpose()?,
            from,
        })
    }
}

/// An image's name as it is compared: the short names of Docker Hub are written out.
#[must_use]
pub fn normal_name(name: &str) -> String {
    match name.split_once('/') {
        Some((first, _)) if first.contains(['.', ':']) || first == "localhost" => name.to_owned(),
        Some(_) => format!("docker.io/{name}"),
        None => format!("docker.io/library/{name}"),
    }
}

fn image_pattern(text: &str) -> Result<ImagePattern, SourceRuleError> {
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
    Ok(match is_prefix {
        // A host alone is not an image of Docker Hub.
        true if name.contains(['.', ':']) && !name.contains('/') => ImagePattern::Prefix(format!("{name}/")),
        true if !name.contains('/') => ImagePattern::Prefix(format!("docker.io/{name}/")),
        true => ImagePattern::Prefix(format!("{}/", normal_name(name))),
        false => ImagePattern::Exact(normal_name(name)),
    })
}

fn repository_name(key: &'static str, text: &str) -> Result<String, SourceRuleError> {
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

fn workflow(text: &str) -> Result<String, SourceRuleError> {
    let is_file = text.ends_with(".yml") || text.ends_with(".yaml");
    if !is_file || !text.contains(".github/workflows/") || text.contains('@') {
        return Err(SourceRuleError::new(
            "workflow",
            "is not a workflow file; write \".github/workflows/release.yml\", or \"OWNER/NAME/.github/workflows/x.yml\" for a \
             reusable one",
        ));
    }
    Ok(text.trim_start_matches("./").to_owned())
}

fn exact_ref(key: &'static str, text: &str) -> Result<String, SourceRuleError> {
    if text.starts_with("refs/") && text.len() > "refs/".len() && !text.contains('*') {
        return Ok(text.to_owned());
    }
    Err(SourceRuleError::new(
        key,
        "is not a whole ref; write \"refs/heads/main\" or \"refs/tags/v1.2.0\"",
    ))
}

fn ref_pattern(text: &str) -> Result<RefPattern, SourceRuleError> {
    match text.strip_suffix("/*") {
        Some(prefix) => exact_ref("ref", prefix).map(|prefix| RefPattern::Prefix(format!("{prefix}/"))),
        None => exact_ref("ref", text).map(RefPattern::Exact),
    }
}

fn commit(text: &str) -> Result<String, SourceRuleError> {
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

    fn written() -> WrittenRule {
        WrittenRule {
            image: "ghcr.io/example/web".to_owned(),
            repository: Some("example/shop".to_owned()),
            ..WrittenRule::default()
        }
    }

    fn refused(rule: &WrittenRule) -> &'static str {
        rule.rule(Origin::Option("--test")).unwrap_err().key
    }

    #[test]
    fn what_is_written_in_no_known_form_is_refused_under_its_key() {
        let of = |change: &dyn Fn(&mut WrittenRule)| {
            let mut rule = written();
            change(&mut rule);
            refused(&rule)
        };
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(of(&|rule| rule.image = "web:1.0".to_owned()), "image");
        assert_eq!(of(&|rule| rule.image = "web@sha256:00".to_owned()), "image");
        assert_eq!(of(&|rule| rule.image = String::new()), "image");
        assert_eq!(of(&|rule| rule.repository = None), "repository");
        assert_eq!(
            of(&|rule| rule.repository = text("https://github.com/a/b")),
            "repository"
        );
        assert_eq!(of(&|rule| rule.repository = text("a/..")), "repository");
        assert_eq!(of(&|rule| rule.workflow = text("release")), "workflow");
        assert_eq!(of(&|rule| rule.refs = vec!["main".to_owned()]), "ref");
        assert_eq!(of(&|rule| rule.refs = vec!["refs/*/main".to_owned()]), "ref");
        assert_eq!(of(&|rule| rule.commit = text("95baf27")), "commit");
        assert_eq!(of(&|rule| rule.runner = text("self-hosted")), "runner");
        assert_eq!(of(&|rule| rule.accept = vec!["anything".to_owned()]), "accept");
        assert_eq!(of(&|rule| rule.from = vec!["rekor".to_owned()]), "from");
        assert_eq!(of(&|rule| rule.issuer = text("gitlab.com")), "issuer");
        assert_eq!(of(&|rule| rule.environment = text("a\u{1b}b")), "environment");
        assert_eq!(of(&|rule| rule.workflow = text(&"x".repeat(501))), "workflow");
        // A waiver needs a reason, and stands alone.
        assert_eq!(of(&|rule| rule.provenance = text("none")), "provenance");
        assert_eq!(
            of(&|rule| rule.provenance = text("none: old image")),
            "provenance"
        );
    }

    #[test]
    fn the_assurance_needs_the_workflow_and_a_ref_or_a_commit() {
        let pins = |change: &dyn Fn(&mut WrittenRule)| {
            let mut rule = written();
            change(&mut rule);
            match rule.rule(Origin::Option("--test")).unwrap().expected {
                ExpectedSource::Built(source) => source.pins_workflow_and_code(),
                ExpectedSource::Unproven(_) => unreachable!(),
            }
        };
        let workflow =
            |rule: &mut WrittenRule| rule.workflow = Some(".github/workflows/release.yml".to_owned());
        assert!(!pins(&|_| {}));
        assert!(!pins(&workflow));
        assert!(!pins(&|rule| rule.commit = Some("0".repeat(40))));
        assert!(pins(&|rule| {
            workflow(rule);
            rule.commit = Some("0".repeat(40));
        }));
        assert!(pins(&|rule| {
            workflow(rule);
            rule.refs = vec!["refs/tags/*".to_owned()];
        }));
    }

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
        assert!(image_pattern("ghcr.io/*").unwrap().names("ghcr.io/example/web"));
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
