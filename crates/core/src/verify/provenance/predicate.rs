//! Provenance against the certificate that signed it: the workflow wrote the one, the identity provider the other.

use serde_json::Value;

use super::{Refusal, SignerClaims};

/// SLSA provenance, version 1 (<https://slsa.dev/spec/v1.1/provenance>).
pub const PROVENANCE: &str = "https://slsa.dev/provenance/v1";
/// What `cosign sign` states of an image.
pub const COSIGN_SIGNATURE: &str = "https://sigstore.dev/cosign/sign/v1";
/// The build types whose parameters GitHub's own tools write, and whose meaning is therefore known.
const BUILD_TYPES: [&str; 2] = [
    "https://actions.github.io/buildtypes/workflow/v1",
    "https://slsa-framework.github.io/github-actions-buildtypes/workflow/v1",
];

/// Compares. A build type that is not known is not compared: the identity decides.
///
/// # Errors
/// [`Refusal::PredicateMismatch`] names the field that contradicts the certificate.
pub(super) fn agrees(predicate: &Value, claims: &SignerClaims) -> Result<(), Refusal> {
    let text = |pointer: &str| predicate.pointer(pointer).and_then(Value::as_str);
    if !text("/buildDefinition/buildType").is_some_and(|found| BUILD_TYPES.contains(&found)) {
        return Ok(());
    }
    const WORKFLOW: &str = "/buildDefinition/externalParameters/workflow";
    let repository = text(&format!("{WORKFLOW}/repository"));
    if repository.is_none() || repository != claims.repository() {
        return Err(Refusal::PredicateMismatch("workflow.repository"));
    }
    let repository = repository.unwrap_or_default();
    let Some(path) = text(&format!("{WORKFLOW}/path")) else {
        return Err(Refusal::PredicateMismatch("workflow.path"));
    };
    // What the certificate has behind the path: the ref that was built, unless `@actions/attest` cut a path with an `@` in it.
    let built = claims.git_ref();
    let behind = claims.build_config().map(|config| {
        let named = config.strip_prefix(repository)?.strip_prefix('/')?;
        let behind = named.strip_prefix(path)?.strip_prefix('@')?;
        let cut = behind.strip_suffix(built?)?;
        (cut.is_empty() || cut.ends_with('@')).then_some(behind)
    });
    if behind == Some(None) {
        return Err(Refusal::PredicateMismatch("workflow.path"));
    }
    // Before 1.5.0 it cut a ref with an `@` in it, too.
    let is_ref = |found: &str| {
        let rest = behind.flatten().and_then(|behind| behind.strip_prefix(found));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('@'))
    };
    let git_ref = text(&format!("{WORKFLOW}/ref"));
    if !git_ref.is_some_and(|found| built == Some(found) || is_ref(found)) {
        return Err(Refusal::PredicateMismatch("workflow.ref"));
    }
    let source = format!("git+{repository}@{}", built.unwrap_or_default());
    let dependencies = predicate
        .pointer("/buildDefinition/resolvedDependencies")
        .and_then(Value::as_array);
    for dependency in dependencies.into_iter().flatten() {
        let is_source = dependency.get("uri").and_then(Value::as_str) == Some(source.as_str());
        let commit = dependency.pointer("/digest/gitCommit").and_then(Value::as_str);
        if is_source && commit != claims.commit() {
            return Err(Refusal::PredicateMismatch("resolvedDependencies"));
        }
    }
    match text("/runDetails/metadata/invocationId") {
        Some(run) if Some(run) != claims.run() => Err(Refusal::PredicateMismatch("invocationId")),
        _ => Ok(()),
    }
}
