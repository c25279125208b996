//! This machine's clock, which the Sigstore library reads: what it refuses because of that clock alone is not held against a bundle.
//!
//! The library (sigstore-verify 0.15.1 `verify_impl/tlog.rs` and `verify_impl/helpers.rs`, sigstore-trust-root 0.15.1
//! `trusted_root.rs`) leaves out keys and authorities whose validity begins after its clock, and refuses times after it. The time that
//! a bundle is judged at is an argument, and may be later than a clock that runs behind.

use std::time::{SystemTime, UNIX_EPOCH};

use super::Refusal;

/// What the library refused at `now`, Unix seconds, of a bundle whose certificate ended at `leaf_ends`: that this machine's clock is
/// behind, where nothing else need be wrong. Only a refusal changes, and never into an acceptance.
pub(super) fn blamed(refusal: Refusal, leaf_ends: u64, now: u64) -> Refusal {
    let clock = SystemTime::now().duration_since(UNIX_EPOCH).ok();
    blamed_at(refusal, leaf_ends, now, clock.map_or(0, |since| since.as_secs()))
}

/// A certificate is for one signature: a clock behind its end had begun every validity that the bundle rests on.
const fn blamed_at(refusal: Refusal, leaf_ends: u64, now: u64, clock: u64) -> Refusal {
    let depends_on_clock = matches!(
        refusal,
        Refusal::TimeInvalid
            | Refusal::UntrustedChain
            | Refusal::SctInvalid
            | Refusal::UnknownLog
            | Refusal::CheckpointInvalid
            | Refusal::SetInvalid
            | Refusal::TimestampUntrusted
            | Refusal::NoAuthenticatedTime
    );
    if depends_on_clock && clock < now && clock < leaf_ends {
        return Refusal::ClockBehind { clock, now };
    }
    refusal
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::provenance::Weight;

    #[test]
    fn what_only_a_clock_that_runs_behind_explains_does_not_convict() {
        let (ends, now) = (1_700_000_600, 1_750_000_000);
        for refusal in [
            Refusal::TimeInvalid,
            Refusal::UntrustedChain,
            Refusal::CheckpointInvalid,
        ] {
            for clock in [0, ends - 1] {
                let found = blamed_at(refusal, ends, now, clock);
                assert_eq!(found, Refusal::ClockBehind { clock, now });
                assert_eq!(found.weight(), Weight::Ours);
            }
            // It began everything that the bundle rests on, or is the time that is judged at.
            for (clock, now) in [(ends, now), (now + 1, now), (ends - 1, ends - 1), (ends - 1, 0)] {
                let found = blamed_at(refusal, ends, now, clock);
                assert_eq!((found, found.weight()), (refusal, Weight::Convicts));
            }
        }
        assert_eq!(
            blamed_at(Refusal::SignatureInvalid, ends, now, 0),
            Refusal::SignatureInvalid
        );
        assert_eq!(blamed(Refusal::TimeInvalid, u64::MAX, 0), Refusal::TimeInvalid);
        let at_end = blamed(Refusal::TimeInvalid, u64::MAX, u64::MAX);
        assert_eq!(at_end.weight(), Weight::Ours);
    }
}
