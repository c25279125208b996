//! What Intel's early set says of the platform: the set that becomes the standard one in some weeks. It warns, and never
//! decides.

use dcap_qvl::QuoteCollateralV3;

use super::quote::{self, NotVerified};
use super::{QuoteRefusal, TcbVerdict, TrustRoot};
use crate::evidence::QuoteBytes;

/// What Intel's early set says of the platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EarlyTcb {
    /// Nothing else than the standard set, or nobody asked.
    Nothing,
    /// It could not be had, or does not serve.
    Unavailable(String),
    /// Its own verdict, proven like the standard one.
    Judged(TcbVerdict),
    /// It refuses the quote altogether: below every level, or revoked.
    Refused(String),
}

/// Verifies the quote a second time, with the early set.
pub(super) fn early_of(
    bytes: &QuoteBytes,
    set: Result<&QuoteCollateralV3, &str>,
    root: &TrustRoot,
    at: u64,
) -> EarlyTcb {
    let collateral = match set {
        Ok(collateral) => collateral,
        Err(problem) => return EarlyTcb::Unavailable(problem.to_owned()),
    };
    match quote::verify(bytes, collateral, root, at) {
        Ok(quote) => EarlyTcb::Judged(quote.tcb().clone()),
        Err(NotVerified::Refused(refusal))
            if matches!(
                refusal,
                QuoteRefusal::NoMatchingTcbLevel(_)
                    | QuoteRefusal::LaunchedBelowEveryLevel(_)
                    | QuoteRefusal::Revoked(_)
                    | QuoteRefusal::QeOutOfDate(_)
            ) =>
        {
            EarlyTcb::Refused(refusal.to_string())
        }
        Err(NotVerified::Refused(refusal)) => EarlyTcb::Unavailable(refusal.to_string()),
        Err(NotVerified::Collateral(unusable)) => EarlyTcb::Unavailable(unusable.to_string()),
    }
}
