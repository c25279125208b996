//! What NVIDIA's appraisal says of one device: the claims that must be good (NVIDIA Attestation Service API, `/v4/attest`). The
//! names are those of NVIDIA's entity attestation tokens, claims versions 2.0, 3.0 and 4.0; those of a switch have `switch` for
//! `gpu`.

use std::fmt;

use serde_json::Value;

/// A claim that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ClaimProblem {
    name: String,
    found: String,
    expected: &'static str,
    convicts: bool,
}

impl ClaimProblem {
    /// Whether the claim says that something is wrong with the device. A claim that is absent, or of another form or version than
    /// this version knows, says nothing; nor does a comparison that did not take place, or a revocation service that had no answer.
    pub(super) const fn convicts(&self) -> bool {
        self.convicts
    }
}

impl fmt::Display for ClaimProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            found,
            expected,
            convicts: _,
        } = self;
        write!(f, "the claim `{name}` is {found}; {expected} is expected")
    }
}

/// Claims of every version that must be there.
const ALWAYS: [(&str, &str); 3] = [
    ("measres", "\"success\""),
    ("secboot", "true"),
    ("dbgstat", "\"disabled\""),
];

/// Words of `measres` for a comparison that did not take place (RFC 9711), which say nothing of the device.
const NOT_COMPARED: [&str; 2] = ["not-run", "absent"];

/// Claims about the report that must be true, in every version.
const REPORT: [&str; 4] = [
    "arch-check",
    "attestation-report-parsed",
    "attestation-report-nonce-match",
    "attestation-report-signature-verified",
];

/// Claims about the golden values of the driver and of the vBIOS that must be true, in every version.
const REFERENCE: [&str; 3] = [
    "rim-fetched",
    "rim-signature-verified",
    "rim-measurements-available",
];

/// The claims version that a device's claims follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    V2,
    V3,
}

/// The claim of a device that is not as it must be: the first one that convicts, or else the first one. Claims that are not known
/// are not looked at.
pub(super) fn worst_problem(claims: &Value) -> Option<ClaimProblem> {
    let mut problems = problems(claims);
    let worst = problems.iter().position(ClaimProblem::convicts).unwrap_or(0);
    (worst < problems.len()).then(|| problems.swap_remove(worst))
}

fn problems(claims: &Value) -> Vec<ClaimProblem> {
    let demanded = match Demanded::of(claims) {
        Ok(demanded) => demanded,
        Err(unknown) => return vec![unknown],
    };
    let mut found = Vec::new();
    for (name, expected) in ALWAYS {
        let value = claims.get(name);
        if value.map(ToString::to_string).as_deref() != Some(expected) {
            let text = value.and_then(Value::as_str);
            let is_compared = name != "measres" || !text.is_some_and(|text| NOT_COMPARED.contains(&text));
            found.push(ClaimProblem {
                convicts: is_compared && value.is_some_and(|value| has_form_of(value, expected)),
                ..problem(claims, name.to_owned(), expected)
            });
        }
    }
    for name in demanded.be_true {
        if claims.get(&name) != Some(&Value::Bool(true)) {
            found.push(ClaimProblem {
                convicts: claims.get(&name) == Some(&Value::Bool(false)),
                ..problem(claims, name, "true")
            });
        }
    }
    for name in demanded.be_valid_chains {
        for (member, expected) in [
            ("x-nvidia-cert-status", "\"valid\""),
            ("x-nvidia-cert-ocsp-status", "\"good\""),
        ] {
            let chain = claims.get(&name).unwrap_or(&Value::Null);
            let value = chain.get(member);
            if value.map(ToString::to_string).as_deref() != Some(expected) {
                // `unknown` is the word of a revocation service that had no answer.
                let says = value.and_then(Value::as_str);
                found.push(ClaimProblem {
                    name: format!("{name}.{member}"),
                    convicts: says.is_some_and(|says| says != "unknown"),
                    ..problem(chain, member.to_owned(), expected)
                });
            }
        }
    }
    found
}

/// The claims that a device of its kind and version must have, in addition to [`ALWAYS`].
struct Demanded {
    be_true: Vec<String>,
    be_valid_chains: Vec<String>,
}

impl Demanded {
    /// Of a device with these claims; or which of them names a kind or a version that is not known.
    fn of(claims: &Value) -> Result<Self, ClaimProblem> {
        let is_gpu = match claims.get("x-nvidia-device-type").and_then(Value::as_str) {
            // Version 2.0 does not name it, and has claims of GPUs alone.
            None => claims.get("x-nvidia-switch-arch-check").is_none(),
            Some("gpu") => true,
            Some("nvswitch" | "switch") => false,
            Some(_) => {
                let name = "x-nvidia-device-type".to_owned();
                return Err(problem(claims, name, "\"gpu\" or \"nvswitch\""));
            }
        };
        // A switch has a BIOS and no driver.
        let (kind, references, conflict): (_, &[&str], _) = match is_gpu {
            true => ("gpu", &["driver", "vbios"], Some("vbios-index-no-conflict")),
            false => ("switch", &["bios"], None),
        };
        let full = |name: &str| format!("x-nvidia-{kind}-{name}");
        let is_validated = claims.get(full("attestation-report-cert-chain-validated"));
        let version = match claims.get(full("claims-version")).and_then(Value::as_str) {
            None if is_validated.is_some() => Version::V2,
            None => Version::V3,
            Some("2.0") => Version::V2,
            Some("3.0" | "4.0") => Version::V3,
            Some(_) => {
                let name = full("claims-version");
                return Err(problem(claims, name, "\"2.0\", \"3.0\" or \"4.0\""));
            }
        };
        let (of_reference, of_report): (&[&str], _) = match version {
            Version::V2 => (
                &["rim-schema-validated", "rim-cert-validated"],
                "attestation-report-cert-chain-validated",
            ),
            Version::V3 => (&["rim-version-match"], "attestation-report-cert-chain-fwid-match"),
        };
        let mut be_true: Vec<String> = REPORT.iter().copied().chain(conflict).map(full).collect();
        for reference in references {
            let names = REFERENCE.iter().chain(of_reference);
            be_true.extend(names.map(|name| full(&format!("{reference}-{name}"))));
        }
        be_true.push(full(of_report));
        let of_references = references
            .iter()
            .map(|one| full(&format!("{one}-rim-cert-chain")));
        let chains = of_references.chain([full("attestation-report-cert-chain")]);
        Ok(Self {
            be_true,
            be_valid_chains: match version {
                Version::V2 => Vec::new(),
                Version::V3 => chains.collect(),
            },
        })
    }
}

