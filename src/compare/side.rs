//! One of two things that are compared.

use std::collections::BTreeMap;

use serde_json::Value;

use cvm_verify_core::lock::{Lock, PinRefusal, pin};
use cvm_verify_core::verify::Claims;

/// What a side was read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SideKind {
    /// A lock file.
    Lock,
    /// An evidence bundle.
    Bundle,
    /// A live deployment.
    Live,
}

impl SideKind {
    /// The name as users see it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lock => "lock",
            Self::Bundle => "bundle",
            Self::Live => "live",
        }
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

    /// What was proven of a deployment. `fresh` is whether this run's nonce is signed.
    ///
    /// # Errors
    /// [`PinRefusal`]: something that would be compared is not proven.
    pub fn of_facts(name: String, kind: SideKind, claims: &Claims, fresh: bool) -> Result<Self, PinRefusal> {
        let pinned = pin(
            claims,
            fresh,
            claims.root,
            cvm_verify_core::reference::ReferenceValues::built_in(),
            None,
        )?;
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
            notes: pinned.reservations().iter().map(ToString::to_string).collect(),
        })
    }
}

fn texts(members: &serde_json::Map<String, Value>) -> BTreeMap<String, String> {
    TEXTS
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), members.get(name)?.as_str()?.to_owned())))
        .collect()
}
