//! What the reader of a signed result expects of it, and whether that holds.

use serde_json::Value;
use serde_json::value::RawValue;
use url::Url;

use crate::render::statement::PREDICATE_TYPE;
use cvm_verify_core::checks::signer_problem;
use cvm_verify_core::policy::BuildSource;
use cvm_verify_core::report::{rfc3339, unix_seconds};
use cvm_verify_core::verify::age::Age;
use cvm_verify_core::verify::provenance::{SignedStatement, SignerClaims, SigstoreRoots, verify};

/// How far the time of a verification may be after that of the signature, seconds: a runner's clock and the log's differ.
const CLOCKS_DIFFER: u64 = 5 * 60;

/// The level of a result that was verified under another root.
const SIMULATED: &str = "CVM_VERIFY_SIMULATED";

/// What a reader expects of a statement.
#[derive(Debug, Clone)]
pub(crate) struct ExpectedStatement<'a> {
    /// The deployment.
    pub resource: &'a str,
    /// What it must reach, as SLSA verification summaries write it.
    pub levels: &'a [String],
    /// Whether it may rest on something that was accepted in writing.
    pub accepts_waivers: bool,
    /// How old it may be, seconds.
    pub max_age: u64,
    /// Unix seconds.
    pub now: u64,
}

/// Who must have signed a statement.
#[derive(Debug, Clone)]
pub(crate) struct ExpectedSigner<'a> {
    /// What its certificate must say.
    pub source: &'a BuildSource,
    /// What a user typed: the workflow and its repository.
    pub name: &'a str,
}

/// How far a statement came that is not as expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum HowFar {
    /// Nothing is proven of it.
    Unproven,
    /// It is signed, by another signer.
    Signed,
    /// The expected signer signed something else.
    OfSigner,
}

/// Verifies signed statements about a document with this SHA-256: what the first one says that is as expected.
///
/// # Errors
/// What is wrong with the statement that came furthest; none if there is no statement.
pub(crate) fn check<'b>(
    bundles: impl Iterator<Item = &'b Box<RawValue>>,
    digest: &[u8; 32],
    roots: &SigstoreRoots,
    signer: &ExpectedSigner<'_>,
    expected: &ExpectedStatement<'_>,
) -> Result<String, Option<String>> {
    let mut furthest: Option<(HowFar, String)> = None;
    for bundle in bundles {
        match check_one(bundle, digest, roots, signer, expected) {
            Ok(said) => return Ok(said),
            Err(found) if furthest.as_ref().is_none_or(|(progress, _)| found.0 > *progress) => {
                furthest = Some(found);
            }
            Err(_) => {}
        }
    }
    Err(furthest.map(|(_, problem)| problem))
}

fn check_one(
    bundle: &RawValue,
    digest: &[u8; 32],
    roots: &SigstoreRoots,
    signer: &ExpectedSigner<'_>,
    expected: &ExpectedStatement<'_>,
) -> Result<String, (HowFar, String)> {
    let signed = verify(bundle.get().as_bytes(), digest, roots, expected.now).map_err(|refusal| {
        let problem = format!("the statement proves nothing: {refusal}");
        (HowFar::Unproven, problem)
    })?;
    if let Some((reason, problem)) = signer_problem(signed.signer(), signer.source) {
        let advice = match reason {
            "other-runner" => {
                "; if the runners of the signer's owner are acceptable, give --signer-runner any"
            }
            "other-issuer" => "; if that is the expected GitHub, give it as --signer-issuer",
            _ => "",
        };
        return Err((HowFar::Signed, format!("{problem}{advice}")));
    }
    let said = judge(&signed, expected).map_err(|problem| (HowFar::OfSigner, problem))?;
    Ok(format!(
        "{said} {}",
        signed_by(signer.name, signed.signer(), roots)
    ))
}

/// Who signed, a sentence: what was expected, the ref and commit of the certificate, and other roots than the built-in ones.
fn signed_by(name: &str, signer: &SignerClaims, roots: &SigstoreRoots) -> String {
    let on = signer.git_ref().map(|git_ref| format!(" on {git_ref}"));
    let commit = signer.commit().map(|commit| format!(", commit {commit}"));
    let under = roots.sha256().map(|sha256| {
        format!(
            ", under the Sigstore roots of a file (SHA-256 {}) and not those that are built in",
            hex::encode(sha256)
        )
    });
    format!(
        "Signed by {name}{}{}{}.",
        on.unwrap_or_default(),
        commit.unwrap_or_default(),
        under.unwrap_or_default()
    )
}

