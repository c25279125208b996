//! Why there is no evidence.

use crate::evidence::AskedParty;
use crate::verify::NotBound;

/// Why there is no evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvidenceFailure {
    /// The reason.
    pub reason: EvidenceReason,
    /// One sentence with the facts of this case.
    pub detail: String,
    /// Why the TLS certificate of a VM, which the server presented, was not accepted: `tls-binding` judges that.
    pub certificate: Option<NotBound>,
    /// Who was asked: what to do differs.
    pub asked: AskedParty,
}

impl EvidenceFailure {
    /// A failure that no certificate of a VM is part of.
    pub fn new(reason: EvidenceReason, detail: impl Into<String>) -> Self {
        Self {
            reason,
            detail: detail.into(),
            certificate: None,
            asked: AskedParty::App,
        }
    }

    /// The same, of another party than the app.
    #[must_use]
    pub const fn asking(mut self, asked: AskedParty) -> Self {
        self.asked = asked;
        self
    }
}

/// The reasons why there is no evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is explained by its `Reason`")]
pub enum EvidenceReason {
    Unreachable,
    Tls,
    /// Another status than 200: which.
    HttpStatus(u16),
    NotJson,
    TooLarge,
    AddressRefused,
    NoQuote,
    /// Of an instance of a list, in the place of which another one was shown twice.
    RepeatedInstance,
    TooFewInstances,
    UnnamedInstances,
    UnsupportedPlatform,
    OtherType,
    MalformedField,
    DuplicateField,
    Internal,
    ShardMissing,
    Deadline,
    NotJudged,
    NotConfirmed,
    Interrupted,
    NotFinished,
}
