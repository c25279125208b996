//! Settings of several levels, and what becomes of a policy that contradicts itself.

use std::path::Path;

use super::*;
use crate::config::{SettingLevel, WrittenValue};
use crate::plan::setting_problem::settings_error;

type Written<'a> = (&'static str, &'a str, SettingLevel);

/// The policy of values, each of a level; or what is wrong with them.
fn planned(values: &[Written]) -> Result<Policy, String> {
    let mut joined = Settings::default();
    for level in [SettingLevel::Defaults, SettingLevel::Target, SettingLevel::Option] {
        let mut settings = Settings::default();
        for (key, text, _) in values.iter().filter(|(.., of)| *of == level) {
            let value = WrittenValue {
                text: (*text).to_owned(),
                origin: Origin::Option("--test"),
                level,
            };
            settings.set(key, vec![value]);
        }
        joined = settings.over(&joined);
    }
    expectations(&joined, None, 0, &mut FilesOfPlan::default())
        .map(|found| found.policy)
        .map_err(|problems| settings_error(problems).to_string())
}

/// Asserts that values are refused, and what is said.
#[track_caller]
fn refused(values: &[Written], says: &str) {
    let error = planned(values).unwrap_err();
    assert!(error.contains(says), "{error}");
}

#[test]
fn settings_of_a_lock_without_a_compose_hash_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cvm.lock");
    let written = |text: &str| {
        std::fs::write(&path, format!("schema = \"cvm-verify/lock/v1\"\n{text}")).unwrap();
        path.display().to_string()
    };
    let hash = "11".repeat(32);
    let settings = "[compose]\nrunner = \"bash\"\n";
    let lock = written(settings);
    let given = ("lock", lock.as_str(), SettingLevel::Option);
    refused(&[given], "has a section [compose] and no `compose_hash`");
    planned(&[given, ("compose-hash", &hash, SettingLevel::Option)]).unwrap();
    written(&format!("compose_hash = \"{hash}\"\n{settings}"));
    planned(&[given]).unwrap();
    // Images are for people.
    written("[images]\nweb = \"web\"\n");
    assert!(planned(&[given]).is_err());
}
