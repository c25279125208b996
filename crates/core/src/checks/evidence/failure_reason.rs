//! Why there is no evidence.

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
    TooFewInstances,
    UnnamedInstances,
    UnsupportedPlatform,
    OtherType,
    MalformedField,
    DuplicateField,
    Internal,
    ShardMissing,
    Deadline,
    NotConfirmed,
    Interrupted,
    NotFinished,
}
