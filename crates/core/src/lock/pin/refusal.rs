//! Why a deployment cannot be pinned.

use crate::evidence::EvidenceError;
use crate::lock::MAX_LOCK_BYTES;
use crate::verify::{BootRefusal, ComposeRefusal, LogRefusal, QuoteRefusal, UnusableCollateral};

/// Why a deployment cannot be pinned at all. Nothing that is not proven is ever written down as an expectation,
/// and nothing overrides that.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PinRefusal {
    /// There is no collateral that serves.
    #[error("the quote is not verified: {0}")]
    Collateral(UnusableCollateral),
    /// The quote is refused.
    #[error("the quote is not verified: {0}")]
    Quote(QuoteRefusal),
    /// The quote was not judged.
    #[error("the quote is not verified")]
    QuoteNotReached,
    /// There is no event log.
    #[error("there is no event log, so nothing proves which app runs")]
    NoEventLog,
    /// The event log is refused.
    #[error("the event log does not replay to the quote: {0}")]
    EventLog(LogRefusal),
    /// The boot events are refused.
    #[error("the boot events are refused: {0}")]
    Boot(BootRefusal),
    /// A compose document that is not the measured one: it would mislead anyone who reviews the lock.
    #[error(
        "{0}. While a new release is rolled out, another instance may have answered /info: wait for its end, turn off any cache of /info, and pin again"
    )]
    Compose(ComposeRefusal),
    /// A measured compose document that can be read in more than one way.
    #[error("the measured compose document cannot be read unambiguously: {0}")]
    UnreadableCompose(EvidenceError),
    /// Another OS image than the one that the user named.
    #[error("nothing shows that the VM runs the named OS image: {0}")]
    OtherImage(String),
    /// A key provider that a lock cannot express.
    #[error("the VM's keys come from {0:?}, which this version of cvm-verify does not know")]
    KeyProvider(String),
    /// Contracts that two nodes were asked about and that a lock cannot hold.
    #[error("the contracts that govern the app are not known: {0}")]
    Governance(String),
    /// KMSs that were asked and that a lock cannot hold.
    #[error("the KMS of the app is not known: {0}")]
    Kms(String),
    /// A compose document whose fields do not fit into a lock.
    #[error("the lock would have {0} bytes; at most {MAX_LOCK_BYTES} are read")]
    TooLarge(usize),
}
