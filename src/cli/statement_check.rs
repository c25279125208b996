//! `cvm-verify statement check`: a signed result, verified as its reader must. Opens no socket.

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::args::StatementCheckArgs;
use crate::env::Surroundings;
use crate::files;
use crate::render::escape;
use crate::render::statement::PREDICATE_TYPE;
use crate::usage_error::UsageError;
use cvm_verify_core::checks::signer_problem;
use cvm_verify_core::evidence::{MAX_STATEMENT_FILE, StatementFile, parse_user_hex};
use cvm_verify_core::policy::{ExpectedSource, Origin, WrittenRule};
use cvm_verify_core::report::{rfc3339, unix_seconds};
use cvm_verify_core::verify::provenance::{SignedStatement, SigstoreRoots, verify};

/// What a reader expects of a statement.
#[derive(Debug, Clone)]
struct Expected<'a> {
    resource: &'a str,
    levels: &'a [String],
    accepts_waivers: bool,
    /// Seconds.
    max_age: u64,
    /// Unix seconds.
    now: u64,
}

pub(super) fn run(args: &StatementCheckArgs, surroundings: &mut Surroundings) -> anyhow::Result<u8> {
    let digest = digest(args)?;
    let path = args.file.display().to_string();
    let bytes = files::read(&args.file, MAX_STATEMENT_FILE as u64)?;
    let file = StatementFile::parse(&path, &bytes).map_err(|error| UsageError::file(&args.file, error))?;
    let roots = match &args.sigstore_root {
        None => SigstoreRoots::shared(),
        Some(path) => SigstoreRoots::of_file(&files::read(path, files::CERTIFICATE_LIMIT)?)
            .map(std::sync::Arc::new)
            .map_err(|error| UsageError::file(path, error))?,
    };
    let signer = WrittenRule {
        image: "*".to_owned(),
        repository: Some(args.signer_repository.clone()),
        workflow: Some(args.signer_workflow.clone()),
        refs: args.signer_ref.clone(),
        ..WrittenRule::default()
    };
    let signer = signer
        .rule(Origin::Option("--signer-repository"))
        .map_err(|error| {
            let option = match error.key {
                "repository" => "--signer-repository",
                "workflow" => "--signer-workflow",
                _ => "--signer-ref",
            };
            UsageError::option(option, format!("the value {}", error.problem))
        })?;
    let ExpectedSource::Built(signer) = signer.expected else {
        return Err(UsageError::option("--signer-repository", "names no repository").into());
    };
    let now = (surroundings.now)();
    let expected = Expected {
        resource: &args.resource,
        levels: &args.level,
        accepts_waivers: args.accept_waivers,
        max_age: args.max_age.duration().as_secs(),
        now,
    };
    let recorded = file.about("the statement", &digest, String::new());
    let mut problem = format!(
        "{path} holds no statement about sha256:{}; give the document that was measured (app-compose.json)",
        hex::encode(digest)
    );
    let mut furthest = 0;
    for bundle in &recorded.bundles {
        let judged = verify(bundle.get().as_bytes(), &digest, &roots, now)
            .map_err(|refusal| (1, format!("the statement proves nothing: {refusal}")))
            .and_then(|signed| {
                if let Some(problem) = signer_problem(signed.signer(), &signer) {
                    return Err((2, problem));
                }
                judge(&signed, &expected).map_err(|problem| (3, problem))
            });
        match judged {
            Ok(said) => {
                surroundings.print(&format!("PASSED: {}\n", escape::terminal(&said)));
                return Ok(0);
            }
            Err((progress, found)) if progress > furthest => (furthest, problem) = (progress, found),
            Err(_) => {}
        }
    }
    surroundings.print(&format!(
        "FAILED: {}.\n",
        escape::terminal(problem.trim_end_matches('.'))
    ));
    Ok(super::FAIL)
}

fn digest(args: &StatementCheckArgs) -> Result<[u8; 32], UsageError> {
    match (&args.subject, &args.subject_digest) {
        (Some(path), _) => Ok(Sha256::digest(files::read(path, files::COMPOSE_LIMIT)?).into()),
        (None, Some(text)) => {
            let hex = text.trim().strip_prefix("sha256:").unwrap_or(text.trim());
            parse_user_hex(hex)
                .map_err(|error| UsageError::option("--subject-digest", format!("the value {error}")))
        }
        (None, None) => Err(UsageError::new(
            "there is no subject; give the measured compose document (--subject app-compose.json) or its hash \
             (--subject-digest)",
        )),
    }
}

