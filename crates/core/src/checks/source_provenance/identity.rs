//! Whether a proven statement is of the workflow that the rule expects.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::reasons as why;
use crate::checks::Reason;
use crate::policy::{BuildSource, OpenPart, github_of};
use crate::verify::provenance::{COSIGN_SIGNATURE, SignedStatement, SignerClaims};

/// The GitHub of a signer whose issuer is none of GitHub's. The issuer itself is compared.
const GITHUB: &str = "https://github.com/";
/// The events by which code of an untrusted party can run.
const PULL_REQUESTS: [&str; 2] = ["pull_request", "pull_request_target"];
const PULLS: &str = "refs/pull/";

/// A statement that is as the rule says.
pub(super) struct Matched {
    /// What is proven, without the image's name.
    pub(super) words: String,
    /// What keeps it from granting the tier. Empty if it is provenance, and workflow and code are pinned.
    pub(super) lacks: BTreeSet<Lack>,
}

impl Matched {
    /// Whether another statement could say more: this one is not provenance.
    pub(super) fn lacks_provenance(&self) -> bool {
        self.lacks.contains(&Lack::Provenance)
    }

    /// Whether it grants the tier.
    pub(super) fn grants(&self) -> bool {
        self.lacks.is_empty()
    }
}

/// What keeps a statement that is as its rule says from granting the tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Lack {
    Workflow,
    Code,
    WorkflowRef,
    Provenance,
}

impl Lack {
    fn of(source: &BuildSource, is_provenance: bool) -> BTreeSet<Self> {
        let open = source.open_parts().into_iter().map(|part| match part {
            OpenPart::Workflow => Self::Workflow,
            OpenPart::Code => Self::Code,
            OpenPart::WorkflowRef => Self::WorkflowRef,
        });
        open.chain((!is_provenance).then_some(Self::Provenance)).collect()
    }

    /// What to do about it.
    pub(super) const fn fix(self) -> &'static str {
        match self {
            Self::Workflow => "name the workflow in the rule (`workflow`, --source-workflow)",
            Self::Code => "name a ref or a commit in the rule (`ref` or `commit`, --source-ref)",
            Self::WorkflowRef => {
                "name the ref of the workflow, which is one of another repository (`workflow-ref` in [[target.images]])"
            }
            Self::Provenance => {
                "attest provenance of the image that is only signed (actions/attest in the workflow that builds it), and verify again"
            }
        }
    }
}

/// The first thing in which a statement is not as the rule says.
#[derive(Debug)]
pub(super) struct Mismatch {
    pub(super) reason: &'static Reason,
    pub(super) expected: String,
    pub(super) actual: String,
    /// How many rules it kept before.
    pub(super) progress: u8,
}

/// Compares. Names of repositories are compared as GitHub does, without regard to ASCII case; all else is exact.
pub(super) fn judge(statement: &SignedStatement, source: &BuildSource) -> Result<Matched, Mismatch> {
    let claims = statement.signer();
    judge_signer(claims, source)?;
    let mismatch = |reason, expected: &str, actual: String| Mismatch {
        reason,
        expected: expected.to_owned(),
        actual,
        progress: u8::MAX,
    };
    let is_provenance = statement.is_provenance().map_err(|refusal| {
        mismatch(
            &why::PREDICATE_MISMATCH,
            "what its certificate says",
            refusal.to_string(),
        )
    })?;
    let is_signature = source.signature_suffices && statement.predicate_type() == COSIGN_SIGNATURE;
    if !is_provenance && !is_signature {
        let found = statement.predicate_type().to_owned();
        return Err(mismatch(&why::OTHER_PREDICATE, "SLSA provenance", found));
    }
    let github = github(claims);
    let signer = Signer::of(claims, &github).unwrap_or_default();
    Ok(Matched {
        words: words(claims, &signer, source, is_provenance),
        lacks: Lack::of(source, is_provenance),
    })
}

/// Compares the signer alone.
pub(super) fn judge_signer(claims: &SignerClaims, source: &BuildSource) -> Result<(), Mismatch> {
    let mut kept = KeptRules::default();
    judge_repository(&mut kept, claims, source)?;
    judge_workflow(&mut kept, claims, source)?;
    judge_build(&mut kept, claims, source)
}

