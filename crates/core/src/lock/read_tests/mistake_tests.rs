//! Mistakes in a lock, all of them and each in its place.

use super::*;

#[test]
fn a_list_that_is_empty_is_a_mistake_and_no_list_is_none() {
    let rest = with(&format!("compose_hash = \"{}\"\n", "29".repeat(32)));
    assert!(Lock::parse(&rest, "cvm.lock").is_ok());
    for name in ["places", "sources", "gpus"] {
        let error = refused(&format!("{rest}{name} = []\n"));
        assert!(
            matches!(
                first(&error).problem,
                LockProblem::Toml(TomlProblem::EmptySection)
            ),
            "{name}: {error}"
        );
        assert_eq!(first(&error).key.as_deref(), Some(name));
    }
}

#[test]
fn a_file_of_many_mistakes_names_twenty_and_counts_the_others() {
    let lines: String = (0..9000)
        .map(|number| format!("unknown_{number} = 1\n"))
        .collect();
    let error = refused(&with(&lines));
    assert_eq!(
        error.all().len(),
        200,
        "of the others it is known how many they are"
    );
    assert_eq!(error.to_string().lines().count(), 21);
    assert!(error.to_string().contains("8980"), "{error}");
}

#[test]
fn each_mistake_names_file_line_key_and_fix() {
    let hash = "29".repeat(32);
    let register = "ab".repeat(48);
    let cases = [
        String::new(),
        " \n\t\n".to_owned(),
        "compose_hash = \"00\"\n".to_owned(),
        "schema = \"cvm-verify/lock/v2\"\nwhat = 1\n".to_owned(),
        "schema = \"cvm-verify/evidence/v1\"\n".to_owned(),
        "schema = 1\n".to_owned(),
        with(""),
        with("tool = \"x\"\n"),
        with("compose_hash = \"2\n"),
        with("compose_hash = \"29\"\n"),
        with("compose_hash = \"zz\"\n"),
        with("compose_hash = 29\n"),
        with(&format!("compose_hash = \"{hash}\"\ncompose_hash = \"{hash}\"\n")),
        with(&format!("compose_hash = \"{hash}\"\ncompose-hash = \"{hash}\"\n")),
        with("\u{e9} = 1\n"),
        with("key_provider = \"kms:\"\n"),
        with("[images]\n"),
        with("[images]\nweb = 1\n"),
        with("[compose]\n"),
        with("[compose]\nx = { json = \"{\" }\n"),
        with("[compose]\nx = [inf]\n"),
        with("[compose]\nx = 2026-01-01\n"),
        with("images = []\n"),
        with(&format!("[os_image]\nmrtd = \"{register}\"\n")),
        with(&format!(
            "[os_image]\nmrtd = \"{register}\"\nrtmr0 = \"{register}\"\nrtmr1 = \"{register}\"\nrtmr2 = \"{register}\"\nvulnerable_until = \"soon\"\n"
        )),
        with("[platform]\nfmspc = \"b0c06f00000\"\n"),
        with("[platform]\nmrseam = \"00\"\n"),
    ];
    let messages: Vec<String> = cases.iter().map(|text| refused(text).to_string()).collect();
    insta::assert_snapshot!(messages.join("\n").replace(env!("CARGO_PKG_VERSION"), "VERSION"));
}

#[test]
fn all_mistakes_are_named_at_once_in_the_order_of_the_file() {
    let text = with(
        "compose-hash = \"29\"\napp_id = \"zz\"\n[images]\nweb = 1\nproxy = 2\n[platform]\nfmspcs = \"00\"\nmr_seam = 3\n",
    );
    let error = refused(&text);
    let named: Vec<(usize, &str)> = error
        .all()
        .iter()
        .map(|one| (one.place.unwrap().line, one.key.as_deref().unwrap()))
        .collect();
    assert_eq!(
        named,
        [
            (2, "compose-hash"),
            (3, "app_id"),
            (5, "images.web"),
            (6, "images.proxy"),
            (8, "platform.fmspcs"),
            (9, "platform.mr_seam"),
        ]
    );
    let said = error.to_string();
    assert_eq!(said.lines().count(), 6, "{said}");
    assert!(said.lines().all(|line| line.starts_with("cvm.lock:")), "{said}");
    assert!(
        said.contains("`compose-hash` is unknown. Did you mean `compose_hash`?"),
        "{said}"
    );
    assert!(
        said.contains("`platform.fmspcs` is unknown. Did you mean `fmspc`?"),
        "{said}"
    );
}

