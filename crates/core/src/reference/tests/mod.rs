//! The built-in tables are well formed.

mod file;

use std::collections::HashSet;

use super::rust_source::of_documents;
use super::*;

fn values() -> ReferenceValues {
    of_documents().clone()
}

fn with(text: &str) -> Result<ReferenceValues, ReferenceError> {
    values().with_file("extra.toml", text.as_bytes())
}

fn image(name: &str) -> Arc<OsImageRow> {
    let values = values();
    let row = values.images().iter().find(|row| row.name.as_str() == name);
    Arc::clone(row.unwrap_or_else(|| panic!("{name}")))
}

#[test]
fn each_row_is_well_formed_and_says_where_it_is_from() {
    let values = values();
    assert!(values.images().len() >= 50 && values.scripts().len() >= 27 && values.kms().len() >= 2);
    let mut names = HashSet::new();
    let mut hashes = HashSet::new();
    let mut kernels = HashSet::new();
    for row in values.images() {
        assert!(names.insert(row.name.as_str()), "{} occurs twice", row.name);
        if let Some(hash) = &row.os_image_hash {
            assert!(hashes.insert(hash.0), "{}", row.name);
            assert_eq!(values.image_by_hash(&hash.0), Some(row), "{}", row.name);
        }
        if let Some(registers) = &row.registers {
            for rtmr1 in [Some(registers.rtmr1), registers.rtmr1_qemu_10_2]
                .into_iter()
                .flatten()
            {
                assert!(kernels.insert((rtmr1.0, registers.rtmr2.0)), "{}", row.name);
            }
            for firmware in values
                .firmware
                .iter()
                .filter(|firmware| firmware.name == registers.firmware)
            {
                for rtmr1 in [Some(registers.rtmr1), registers.rtmr1_qemu_10_2]
                    .into_iter()
                    .flatten()
                {
                    let found = values.image_of(&firmware.mrtd.0, &rtmr1.0, &registers.rtmr2.0);
                    assert_eq!(found, Some(row), "{}", row.name);
                }
            }
        }
        assert!(row.source.len() >= 10, "{}: {}", row.name, row.source);
    }
    let scripts: HashSet<[u8; 32]> = values.scripts().iter().map(|row| row.sha256.0).collect();
    assert_eq!(scripts.len(), values.scripts().len());
    for row in values.scripts() {
        assert_eq!(values.script(&row.sha256.to_string()), Some(row));
        assert_eq!(values.script(&row.sha256.to_string().to_uppercase()), None);
    }
    assert_eq!(values.file_sha256(), None);
}

#[test]
fn the_production_images_with_registers_are_these() {
    let values = values();
    let is_sure = |row: &&OsImageRow| {
        row.class == OsClass::Production && row.registers.is_some() && !row.is_third_party()
    };
    let rows = values.images().iter().map(AsRef::as_ref).filter(is_sure);
    let mut names: Vec<&str> = rows.map(|row| row.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "dstack-0.5.3",
            "dstack-0.5.5",
            "dstack-0.5.8",
            "dstack-0.5.9",
            "dstack-nvidia-0.5.4.1",
            "dstack-nvidia-0.5.5",
            "dstack-nvidia-0.5.9",
        ]
    );
    assert!(image("dstack-0.6.0").is_third_party());
    assert_eq!(image("dstack-0.6.0-rc2").class, OsClass::Prerelease);
    assert_eq!(image("dstack-0.6.6").registers, None);
}

#[test]
fn an_image_that_is_not_normalised_has_two_rtmr1_and_is_found_by_both() {
    let values = values();
    let row = image("dstack 0.6.0-rc0 developer build (not normalized)");
    let registers = row.registers.as_ref().expect("registers");
    let other = registers.rtmr1_qemu_10_2.expect("both are known");
    let firmware = values
        .firmware
        .iter()
        .find(|firmware| firmware.name == registers.firmware);
    let mrtd = firmware.expect("its firmware").mrtd.0;
    for rtmr1 in [registers.rtmr1.0, other.0] {
        assert_eq!(values.image_of(&mrtd, &rtmr1, &registers.rtmr2.0), Some(&row));
    }
    assert_eq!(values.image_of(&mrtd, &[7; 48], &registers.rtmr2.0), None);
    // Both are known, so that a third value is not explained by QEMU.
    assert_eq!(values.image_but_for_rtmr1(&mrtd, &registers.rtmr2.0), None);
}