/// How many rules a signer kept.
#[derive(Default)]
struct KeptRules(u8);

impl KeptRules {
    fn must(
        &mut self,
        holds: bool,
        reason: &'static Reason,
        expected: &str,
        actual: Option<&str>,
    ) -> Result<(), Mismatch> {
        self.0 += 1;
        match holds {
            true => Ok(()),
            false => Err(Mismatch {
                reason,
                expected: expected.to_owned(),
                actual: actual.unwrap_or("nothing").to_owned(),
                progress: self.0,
            }),
        }
    }

    /// The same of a value, where one is expected.
    fn must_be(
        &mut self,
        reason: &'static Reason,
        expected: Option<&str>,
        actual: Option<&str>,
    ) -> Result<(), Mismatch> {
        let holds = expected.is_none() || expected == actual;
        self.must(holds, reason, expected.unwrap_or_default(), actual)
    }
}

/// Of which repository the run is.
fn judge_repository(
    kept: &mut KeptRules,
    claims: &SignerClaims,
    source: &BuildSource,
) -> Result<(), Mismatch> {
    let github = github(claims);
    kept.must(
        claims.issuer().is_some() && Signer::of(claims, &github).is_some(),
        &why::OTHER_SIGNER,
        "a workflow of GitHub Actions",
        claims.subject(),
    )?;
    kept.must_be(&why::OTHER_ISSUER, Some(&source.issuer), claims.issuer())?;
    let repository = claims.repository().and_then(|text| text.strip_prefix(&github));
    kept.must(
        repository.is_some_and(|found| found.eq_ignore_ascii_case(&source.repository)),
        &why::OTHER_REPOSITORY,
        &source.repository,
        repository.or_else(|| claims.repository()),
    )?;
    let id = source.repository_id.map(|id| id.to_string());
    kept.must_be(&why::OTHER_REPOSITORY_ID, id.as_deref(), claims.repository_id())
}

/// What began the run, and which workflow signed.
fn judge_workflow(kept: &mut KeptRules, claims: &SignerClaims, source: &BuildSource) -> Result<(), Mismatch> {
    kept.must(
        claims
            .trigger()
            .is_some_and(|event| !PULL_REQUESTS.contains(&event)),
        &why::OTHER_TRIGGER,
        "an event of the repository itself",
        claims.trigger(),
    )?;
    let github = github(claims);
    let signer = Signer::of(claims, &github).unwrap_or_default();
    let (owner_and_name, path) = source.workflow_place();
    kept.must(
        signer.repository.eq_ignore_ascii_case(owner_and_name) && path.is_none_or(|path| path == signer.path),
        &why::OTHER_WORKFLOW,
        &format!("{owner_and_name}/{}", path.unwrap_or(".github/workflows/*")),
        Some(&format!("{}/{}", signer.repository, signer.path)),
    )?;
    kept.must_be(
        &why::OTHER_WORKFLOW,
        source.workflow_ref.as_deref(),
        Some(signer.git_ref),
    )
}

/// What was built, and where.
fn judge_build(kept: &mut KeptRules, claims: &SignerClaims, source: &BuildSource) -> Result<(), Mismatch> {
    let refs: Vec<String> = source.refs.iter().map(ToString::to_string).collect();
    kept.must(
        claims.git_ref().is_some_and(|found| match refs.is_empty() {
            true => found.starts_with("refs/heads/") || found.starts_with("refs/tags/"),
            false => !found.starts_with(PULLS) && source.refs.iter().any(|pattern| pattern.accepts(found)),
        }),
        &why::OTHER_REF,
        &match refs.is_empty() {
            true => "a branch or a tag".to_owned(),
            false => refs.join(" or "),
        },
        claims.git_ref(),
    )?;
    let commits = &source.commits;
    kept.must(
        commits.is_empty()
            || claims
                .commit()
                .is_some_and(|found| commits.iter().any(|commit| commit == found)),
        &why::OTHER_COMMIT,
        &commits.join(" or "),
        claims.commit(),
    )?;
    let runner = (!source.any_runner).then_some("github-hosted");
    kept.must_be(&why::OTHER_RUNNER, runner, claims.runner())?;
    kept.must_be(
        &why::OTHER_ENVIRONMENT,
        source.environment.as_deref(),
        claims.environment(),
    )
}

