//! What the lock of a target adds to its policy.

use super::named_files::FilesOfPlan;
use super::reader::SettingsReader;
use super::setting_problem::SettingProblem;
use crate::config::{WrittenValue, path_of};
use cvm_verify_core::lock::Lock;
use cvm_verify_core::policy::{OsImageOption, Policy};

impl SettingsReader<'_> {
    pub(super) fn without_lock(&mut self, os_image: Option<OsImageOption>, policy: Policy) -> Policy {
        match (os_image, self.settings.one("os-image")) {
            (Some(OsImageOption::Policy(os_image)), _) => Policy {
                os_image: *os_image,
                ..policy
            },
            (Some(OsImageOption::Lock), Some(value)) if !self.settings.is_flawed("lock") => {
                let problem = "there is no lock; name one with `lock`, or make one with `cvm-verify pin`";
                self.problems.push(SettingProblem::of("os-image", value, problem));
                policy
            }
            _ => policy,
        }
    }

    pub(super) fn with_lock(
        &mut self,
        value: &WrittenValue,
        target: Option<&str>,
        at: u64,
        os_image: Option<OsImageOption>,
        policy: Policy,
        files: &mut FilesOfPlan,
    ) -> Policy {
        let path = path_of(value).display().to_string();
        let Some(file) = self.kept_of_file("lock", value, files.read(&path_of(value))) else {
            return policy;
        };
        let applied = file.lock.of(target, &path).and_then(|lock| {
            lock.check_end(&path, at)?;
            self.refuse_another_app(lock, &path, &policy);
            self.refuse_another_chain(lock, &path, &policy);
            lock.apply(&file.origin_of(target), os_image, policy)
        });
        let policy = self.kept_of_file("lock", value, applied).unwrap_or_default();
        if policy.locked_compose.is_some() && policy.compose_hash.is_none() && policy.docker_compose.is_none()
        {
            let problem = format!(
                "{path} has a section [compose] and no `compose_hash`, so nothing would be compared with that section; make the lock again \
                 with `cvm-verify pin`, or name what is released (--compose-hash, --app-compose-file, --docker-compose)"
            );
            self.problems.push(SettingProblem::of("lock", value, problem));
        }
        policy
    }

    /// What a lock says of contracts is said of its chain: on another one it would be held against contracts that it does not know.
    fn refuse_another_chain(&mut self, lock: &Lock, path: &str, policy: &Policy) {
        let given = policy.governance.chain_id.as_ref().map(|expected| expected.value);
        if let (Some(given), Some(locked), Some(value)) = (
            given,
            lock.governance.chain_id,
            self.settings.one("governance-chain-id"),
        ) && given != locked
        {
            let problem = format!(
                "{path} holds contracts of chain {locked}; correct the number, or pin the contracts again"
            );
            self.problems
                .push(SettingProblem::of("governance-chain-id", value, problem));
        }
    }

    /// A lock of another app would be replaced in its app id alone, and everything else of it would be wrong.
    fn refuse_another_app(&mut self, lock: &Lock, path: &str, policy: &Policy) {
        let given = policy.app_id.as_ref().map(|expected| expected.value);
        if let (Some(given), Some(locked), Some(value)) = (given, lock.app_id, self.settings.one("app-id"))
            && given != locked
        {
            let problem = format!(
                "{path} is the lock of another app ({}); correct the id, or use the lock of this app",
                hex::encode(locked)
            );
            self.problems.push(SettingProblem::of("app-id", value, problem));
        }
    }
}
