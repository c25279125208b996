//! What the lock of a target adds to its policy.

use super::named_files::FilesOfPlan;
use super::reader::SettingsReader;
use super::setting_problem::SettingProblem;
use crate::config::{WrittenValue, path_of};
use crate::files::notes_on_needless;
use cvm_verify_core::lock::{LockFile, LockProblem};
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
        os_image: Option<OsImageOption>,
        policy: Policy,
        files: &mut FilesOfPlan,
    ) -> Policy {
        let path = path_of(value).display().to_string();
        let Some(file) = self.kept_of_file("lock", value, files.read(&path_of(value))) else {
            return policy;
        };
        let origin = file.origin_of(target);
        let lock = file.lock.of(target, &path);
        if let Ok(lock) = &lock {
            let part = target.filter(|_| matches!(file.lock, LockFile::Several(_)));
            let key = (path_of(value), part.map(str::to_owned));
            files.needless(key, notes_on_needless(lock, &origin, &policy.reference));
        }
        let applied = lock.and_then(|lock| lock.apply(&origin, os_image, policy));
        applied.unwrap_or_else(|error| {
            let contradicted = match error.all().first().map(|mistake| &mistake.problem) {
                Some(LockProblem::OtherApp(_)) => Some("app-id"),
                Some(LockProblem::OtherChain(_)) => Some("governance-chain-id"),
                _ => None,
            };
            let given = contradicted.and_then(|key| Some((key, self.settings.one(key)?)));
            self.problems.push(match given {
                Some((key, given)) => SettingProblem::of(key, given, error),
                None => SettingProblem::of_named_file("lock", value, error),
            });
            Policy::default()
        })
    }
}