fn words(claims: &SignerClaims, signer: &Signer<'_>, source: &BuildSource, is_provenance: bool) -> String {
    let commit: String = claims.commit().unwrap_or_default().chars().take(7).collect();
    let git_ref = claims.git_ref().unwrap_or_default();
    let runner = claims.runner().unwrap_or_default();
    let file = signer.path.rsplit('/').next().unwrap_or_default();
    let code = format!("{}@{commit} ({git_ref})", source.repository);
    let is_own = signer.repository.eq_ignore_ascii_case(&source.repository);
    let workflow = match is_own {
        true => file.to_owned(),
        false => format!("{file} of {} ({})", signer.repository, signer.git_ref),
    };
    let mut out = match (is_provenance, is_own) {
        (true, _) => format!("built from {code} by {workflow}, {runner}"),
        (false, true) => format!("signed by {workflow} of {code}; no provenance"),
        (false, false) => format!("signed by {workflow} for {code}; no provenance"),
    };
    let mut open = Vec::new();
    if source.workflow.is_none() {
        open.push("any workflow");
    }
    if source.allows_any_branch() {
        open.push("any branch");
    }
    if source.allows_any_workflow_ref() {
        open.push("any ref of the workflow");
    }
    if !open.is_empty() {
        let _ = write!(
            out,
            " (accepted: {}; so the tier `source` is not reached)",
            open.join(", ")
        );
    }
    out
}

/// Repository and workflow of a signer as a rule writes them: the workflow of another repository with that one's name.
pub(super) fn pinned(claims: &SignerClaims) -> Option<(String, String)> {
    let github = github(claims);
    let repository = claims.repository()?.strip_prefix(&github)?;
    let signer = Signer::of(claims, &github)?;
    let workflow = match signer.repository.eq_ignore_ascii_case(repository) {
        true => signer.path.to_owned(),
        false => format!("{}/{}", signer.repository, signer.path),
    };
    Some((repository.to_owned(), workflow))
}

/// The web address of the GitHub that a signer's issuer speaks for, with a final slash.
fn github(claims: &SignerClaims) -> String {
    let own = claims.issuer().and_then(github_of);
    own.unwrap_or_else(|| GITHUB.to_owned())
}

/// The workflow that signed: `https://github.com/OWNER/NAME/PATH@REF`.
#[derive(Debug, Default, PartialEq, Eq)]
struct Signer<'a> {
    repository: &'a str,
    path: &'a str,
    git_ref: &'a str,
}

impl<'a> Signer<'a> {
    fn of(claims: &'a SignerClaims, github: &str) -> Option<Self> {
        Self::read(
            claims.subject().filter(|_| claims.build_signer().is_some())?,
            github,
        )
    }

    /// A file's name and a ref may hold an `@`, too: the ref begins after the first one that is followed by a whole ref or a
    /// commit. The file's name holds no slash, so none in it is.
    fn read(subject: &'a str, github: &str) -> Option<Self> {
        let rest = subject.strip_prefix(github)?;
        let is_ref = |text: &str| {
            text.starts_with("refs/")
                || (text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit()))
        };
        let splits = rest.match_indices('@');
        let mut splits = splits.filter_map(|(at, _)| Some((rest.get(..at)?, rest.get(at + 1..)?)));
        let (place, git_ref) = splits.find(|(_, git_ref)| is_ref(git_ref))?;
        let end_of_name = place.match_indices('/').nth(1).map(|(at, _)| at)?;
        Some(Self {
            repository: place.get(..end_of_name)?,
            path: place.get(end_of_name + 1..)?,
            git_ref,
        })
    }
}

#[cfg(test)]
#[path = "identity_tests.rs"]
pub(super) mod tests;