/// Whether a value is of the same JSON type as the expected one, which is a text or a truth value.
fn has_form_of(value: &Value, expected: &str) -> bool {
    match value {
        Value::String(_) => expected.starts_with('"'),
        Value::Bool(_) => !expected.starts_with('"'),
        Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_) => false,
    }
}

/// What NVIDIA's appraisal warns of, if it does.
pub(super) fn warning(claims: &Value) -> Option<String> {
    let warning = claims.get("x-nvidia-attestation-warning")?;
    (!warning.is_null()).then(|| short(warning))
}

/// A problem that does not convict.
fn problem(claims: &Value, name: String, expected: &'static str) -> ClaimProblem {
    let found = claims.get(&name).map_or_else(|| "absent".to_owned(), short);
    ClaimProblem {
        name,
        found,
        expected,
        convicts: false,
    }
}

fn short(value: &Value) -> String {
    value.to_string().chars().take(120).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;

    /// Good claims of a GPU, of versions 2 and 3, and no claim that names the version.
    fn unnamed() -> [Value; 2] {
        let mut common = Map::new();
        common.extend([
            ("measres".to_owned(), json!("success")),
            ("secboot".to_owned(), json!(true)),
            ("dbgstat".to_owned(), json!("disabled")),
        ]);
        let gpu = |name: &str| format!("x-nvidia-gpu-{name}");
        let mut names: Vec<String> = REPORT.iter().map(|name| gpu(name)).collect();
        names.push(gpu("vbios-index-no-conflict"));
        for reference in ["driver", "vbios"] {
            names.extend(REFERENCE.iter().map(|name| gpu(&format!("{reference}-{name}"))));
        }
        common.extend(names.into_iter().map(|name| (name, json!(true))));
        let chain = json!({"x-nvidia-cert-status": "valid", "x-nvidia-cert-ocsp-status": "good"});
        let (mut second, mut third) = (common.clone(), common);
        for reference in ["driver", "vbios"] {
            for name in ["rim-schema-validated", "rim-cert-validated"] {
                second.insert(gpu(&format!("{reference}-{name}")), json!(true));
            }
            third.insert(gpu(&format!("{reference}-rim-version-match")), json!(true));
            third.insert(gpu(&format!("{reference}-rim-cert-chain")), chain.clone());
        }
        second.insert(gpu("attestation-report-cert-chain-validated"), json!(true));
        third.insert(gpu("attestation-report-cert-chain-fwid-match"), json!(true));
        third.insert(gpu("attestation-report-cert-chain"), chain);
        [second.into(), third.into()]
    }

    #[test]
    fn claims_that_name_no_version_are_read_as_that_whose_claims_they_have() {
        for claims in unnamed() {
            assert_eq!(worst_problem(&claims), None);
            for name in claims.as_object().unwrap().keys() {
                let mut without = claims.clone();
                without.as_object_mut().unwrap().remove(name);
                let problem = worst_problem(&without).unwrap();
                assert!(!problem.convicts(), "{name} is absent: {problem}");
            }
        }
    }

    #[test]
    fn of_a_chain_that_is_not_valid_the_chain_and_its_member_are_named() {
        let [_, mut claims] = unnamed();
        claims["x-nvidia-gpu-driver-rim-cert-chain"]["x-nvidia-cert-status"] = json!("expired");
        let problem = worst_problem(&claims).unwrap();
        assert!(problem.convicts());
        let named = "x-nvidia-gpu-driver-rim-cert-chain.x-nvidia-cert-status";
        assert!(problem.to_string().contains(named), "{problem}");
    }

    #[test]
    fn a_value_is_shown_up_to_120_characters() {
        assert_eq!(short(&json!("no")), "\"no\"");
        assert_eq!(short(&json!("x".repeat(500))).len(), 120);
        assert_eq!(
            warning(&json!({"x-nvidia-attestation-warning": "old"})).as_deref(),
            Some("\"old\"")
        );
        assert_eq!(warning(&json!({"x-nvidia-attestation-warning": null})), None);
    }

    #[test]
    fn a_value_of_another_type_than_the_expected_one_has_another_form() {
        for (value, expected, is_form) in [
            (json!("no"), "\"yes\"", true),
            (json!("no"), "true", false),
            (json!(false), "true", true),
            (json!(false), "\"yes\"", false),
            (json!(null), "true", false),
            (json!(1), "true", false),
            (json!([true]), "true", false),
        ] {
            assert_eq!(has_form_of(&value, expected), is_form, "{value} {expected}");
        }
    }
}
