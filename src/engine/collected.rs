//! What a deployment supplied.

use super::time::JUDGING;
use super::tls_ask::TlsAsk;
use super::{Computation, TimeLimits};
use crate::source::Source;
use cvm_verify_core::checks::{EvidenceFailure, EvidenceReason};
use cvm_verify_core::evidence::Bundle;
use cvm_verify_core::report::{CheckId, ListedInstances, TargetReport};
use cvm_verify_core::verify::{BootClaims, Claims};

/// What one instance of a deployment supplied, and what was proven of it.
pub struct Collected {
    /// Which instance of Phala Cloud's list, from 1. Absent where the source answers for one.
    pub instance: Option<usize>,
    /// What was proven, or why there is no evidence. On the heap: it is large, and each future that it goes through would copy it.
    pub claims: Result<Box<Claims>, EvidenceFailure>,
    /// The time that was judged at, Unix seconds.
    pub at: u64,
    /// The evidence for a later replay, where [`Session::keep_bundles`](super::Session::keep_bundles) asks for it.
    pub bundle: Option<Bundle>,
    /// What Phala Cloud lists, if it was asked.
    pub listed: Option<ListedInstances>,
}

impl Collected {
    /// What was proven, if there is evidence.
    #[must_use]
    pub fn claims(&self) -> Option<&Claims> {
        self.claims.as_deref().ok()
    }

    /// What the measured OS recorded, if that is proven.
    #[must_use]
    pub fn boot(&self) -> Option<&BootClaims> {
        self.claims()?.boot.as_ref().ok()
    }

    /// Changes the claims, if there are any, by what is computed apart.
    pub(super) async fn change_by(
        &mut self,
        computation: &Computation,
        change: impl FnOnce(Claims) -> Claims + Send + 'static,
    ) {
        let claims = std::mem::replace(&mut self.claims, Err(internal()));
        self.claims = match claims {
            Ok(claims) => Ok(computation.run(move || Box::new(change(*claims))).await),
            Err(failure) => Err(failure),
        };
    }

    /// Changes the claims, if there are any.
    pub(super) fn change(&mut self, change: impl FnOnce(Claims) -> Claims) {
        let claims = std::mem::replace(&mut self.claims, Err(internal()));
        self.claims = claims.map(|claims| Box::new(change(*claims)));
    }

    /// Nothing was supplied, at a time in Unix seconds.
    pub(super) fn nothing(at: u64, failure: EvidenceFailure) -> Self {
        Self {
            instance: None,
            claims: Err(failure),
            at,
            bundle: None,
            listed: None,
        }
    }
}

/// What a source supplied: one, or one for each instance of an app.
pub struct Collection {
    /// At least one.
    pub instances: Vec<Collected>,
    /// What the source should have shown next to them.
    pub missing: Option<Collected>,
    /// What the user should know next to the reports.
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
    pub time: TimeLimits,
    /// For what is asked beside the evidence.
    pub beside: TimeLimits,
    pub tls: TlsAsk<'a>,
    /// What is computed of this target.
    pub computation: &'a Computation,
}

/// One target's panic is that target's error; the others go on.
pub(super) fn crashed(at: u64) -> Collection {
    Collected::nothing(at, internal()).into()
}

/// A state of the program that should not be.
pub(super) fn internal() -> EvidenceFailure {
    EvidenceFailure::new(
        EvidenceReason::Internal,
        "Internal error in cvm-verify while it verified this target.",
    )
}

/// What is known of a target that had no answer when the time of the run was up.
pub(super) fn out_of_time(at: u64) -> Collection {
    let failure = EvidenceFailure::new(
        EvidenceReason::Deadline,
        "The time of the run was over before this target was verified (--deadline).",
    );
    Collected::nothing(at, failure).into()
}

/// What is known of a target that sent evidence, if that was not judged in the time there is for it.
pub(super) fn not_judged(at: u64) -> Collection {
    let failure = EvidenceFailure::new(
        EvidenceReason::NotJudged,
        format!(
            "The target answered, and its evidence was not judged within {} seconds.",
            JUDGING.as_secs()
        ),
    );
    Collected::nothing(at, failure).into()
}

/// What is known of a target that had no result that is final when a signal ended the run.
pub(crate) fn interrupted(at: u64) -> Collection {
    let failure = EvidenceFailure::new(
        EvidenceReason::Interrupted,
        "A signal ended the run before the result of this target was final.",
    );
    Collected::nothing(at, failure).into()
}

/// Whether a signal ended the run before this target had a result.
pub(crate) fn is_interrupted(report: &TargetReport) -> bool {
    let evidence = report.check(CheckId::Evidence);
    evidence.is_some_and(|check| check.reason.as_deref() == Some("interrupted"))
}
