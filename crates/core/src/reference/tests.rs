//! The built-in tables are well formed, and a user's file adds to them and changes nothing of them.

use std::collections::HashSet;

use proptest::prelude::*;

use super::rust_source::{documents, of_documents};
use super::*;
use crate::toml_text::{Mistake, TomlProblem};

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
    let newer = with("updated = \"2027-06-01\"\n[[risky_name]]\nname = \"MY_LOADER\"\nmatch = \"exact\"\ngains = \"what it loads\"\nsource = \"its manual\"\ndate = \"2027-06-01\"\n").expect("a file");
    assert_eq!(newer.days_old(updated + 181 * day), None);
}

const HEAD: &str = "updated = \"2026-11-25\"\n";

fn row(table: &str, members: &[(&str, &str)]) -> String {
    let members: String = members
        .iter()
        .map(|(name, value)| format!("{name} = {value}\n"))
        .collect();
    format!("[[{table}]]\n{members}source = \"ours\"\ndate = \"2026-11-25\"\n")
}

fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

#[test]
fn a_file_adds_images_shapes_scripts_services_names_and_advisories() {
    let hash = "ab".repeat(32);
    let register = quoted(&"cd".repeat(48));
    let text = [
        HEAD.to_owned(),
        row(
            "firmware",
            &[
                ("name", "\"ours\""),
                ("mrtd", &register),
                ("note", "\"our own OVMF\""),
            ],
        ),
        row(
            "image",
            &[
                ("name", "\"ours-1.0\""),
                ("version", "\"1.0\""),
                ("class", "\"production\""),
                ("os_image_hash", &quoted(&hash)),
                ("firmware", "\"ours\""),
                ("rtmr1", &register),
                ("rtmr2", &register),
            ],
        ),
        row("rtmr0", &[("value", &register), ("shape", "\"3 CPUs\"")]),
        row(
            "script",
            &[
                ("version", "\"ours\""),
                ("sha256", &quoted(&hash)),
                ("text", "\"published\""),
            ],
        ),
        row(
            "kms",
            &[
                ("name", "\"our-kms\""),
                ("what", "\"ours\""),
                ("id", &quoted(&"3059".repeat(20))),
            ],
        ),
        row(
            "kms_image",
            &[
                ("name", "\"our-kms 1.0\""),
                ("digest", &quoted(&format!("sha256:{}", "ab".repeat(32)))),
            ],
        ),
        row(
            "risky_name",
            &[
                ("name", "\"OUR_HOOK\""),
                ("match", "\"exact\""),
                ("gains", "\"what runs\""),
            ],
        ),
        row(
            "advisory",
            &[
                ("id", "\"OURS-1\""),
                ("grade", "\"host-alone\""),
                ("what", "\"a hole\""),
                ("gain", "\"the host reads everything\""),
                ("affected", "[{ line = \"0.6\", before = \"0.6.7\" }]"),
            ],
        ),
    ]
    .concat();
    let values = with(&text).unwrap_or_else(|error| panic!("{error}"));
    let found = values
        .image_of(&[0xcd; 48], &[0xcd; 48], &[0xcd; 48])
        .expect("the image");
    assert_eq!(found.name.as_str(), "ours-1.0");
    assert_eq!(values.shape_of(&[0xcd; 48]), Some("3 CPUs"));
    assert!(values.script(&hash).is_some_and(ScriptRow::is_published));
    assert!(values.kms_named("our-kms").is_some());
    let kms_image = format!("registry.example/kms:1.0@sha256:{}", "ab".repeat(32));
    assert_eq!(values.kms_image(&kms_image).unwrap().name.as_str(), "our-kms 1.0");
    for other in [
        "",
        "registry.example/kms:1.0",
        "@",
        &kms_image[..kms_image.len() - 1],
    ] {
        assert!(values.kms_image(other).is_none(), "{other}");
    }
    assert!(values.risky_name("our_hook").is_some());
    let newest = values.image_by_hash(&image("dstack-0.6.6").os_image_hash.expect("a hash").0);
    let newest = newest.expect("a built-in row");
    assert_eq!(values.host_alone(newest.version.as_ref()).len(), 1);
    assert_eq!(
        values
            .lowest_fixed(newest.version.as_ref())
            .expect("a version")
            .to_string(),
        "0.6.7"
    );
    assert!(values.file_sha256().is_some());
    assert_ne!(
        format!("{values:?}"),
        format!("{:?}", ReferenceValues::built_in())
    );
}

