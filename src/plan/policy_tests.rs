//! Settings of several levels, and what becomes of a policy that contradicts itself.

use std::path::Path;

use super::*;
use crate::config::{SettingLevel, WrittenValue};
use crate::plan::setting_problem::settings_error;
use cvm_verify_core::policy::OsImagePolicy;

type Written<'a> = (&'static str, &'a str, SettingLevel);

/// The policy of values, each of a level; or what is wrong with them.
fn planned(values: &[Written]) -> Result<Policy, String> {
    let mut joined = Settings::default();
    for level in [SettingLevel::Defaults, SettingLevel::Target, SettingLevel::Option] {
        let mut settings = Settings::default();
        for (key, text, _) in values.iter().filter(|(.., of)| *of == level) {
            let value = WrittenValue {
                text: (*text).to_owned(),
                origin: Origin::Option(key),
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

/// What a lower level expects is replaced, and does not contradict what a higher one says.
#[test]
fn an_image_and_image_files_of_two_levels_replace_each_other() {
    let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/os-image");
    let files = files.display().to_string();
    let (low, high) = (SettingLevel::Defaults, SettingLevel::Option);
    for image in ["unchecked", "known"] {
        let of = |image_level, files_level| {
            planned(&[
                ("os-image", image, image_level),
                ("os-image-files", &files, files_level),
            ])
        };
        assert!(!matches!(
            of(high, low).unwrap().os_image,
            OsImagePolicy::Published(_)
        ));
        let by_files = of(low, high).unwrap();
        assert!(matches!(by_files.os_image, OsImagePolicy::Published(_)));
        // What is wrong is said of the one that counts.
        let origin = by_files.os_image_origin.map(|origin| origin.to_string());
        assert_eq!(origin.as_deref(), Some("os-image-files"));
        assert!(of(high, high).unwrap_err().contains("os-image"), "{image}");
    }
}

#[test]
fn a_layout_without_a_key_replaces_the_key_of_a_lower_level() {
    let key = "07".repeat(32);
    let (low, high) = (SettingLevel::Defaults, SettingLevel::Target);
    let of = |layout, level| {
        let policy = planned(&[
            ("report-data", "private-ai", low),
            ("report-data-key", key.as_str(), low),
            ("report-data", layout, level),
        ]);
        policy.map(|policy| policy.report_data.key)
    };
    for layout in ["raw", "auto"] {
        assert_eq!(of(layout, high), Ok(None), "{layout}");
    }
    assert_eq!(of("private-ai", high), Ok(Some([7; 32])));
    let values = [
        ("report-data", "raw", low),
        ("report-data-key", key.as_str(), high),
    ];
    refused(&values, "the layout has no place for a key");
}

#[test]
fn a_second_hash_that_another_level_expects_first_adds_nothing() {
    let (hash, other) = ("11".repeat(32), "22".repeat(32));
    let second = format!("{hash}:until=1970-01-02");
    let (low, high) = (SettingLevel::Defaults, SettingLevel::Target);
    let of = |first, level| {
        planned(&[
            ("also-compose-hash", &second, low),
            ("compose-hash", first, level),
        ])
    };
    assert_eq!(of(&hash, high).unwrap().second_compose_hash, None);
    assert!(of(&other, high).unwrap().second_compose_hash.is_some());
    assert!(of(&hash, low).unwrap_err().contains("expects already"));
}

/// A recording of long ago is judged by the policy of today: here one of 1970.
#[test]
fn how_far_ahead_an_end_may_be_is_counted_from_today() {
    let hash = "11".repeat(32);
    let today = cvm_verify_core::report::rfc3339(now()).to_string();
    let until = |day: &str| format!("{}:until={day}", "22".repeat(32));
    let (today, late) = (until(today.get(..10).unwrap()), until("2999-01-01"));
    let first = ("compose-hash", hash.as_str(), SettingLevel::Option);
    let of = |second| planned(&[first, ("also-compose-hash", second, SettingLevel::Option)]);
    assert!(of(&today).unwrap().second_compose_hash.is_some());
    assert!(of(&late).unwrap_err().contains("more than 90 days ahead"));
}