#[test]
fn the_host_alone_gains_by_these_advisories_and_no_other() {
    let values = values();
    let host_alone: Vec<&str> = values
        .advisories()
        .iter()
        .filter(|advisory| advisory.grade == Grade::HostAlone)
        .map(|advisory| advisory.id.as_str())
        .collect();
    assert_eq!(host_alone, ["CVE-2025-59054", "GHSA-c79w-3x5w-gmm5"]);
    for row in values.images() {
        let Some(version) = row.version.as_ref().map(ToString::to_string) else {
            assert_eq!(
                values.advisories_of(row.version.as_ref()),
                Vec::<&Advisory>::new()
            );
            continue;
        };
        let names: Vec<&str> = values
            .host_alone(row.version.as_ref())
            .iter()
            .map(|advisory| advisory.id.as_str())
            .collect();
        let expected: &[&str] = match version.as_str() {
            "0.4.0" | "0.5.3" => &["CVE-2025-59054"],
            "0.6.0" | "0.6.1" => &["GHSA-c79w-3x5w-gmm5"],
            _ if version.starts_with("0.6.0-") => &["GHSA-c79w-3x5w-gmm5"],
            _ => &[],
        };
        assert_eq!(names, expected, "{}", row.name);
    }
}

#[test]
fn the_fix_is_the_lowest_version_of_the_line_without_a_listed_advisory() {
    let values = values();
    for (name, fixed) in [
        ("dstack-0.5.3", "0.5.13"),
        ("dstack-0.5.9", "0.5.13"),
        ("dstack-0.5.12", "0.5.13"),
        ("dstack-0.5.13", "0.5.13"),
        ("dstack-0.6.0", "0.6.3"),
        ("dstack-0.6.0-rc0", "0.6.3"),
        ("dstack-0.6.1", "0.6.3"),
        ("dstack-0.6.2", "0.6.3"),
        ("dstack-0.6.6", "0.6.6"),
    ] {
        let found = values
            .lowest_fixed(image(name).version.as_ref())
            .map(|version| version.to_string());
        assert_eq!(found.as_deref(), Some(fixed), "{name}");
    }
    assert!(
        values
            .advisories_of(image("dstack-0.5.13").version.as_ref())
            .is_empty()
    );
    assert!(
        values
            .advisories_of(image("dstack-0.6.3").version.as_ref())
            .is_empty()
    );
}

#[test]
fn up_to_0_5_12_a_host_could_have_stood_in_for_the_kms() {
    let values = values();
    let says = |name: &str| {
        let row = image(name);
        values
            .advisories_of(row.version.as_ref())
            .iter()
            .filter_map(|advisory| advisory.key_provider.as_ref().map(ToString::to_string))
            .collect::<Vec<_>>()
    };
    for name in ["dstack-0.5.3", "dstack-0.5.12"] {
        assert_eq!(
            says(name),
            ["a host could have stood in for the KMS (#1522); 0.5.13 closes it"],
            "{name}"
        );
    }
    for name in ["dstack-0.5.13", "dstack-0.6.0"] {
        assert!(says(name).is_empty(), "{name}");
    }
}

#[test]
fn they_are_old_after_half_a_year_at_the_time_of_appraisal() {
    let values = values();
    let updated = values
        .updated()
        .and_time(chrono::NaiveTime::MIN)
        .and_utc()
        .timestamp() as u64;
    let day = 86_400;
    assert_eq!(values.days_old(updated + 180 * day), None);
    assert_eq!(values.days_old(updated + 181 * day), Some(181));
    assert_eq!(values.days_old(0), None);
    assert_eq!(values.days_old(u64::MAX), None);
    let newer = with("updated = \"2027-06-01\"\n[[risky_name]]\nnames = [\"MY_LOADER\"]\nmatch = \"exact\"\ngains = \"what it loads\"\nsource = \"its manual\"\ndate = \"2027-06-01\"\n").expect("a file");
    assert_eq!(newer.days_old(updated + 181 * day), None);
}