#[test]
fn a_file_completes_an_image_that_was_known_by_its_hash_alone() {
    let register = quoted(&"cd".repeat(48));
    let hash = image("dstack-0.6.6").os_image_hash.expect("a hash").to_string();
    let text = [
        HEAD.to_owned(),
        row(
            "firmware",
            &[
                ("name", "\"dstack-0.6.5\""),
                ("mrtd", &register),
                ("note", "\"measured\""),
            ],
        ),
        row(
            "image",
            &[
                ("name", "\"dstack-0.6.6\""),
                ("version", "\"0.6.6\""),
                ("class", "\"production\""),
                ("os_image_hash", &quoted(&hash)),
                ("firmware", "\"dstack-0.6.5\""),
                ("rtmr1", &register),
                ("rtmr2", &register),
            ],
        ),
    ]
    .concat();
    let values = with(&text).unwrap_or_else(|error| panic!("{error}"));
    let found = values
        .image_of(&[0xcd; 48], &[0xcd; 48], &[0xcd; 48])
        .expect("the image");
    assert_eq!(found.name.as_str(), "dstack-0.6.6");
    assert_eq!(found.kernel_header_normalized, Some(true));
}

/// Each of these would make a built-in row say less than it does.
#[test]
fn a_file_weakens_no_built_in_row() {
    let values = values();
    let development = image("dstack-dev-0.5.9");
    let registers = development.registers.as_ref().expect("registers");
    let hash = |name: &str| quoted(&image(name).os_image_hash.expect("a hash").to_string());
    let known_kms = &values.kms()[0];
    let weak_kms_image = values.kms_images.iter().find(|row| row.weakness.is_some());
    let weak_kms_image = weak_kms_image.expect("one");
    let known_script = values
        .scripts()
        .iter()
        .find(|row| row.text == ScriptText::Observed);
    let other = quoted(&"cd".repeat(48));
    let image_of = |name: &str, class: &str, hash: &str, version: &str, rtmr1: &str, rtmr2: &str| {
        row(
            "image",
            &[
                ("name", &quoted(name)),
                ("version", &quoted(version)),
                ("class", &quoted(class)),
                ("os_image_hash", hash),
                ("firmware", "\"dstack-0.5\""),
                ("rtmr1", rtmr1),
                ("rtmr2", rtmr2),
            ],
        )
    };
    let (rtmr1, rtmr2) = (
        quoted(&registers.rtmr1.to_string()),
        quoted(&registers.rtmr2.to_string()),
    );
    for (what, text) in [
        (
            "a further MRTD of a known firmware",
            row(
                "firmware",
                &[("name", "\"dstack-0.5\""), ("mrtd", &other), ("note", "\"x\"")],
            ),
        ),
        (
            "a development image under the name of a release",
            image_of(
                "ours-0.5.9",
                "production",
                &quoted(&"ab".repeat(32)),
                "0.5.9",
                &rtmr1,
                &rtmr2,
            ),
        ),
        (
            "a known hash in another class",
            image_of(
                "ours-0.6.0",
                "production",
                &hash("dstack-0.6.0-rc2"),
                "0.6.0",
                &other,
                &other,
            ),
        ),
        (
            "a vulnerable image with the version of a fixed one",
            image_of(
                "dstack-0.6.1",
                "production",
                &hash("dstack-0.6.1"),
                "0.6.3",
                &other,
                &other,
            ),
        ),
        (
            "a known image with other registers",
            image_of(
                "dstack-0.5.9",
                "production",
                &hash("dstack-0.5.9"),
                "0.5.9",
                &other,
                &other,
            ),
        ),
        (
            "a milder advisory",
            row(
                "advisory",
                &[
                    ("id", "\"CVE-2025-59054\""),
                    ("aliases", "[\"GHSA-jxq2-hpw3-m5wf\"]"),
                    ("grade", "\"needs-more\""),
                    ("what", "\"x\""),
                    ("gain", "\"y\""),
                    ("affected", "[{ before = \"0.5.4\" }]"),
                ],
            ),
        ),
        (
            "an advisory that concerns fewer versions",
            row(
                "advisory",
                &[
                    ("id", "\"GHSA-c79w-3x5w-gmm5\""),
                    ("grade", "\"host-alone\""),
                    ("what", "\"x\""),
                    ("gain", "\"y\""),
                    ("affected", "[{ line = \"0.6\", before = \"0.6.1\" }]"),
                ],
            ),
        ),
        (
            "the name of a known KMS for another key",
            row(
                "kms",
                &[
                    ("name", &quoted(&known_kms.name)),
                    ("what", "\"x\""),
                    ("id", &quoted(&"3059".repeat(20))),
                ],
            ),
        ),
        (
            "another name for a known KMS",
            row(
                "kms",
                &[
                    ("name", "\"ours\""),
                    ("what", "\"x\""),
                    ("id", &quoted(&known_kms.id)),
                ],
            ),
        ),
        (
            "a release with a known weakness as one without",
            row(
                "kms_image",
                &[
                    ("name", &quoted(&weak_kms_image.name)),
                    ("digest", &quoted(&weak_kms_image.digest)),
                ],
            ),
        ),
        (
            "a script that nobody published as a published one",
            row(
                "script",
                &[
                    ("version", &quoted(&known_script.expect("one").version)),
                    ("sha256", &quoted(&known_script.expect("one").sha256.to_string())),
                    ("text", "\"published\""),
                ],
            ),
        ),
        (
            "another shape for a known RTMR0",
            row(
                "rtmr0",
                &[
                    ("value", &quoted(&values.shapes()[0].value.to_string())),
                    ("shape", "\"9 CPUs\""),
                ],
            ),
        ),
    ] {
        let error = with(&format!("{HEAD}{text}")).expect_err(what);
        assert!(
            matches!(
                error.all(),
                [Mistake {
                    problem: ReferenceProblem::Contradiction { .. },
                    ..
                }]
            ),
            "{what}: {error}"
        );
        assert!(error.to_string().contains("remove the row"), "{what}: {error}");
    }
}

