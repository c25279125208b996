//! Why a Sigstore bundle proves nothing.

use crate::report::rfc3339;

/// Against whom a refusal speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// Against the bundle.
    Convicts,
    /// A form that this version does not read is not a forgery: nothing is determined, unless another bundle says more.
    Unread,
    /// The program or this machine falls short, whatever other bundles say: this one may be the right one.
    Ours,
}

/// Why a Sigstore bundle proves nothing about an image. The text continues "a statement exists in SOURCE, but".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not a bundle: not JSON, a field of another type, too large.
    #[error("the bundle is malformed: {0}")]
    Malformed(&'static str),
    /// A bundle of a kind that is not read: another version, a managed key, a signature over bytes.
    #[error("its kind is not supported: {0}")]
    Unsupported(&'static str),
    /// No certificate authority that is trusted issued the certificate.
    #[error("its certificate does not chain to a trusted certificate authority")]
    UntrustedChain,
    /// The signature was made when a certificate was not valid.
    #[error("it was signed outside the validity of a certificate")]
    OutsideValidity,
    /// The certificate has no signed certificate timestamp, which every public Sigstore certificate has.
    #[error("its certificate carries no certificate transparency timestamp")]
    NoSct,
    /// No trusted certificate transparency log signed the timestamp.
    #[error("the certificate transparency timestamp does not verify")]
    SctInvalid,
    /// The signature is in no transparency log.
    #[error("it is not in the transparency log")]
    NotLogged,
    /// The log entry has no inclusion proof or no checkpoint.
    #[error("its log entry has no inclusion proof")]
    NoInclusionProof,
    /// A log that is not trusted.
    #[error("it is logged in a transparency log that is not trusted")]
    UnknownLog,
    /// The proof does not show the entry in the log.
    #[error("the proof of its log entry does not verify")]
    InclusionInvalid,
    /// The log did not sign the checkpoint.
    #[error("the checkpoint of its log entry does not verify")]
    CheckpointInvalid,
    /// The log did not sign the promise of the entry, and so not its time.
    #[error("the signed time of its log entry does not verify")]
    SetInvalid,
    /// The log entry is about something else.
    #[error("its log entry is of another signature")]
    LogEntryMismatch,
    /// A time outside what the log's key or the certificate is valid for.
    #[error("its signed time is outside the validity of the log's key or of the certificate")]
    TimeInvalid,
    /// A time after this machine's: one of the two clocks is wrong.
    #[error(
        "it was signed at {}, and it is {} by this machine's clock",
        rfc3339(*signed),
        rfc3339(*now)
    )]
    TimeAhead {
        /// The signed time, Unix seconds.
        signed: u64,
        /// The time that was judged at, Unix seconds.
        now: u64,
    },
    /// The library judges by this machine's clock, which is before the time that is judged at, and before the end of the certificate.
    #[error(
        "this machine's clock says {}, which is before its certificate ended, and it is judged as of {}",
        rfc3339(*clock),
        rfc3339(*now)
    )]
    ClockBehind {
        /// This machine's time, Unix seconds.
        clock: u64,
        /// The time that was judged at, Unix seconds.
        now: u64,
    },
    /// A timestamp over something else.
    #[error("its timestamp is of another signature")]
    TimestampOtherSignature,
    /// No trusted timestamp authority signed the timestamp.
    #[error("its timestamp does not verify under a trusted timestamp authority")]
    TimestampUntrusted,
    /// A timestamp from a time when its authority was not valid.
    #[error("its timestamp is outside the validity of the timestamp authority")]
    TimestampOutsideValidity,
    /// Neither a timestamp nor a signed log time.
    #[error("no signed time says when it was made")]
    NoAuthenticatedTime,
    /// The signature over the statement does not verify.
    #[error("its signature does not verify")]
    SignatureInvalid,
    /// The statement is about another digest.
    #[error("it is about another digest")]
    OtherSubject,
    /// The statement is about what an index has for linux/amd64, and another platform runs.
    #[error(
        "it is about the image for linux/amd64, and a container or a script of the compose document names another platform"
    )]
    OtherPlatform,
    /// The statement contradicts the certificate that signed it.
    #[error("its provenance contradicts its certificate: {0}")]
    PredicateMismatch(&'static str),
    /// The certificate is newer than the trusted roots: those that are compiled in, or the newest key of a file.
    #[error(
        "its certificate is newer than the Sigstore roots; update cvm-verify, or give a current file with --sigstore-root"
    )]
    RootOutdated,
    /// The trusted root cannot be used.
    #[error("the Sigstore root cannot be used")]
    RootUnusable,
}

impl Refusal {
    /// How far the bundle got: of several refused bundles, the one that got furthest says most.
    #[must_use]
    pub const fn progress(self) -> u8 {
        match self {
            Self::Malformed(_) => 0,
            Self::Unsupported(_) => 1,
            Self::OtherSubject | Self::OtherPlatform => 3,
            Self::PredicateMismatch(_) => 4,
            _ => 2,
        }
    }

    /// Against whom it speaks.
    #[must_use]
    pub(crate) const fn weight(self) -> Weight {
        match self {
            Self::RootOutdated | Self::RootUnusable | Self::TimeAhead { .. } | Self::ClockBehind { .. } => {
                Weight::Ours
            }
            Self::Unsupported(_) => Weight::Unread,
            Self::Malformed(_)
            | Self::UntrustedChain
            | Self::OutsideValidity
            | Self::NoSct
            | Self::SctInvalid
            | Self::NotLogged
            | Self::NoInclusionProof
            | Self::UnknownLog
            | Self::InclusionInvalid
            | Self::CheckpointInvalid
            | Self::SetInvalid
            | Self::LogEntryMismatch
            | Self::TimeInvalid
            | Self::TimestampOtherSignature
            | Self::TimestampUntrusted
            | Self::TimestampOutsideValidity
            | Self::NoAuthenticatedTime
            | Self::SignatureInvalid
            | Self::OtherSubject
            | Self::OtherPlatform
            | Self::PredicateMismatch(_) => Weight::Convicts,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In the order in which a bundle is judged.
    #[test]
    fn of_refused_bundles_the_one_that_got_furthest_says_most() {
        let refusals = [
            Refusal::Malformed(""),
            Refusal::Unsupported(""),
            Refusal::SignatureInvalid,
            Refusal::OtherSubject,
            Refusal::PredicateMismatch(""),
        ];
        assert!(
            refusals
                .windows(2)
                .all(|pair| pair[0].progress() < pair[1].progress())
        );
        assert_eq!(
            Refusal::UntrustedChain.progress(),
            Refusal::TimeInvalid.progress()
        );
    }
}
