//! One of two things that are compared.

use std::collections::BTreeMap;

use serde_json::Value;

use cvm_verify_core::checks::{Check, EvidenceFailure};
use cvm_verify_core::lock::{Lock, PinWarning, observed};
use cvm_verify_core::policy::Policy;
use cvm_verify_core::reference::ReferenceValues;
use cvm_verify_core::report::{CheckId, Status, Verdict};
use cvm_verify_core::verify::{Claims, ComposeRefusal, NotProven};

cvm_verify_core::word_enum! {
    /// What a side was read from.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum SideKind {
        /// A lock file.
        Lock = "lock",
        /// An evidence bundle.
        Bundle = "bundle",
        /// A live deployment.
        Live = "live",
    }
}

/// One of two things that are compared.
#[derive(Debug, Clone, PartialEq)]
pub struct Side {
    /// Its name: path or address.
    pub name: String,
    /// What it was read from.
    pub kind: SideKind,
    /// What it says, or what was proven of it.
    pub lock: Lock,
    /// Texts in its compose document, by field, where the document is known.
    pub texts: BTreeMap<String, String>,
    /// What speaks against it, a sentence each.
    pub notes: Vec<String>,
}

/// Why a side says nothing: a sentence, which may hold an untrusted party's text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoSide {
    /// What it shows is refused.
    #[error("{0}")]
    Refused(String),
    /// It could not be determined.
    #[error("{0}")]
    Unknown(String),
}

impl NoSide {
    /// What a comparison with it ends with.
    #[must_use]
    pub const fn verdict(&self) -> Verdict {
        match self {
            Self::Refused(_) => Verdict::Fail,
            Self::Unknown(_) => Verdict::Inconclusive,
        }
    }
}

impl From<EvidenceFailure> for NoSide {
    fn from(failure: EvidenceFailure) -> Self {
        Self::Unknown(failure.detail)
    }
}

/// Fields of a compose document that are texts of several lines.
const TEXTS: [&str; 4] = [
    "docker_compose_file",
    "pre_launch_script",
    "init_script",
    "bash_script",
];

impl Side {
    /// A lock.
    #[must_use]
    pub fn of_lock(name: String, lock: Lock) -> Self {
        Self {
            name,
            kind: SideKind::Lock,
            lock,
            texts: BTreeMap::new(),
            notes: Vec::new(),
        }
    }

    /// What was proven of a deployment. Of a live one, what may be a recording says nothing: `policy` says how the nonce lies in the
    /// report data.
    ///
    /// # Errors
    /// [`NoSide`]: something that would be compared is not proven.
    pub fn of_claims(name: String, kind: SideKind, claims: &Claims, policy: &Policy) -> Result<Self, NoSide> {
        let freshness = (Check::of(CheckId::Freshness).run)(claims, policy);
        let fresh = freshness.status == Status::Pass;
        let pinned =
            observed(claims, fresh, claims.root, ReferenceValues::built_in(), None).map_err(|refusal| {
                let why = format!("{refusal}.");
                match claims.is_refused() {
                    true => NoSide::Refused(why),
                    false => NoSide::Unknown(why),
                }
            })?;
        if kind == SideKind::Live && !fresh {
            let why = format!("what it shows may be a recording. {}", freshness.detail);
            return Err(match freshness.status {
                Status::Fail => NoSide::Refused(why),
                _ => NoSide::Unknown(why),
            });
        }
        let other = match &claims.compose {
            Err(NotProven::Refused(ComposeRefusal::HashMismatch { text, .. })) => Some(format!(
                "The compose document in the evidence (SHA-256 {}) is not the measured one, and counts as not shown. Another instance, as \
                 in a roll-out, or a cache may have answered /info.",
                hex::encode(text)
            )),
            _ => None,
        };
        let is_said = |warning: &&PinWarning| other.is_none() || **warning != PinWarning::NoComposeDocument;
        let warnings = pinned.warnings().iter().filter(is_said);
        let notes = warnings.map(ToString::to_string).chain(other.clone()).collect();
        let members = claims
            .compose
            .as_ref()
            .ok()
            .and_then(|compose| compose.members().ok());
        Ok(Self {
            name,
            kind,
            lock: pinned.observed().clone(),
            texts: members.map(texts).unwrap_or_default(),
            notes,
        })
    }
}

fn texts(members: &serde_json::Map<String, Value>) -> BTreeMap<String, String> {
    TEXTS
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), members.get(name)?.as_str()?.to_owned())))
        .collect()
}