#[test]
fn a_built_in_row_that_is_repeated_adds_nothing() {
    for (name, text) in documents() {
        let mut repeated = values().with_file(&name, text.as_bytes()).expect("nothing new");
        (repeated.updated, repeated.file_sha256, repeated.file_name) = (values().updated, None, None);
        assert!(repeated == values(), "{name}");
    }
}

#[test]
fn a_file_that_is_not_well_formed_is_refused_with_its_row() {
    let long = "x".repeat(501);
    for (text, expected) in [
        ("", "the file is empty"),
        (HEAD, "no row"),
        (
            "updated = \"2026-13-01\"\n[[kms]]\nname = \"a\"\nwhat = \"b\"\nid = \"c\"\nsource = \"d\"\ndate = \"2026-01-01\"",
            "a date like",
        ),
        (&format!("{HEAD}nonsense = 1"), "`nonsense` is unknown"),
        (
            &format!("{HEAD}[[image]]\nname = \"x\""),
            "`image.class` is missing",
        ),
        (
            &format!(
                "{HEAD}{}",
                row(
                    "kms",
                    &[
                        ("name", "\"kms\""),
                        ("what", "\"x\""),
                        ("id", &quoted(&"30".repeat(40)))
                    ]
                )
            ),
            "\"kms\" of [[kms]]",
        ),
        (
            &format!(
                "{HEAD}{}",
                row(
                    "kms_image",
                    &[
                        ("name", "\"a\""),
                        ("digest", &quoted(&format!("sha256:{}", "AB".repeat(32))))
                    ]
                )
            ),
            "`digest` is `sha256:`",
        ),
        (
            &format!(
                "{HEAD}{}",
                row(
                    "kms",
                    &[("name", "\"ours\""), ("what", "\"x\""), ("id", "\"zz\"")]
                )
            ),
            "lower-case hex",
        ),
        (
            &format!(
                "{HEAD}{}",
                row(
                    "risky_name",
                    &[("name", "\"lower\""), ("match", "\"exact\""), ("gains", "\"x\"")]
                )
            ),
            "capitals",
        ),
        (
            &format!(
                "{HEAD}{}",
                row(
                    "risky_name",
                    &[
                        ("name", "\"LD_X\""),
                        ("match", "\"ordinary\""),
                        ("gains", "\"x\"")
                    ]
                )
            ),
            "`ordinary` and `data` names come with the program",
        ),
        (
            &format!(
                "{HEAD}{}",
                row(
                    "risky_name",
                    &[
                        ("name", "\"LD_X\""),
                        ("match", "\"ordinary\""),
                        ("where", "\"guest\""),
                        ("gains", "\"x\"")
                    ]
                )
            ),
            "remove `where`",
        ),
        (
            &format!(
                "{HEAD}{}",
                row("rtmr0", &[("value", "\"AB\""), ("shape", "\"x\"")])
            ),
            "48 bytes of hex",
        ),
        (
            &format!(
                "{HEAD}{}",
                row(
                    "rtmr0",
                    &[("value", &quoted(&"ab".repeat(48))), ("shape", &quoted(&long))]
                )
            ),
            "1 to 500 characters",
        ),
        (
            &format!(
                "{HEAD}{}",
                row(
                    "rtmr0",
                    &[("value", &quoted(&"ab".repeat(48))), ("shape", "\"a\\u001bb\"")]
                )
            ),
            "control characters",
        ),
        (
            &format!(
                "{HEAD}{}",
                row(
                    "image",
                    &[
                        ("name", "\"dstack-dev-9.9\""),
                        ("version", "\"9.9\""),
                        ("class", "\"production\""),
                        ("os_image_hash", &quoted(&"ab".repeat(32)))
                    ]
                )
            ),
            "disagree on whether it is a development image",
        ),
        (
            &format!(
                "{HEAD}{}",
                row("image", &[("name", "\"x\""), ("class", "\"production\"")])
            ),
            "has a `version` and an `os_image_hash`",
        ),
        (
            &format!(
                "{HEAD}{}",
                row("image", &[("name", "\"x\""), ("class", "\"observed\"")])
            ),
            "neither",
        ),
        (
            &format!(
                "{HEAD}{}",
                row(
                    "image",
                    &[
                        ("name", "\"x\""),
                        ("class", "\"observed\""),
                        ("firmware", "\"dstack-0.5\"")
                    ]
                )
            ),
            "given together",
        ),
        (
            &format!(
                "{HEAD}{}",
                row(
                    "image",
                    &[
                        ("name", "\"x\""),
                        ("class", "\"observed\""),
                        ("firmware", "\"nowhere\""),
                        ("rtmr1", &quoted(&"ab".repeat(48))),
                        ("rtmr2", &quoted(&"ab".repeat(48)))
                    ]
                )
            ),
            "no [[firmware]] is named",
        ),
        (
            &format!(
                "{HEAD}{}",
                row(
                    "advisory",
                    &[
                        ("id", "\"x\""),
                        ("grade", "\"host-alone\""),
                        ("what", "\"x\""),
                        ("gain", "\"x\""),
                        ("affected", "[]")
                    ]
                )
            ),
            "concerns no image",
        ),
        (
            &format!(
                "{HEAD}{}",
                row(
                    "advisory",
                    &[
                        ("id", "\"x\""),
                        ("grade", "\"mild\""),
                        ("what", "\"x\""),
                        ("gain", "\"x\""),
                        ("affected", "[]")
                    ]
                )
            ),
            "not one of its values",
        ),
    ] {
        let error = with(text).expect_err(expected).to_string();
        assert!(error.contains(expected), "{expected}: {error}");
    }
    let error = values().with_file("x", &[0xff]).expect_err("not text");
    assert_eq!(only(&error), &TomlProblem::NotUtf8.into());
}

