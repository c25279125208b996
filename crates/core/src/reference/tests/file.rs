//! A user's file adds to the built-in tables and changes nothing of them.

use proptest::prelude::*;

use super::*;
use crate::reference::limits::MAX_ROWS;
use crate::reference::rust_source::documents;
use crate::toml_text::{Mistake, TomlProblem};

const HEAD: &str = "updated = \"2026-11-25\"\n";

/// A row of a table. Its members are as in TOML, with `; ` between them.
fn row(table: &str, members: &str) -> String {
    let members = members.replace("; ", "\n");
    format!("[[{table}]]\n{members}\nsource = \"ours\"\ndate = \"2026-11-25\"\n")
}

#[test]
fn a_file_adds_images_shapes_scripts_services_names_and_advisories() {
    let (hash, register, kms) = ("ab".repeat(32), "cd".repeat(48), "3059".repeat(20));
    let text = [
        HEAD.to_owned(),
        row("firmware", &format!("name = 'ours'; mrtd = '{register}'; note = 'our own OVMF'")),
        row(
            "image",
            &format!(
                "name = 'ours-1.0'; version = '1.0'; class = 'production'; os_image_hash = '{hash}'; firmware = 'ours'; \
                 rtmr1 = '{register}'; rtmr2 = '{register}'"
            ),
        ),
        row("rtmr0", &format!("value = '{register}'; shape = '3 CPUs'")),
        row("script", &format!("version = 'ours'; sha256 = '{hash}'; text = 'published'")),
        row("kms", &format!("name = 'our-kms'; what = 'ours'; id = '{kms}'")),
        row("kms_image", &format!("name = 'our-kms 1.0'; digest = 'sha256:{hash}'")),
        row("risky_name", "names = ['OUR_HOOK', 'OUR_LOADER']; match = 'exact'; gains = 'what runs'"),
        row(
            "advisory",
            "id = 'OURS-1'; grade = 'host-alone'; what = 'a hole'; gain = 'the host reads everything'; \
             affected = [{ line = '0.6', before = '0.6.7' }]",
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
    assert!(values.risky_name("our_hook").is_some() && values.risky_name("OUR_LOADER").is_some());
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
    let register = "cd".repeat(48);
    let hash = image("dstack-0.6.6").os_image_hash.expect("a hash").to_string();
    let text = [
        HEAD.to_owned(),
        row(
            "firmware",
            &format!("name = 'dstack-0.6.5'; mrtd = '{register}'; note = 'measured'"),
        ),
        row(
            "image",
            &format!(
                "name = 'dstack-0.6.6'; version = '0.6.6'; class = 'production'; os_image_hash = '{hash}'; \
                 firmware = 'dstack-0.6.5'; rtmr1 = '{register}'; rtmr2 = '{register}'"
            ),
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
    let hash = |name: &str| image(name).os_image_hash.expect("a hash").to_string();
    let known_kms = &values.kms()[0];
    let weak_kms_image = values.kms_images.iter().find(|row| row.weakness.is_some());
    let weak_kms_image = weak_kms_image.expect("one");
    let known_script = values
        .scripts()
        .iter()
        .find(|row| row.text == ScriptText::Observed)
        .expect("one");
    let other = "cd".repeat(48);
    let image_of = |name: &str, hash: &str, version: &str, rtmr1: &str, rtmr2: &str| {
        let members = format!(
            "name = '{name}'; version = '{version}'; class = 'production'; os_image_hash = '{hash}'; \
             firmware = 'dstack-0.5'; rtmr1 = '{rtmr1}'; rtmr2 = '{rtmr2}'"
        );
        row("image", &members)
    };
    let with_other = |name: &str, of: &str, version: &str| image_of(name, &hash(of), version, &other, &other);
    let (rtmr1, rtmr2) = (registers.rtmr1.to_string(), registers.rtmr2.to_string());
    for (what, text) in [
        (
            "a further MRTD of a known firmware",
            row(
                "firmware",
                &format!("name = 'dstack-0.5'; mrtd = '{other}'; note = 'x'"),
            ),
        ),
        (
            "a development image under the name of a release",
            image_of("ours-0.5.9", &"ab".repeat(32), "0.5.9", &rtmr1, &rtmr2),
        ),
        (
            "a known hash in another class",
            with_other("ours-0.6.0", "dstack-0.6.0-rc2", "0.6.0"),
        ),
        (
            "a vulnerable image with the version of a fixed one",
            with_other("dstack-0.6.1", "dstack-0.6.1", "0.6.3"),
        ),
        (
            "a known image with other registers",
            with_other("dstack-0.5.9", "dstack-0.5.9", "0.5.9"),
        ),
        (
            "a milder advisory",
            row(
                "advisory",
                "id = 'CVE-2025-59054'; aliases = ['GHSA-jxq2-hpw3-m5wf']; grade = 'needs-more'; what = 'x'; gain = 'y'; \
                 affected = [{ before = '0.5.4' }]",
            ),
        ),
        (
            "an advisory that concerns fewer versions",
            row(
                "advisory",
                "id = 'GHSA-c79w-3x5w-gmm5'; grade = 'host-alone'; what = 'x'; gain = 'y'; \
                 affected = [{ line = '0.6', before = '0.6.1' }]",
            ),
        ),
        (
            "the name of a known KMS for another key",
            row(
                "kms",
                &format!(
                    "name = '{}'; what = 'x'; id = '{}'",
                    known_kms.name,
                    "3059".repeat(20)
                ),
            ),
        ),
        (
            "another name for a known KMS",
            row(
                "kms",
                &format!("name = 'ours'; what = 'x'; id = '{}'", known_kms.id),
            ),
        ),
        (
            "a release with a known weakness as one without",
            row(
                "kms_image",
                &format!(
                    "name = '{}'; digest = '{}'",
                    weak_kms_image.name, weak_kms_image.digest
                ),
            ),
        ),
        (
            "a script that nobody published as a published one",
            row(
                "script",
                &format!(
                    "version = '{}'; sha256 = '{}'; text = 'published'",
                    known_script.version, known_script.sha256
                ),
            ),
        ),
        (
            "another shape for a known RTMR0",
            row(
                "rtmr0",
                &format!("value = '{}'; shape = '9 CPUs'", values.shapes()[0].value),
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
    ] {
        let error = with(text).expect_err(expected).to_string();
        assert!(error.contains(expected), "{expected}: {error}");
    }
    let (long, hash, register) = ("x".repeat(501), "ab".repeat(32), "ab".repeat(48));
    for (table, members, expected) in [
        (
            "kms",
            format!("name = 'kms'; what = 'x'; id = '{}'", "30".repeat(40)),
            "\"kms\" of [[kms]]",
        ),
        (
            "kms_image",
            format!("name = 'a'; digest = 'sha256:{}'", "AB".repeat(32)),
            "`digest` is `sha256:`",
        ),
        (
            "kms",
            "name = 'ours'; what = 'x'; id = 'zz'".to_owned(),
            "lower-case hex",
        ),
        (
            "risky_name",
            "names = ['OURS', 'lower']; match = 'exact'; gains = 'x'".to_owned(),
            "capitals",
        ),
        (
            "risky_name",
            "names = ['LD_X']; match = 'ordinary'; gains = 'x'".to_owned(),
            "`ordinary` and `data` names come with the program",
        ),
        (
            "risky_name",
            "names = ['LD_X']; match = 'ordinary'; where = 'guest'; gains = 'x'".to_owned(),
            "remove `where`",
        ),
        ("rtmr0", "value = 'AB'; shape = 'x'".to_owned(), "48 bytes of hex"),
        (
            "rtmr0",
            format!("value = '{register}'; shape = '{long}'"),
            "1 to 500 characters",
        ),
        (
            "rtmr0",
            format!("value = '{register}'; shape = \"a\\u001bb\""),
            "control characters",
        ),
        (
            "image",
            format!(
                "name = 'dstack-dev-9.9'; version = '9.9'; class = 'production'; os_image_hash = '{hash}'"
            ),
            "disagree on whether it is a development image",
        ),
        (
            "image",
            "name = 'x'; class = 'production'".to_owned(),
            "has a `version` and an `os_image_hash`",
        ),
        ("image", "name = 'x'; class = 'observed'".to_owned(), "neither"),
        (
            "image",
            "name = 'x'; class = 'observed'; firmware = 'dstack-0.5'".to_owned(),
            "given together",
        ),
        (
            "image",
            format!(
                "name = 'x'; class = 'observed'; firmware = 'nowhere'; rtmr1 = '{register}'; rtmr2 = '{register}'"
            ),
            "no [[firmware]] is named",
        ),
        (
            "advisory",
            "id = 'x'; grade = 'host-alone'; what = 'x'; gain = 'x'; affected = []".to_owned(),
            "concerns no image",
        ),
        (
            "advisory",
            "id = 'x'; grade = 'mild'; what = 'x'; gain = 'x'; affected = []".to_owned(),
            "not one of its values",
        ),
    ] {
        let text = format!("{HEAD}{}", row(table, &members));
        let error = with(&text).expect_err(expected).to_string();
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
        .map(|at| format!("[[risky_name]]\nnames=[\"A{at}\"]\nmatch=\"exact\"\ngains=\"x\"\nsource=\"x\"\ndate=\"2026-01-01\"\n"))
        .collect();
    let error = with(&format!("{HEAD}{rows}")).expect_err("too many");
    assert_eq!(only(&error), &ReferenceProblem::TooManyRows(MAX_ROWS + 1));
    let names: Vec<String> = (0..=MAX_ROWS).map(|at| format!("'A{at}'")).collect();
    let names = format!("names = [{}]; match = 'exact'; gains = 'x'", names.join(", "));
    let error = with(&format!("{HEAD}{}", row("risky_name", &names))).expect_err("too many");
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
                names = [\"OURS\"]\n\
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
    let kms = |name: &str, id: &str| row("kms", &format!("name = '{name}'; what = 'x'; id = '{id}'"));
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
