//! What one run found of one target, as far as it matters to what is told.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::failure::Failure;
use super::forecast::Forecast;
use crate::config::Policy;
use crate::report::{TargetReport, TrustRootKind};

/// What a target was judged by: SHA-256 of the policy. 32 bytes, hex in JSON.
///
/// It is made of the policy's own description, so another version of the program may give the same policy another
/// fingerprint. Then a recovery is told one run later; nothing is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(#[serde(with = "hex")] [u8; 32]);

impl Fingerprint {
    /// The fingerprint of `policy`.
    #[must_use]
    pub fn of(policy: &Policy) -> Self {
        Self(Sha256::digest(format!("cvm-verify/policy/v1\n{policy:?}")).into())
    }

    /// The same under another root than Intel's is another policy.
    fn under(self, root: TrustRootKind) -> Self {
        match root {
            TrustRootKind::Intel => self,
            TrustRootKind::Custom => Self(
                Sha256::new_with_prefix(b"custom root")
                    .chain_update(self.0)
                    .finalize()
                    .into(),
            ),
        }
    }
}

/// What one run found of one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// When it was found, Unix seconds.
    pub at: u64,
    /// What failed; absent for a pass.
    pub failure: Option<Failure>,
    /// What the target was judged by.
    pub policy: Fingerprint,
    /// What a pass says ahead of.
    pub forecasts: Vec<Forecast>,
}

impl Observation {
    /// Of a `report` that was made at `now` (Unix seconds) by a policy.
    #[must_use]
    pub fn of(report: &TargetReport, policy: Fingerprint, now: u64) -> Self {
        Self {
            at: now,
            failure: Failure::of(report, now),
            policy: policy.under(report.trust_root),
            forecasts: Forecast::all_in(report),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::samples;
    use crate::config::{Expected, Origin};

    #[test]
    fn every_expectation_is_part_of_the_fingerprint() {
        let default = Fingerprint::of(&Policy::default());
        assert_eq!(Fingerprint::of(&Policy::default()), default);
        let other = Policy {
            compose_hash: Some(Expected {
                value: [1; 32],
                origin: Origin::Option("--compose-hash"),
            }),
            ..Policy::default()
        };
        assert_ne!(Fingerprint::of(&other), default);
    }

    #[test]
    fn a_policy_is_what_is_expected_wherever_that_is_written() {
        let at = |origin| Policy {
            compose_hash: Some(Expected {
                value: [1; 32],
                origin,
            }),
            ..Policy::default()
        };
        let by_option = Fingerprint::of(&at(Origin::Option("--compose-hash")));
        for origin in [
            Origin::Lock("a.lock".to_owned()),
            Origin::Lock("b.lock".to_owned()),
        ] {
            assert_eq!(Fingerprint::of(&at(origin)), by_option);
        }
    }

    #[test]
    fn another_root_is_another_policy() {
        let policy = Fingerprint::of(&Policy::default());
        let mut report = samples::pass();
        let genuine = Observation::of(&report, policy, 0);
        report.trust_root = TrustRootKind::Custom;
        assert_ne!(Observation::of(&report, policy, 0).policy, genuine.policy);
    }
}