#[test]
fn a_file_has_a_limit_in_bytes_and_in_rows() {
    let size = MAX_FILE_BYTES + 1;
    let error = values().with_file("x", &vec![b'#'; size]).expect_err("too large");
    let limit = MAX_FILE_BYTES;
    assert_eq!(only(&error), &TomlProblem::TooLarge { size, limit }.into());
    let rows: String = (0..=MAX_ROWS)
        .map(|at| format!("[[risky_name]]\nname=\"A{at}\"\nmatch=\"exact\"\ngains=\"x\"\nsource=\"x\"\ndate=\"2026-01-01\"\n"))
        .collect();
    let error = with(&format!("{HEAD}{rows}")).expect_err("too many");
    assert_eq!(only(&error), &ReferenceProblem::TooManyRows(MAX_ROWS + 1));
}

/// The one mistake of an error.
fn only(error: &ReferenceError) -> &ReferenceProblem {
    let [mistake] = error.all() else {
        panic!("several mistakes: {error}");
    };
    &mistake.problem
}

#[test]
fn every_mistake_is_named_with_its_line_and_column() {
    let text = "updated = \"2026-11-25\"\n\
                updatd = 1\n\
                [[kms]]\n\
                nam = \"ours\"\n\
                what = \"our KMS\"\n\
                id = \"3059\"\n\
                source = \"ours\"\n\
                date = \"2026-13-01\"\n\
                [[risky_name]]\n\
                name = \"OURS\"\n\
                match = \"exat\"\n\
                gains = 3\n\
                source = \"ours\"\n\
                date = \"2026-11-25\"\n\
                [[advisory]]\n\
                id = \"ours\"\n\
                grade = \"host-alone\"\n\
                what = \"x\"\n\
                gain = \"y\"\n\
                affected = [{ line = \"0.6\", befor = \"0.6.1\" }, 7]\n\
                source = \"ours\"\n\
                date = \"2026-11-25\"\n\
                [[scripts]]\n\
                version = \"1\"\n";
    let error = with(text).expect_err("many mistakes").to_string();
    let lines: Vec<&str> = error.lines().collect();
    assert_eq!(
        lines,
        [
            "extra.toml:2:1: `updatd` is unknown. Did you mean `updated`?",
            "extra.toml:3:1: `kms.name` is missing",
            "extra.toml:4:1: `kms.nam` is unknown. Did you mean `name`?",
            "extra.toml:8:8: `kms.date` is refused: \"2026-13-01\" is not a date like 2026-11-25",
            "extra.toml:11:9: `risky_name.match` is \"exat\", which is not one of its values. Did you mean `exact`?",
            "extra.toml:12:9: `risky_name.gains` is a TOML integer, not a string. Correct it.",
            "extra.toml:20:13: `advisory.affected.before` is missing",
            "extra.toml:20:29: `advisory.affected.befor` is unknown. Did you mean `before`?",
            "extra.toml:20:48: `advisory.affected` is a TOML integer, not a table. Correct it.",
            "extra.toml:23:3: `scripts` is unknown. Did you mean `script`?",
        ]
    );
}

