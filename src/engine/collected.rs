//! What a deployment handed over.

use super::Time;
use super::tls_ask::TlsAsk;
use crate::source::Source;
use cvm_verify_core::checks::{EvidenceFailure, EvidenceReason};
use cvm_verify_core::evidence::Bundle;
use cvm_verify_core::report::ListedInstances;
use cvm_verify_core::verify::Claims;

/// What one instance of a deployment handed over, and what was proven of it.
pub struct Collected {
    /// Which instance of Phala Cloud's list, from 1. Absent where the source answers for one.
    pub instance: Option<usize>,
    /// What was proven, or why there is no evidence.
    pub claims: Result<Claims, EvidenceFailure>,
    /// The time that was judged at, Unix seconds.
    pub at: u64,
    /// Where the collateral came from.
    pub collateral_source: Option<String>,
    /// The evidence for a later replay, where [`Session::keep_bundles`](super::Session::keep_bundles) asks for it.
    pub bundle: Option<Bundle>,
    /// What Phala Cloud lists, where it was asked.
    pub listed: Option<ListedInstances>,
}

impl Collected {
    /// Changes the facts, where there are any.
    pub(super) fn change(&mut self, change: impl FnOnce(Claims) -> Claims) {
        let claims = std::mem::replace(&mut self.claims, Err(internal()));
        self.claims = claims.map(change);
    }

    /// Nothing was handed over, at a time in Unix seconds.
    pub(super) fn nothing(at: u64, gap: EvidenceFailure) -> Self {
        Self {
            instance: None,
            claims: Err(gap),
            at,
            collateral_source: None,
            bundle: None,
            listed: None,
        }
    }
}

/// What a source handed over: one, or one for each instance of an app.
pub struct Collection {
    /// At least one.
    pub instances: Vec<Collected>,
    /// What the source should have shown beside them.
    pub missing: Option<Collected>,
    /// What the user should know beside the reports.
    pub note: Option<String>,
}

impl From<Collected> for Collection {
    fn from(collected: Collected) -> Self {
        Self {
            instances: vec![collected],
            missing: None,
            note: None,
        }
    }
}

/// Who is asked, and what the user has already.
#[derive(Clone, Copy)]
pub(super) struct EvidenceRequest<'a> {
    pub source: &'a Source,
    pub compose_file: Option<&'a [u8]>,
    pub time: Time,
    pub tls: TlsAsk<'a>,
}

/// One target's panic is that target's error; the others go on.
pub(super) fn crashed(at: u64) -> Collection {
    Collected::nothing(at, internal()).into()
}

/// A state of the program that should not be.
pub(super) fn internal() -> EvidenceFailure {
    EvidenceFailure {
        reason: EvidenceReason::Internal,
        detail: "Internal error in cvm-verify while this target was verified.".to_owned(),
        certificate: None,
    }
}

/// What is known of a target that had no answer when the time of the run was up.
pub(super) fn out_of_time(at: u64) -> Collection {
    let gap = EvidenceFailure {
        reason: EvidenceReason::Deadline,
        detail: "The time of the run was up before this target was verified (--deadline).".to_owned(),
        certificate: None,
    };
    Collected::nothing(at, gap).into()
}

/// What is known of a target that had no result that is final when a signal ended the run.
pub(crate) fn interrupted(at: u64) -> Collection {
    let gap = EvidenceFailure {
        reason: EvidenceReason::Interrupted,
        detail: "A signal ended the run before this target had a result that is final.".to_owned(),
        certificate: None,
    };
    Collected::nothing(at, gap).into()
}
