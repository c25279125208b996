//! NVIDIA's remote attestation service (NRAS): its appraisal of the same reports against golden values and revocation lists
//! (NVIDIA Attestation Service API, `/v4/attest`). Its tokens count if a key of a pinned intermediate signed them; its status
//! codes and its key set alone say nothing.

mod keys;
mod token;

pub use keys::{MAX_KEYS_BYTES, NrasIntermediates};

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use serde_json::value::RawValue;

use super::claims;
use super::device::VerifiedDevice;
use super::devices::GpuDevices;
use crate::evidence::{NrasKind, RecordedNras};
use crate::verify::digest::sha256;
use keys::KeySet;
use token::NrasToken;

/// Bytes of one answer: 1 MiB. One of eight GPUs has about 17 KB.
pub const MAX_ANSWER_BYTES: usize = 1024 * 1024;

/// What NVIDIA's service says of the GPUs and switches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NrasVerdict {
    /// It was not asked.
    NotAsked,
    /// There is no answer.
    Unreachable(String),
    /// The answer is not shown to be NVIDIA's, or is about other devices.
    BadToken(String),
    /// It refuses a device, or all: code and words of the service.
    Refused(String),
    /// A signed claim says that something is wrong.
    BadClaim(String),
    /// A signed claim is absent, or has a form or a version that is not known here.
    UnknownClaim(String),
    /// It does not approve, and what it says of the devices is as in [`NrasVerdict::UnknownClaim`].
    OpenRefusal(String),
    /// It approves of every device. With what it warns of.
    Approved {
        /// One sentence each, without a full stop.
        warnings: Vec<String>,
    },
}

/// Why an answer does not approve.
enum Problem {
    Token(String),
    Refused(String),
    Claim(String),
    UnknownClaim(String),
    OpenRefusal(String),
}

impl Problem {
    /// Of several tokens or answers the problem that weighs most is told: what one leaves open does not hide what is wrong with
    /// another.
    const fn weight(&self) -> u8 {
        match self {
            Self::UnknownClaim(_) => 0,
            Self::Token(_) => 1,
            Self::OpenRefusal(_) => 2,
            Self::Claim(_) => 3,
            Self::Refused(_) => 4,
        }
    }

    /// The one that weighs more, or the first of two alike.
    fn worse(first: Option<Self>, second: Self) -> Option<Self> {
        match first {
            Some(first) if first.weight() >= second.weight() => Some(first),
            _ => Some(second),
        }
    }

    fn verdict(self) -> NrasVerdict {
        match self {
            Self::Token(problem) => NrasVerdict::BadToken(problem),
            Self::Refused(problem) => NrasVerdict::Refused(problem),
            Self::Claim(problem) => NrasVerdict::BadClaim(problem),
            Self::UnknownClaim(problem) => NrasVerdict::UnknownClaim(problem),
            Self::OpenRefusal(problem) => NrasVerdict::OpenRefusal(problem),
        }
    }
}

/// Judges recorded answers about devices that are verified here. `nonce` is the one that the devices signed.
pub(super) fn judge(
    recorded: &RecordedNras,
    devices: &GpuDevices,
    nonce: &[u8; 32],
    pinned: &NrasIntermediates,
    at: u64,
) -> NrasVerdict {
    if let Some(problem) = &recorded.problem {
        return NrasVerdict::Unreachable(problem.clone());
    }
    let keys = match KeySet::parse(recorded.keys.as_deref().unwrap_or_default()) {
        Ok(keys) => keys,
        Err(problem) => return NrasVerdict::BadToken(problem),
    };
    let mut warnings = Vec::new();
    let mut worst = None;
    for (kind, devices) in [
        (NrasKind::Gpu, devices.gpus()),
        (NrasKind::Switch, devices.switches()),
    ] {
        let answer = recorded.answers.iter().find(|answer| answer.kind == kind);
        let (answer, false) = (answer, devices.is_empty()) else {
            continue;
        };
        let Some(answer) = answer else {
            let missing = NrasVerdict::Unreachable("there is no answer about some of the devices".to_owned());
            return worst.map_or(missing, Problem::verdict);
        };
        let inputs = NrasInputs {
            keys: &keys,
            pinned,
            nonce,
            at,
        };
        match inputs.judge(&answer.body, Some(devices)) {
            Ok(found) => warnings.extend(found),
            Err(problem) => worst = Problem::worse(worst, problem),
        }
    }
    worst.map_or(NrasVerdict::Approved { warnings }, Problem::verdict)
}

