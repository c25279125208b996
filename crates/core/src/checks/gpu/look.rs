//! One thing that was looked at, and what came of it.

use crate::checks::Reason;
use crate::policy::{Origin, Policy};
use crate::report::Status;

/// What one look found: the worst of several decides.
#[derive(Debug, Clone)]
pub(super) enum Look {
    /// Proven. A whole sentence.
    Proven(String),
    /// Not proven. A whole sentence, and who expects otherwise.
    Open(Status, &'static Reason, String, Option<Origin>),
}

impl Look {
    /// Not proven: a failure if GPUs are expected, else a warning. A report that proves nothing is worth no more than none.
    pub(super) fn short(policy: &Policy, reason: &'static Reason, detail: impl Into<String>) -> Self {
        let status = match policy.gpu.expects_gpus() {
            true => Status::Fail,
            false => Status::Warn,
        };
        Self::Open(status, reason, detail.into(), None)
    }

    /// Not determined, through no fault of the deployment: an error if something is expected of GPUs, else a warning.
    pub(super) fn undetermined(policy: &Policy, reason: &'static Reason, detail: impl Into<String>) -> Self {
        let status = match policy.gpu.is_configured() {
            true => Status::Error,
            false => Status::Warn,
        };
        Self::Open(status, reason, detail.into(), None)
    }

    pub(super) fn warn(reason: &'static Reason, detail: impl Into<String>) -> Self {
        Self::Open(Status::Warn, reason, detail.into(), None)
    }

    pub(super) fn fail(reason: &'static Reason, detail: impl Into<String>) -> Self {
        Self::Open(Status::Fail, reason, detail.into(), None)
    }

    /// With who expects otherwise.
    pub(super) fn against(mut self, origin: Origin) -> Self {
        if let Self::Open(_, _, _, by) = &mut self {
            *by = Some(origin);
        }
        self
    }

    pub(super) fn text(&self) -> &str {
        match self {
            Self::Proven(text) | Self::Open(_, _, text, _) => text,
        }
    }
}
