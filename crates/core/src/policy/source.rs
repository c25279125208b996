//! Who must have built the images: the rules of `[[target.images]]`, of the short options and of a lock.

use std::fmt;
use std::sync::Arc;

use super::expected::Origin;
use super::image_name::ImagePattern;
use crate::evidence::{StatementFile, StatementSource};
use crate::verify::provenance::SigstoreRoots;

/// Most rules of a target.
pub const MAX_SOURCE_RULES: usize = 64;

/// Who must have built the images, and whom to trust about it.
#[derive(Debug, Clone)]
pub struct SourcePolicy {
    /// The rules, of which the first one that names an image holds. Empty: nothing is expected.
    pub rules: Arc<[SourceRule]>,
    /// The Sigstore instances that are trusted.
    pub roots: Arc<SigstoreRoots>,
    /// Where other roots than the built-in ones are named.
    pub roots_origin: Option<Origin>,
    /// Bundles that the user gave as files.
    pub files: Arc<[StatementFile]>,
}

impl Default for SourcePolicy {
    fn default() -> Self {
        Self {
            rules: Arc::default(),
            roots: SigstoreRoots::built_in(),
            roots_origin: None,
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
    /// Whether an image of that name may be absent.
    pub is_optional: bool,
    /// Who says so.
    pub origin: Origin,
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
    /// The commits of which one must be built, 40 hex digits in lower case each. Empty: every commit.
    pub commits: Vec<String>,
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
    /// Whether the statement is about the attestation that BuildKit put next to the image, and that one about the image.
    pub via_buildkit: bool,
}

/// What a rule leaves open that the assurance `source` needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OpenPart {
    /// Any workflow of the repository.
    Workflow,
    /// Any branch.
    Code,
    /// Any ref of a reusable workflow of another repository.
    WorkflowRef,
}

impl BuildSource {
    /// What the assurance `source` needs and the rule leaves open: nothing where the workflow, and what it built, are pinned.
    #[must_use]
    pub(crate) fn open_parts(&self) -> Vec<OpenPart> {
        [
            (self.workflow.is_none(), OpenPart::Workflow),
            (self.allows_any_branch(), OpenPart::Code),
            (self.allows_any_workflow_ref(), OpenPart::WorkflowRef),
        ]
        .into_iter()
        .filter_map(|(is_open, part)| is_open.then_some(part))
        .collect()
    }

    /// Owner and name of the repository that the workflow is in, and its path, where a workflow is named.
    #[must_use]
    pub(crate) fn workflow_place(&self) -> (&str, Option<&str>) {
        let Some(workflow) = self.workflow.as_deref() else {
            return (&self.repository, None);
        };
        match workflow.split_once("/.github/workflows/") {
            Some((repository, _)) => (repository, workflow.get(repository.len() + 1..)),
            None => (&self.repository, Some(workflow)),
        }
    }

    /// Whether a reusable workflow of another repository may be any that its callers choose: they name its ref, which may be a commit
    /// of anyone's fork. A commit of the caller names one.
    #[must_use]
    pub(crate) fn allows_any_workflow_ref(&self) -> bool {
        let is_own = self.workflow_place().0.eq_ignore_ascii_case(&self.repository);
        !is_own && self.workflow_ref.is_none() && self.commits.is_empty()
    }

    /// Whether any branch may be built: neither refs nor commits are named, or `refs/heads/*` is.
    #[must_use]
    pub(crate) fn allows_any_branch(&self) -> bool {
        let every = RefPattern::Prefix("refs/heads/".to_owned());
        self.commits.is_empty() && (self.refs.is_empty() || every.is_within(&self.refs))
    }

    fn demands_at_least(&self, other: &Self) -> bool {
        // Each field by name: a new one does not compile until it is compared.
        let Self {
            repository,
            repository_id,
            workflow,
            workflow_ref,
            refs,
            commits,
            any_runner,
            environment,
            issuer,
            signature_suffices,
            attestation_repository: _,
            from: _,
            via_buildkit: _,
        } = other;
        let one_of = |own: &[String], all: &[String]| {
            all.is_empty() || (!own.is_empty() && own.iter().all(|one| all.contains(one)))
        };
        self.repository.eq_ignore_ascii_case(repository)
            && (repository_id.is_none() || self.repository_id == *repository_id)
            && (workflow.is_none() || self.workflow == *workflow)
            && (workflow_ref.is_none() || self.workflow_ref == *workflow_ref)
            && refs_within(&self.refs, refs)
            && one_of(&self.commits, commits)
            && (*any_runner || !self.any_runner)
            && (environment.is_none() || self.environment == *environment)
            && self.issuer == *issuer
            && (*signature_suffices || !self.signature_suffices)
    }
}

/// Whether every ref that `own` accepts is accepted by `all`. None named is every branch and tag.
fn refs_within(own: &[RefPattern], all: &[RefPattern]) -> bool {
    let usual = ["refs/heads/", "refs/tags/"].map(|prefix| RefPattern::Prefix(prefix.to_owned()));
    let own = if own.is_empty() { usual.as_slice() } else { own };
    let all = if all.is_empty() { usual.as_slice() } else { all };
    own.iter().all(|own| own.is_within(all))
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

    /// Whether each ref that it accepts is accepted by one of `all`.
    fn is_within(&self, all: &[Self]) -> bool {
        all.iter().any(|one| match (self, one) {
            (Self::Exact(own), Self::Exact(other)) => own == other,
            (Self::Exact(own) | Self::Prefix(own), Self::Prefix(other)) => own.starts_with(other),
            (Self::Prefix(_), Self::Exact(_)) => false,
        })
    }
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
    /// Whether an image that meets this rule meets what the other one demands, too. False where that cannot be said for certain.
    #[must_use]
    pub(crate) fn demands_at_least(&self, other: &Self) -> bool {
        match (&self.expected, &other.expected) {
            (_, ExpectedSource::Unproven(_)) => true,
            (ExpectedSource::Unproven(_), ExpectedSource::Built(_)) => false,
            (ExpectedSource::Built(own), ExpectedSource::Built(other)) => own.demands_at_least(other),
        }
    }

    /// What it expects, for the fingerprint: a fixed number of texts in a fixed order, and then the refs.
    pub(super) fn encoded(&self) -> Vec<String> {
        let Self {
            image,
            expected,
            is_optional,
            origin: _,
        } = self;
        let mut out = vec![image.to_string()];
        out.extend(is_optional.then(|| "optional".to_owned()));
        match expected {
            ExpectedSource::Unproven(_) => out.push("unproven".to_owned()),
            ExpectedSource::Built(source) => {
                let BuildSource {
                    repository,
                    repository_id,
                    workflow,
                    workflow_ref,
                    refs,
                    commits,
                    any_runner,
                    environment,
                    issuer,
                    signature_suffices,
                    attestation_repository,
                    from: _,
                    via_buildkit,
                } = source.as_ref();
                let text = |value: &Option<String>| value.clone().unwrap_or_default();
                out.extend([
                    "built".to_owned(),
                    repository.to_ascii_lowercase(),
                    repository_id.map(|id| id.to_string()).unwrap_or_default(),
                    text(workflow),
                    text(workflow_ref),
                    commits.join(" "),
                    any_runner.to_string(),
                    text(environment),
                    issuer.clone(),
                    signature_suffices.to_string(),
                    text(attestation_repository),
                ]);
                out.extend(via_buildkit.then(|| "via buildkit".to_owned()));
                out.extend(refs.iter().map(ToString::to_string));
            }
        }
        out
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