#[test]
fn each_row_that_contradicts_another_is_named() {
    let known = values().kms()[0].clone();
    let kms = |name: &str, id: &str| {
        row(
            "kms",
            &[("name", &quoted(name)), ("what", "\"x\""), ("id", &quoted(id))],
        )
    };
    let text = format!(
        "{HEAD}{}{}",
        kms(&known.name, &"3059".repeat(20)),
        kms("ours", &known.id)
    );
    let error = with(&text).expect_err("two contradictions");
    assert_eq!(error.all().len(), 2, "{error}");
    assert!(
        error.all().iter().all(|mistake| mistake.place.is_some()),
        "{error}"
    );
}

#[test]
fn a_line_that_is_not_toml_hides_no_mistake_elsewhere() {
    let error = with("updated = 2026-11-\n[[kms]]\nnam = \"x\"\n")
        .expect_err("two mistakes")
        .to_string();
    assert!(
        error.contains("extra.toml:1:") && error.contains("this is not TOML"),
        "{error}"
    );
    assert!(error.contains("extra.toml:3:1: `kms.nam` is unknown"), "{error}");
}

proptest! {
    #[test]
    fn no_file_panics(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = values().with_file("x", &bytes);
    }

    #[test]
    fn no_row_panics_or_takes_one_away(
        table in "(firmware|image|rtmr0|advisory|script|kms|kms_image|risky_name)",
        members in proptest::collection::vec(("[a-z_0-9]{1,12}", "[ -~]{0,40}"), 0..6),
    ) {
        let members: String = members
            .iter()
            .map(|(name, value)| format!("{name} = {value:?}\n"))
            .collect();
        if let Ok(found) = with(&format!("{HEAD}[[{table}]]\n{members}")) {
            prop_assert!(found.images().len() >= values().images().len());
            prop_assert!(found.advisories().len() >= values().advisories().len());
        }
    }
}