/// What a proven statement says, against what is expected.
fn judge(signed: &SignedStatement, expected: &ExpectedStatement<'_>) -> Result<String, String> {
    if signed.predicate_type() != PREDICATE_TYPE {
        return Err(format!(
            "it is a statement of another type ({}), not a verification summary",
            signed.predicate_type()
        ));
    }
    judge_summary(signed.predicate(), signed.signed_at(), expected)
}

/// `signed_at` is when the log or a timestamp authority saw the signature, Unix seconds.
fn judge_summary(
    predicate: &Value,
    signed_at: u64,
    expected: &ExpectedStatement<'_>,
) -> Result<String, String> {
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
    if !is_same_resource(resource, expected.resource) {
        return Err(format!(
            "it is about {resource}, and {} is expected; if that is the deployment that you mean, give --resource {resource}",
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
    let is_asked = |level: &str| expected.levels.iter().any(|asked| asked == level);
    if levels.contains(&SIMULATED) && !is_asked(SIMULATED) {
        return Err(format!(
            "it is about a result under another root than Intel's or NVIDIA's ({SIMULATED}), which proves nothing of hardware"
        ));
    }
    let is_reached = |level: &str| {
        levels.contains(&level) || level == "CVM_VERIFY_HARDWARE" && levels.contains(&"CVM_VERIFY_CODE")
    };
    if let Some(missing) = expected.levels.iter().find(|level| !is_reached(level)) {
        return Err(format!(
            "it does not reach {missing}; it says {}",
            levels.join(", ")
        ));
    }
    if levels.contains(&"CVM_VERIFY_WAIVERS") && !expected.accepts_waivers {
        return Err(
            "it relies on something that was accepted in writing (CVM_VERIFY_WAIVERS; see policy.annotations.accepted); to \
             accept that, give --accept-waivers"
                .to_owned(),
        );
    }
    let verified = unix_seconds(text("timeVerified")).ok_or("its timeVerified is not an RFC 3339 time")?;
    let age = Age::of(verified, expected.now);
    if !age.is_known() {
        return Err(format!(
            "its timeVerified is in the future: {}, and it is {} by this machine's clock; set the clock that is wrong",
            rfc3339(verified),
            rfc3339(expected.now)
        ));
    }
    // A time that its signer wrote counts for as much as the log's, and no more.
    if verified > signed_at.saturating_add(CLOCKS_DIFFER) {
        return Err(format!(
            "its timeVerified is {}, and it was signed before that, at {}: verify the deployment again, and sign the new result",
            rfc3339(verified),
            rfc3339(signed_at)
        ));
    }
    if age.exceeds(expected.max_age) || Age::of(signed_at, expected.now).exceeds(expected.max_age) {
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

/// Whether a statement is about what is expected: the same address, path and all, or the same name. How a URL is written (its case, a
/// port that its scheme has anyway, a slash at the end) makes no difference.
fn is_same_resource(stated: &str, expected: &str) -> bool {
    let plain = |text: &str| {
        let url = Url::parse(text.trim()).map(String::from);
        url.map(|url| url.trim_end_matches('/').to_owned())
    };
    match (plain(stated), plain(expected)) {
        (Ok(stated), Ok(expected)) => stated == expected,
        _ => false,
    }
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
            "resourceUri": "https://shop.example/eu",
            "verificationResult": "PASSED",
            "verifiedLevels": ["CVM_VERIFY_CODE", "SLSA_BUILD_LEVEL_UNEVALUATED"],
        })
    }

    fn judged(change: impl Fn(&mut Value)) -> Result<String, String> {
        let mut predicate = summary();
        change(&mut predicate);
        signed_at(&predicate, NOW - 30, "https://shop.example/eu/")
    }

    fn signed_at(predicate: &Value, signed_at: u64, resource: &str) -> Result<String, String> {
        judge_summary(
            predicate,
            signed_at,
            &ExpectedStatement {
                resource,
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
        assert!(judged(|summary| summary["timeVerified"] = json!(rfc3339(NOW + 60))).is_ok());
        let written_otherwise = json!("https://SHOP.example:443/eu/");
        assert!(judged(|summary| summary["resourceUri"] = written_otherwise.clone()).is_ok());
    }

    /// Whatever levels a reader asks for: `code` holds what `hardware` does, and a simulated result holds nothing.
    #[test]
    fn levels_are_compared_by_what_they_prove() {
        let of = |levels: &[&str], asked: &str| {
            let mut predicate = summary();
            predicate["verifiedLevels"] = json!(levels);
            let expected = ExpectedStatement {
                resource: "https://shop.example/eu",
                levels: &[asked.to_owned()],
                accepts_waivers: false,
                max_age: 3600,
                now: NOW,
            };
            judge_summary(&predicate, NOW - 30, &expected).is_ok()
        };
        let unevaluated = "SLSA_BUILD_LEVEL_UNEVALUATED";
        for (levels, asked, holds) in [
            (["CVM_VERIFY_CODE", unevaluated], "CVM_VERIFY_HARDWARE", true),
            (["CVM_VERIFY_HARDWARE", unevaluated], "CVM_VERIFY_HARDWARE", true),
            (["CVM_VERIFY_HARDWARE", unevaluated], "CVM_VERIFY_CODE", false),
            ([SIMULATED, unevaluated], unevaluated, false),
            ([SIMULATED, unevaluated], SIMULATED, true),
            (["CVM_VERIFY_CODE", unevaluated], unevaluated, true),
        ] {
            assert_eq!(of(&levels, asked), holds, "{levels:?} {asked}");
        }
    }

    #[test]
    fn an_app_of_a_list_is_named_exactly() {
        let (app, instance) = ("urn:dstack:app:aa", "urn:dstack:app:aa:instance:bb");
        for (stated, expected, is_same) in [
            (app, app, true),
            (instance, instance, true),
            (instance, app, false),
            (app, instance, false),
            (app, "urn:dstack:app:ab", false),
        ] {
            let mut predicate = summary();
            predicate["resourceUri"] = json!(stated);
            assert_eq!(
                signed_at(&predicate, NOW, expected).is_ok(),
                is_same,
                "{stated} {expected}"
            );
        }
    }

    /// The time that a statement says is its signer's word. The log saw the signature.
    #[test]
    fn a_time_that_the_log_contradicts_is_refused_and_the_earlier_one_counts() {
        let of = |log: u64| signed_at(&summary(), log, "https://shop.example/eu").map(|_| ());
        assert_eq!(of(NOW - 60 - CLOCKS_DIFFER), Ok(()));
        let before = of(NOW - 61 - CLOCKS_DIFFER).unwrap_err();
        assert!(before.contains("it was signed before that"), "{before}");
        // A result that was held back is as old as its verification.
        let mut old = summary();
        old["timeVerified"] = json!(rfc3339(NOW - 3601));
        let held_back = signed_at(&old, NOW, "https://shop.example/eu").unwrap_err();
        assert!(held_back.contains("seconds ago"), "{held_back}");
    }

    #[test]
    fn each_deviation_is_refused_for_its_reason() {
        let refused = |field: &'static str, value: Value, word: &str| {
            let problem = judged(|summary| summary[field] = value.clone()).unwrap_err();
            assert!(problem.contains(word), "{field}: {problem}");
        };
        refused("verificationResult", json!("FAILED"), "not PASSED");
        refused("verificationResult", json!(null), "not PASSED");
        for other in [
            "https://evil.example",
            "https://shop.example",
            "https://shop.example/us",
            "https://shop.example/eu/x",
            "https://shop.example/eu#attestation=/two",
            "https://shop.example:8443/eu",
            "http://shop.example/eu",
            "urn:dstack:app:aa",
            "",
        ] {
            refused("resourceUri", json!(other), "is expected");
        }
        refused(
            "resourceUri",
            json!("https://shop.example/us"),
            "give --resource https://shop.example/us",
        );
        refused(
            "verifiedLevels",
            json!(["CVM_VERIFY_HARDWARE"]),
            "does not reach CVM_VERIFY_CODE",
        );
        refused(
            "verifiedLevels",
            json!(["CVM_VERIFY_SIMULATED"]),
            "under another root than Intel's",
        );
        refused(
            "verifiedLevels",
            json!(["CVM_VERIFY_CODE", "CVM_VERIFY_WAIVERS"]),
            "accepted in writing",
        );
        refused("timeVerified", json!(rfc3339(NOW - 3601)), "seconds ago");
        refused("timeVerified", json!(rfc3339(NOW + 61)), "in the future");
        refused("timeVerified", json!("yesterday"), "RFC 3339");
        refused(
            "verifier",
            json!({ "id": "https://evil.example" }),
            "another verifier",
        );
    }
}