/// What an answer is judged with.
struct NrasInputs<'a> {
    keys: &'a KeySet,
    pinned: &'a NrasIntermediates,
    nonce: &'a [u8; 32],
    at: u64,
}

impl NrasInputs<'_> {
    /// `[["JWT", overall], {"GPU-0": token, …}]`. Gives what NVIDIA warns of.
    fn judge(&self, body: &str, devices: Option<&[VerifiedDevice]>) -> Result<Vec<String>, Problem> {
        let (overall, tokens) = read(body).map_err(Problem::Token)?;
        let claims = self.verified(&overall).map_err(Problem::Token)?;
        // A refusal of other evidence, which anybody can obtain, says nothing of these devices.
        self.same_nonce(&claims).map_err(Problem::Token)?;
        let judged = self.devices(&claims, &tokens, devices);
        match claims.get("x-nvidia-overall-att-result") {
            Some(Value::Bool(true)) => judged,
            // The tokens of the devices say why. What they leave open neither convicts nor approves.
            Some(Value::Bool(false)) => Err(match judged {
                Err(Problem::UnknownClaim(problem)) => Problem::OpenRefusal(problem),
                Err(problem @ (Problem::Refused(_) | Problem::Claim(_) | Problem::OpenRefusal(_))) => problem,
                Ok(_) | Err(Problem::Token(_)) => {
                    Problem::Refused("the overall result is not true".to_owned())
                }
            }),
            _ => Err(match judged {
                Err(problem @ (Problem::Refused(_) | Problem::Claim(_))) => problem,
                _ => {
                    let problem = "the overall token has no result that this version knows";
                    Problem::UnknownClaim(problem.to_owned())
                }
            }),
        }
    }

    /// The tokens of the devices, which the overall token lists: what they warn of, or what weighs most.
    fn devices(
        &self,
        overall: &Value,
        tokens: &BTreeMap<String, String>,
        devices: Option<&[VerifiedDevice]>,
    ) -> Result<Vec<String>, Problem> {
        let listed = overall.get("submods").and_then(Value::as_object);
        let listed = listed.ok_or_else(|| Problem::Token("the overall token lists no devices".to_owned()))?;
        // A token that it does not list is refused below.
        if listed.keys().any(|name| !tokens.contains_key(name)) {
            let problem = "the devices of the overall token are not those that have tokens";
            return Err(Problem::Token(problem.to_owned()));
        }
        if devices.is_some_and(|devices| devices.len() != tokens.len()) {
            return Err(Problem::Token(format!(
                "there are tokens of {} devices",
                tokens.len()
            )));
        }
        let mut ueids = BTreeSet::new();
        let mut warnings = Vec::new();
        let mut worst = None;
        for (name, token) in tokens {
            let digest = hex::encode(sha256(token.as_bytes()));
            let expected = serde_json::json!(["DIGEST", ["SHA-256", digest]]);
            let judged = match listed.get(name) == Some(&expected) {
                true => self.device(name, token, devices, &mut ueids),
                false => Err(Problem::Token(format!(
                    "the token of {name} is not the one that the overall token lists"
                ))),
            };
            match judged {
                Ok(warning) => warnings.extend(warning),
                Err(problem) => worst = Problem::worse(worst, problem),
            }
        }
        worst.map_or(Ok(warnings), Err)
    }

    /// The token of one device: what it warns of.
    fn device(
        &self,
        name: &str,
        token: &str,
        devices: Option<&[VerifiedDevice]>,
        ueids: &mut BTreeSet<String>,
    ) -> Result<Option<String>, Problem> {
        let claims = self.verified(token).map_err(Problem::Token)?;
        if claims
            .get("x-nvidia-error-details")
            .is_some_and(|details| !details.is_null())
        {
            return Err(Problem::Refused(format!("{name}: {}", error_details(&claims))));
        }
        self.same_nonce(&claims).map_err(Problem::Token)?;
        if let Some(problem) = claims::worst_problem(&claims) {
            let sentence = format!("{name}: {problem}");
            return Err(match problem.convicts() {
                true => Problem::Claim(sentence),
                false => Problem::UnknownClaim(sentence),
            });
        }
        let ueid = claims.get("ueid").and_then(Value::as_str).unwrap_or_default();
        if let Some(devices) = devices {
            let device = devices.iter().find(|device| device.ueid() == ueid);
            let device = device.ok_or_else(|| {
                Problem::Token(format!(
                    "the token of {name} is about another device than was sent"
                ))
            })?;
            same_versions(name, &claims, device).map_err(Problem::Token)?;
        }
        if !ueids.insert(ueid.to_owned()) {
            return Err(Problem::Token("two tokens are about one device".to_owned()));
        }
        Ok(claims::warning(&claims).map(|warning| format!("{name}: {warning}")))
    }

    fn verified(&self, text: &str) -> Result<Value, String> {
        let token = NrasToken::parse(text)?;
        let issued_at = token
            .issued_at()
            .ok_or_else(|| "a token does not say when it was issued".to_owned())?;
        let point = self.keys.point(&token.kid, issued_at, self.pinned)?;
        token.verify(&point, self.at).cloned()
    }

    fn same_nonce(&self, claims: &Value) -> Result<(), String> {
        let found = claims
            .get("eat_nonce")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if found.eq_ignore_ascii_case(&hex::encode(self.nonce)) {
            Ok(())
        } else {
            Err("a token is about another nonce".to_owned())
        }
    }
}