#[test]
fn of_more_than_20_mistakes_the_others_are_counted() {
    let lines: String = (0..50).map(|number| format!("unknown{number} = 1\n")).collect();
    let error = refused(&with(&lines));
    assert_eq!((error.all().len(), error.to_string().lines().count()), (50, 21));
    assert!(error.to_string().ends_with("… and 30 more mistakes"));
}

#[test]
fn a_mistake_in_one_of_several_targets_hides_none_in_another() {
    let text = with("[target.a]\ncompose_hash = 1\n[target.b]\napp_id = 2\n[target.c]\n");
    let error = refused(&text);
    let lines: Vec<usize> = error.all().iter().map(|one| one.place.unwrap().line).collect();
    assert_eq!(lines, [3, 5, 6]);
}

#[test]
fn a_line_that_is_not_toml_hides_no_mistake_elsewhere_and_accuses_no_other_line() {
    let hash = "29".repeat(32);
    let text = with(&format!(
        "compose_hash = \"{hash}\"\napp_id = oops oops\n[images]\nweb = 1\n[os_image]\nmrtd = \n[tls]\nbindings = \"ratls\"\n"
    ));
    let error = refused(&text);
    let lines: Vec<usize> = error.all().iter().map(|one| one.place.unwrap().line).collect();
    assert_eq!(lines, [3, 5, 7, 9], "{error}");
    // Without the line that names the format, it is not said to be missing; the broken line is.
    let error = refused(&format!("schema = cvm\ncompose_hash = \"{hash}\"\n"));
    assert_eq!(error.all().len(), 1, "{error}");
    assert!(
        matches!(first(&error).problem, LockProblem::Toml(TomlProblem::NotToml(_))),
        "{error}"
    );
}

#[test]
fn merge_conflict_markers_are_named_with_their_line() {
    let hash = "29".repeat(32);
    let text = with(&format!(
        "<<<<<<< HEAD\ncompose_hash = \"{hash}\"\n=======\n>>>>>>> other\n"
    ));
    let error = refused(&text);
    assert_eq!(
        first(&error).problem,
        TomlProblem::MergeConflict("<<<<<<<").into()
    );
    assert_eq!(
        first(&error).place.map(|place| (place.line, place.column)),
        Some((2, 1))
    );
    for marker in ["=======\r\n", ">>>>>>> theirs", "||||||| base"] {
        let text = with(&format!("compose_hash = \"{hash}\"\n{marker}"));
        assert!(
            matches!(
                first(&refused(&text)).problem,
                LockProblem::Toml(TomlProblem::MergeConflict(_))
            ),
            "{marker}"
        );
    }
}

#[test]
fn files_that_are_too_large_or_no_text_are_not_parsed() {
    let large = with(&"#".repeat(MAX_LOCK_BYTES));
    let too_large = LockProblem::Toml(TomlProblem::TooLarge {
        size: large.len(),
        limit: MAX_LOCK_BYTES,
    });
    assert_eq!(first(&refused(&large)).problem, too_large);
    let read = |file: &[u8]| first(&Lock::read(file, "cvm.lock").unwrap_err()).problem.clone();
    assert_eq!(read(large.as_bytes()), too_large);
    assert_eq!(read(b"schema = \"\xff\""), TomlProblem::NotUtf8.into());
    assert_eq!(read(b""), TomlProblem::Empty.into());
}

/// One mistake, not one for each line.
#[test]
fn a_file_of_another_kind_is_called_what_it_is() {
    let pem = format!(
        "-----BEGIN CERTIFICATE-----\n{}-----END CERTIFICATE-----\n",
        "MIIBszCCAVmgAwIB\n".repeat(12)
    );
    let yaml =
        "services:\n  web:\n    image: nginx\n    environment:\n      - A=b\n    ports:\n      - 80:80\n";
    let prose = "# Quick start\n\nYou need a deployment.\n\n```console\n$ cvm-verify pin URL\n```\n\nThen commit it.\n";
    for (text, kind) in [
        (pem.as_str(), "PEM, such as a certificate"),
        ("{\n  \"schema\": \"cvm-verify/report/v1\"\n}\n", "JSON"),
        ("[ {\n  \"a\": 1\n} ]\n", "JSON"),
        ("<!doctype html>\n<p>\n", "HTML or XML"),
        (yaml, "other text"),
        (prose, "other text"),
    ] {
        let error = refused(text);
        assert_eq!(error.all().len(), 1, "{error}");
        assert_eq!(first(&error).problem, TomlProblem::OtherKind(kind).into());
        assert!(
            error
                .to_string()
                .contains("This is not a lock file: check the path."),
            "{error}"
        );
    }
}