/// What a proven statement says, against what is expected.
fn judge(signed: &SignedStatement, expected: &Expected<'_>) -> Result<String, String> {
    if signed.predicate_type() != PREDICATE_TYPE {
        return Err(format!(
            "it is a statement of another type ({}), not a verification summary",
            signed.predicate_type()
        ));
    }
    judge_summary(signed.predicate(), expected)
}

fn judge_summary(predicate: &Value, expected: &Expected<'_>) -> Result<String, String> {
    let text = |name: &str| predicate.get(name).and_then(Value::as_str).unwrap_or_default();
    let verifier = predicate.pointer("/verifier/id").and_then(Value::as_str);
    if verifier != Some(env!("CARGO_PKG_REPOSITORY")) {
        return Err(format!(
            "another verifier made it: {}",
            verifier.unwrap_or("it names none")
        ));
    }
    if text("verificationResult") != "PASSED" {
        return Err(format!(
            "its result is {}, not PASSED",
            text("verificationResult")
        ));
    }
    let resource = text("resourceUri");
    if resource.trim_end_matches('/') != expected.resource.trim_end_matches('/') {
        return Err(format!(
            "it is about {resource}, and {} is expected",
            expected.resource
        ));
    }
    let levels: Vec<&str> = predicate
        .get("verifiedLevels")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    if let Some(missing) = expected
        .levels
        .iter()
        .find(|level| !levels.contains(&level.as_str()))
    {
        return Err(format!(
            "it does not reach {missing}; it says {}",
            levels.join(", ")
        ));
    }
    if levels.contains(&"CVM_VERIFY_WAIVERS") && !expected.accepts_waivers {
        return Err(
            "it rests on something that was accepted in writing (CVM_VERIFY_WAIVERS; see policy.annotations.accepted); to take \
             it, give --accept-waivers"
                .to_owned(),
        );
    }
    let verified = unix_seconds(text("timeVerified")).ok_or("its timeVerified is not an RFC 3339 time")?;
    if verified > expected.now {
        return Err(format!(
            "its timeVerified is in the future: {}",
            rfc3339(verified)
        ));
    }
    let age = expected.now - verified;
    if age > expected.max_age {
        return Err(format!(
            "it is of {}, more than {} seconds ago: verify the deployment again, or give a longer --max-age",
            rfc3339(verified),
            expected.max_age
        ));
    }
    Ok(format!(
        "{resource} was verified at {}: {}.",
        rfc3339(verified),
        levels.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: u64 = 1_795_644_000;

    fn summary() -> Value {
        json!({
            "verifier": { "id": env!("CARGO_PKG_REPOSITORY") },
            "timeVerified": rfc3339(NOW - 60),
            "resourceUri": "https://shop.example",
            "verificationResult": "PASSED",
            "verifiedLevels": ["CVM_VERIFY_CODE", "SLSA_BUILD_LEVEL_UNEVALUATED"],
        })
    }

    fn judged(change: impl Fn(&mut Value)) -> Result<String, String> {
        let mut predicate = summary();
        change(&mut predicate);
        judge_summary(
            &predicate,
            &Expected {
                resource: "https://shop.example/",
                levels: &["CVM_VERIFY_CODE".to_owned()],
                accepts_waivers: false,
                max_age: 3600,
                now: NOW,
            },
        )
    }

    #[test]
    fn a_statement_that_is_as_expected_passes() {
        assert!(judged(|_| {}).is_ok());
    }

    #[test]
    fn each_deviation_is_refused_for_its_reason() {
        let refused = |field: &'static str, value: Value, word: &str| {
            let problem = judged(|summary| summary[field] = value.clone()).unwrap_err();
            assert!(problem.contains(word), "{field}: {problem}");
        };
        refused("verificationResult", json!("FAILED"), "not PASSED");
        refused("verificationResult", json!(null), "not PASSED");
        refused("resourceUri", json!("https://evil.example"), "is expected");
        refused(
            "verifiedLevels",
            json!(["CVM_VERIFY_HARDWARE"]),
            "does not reach CVM_VERIFY_CODE",
        );
        refused(
            "verifiedLevels",
            json!(["CVM_VERIFY_SIMULATED"]),
            "does not reach CVM_VERIFY_CODE",
        );
        refused(
            "verifiedLevels",
            json!(["CVM_VERIFY_CODE", "CVM_VERIFY_WAIVERS"]),
            "accepted in writing",
        );
        refused("timeVerified", json!(rfc3339(NOW - 3601)), "seconds ago");
        refused("timeVerified", json!(rfc3339(NOW + 1)), "in the future");
        refused("timeVerified", json!("yesterday"), "RFC 3339");
        refused(
            "verifier",
            json!({ "id": "https://evil.example" }),
            "another verifier",
        );
    }
}