/// `4010 NONCE_NOT_MATCHING`.
fn error_details(claims: &Value) -> String {
    let details = claims.get("x-nvidia-error-details").unwrap_or(&Value::Null);
    let code = details.get("code").map(ToString::to_string).unwrap_or_default();
    let message = details.get("message").and_then(Value::as_str).unwrap_or_default();
    let words: String = format!("{code} {message}").trim().chars().take(120).collect();
    if words.is_empty() {
        "no reason given".to_owned()
    } else {
        words
    }
}

/// The versions that NVIDIA appraised are those in the report.
fn same_versions(name: &str, claims: &Value, device: &VerifiedDevice) -> Result<(), String> {
    let Some(fields) = device.opaque().fields() else {
        return Ok(());
    };
    let pairs = [
        ("x-nvidia-gpu-driver-version", fields.driver()),
        ("x-nvidia-gpu-vbios-version", fields.vbios()),
    ];
    for (claim, ours) in pairs {
        let theirs = claims.get(claim).and_then(Value::as_str);
        if let (Some(theirs), Some(ours)) = (theirs, ours)
            && !theirs.eq_ignore_ascii_case(&ours)
        {
            let theirs: String = theirs.chars().take(40).collect();
            return Err(format!(
                "the token of {name} is about {theirs}, and the report has {ours}"
            ));
        }
    }
    Ok(())
}

/// The overall token, and the token of each device by its name. NVIDIA's Python SDK wraps the answer into a token of its
/// own, which is signed with a key that everybody knows: nothing is read from that one.
fn read(body: &str) -> Result<(String, BTreeMap<String, String>), String> {
    read_layer(body, false)
}

fn read_layer(body: &str, is_inner: bool) -> Result<(String, BTreeMap<String, String>), String> {
    if body.len() > MAX_ANSWER_BYTES {
        return Err(format!(
            "the answer has {} bytes; at most {MAX_ANSWER_BYTES} are read",
            body.len()
        ));
    }
    let malformed = || "the answer is not a list of an overall token and the tokens of devices".to_owned();
    let (first, second): (&RawValue, &RawValue) = serde_json::from_str(body).map_err(|_| malformed())?;
    let (jwt, overall): (String, String) = serde_json::from_str(first.get()).map_err(|_| malformed())?;
    let tokens = crate::evidence::Object::document("the answer of NVIDIA's service", second.get())
        .map_err(|error| error.to_string())?;
    if let Some(inner) = tokens
        .get("REMOTE_GPU_CLAIMS")
        .map_err(|error| error.to_string())?
    {
        // One layer, and no deeper.
        return match is_inner {
            true => Err(malformed()),
            false => read_layer(inner.get(), true),
        };
    }
    if jwt != "JWT" {
        return Err(malformed());
    }
    let mut by_name = BTreeMap::new();
    for (name, value) in tokens.members() {
        let token: String = serde_json::from_str(value.get()).map_err(|_| malformed())?;
        let name: String = name.chars().take(32).collect();
        if by_name.insert(name, token).is_some() {
            return Err("two tokens have one name".to_owned());
        }
    }
    Ok((overall, by_name))
}

#[cfg(test)]
mod refusal_tests;
#[cfg(test)]
mod tests;
