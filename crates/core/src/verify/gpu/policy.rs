//! What the app requires of its GPUs: `requirements.gpu_policy` of the measured compose document, against the boot event
//! `gpu-policy-hash` (dstack 0.6, `requirements.gpu_policy`).

use serde_json::{Map, Value};

use crate::verify::digest::sha256;
use crate::verify::{BootClaims, MeasuredCompose};

/// The policy that the guest applies to its GPUs while booting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeasuredGpuPolicy {
    /// Whether GPUs must be attested while booting.
    pub attests_gpus: bool,
    /// The members that loosen it and are true.
    pub loosened: Vec<&'static str>,
    /// SHA-256 of the app's own rule, Rego, if it has one.
    pub rego_sha256: Option<[u8; 32]>,
    /// Whether the document has a policy at all.
    pub is_written: bool,
}

/// Why the policy is not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GpuPolicyProblem {
    /// A member that the guest does not know, or of another type.
    #[error("`requirements.gpu_policy` has {0}")]
    Malformed(String),
    /// Another hash than the measured one. SHA-256 of both.
    #[error("the SHA-256 of `requirements.gpu_policy` is {}, and the boot event `gpu-policy-hash` has {}", hex::encode(.found), hex::encode(.measured))]
    OtherHash {
        /// In the boot event.
        measured: [u8; 32],
        /// Of the document.
        found: [u8; 32],
    },
}

/// Members that allow what weakens the GPUs.
const LOOSENING: [&str; 3] = ["allow_devtools", "allow_debug", "allow_insecure_boot"];

impl MeasuredGpuPolicy {
    /// The policy of a measured document. `None` if the guest knows no GPU policy (before 0.6): it records neither the policy's hash
    /// nor what it attested.
    pub(crate) fn of(boot: &BootClaims, compose: &MeasuredCompose) -> Option<Result<Self, GpuPolicyProblem>> {
        let measured = boot.gpu_policy_hash().copied();
        if measured.is_none() && boot.gpu_attestation().is_none() {
            return None;
        }
        let members = compose.members().ok()?;
        let written = members
            .get("requirements")
            .and_then(|requirements| requirements.get("gpu_policy"))
            .filter(|policy| !policy.is_null());
        Some(Self::read(written, measured))
    }

    fn read(written: Option<&Value>, measured: Option<[u8; 32]>) -> Result<Self, GpuPolicyProblem> {
        let malformed = |problem: String| GpuPolicyProblem::Malformed(problem);
        let empty = Map::new();
        let policy = match written {
            None => &empty,
            Some(Value::Object(policy)) => policy,
            Some(_) => return Err(malformed("no members: it is not an object".to_owned())),
        };
        // Canonical JSON (RFC 8785): booleans and strings alone, under names of ASCII. serde_json's map is sorted, and it
        // escapes what RFC 8785 escapes.
        let found = sha256(Value::Object(policy.clone()).to_string().as_bytes());
        if let Some(measured) = measured.filter(|measured| *measured != found) {
            return Err(GpuPolicyProblem::OtherHash { measured, found });
        }
        let mut read = Self {
            attests_gpus: true,
            loosened: Vec::new(),
            rego_sha256: None,
            is_written: written.is_some(),
        };
        for (name, value) in policy {
            let loosening = LOOSENING.into_iter().find(|known| known == name);
            match (name.as_str(), loosening, value) {
                ("attest_gpu", _, Value::Bool(attests)) => read.attests_gpus = *attests,
                ("rego", _, Value::String(rule)) => read.rego_sha256 = Some(sha256(rule.as_bytes())),
                ("rego", _, Value::Null) => {}
                (_, Some(name), Value::Bool(allows)) => read.loosened.extend(allows.then_some(name)),
                _ => {
                    let name: String = name.chars().take(64).collect();
                    return Err(malformed(format!(
                        "the member {name:?}, which is not known or has another type"
                    )));
                }
            }
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(policy: &Value) -> Result<MeasuredGpuPolicy, GpuPolicyProblem> {
        MeasuredGpuPolicy::read(Some(policy), Some(sha256(policy.to_string().as_bytes())))
    }

    #[test]
    fn no_policy_is_the_hash_of_an_empty_object() {
        let hash = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
        let hash: [u8; 32] = hex::decode(hash).unwrap().try_into().unwrap();
        let read = MeasuredGpuPolicy::read(None, Some(hash)).unwrap();
        assert!(read.attests_gpus && read.loosened.is_empty() && !read.is_written);
        assert!(matches!(
            MeasuredGpuPolicy::read(Some(&json!({"attest_gpu": true})), Some(hash)),
            Err(GpuPolicyProblem::OtherHash { .. })
        ));
    }

    #[test]
    fn what_loosens_it_is_named() {
        let policy = json!({"allow_devtools": true, "allow_debug": false, "allow_insecure_boot": true, "attest_gpu": false,
                            "rego": "package policy\n"});
        let read = read(&policy).unwrap();
        assert!(!read.attests_gpus);
        assert_eq!(read.loosened, ["allow_devtools", "allow_insecure_boot"]);
        assert_eq!(read.rego_sha256, Some(sha256(b"package policy\n")));
    }

    #[test]
    fn a_rule_that_is_null_is_none() {
        let read = read(&json!({"attest_gpu": true, "rego": null})).unwrap();
        assert!(read.attests_gpus && read.rego_sha256.is_none() && read.loosened.is_empty());
    }

    #[test]
    fn an_unknown_member_is_refused() {
        for policy in [
            json!({"allow_all": true}),
            json!({"attest_gpu": "yes"}),
            json!({"rego": 1}),
            json!({"rego": {}}),
            json!([]),
        ] {
            assert!(
                matches!(
                    read(&policy),
                    Err(GpuPolicyProblem::Malformed(_)) | Err(GpuPolicyProblem::OtherHash { .. })
                ),
                "{policy}"
            );
        }
    }
}
