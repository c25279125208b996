//! The attempts of one run that did not pass, before the one that its result is of.

use serde::{Deserialize, Serialize};

use super::CheckId;

/// The attempts of a run (`--wait`) that did not pass, before the one that the result is of. Several instances may answer at
/// one address: a pass after a failure is not known to be of the instance that failed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub struct EarlierAttempts {
    /// How many.
    pub not_passed: u32,
    /// The checks that they did not pass by, each with its reason once, in the order in which they were found; at most 16.
    pub reasons: Vec<AttemptReason>,
}

/// What an attempt did not pass by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub struct AttemptReason {
    /// The check.
    pub check: CheckId,
    /// The code of its reason.
    pub reason: String,
}

impl EarlierAttempts {
    /// How many reasons are listed.
    pub(crate) const MAX_REASONS: usize = 16;

    /// Counts one more attempt that did not pass, by `reasons`.
    pub fn add(&mut self, reasons: impl IntoIterator<Item = AttemptReason>) {
        self.not_passed = self.not_passed.saturating_add(1);
        for reason in reasons {
            if self.reasons.len() < Self::MAX_REASONS && !self.reasons.contains(&reason) {
                self.reasons.push(reason);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_are_counted_and_each_reason_is_listed_once() {
        let mut attempts = EarlierAttempts::default();
        for number in 0..100_u32 {
            attempts.add([
                AttemptReason {
                    check: CheckId::Evidence,
                    reason: "unreachable".to_owned(),
                },
                AttemptReason {
                    check: CheckId::ComposeHash,
                    reason: number.to_string(),
                },
            ]);
        }
        assert_eq!(attempts.not_passed, 100);
        assert_eq!(attempts.reasons.len(), EarlierAttempts::MAX_REASONS);
        let unreachable = |one: &&AttemptReason| one.check == CheckId::Evidence;
        assert_eq!(attempts.reasons.iter().filter(unreachable).count(), 1);
    }
}
