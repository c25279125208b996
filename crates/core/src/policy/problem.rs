//! What is wrong with a policy as a whole: what nothing would be compared with, and what is accepted for too long.

use super::appraisal::Policy;
use super::expected::Origin;
use super::os_image::OsImagePolicy;
use super::tcb::{MAX_EXCEPTION_DAYS, is_too_far};
use crate::report::CheckId;
use crate::verify::Layout;

/// One thing that is wrong with a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyProblem {
    /// The key of the policy file that says it.
    pub key: &'static str,
    /// The check that judges by it.
    pub check: CheckId,
    /// Where it is written, if the policy says so.
    pub origin: Option<Origin>,
    /// What is wrong, one sentence without its full stop. It goes on after the key.
    pub text: String,
}

impl Policy {
    /// Everything that is wrong with it. [`appraise()`](crate::appraise()) makes each expectation that it cannot compare an error of its
    /// check. It does not know what day it is for who writes an acceptance: refuse a policy that accepts something until a day more
    /// than 90 days after `today`, Unix seconds.
    #[must_use]
    pub fn problems(&self, today: u64) -> Vec<PolicyProblem> {
        let mut problems = self.not_compared();
        problems.extend(self.late_ends(today));
        problems
    }

    /// What is expected and cannot be compared with anything.
    #[doc(hidden)]
    #[must_use]
    pub fn not_compared(&self) -> Vec<PolicyProblem> {
        let mut problems = Vec::new();
        let mut add = |key, check, text| {
            problems.push(PolicyProblem {
                key,
                check,
                origin: self.setting(key),
                text,
            });
        };
        if self.report_data.key.is_some() && !self.report_data.layout.is_some_and(Layout::has_key) {
            let with_key = Layout::ALL.into_iter().filter(|layout| layout.has_key());
            let known: Vec<&str> = with_key.map(Layout::as_str).collect();
            let text = format!(
                "the layout has no place for a key; name one that has a place, with --report-data: {}",
                known.join(", ")
            );
            add("report-data-key", CheckId::ReportData, text);
        }
        if self.compose_hash.is_some() || self.docker_compose.is_some() {
            return problems;
        }
        if self.second_compose_hash.is_some() {
            let text = "it is the second of two hashes, and there is no first; give --compose-hash, --app-compose-file, \
                        --docker-compose or --lock";
            add("also-compose-hash", CheckId::ComposeHash, text.to_owned());
        }
        if let Some(locked) = &self.locked_compose {
            let text = format!(
                "{} has a section [compose] and no `compose_hash`, so nothing would be compared with that section; make the lock again \
                 with `cvm-verify pin`, or name what is released (--compose-hash, --app-compose-file, --docker-compose)",
                locked.lock.path()
            );
            add("lock", CheckId::ComposeHash, text);
        }
        problems
    }

    /// What a check is to compare and cannot.
    pub(crate) fn not_compared_by(&self, check: CheckId) -> Option<PolicyProblem> {
        let mut problems = self.not_compared().into_iter();
        problems.find(|problem| problem.check == check)
    }

    /// What is accepted until a day too far ahead of `today`, Unix seconds.
    #[doc(hidden)]
    #[must_use]
    pub fn late_ends(&self, today: u64) -> Vec<PolicyProblem> {
        let mut problems = Vec::new();
        let mut add = |key, check, origin: Option<Origin>, text| {
            problems.push(PolicyProblem {
                key,
                check,
                origin: origin.or_else(|| self.setting(key)),
                text,
            });
        };
        for exception in &self.tcb.exceptions {
            if let Err(error) = exception.check_end(today) {
                add(
                    "accept-tcb",
                    CheckId::TcbStatus,
                    exception.origin.clone(),
                    error.to_string(),
                );
            }
        }
        if let Some(Err(error)) = self
            .second_compose_hash
            .as_ref()
            .map(|second| second.check_end(today))
        {
            add("also-compose-hash", CheckId::ComposeHash, None, error.to_string());
        }
        let of_kms = self.kms.os_image.as_ref().map(|(image, _)| image);
        for (key, check, image) in [
            ("os-image", CheckId::OsImage, Some(&self.os_image)),
            ("kms-os-image", CheckId::Kms, of_kms),
        ] {
            match image {
                Some(OsImagePolicy::Published(named)) => {
                    if let Err(error) = named.check_end(today) {
                        add(key, check, None, error.to_string());
                    }
                }
                Some(
                    OsImagePolicy::Lock { vulnerable, lock, .. }
                    | OsImagePolicy::LockedImage { vulnerable, lock, .. },
                ) if vulnerable
                    .as_ref()
                    .is_some_and(|accepted| is_too_far(accepted.until, today)) =>
                {
                    let text = format!(
                        "`os_image.vulnerable_until` of {} is more than {MAX_EXCEPTION_DAYS} days ahead; set an earlier day, and renew it \
                         after you have checked the vulnerability again",
                        lock.path()
                    );
                    add("lock", check, None, text);
                }
                _ => {}
            }
        }
        problems
    }
}
