//! From a lock to expectations: what the user's options did not say already.

use super::{AcceptName, Lock, LockError, LockMistake, LockProblem};
use crate::policy::tcb::end_of;
use crate::policy::{
    Expected, GpuExpectations, LockOrigin, LockedCompose, LockedGpus, LockedPlatform, LockedShape,
    OsImageOption, OsImagePolicy, Policy, VulnerableAcceptance,
};

impl Lock {
    /// Fills in what the options left open. `os_image` is what `--os-image` says, if it was given: any other
    /// value than `lock` replaces the lock's, and without it the lock's replaces that of the policy. A compose hash
    /// or a docker compose file that was given by option takes the place of the lock's compose hash and keeps
    /// everything else of the lock: the compose settings above all.
    ///
    /// # Errors
    /// [`LockProblem::NoOsImage`]: `--os-image lock`, but the lock has no registers. [`LockProblem::OtherApp`] and
    /// [`LockProblem::OtherChain`]: the policy names another app or chain, so what else the lock says is not about it.
    pub fn apply(
        &self,
        lock: &LockOrigin,
        os_image: Option<OsImageOption>,
        policy: Policy,
    ) -> Result<Policy, LockError> {
        self.refuse_others(lock, &policy)?;
        let mut locked_shape = policy.locked_shape;
        let os_image = match os_image {
            Some(OsImageOption::Policy(given)) => {
                let rtmr0 = self.os_image.as_ref().and_then(|os| os.rtmr0);
                let rtmr0 = expected(rtmr0, lock, &["os_image", "rtmr0"]);
                locked_shape = locked_shape.or_else(|| {
                    Some(LockedShape {
                        rtmr0: rtmr0?,
                        acpi_change: self.acpi_change(),
                    })
                });
                *given
            }
            Some(OsImageOption::Lock) => self
                .os_policy(lock)
                .ok_or_else(|| LockMistake::of_file(lock.path(), LockProblem::NoOsImage).about("os_image"))?,
            None => self.os_policy(lock).unwrap_or(policy.os_image),
        };
        let of_lock = expected(self.compose_hash, lock, &["compose_hash"]);
        let (compose_hash, replaced_compose_hash) = match (policy.compose_hash, &policy.docker_compose) {
            (None, None) => (of_lock, None),
            (given, _) => (given, of_lock),
        };
        Ok(Policy {
            compose_hash,
            replaced_compose_hash,
            app_id: policy.app_id.or_else(|| expected(self.app_id, lock, &["app_id"])),
            key_provider: policy
                .key_provider
                .or_else(|| expected(self.key_provider.clone(), lock, &["key_provider"])),
            os_image,
            locked_shape,
            sources: super::sources::policy(&self.sources, lock, policy.sources),
            locked_platform: policy.locked_platform.or_else(|| self.platform(lock)),
            locked_compose: policy.locked_compose.or_else(|| self.compose(lock)),
            gpu: GpuExpectations {
                pins: policy.gpu.pins.or_else(|| self.gpus(lock)),
                ..policy.gpu
            },
            kms: self.kms.apply(lock, policy.kms),
            governance: self.governance.apply(lock, policy.governance),
            locked_tls: policy.locked_tls.or_else(|| self.tls.policy()),
            lock: policy.lock.or_else(|| Some(lock.clone())),
            ..policy
        })
    }

    /// A lock of another app or chain would be replaced in that alone, and everything else of it would be wrong.
    fn refuse_others(&self, lock: &LockOrigin, policy: &Policy) -> Result<(), LockError> {
        let refuse = |problem, key| Err(LockMistake::of_file(lock.path(), problem).about(key).into());
        if let (Some(given), Some(own)) = (&policy.app_id, self.app_id)
            && given.value != own
        {
            return refuse(LockProblem::OtherApp(hex::encode(own)), "app_id");
        }
        if let (Some(given), Some(own)) = (&policy.governance.chain_id, self.governance.chain_id)
            && given.value != own
        {
            return refuse(LockProblem::OtherChain(own), "governance.chain_id");
        }
        Ok(())
    }

    fn os_policy(&self, lock: &LockOrigin) -> Option<OsImagePolicy> {
        let os = self.os_image.as_ref()?;
        let sentence = self.accepted.get(&AcceptName::VulnerableImage).cloned();
        let until = os.vulnerable_until.and_then(end_of);
        let vulnerable = until.map(|until| VulnerableAcceptance { until, sentence });
        let accepts_development = self.accepted.contains_key(&AcceptName::DevelopmentImage);
        let lock = lock.clone();
        Some(match os.tuple() {
            Some(tuple) => OsImagePolicy::Lock {
                tuple,
                vulnerable,
                known_by: os.known_by.clone(),
                acpi_change: self.acpi_change(),
                accepts_development,
                lock,
            },
            None => OsImagePolicy::LockedImage {
                registers: os.image(),
                vulnerable,
                known_by: os.known_by.clone(),
                accepts_development,
                lock,
            },
        })
    }

    fn acpi_change(&self) -> Option<String> {
        self.accepted.get(&AcceptName::AcpiChange).cloned()
    }

    fn platform(&self, lock: &LockOrigin) -> Option<LockedPlatform> {
        let any = self.td_attributes.is_some() || self.mr_seam.is_some() || self.fmspc.is_some();
        any.then(|| LockedPlatform {
            td_attributes: self.td_attributes,
            mr_seam: self.mr_seam,
            fmspc: self.fmspc,
            lock: lock.clone(),
        })
    }

    fn gpus(&self, lock: &LockOrigin) -> Option<LockedGpus> {
        (!self.gpus.is_empty()).then(|| LockedGpus {
            pins: self.gpus.clone(),
            lock: lock.clone(),
        })
    }

    /// Images alone expect nothing: they are for people, and the compose hash binds them.
    fn compose(&self, lock: &LockOrigin) -> Option<LockedCompose> {
        (!self.compose_settings.is_empty()).then(|| LockedCompose {
            compose_settings: self.compose_settings.clone(),
            images: self.images.clone(),
            places: self.places.clone(),
            lock: lock.clone(),
        })
    }
}

pub(super) fn expected<T>(value: Option<T>, lock: &LockOrigin, key: &[&str]) -> Option<Expected<T>> {
    value.map(|value| Expected {
        value,
        origin: lock.key(key),
    })
}
