//! Why something is not proven.

use crate::report::rfc3339;
/// How long before an end the checks warn, seconds: 14 days (docs/checks/collateral.md).
pub const FORECAST: u64 = 14 * 86_400;

/// Why something is not proven. `R` prints as a sentence (`Display`); its variants may change in any release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotProven<R> {
    /// It was not supplied.
    Absent,
    /// What it relies on is not proven.
    NotReached,
    /// It was supplied and is refused.
    Refused(R),
}

impl<R> NotProven<R> {
    /// Why it is refused, if it is.
    pub(super) fn refusal(self) -> Option<R> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            Self::Absent | Self::NotReached => None,
        }
    }
}

/// Who was asked for collateral: what to do differs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CollateralServers {
    /// Intel's and Phala's.
    #[default]
    Public,
    /// The one that the user named.
    Named,
}

/// Why there is no collateral that serves.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnusableCollateral {
    /// None was given.
    #[error("there is no collateral, so nothing in the quote can be verified")]
    Missing,
    /// Each source answered that it has none for this platform.
    #[error("{problem}")]
    NotServed {
        /// What they answered.
        problem: String,
        /// Who was asked.
        servers: CollateralServers,
    },
    /// It could not be fetched.
    #[error("{problem}")]
    Unreachable {
        /// What happened.
        problem: String,
        /// Who was asked.
        servers: CollateralServers,
    },
    /// A part of it has ended.
    #[error("the {what} ended at {}", rfc3339(*.ended))]
    Expired {
        /// Which part.
        what: &'static str,
        /// When it ended, Unix seconds.
        ended: u64,
    },
    /// Its parts are of different times: one ended before another began.
    #[error(
        "the {what} expired at {}, before the {other} became valid at {}: the documents are from different times",
        rfc3339(*.ended), rfc3339(*.begins)
    )]
    NoCommonMoment {
        /// The part that ended.
        what: &'static str,
        /// When it ended, Unix seconds.
        ended: u64,
        /// The part that began later.
        other: &'static str,
        /// When it began, Unix seconds.
        begins: u64,
    },
    /// A part of it cannot be read.
    #[error("the {document} cannot be read: {problem}")]
    Malformed {
        /// Which part.
        document: &'static str,
        /// What is wrong with it, with the member.
        problem: String,
    },
    /// A part of it is not what Intel signed.
    #[error("the {document} is not what Intel signed: {problem}")]
    NotSignedByIntel {
        /// Which part.
        document: &'static str,
        /// What does not hold.
        problem: String,
    },
    /// A part of it is Intel's, and is for another machine or another TEE.
    #[error("the {document} is not for this machine: {problem}")]
    WrongPlatform {
        /// Which part.
        document: &'static str,
        /// What it is for, and what the machine is.
        problem: String,
    },
    /// A part of it begins in the future.
    #[error("the {what} begins at {}, which is in the future", rfc3339(*.begins))]
    NotYetValid {
        /// Which part.
        what: &'static str,
        /// When it begins, Unix seconds.
        begins: u64,
    },
    /// It is of an older TCB evaluation set than an honest source serves at this time.
    #[error("the collateral belongs to TCB evaluation set {number}; at least {floor} is required by now")]
    OldSet {
        /// Its evaluation data number: the lower one of TCB info and QE identity.
        number: u32,
        /// The lowest number that is accepted.
        floor: u32,
    },
    /// It was issued before Intel rated the machine's TDX module: that is newer than every one that it lists.
    #[error(
        "the TCB info does not list the TDX module of this machine: version {version} is newer than every one that it rates"
    )]
    OlderThanModule {
        /// Byte 1 of TEE_TCB_SVN.
        version: u8,
    },
    /// It was fetched longer ago than [`COLLATERAL_LIMIT`].
    #[error(
        "the collateral was fetched at {}, more than {} days before {}",
        rfc3339(*.fetched),
        COLLATERAL_LIMIT / 86_400,
        rfc3339(*.at)
    )]
    TooOld {
        /// When it was fetched, Unix seconds.
        fetched: u64,
        /// The time that was judged at, Unix seconds.
        at: u64,
    },
    /// It says that it was fetched after the time that is judged at, so that nothing is known of its age.
    #[error(
        "by its own record, the collateral was fetched at {}, which is after {}, the time of appraisal",
        rfc3339(*.fetched),
        rfc3339(*.at)
    )]
    FetchedAhead {
        /// When it was fetched, by its own word, Unix seconds.
        fetched: u64,
        /// The time that was judged at, Unix seconds.
        at: u64,
    },
    /// This machine's clock is before the program was made.
    #[error("this machine's clock says {}, which is before this version of cvm-verify was made", rfc3339(*.now))]
    Clock {
        /// What it says, Unix seconds.
        now: u64,
    },
}

/// How long ago collateral may have been fetched, seconds: 7 days. A revocation since then would not be seen.
pub const COLLATERAL_LIMIT: u64 = 7 * 86_400;
