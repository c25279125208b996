//! Each mistake in a policy file, with its place and what to write instead.

use proptest::prelude::*;

use super::keys::keys;
use super::*;
use cvm_verify_core::policy::Origin;
use cvm_verify_core::toml_text::TomlProblem;

fn mistakes(text: &str) -> Vec<PolicyMistake> {
    PolicyFile::read(text.as_bytes(), "cvm-verify.toml").1
}

fn shown(text: &str) -> String {
    PolicyMistakes::of(mistakes(text))
        .map(|all| all.to_string())
        .unwrap_or_default()
}

fn one(text: &str) -> FileProblem {
    let mut all = mistakes(text);
    assert_eq!(all.len(), 1, "{all:#?}");
    all.remove(0).problem
}

const TEN: &str = r#"loc = "cvm.lock"

[defaults]
app_id = "a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0"
accept-tcb = []
freshness = "yes"
url = "https://all.example"

[[target]]
name = "shop"
url = "shop.example"
compose-hash = "29zz"
min-tcb-eval-data-number = "20"
slack-webhook-url = "https://hooks.slack.example/T/hunter2"

[[target]]
name = "shop"
url = "https://shop2.example"

[[target]]
url = "https://nameless.example"
slack-webhook-url-env = "https://hooks.slack.example/T/hunter2"
"#;

#[test]
fn ten_mistakes_are_shown_in_one_run_each_with_its_place_and_what_to_write_instead() {
    let shown = shown(TEN);
    insta::assert_snapshot!(shown);
    let lines: Vec<usize> = mistakes(TEN)
        .iter()
        .map(|mistake| mistake.place.unwrap().line)
        .collect();
    assert_eq!(lines, [1, 4, 5, 6, 7, 11, 12, 13, 14, 16, 20, 22]);
    assert!(!shown.contains("hunter2"), "a secret is not repeated");
}

#[test]
fn a_secret_of_any_channel_is_recognised_and_not_repeated() {
    let secrets: Vec<&str> = keys().filter_map(|key| key.name.strip_suffix("-env")).collect();
    assert!(secrets.len() >= 7, "{secrets:?}");
    for secret in secrets {
        for name in [secret.to_owned(), secret.replace('-', "_"), secret.to_uppercase()] {
            let text = format!(
                "[defaults]\n{name} = \"https://hunter2.example\"\n[[target]]\nname = \"a\"\nurl = \"https://a.example\"\n"
            );
            assert_eq!(one(&text), FileProblem::Secret { key: secret });
            assert!(!shown(&text).contains("hunter2"), "{name}");
        }
    }
}

#[test]
fn a_file_is_read_with_every_place() {
    let text = "[defaults]\nlock = \"cvm.lock\"\n[[target]]\nname = \"shop\"\nurl = \"https://shop.example\"\nmin-tcb-eval-data-number = 0x14\naccept-tcb = [\n  \"OutOfDate:until=2026-12-31\",\n  \"SWHardeningNeeded:until=2026-12-31\",\n]\n";
    let (file, mistakes) = PolicyFile::read(text.as_bytes(), "conf/cvm-verify.toml");
    assert_eq!(mistakes, []);
    assert_eq!(file.defaults.one("lock").unwrap().text, "cvm.lock");
    let target = &file.targets[0];
    assert_eq!((target.name.as_str(), target.place.line), ("shop", 3));
    assert_eq!(
        target.settings.one("min-tcb-eval-data-number").unwrap().text,
        "20"
    );
    let second = &target.settings.all("accept-tcb")[1];
    let Origin::File { path, place, .. } = &second.origin else {
        panic!("{second:?}");
    };
    assert_eq!(
        (path.as_str(), place.line, place.column),
        ("conf/cvm-verify.toml", 9, 3)
    );
    assert_eq!(second.origin.to_string(), "conf/cvm-verify.toml:9");
}

#[test]
fn files_that_are_none_are_named_for_what_they_are() {
    let read = |file: &[u8]| PolicyFile::read(file, "x").1.remove(0).problem;
    assert_eq!(read(b""), TomlProblem::Empty.into());
    assert_eq!(read(b" \n\t"), TomlProblem::Empty.into());
    assert_eq!(read(b"# nothing\n"), FileProblem::Empty);
    assert_eq!(read(b"\xff"), TomlProblem::NotUtf8.into());
    let size = MAX_FILE_BYTES + 1;
    let too_large = FileProblem::Toml(TomlProblem::TooLarge {
        size,
        limit: MAX_FILE_BYTES,
    });
    assert_eq!(read(&vec![b'#'; size]), too_large);
    assert_eq!(read(b"[defaults]\nlock = \"x\"\n"), FileProblem::NoTarget);
    assert_eq!(read(b"target = []\n"), FileProblem::NoTarget);
    assert!(matches!(
        read(b"\n<<<<<<< HEAD\n"),
        FileProblem::Toml(TomlProblem::MergeConflict("<<<<<<<"))
    ));
    let deep = format!("x = {}", "[".repeat(1000));
    assert_eq!(read(deep.as_bytes()), TomlProblem::TooDeep.into());
}

#[test]
fn tables_that_are_none_and_keys_in_the_wrong_place_are_told() {
    let target = "[[target]]\nname = \"a\"\nurl = \"https://a.example\"\n";
    assert!(matches!(
        one("[target]\nname = \"a\"\n"),
        FileProblem::NotATable { key: "target", .. }
    ));
    assert!(matches!(
        one("target = [1]\n"),
        FileProblem::NotATable { key: "target", .. }
    ));
    assert!(matches!(
        one(&format!("defaults = 1\n{target}")),
        FileProblem::NotATable { key: "defaults", .. }
    ));
    assert!(matches!(
        one(&format!("[defaults]\nname = \"b\"\n{target}")),
        FileProblem::Misplaced { key: "name", .. }
    ));
    assert!(matches!(
        one(&format!("{target}heartbeat-url-env = \"CVM_VERIFY_X\"\n")),
        FileProblem::Misplaced {
            key: "heartbeat-url-env",
            ..
        }
    ));
    assert_eq!(
        shown(&format!("lock = \"x\"\n{target}")),
        "cvm-verify.toml:1:1: `lock` is unknown here; write it below [defaults], or in a [[target]]"
    );
    assert_eq!(
        shown(&format!("[[targets]]\n{target}")),
        "cvm-verify.toml:1:3: `targets` is unknown here; did you mean [[target]]?"
    );
    assert_eq!(
        shown("tool = \"x\"\nschema = \"cvm-verify/lock/v1\"\n[images]\n"),
        "cvm-verify.toml: the file is a lock file, not a policy file; give it with --lock, and the address of the app as an argument or \
         as `url`"
    );
}

#[test]
fn an_option_that_is_no_key_is_called_one_and_no_line_lists_every_key() {
    let target = "[[target]]\nname = \"a\"\nurl = \"https://a.example\"\n";
    let option = "it is an option of the command line, not a key: remove it here and give --pccs-url";
    for (place, name, text) in [
        ("1:1", "pccs-url", format!("pccs-url = \"x\"\n{target}")),
        (
            "2:1",
            "pccs-url",
            format!("[defaults]\npccs-url = \"x\"\n{target}"),
        ),
        ("4:1", "pccs_url", format!("{target}pccs_url = \"x\"\n")),
    ] {
        let said = format!("cvm-verify.toml:{place}: `{name}` is unknown here; {option}");
        assert_eq!(shown(&text), said);
    }
    for (_, names) in NOT_KEYS {
        // An address that may hold a secret has a key for its variable.
        let is_secret = |name: &str| keys().any(|key| key.secret() == Some(name));
        for name in names.iter().filter(|name| !is_secret(name)) {
            assert!(
                shown(&format!("{target}{name} = 1\n")).contains(&format!("give --{name}")),
                "{name}"
            );
        }
    }
    assert_eq!(
        shown(&format!("{target}quux = 1\n")),
        "cvm-verify.toml:4:1: `quux` is unknown here; docs/policy-file.md lists the keys of a [[target]]"
    );
}

#[test]
fn several_lines_that_are_no_toml_are_all_told_with_what_else_is_wrong() {
    let text =
        "[defaults]\nfreshness = maybe\nlocc = \"x\"\n[[target]]\nname = \"a\nurl = \"https://a.example\"\n";
    let lines: Vec<usize> = mistakes(text)
        .iter()
        .map(|mistake| mistake.place.unwrap().line)
        .collect();
    assert_eq!(lines, [2, 3, 5], "{}", shown(text));
    assert!(matches!(
        one("[[target]]\nname = \"a\"\nurl = \"https://a.example\"\nlock = \"a\"\nlock = \"b\"\n"),
        FileProblem::Toml(TomlProblem::NotToml(message)) if message.contains("duplicate key")
    ));
}

#[test]
fn a_long_list_and_a_flood_of_mistakes_end() {
    let list = "\"OutOfDate:until=2026-12-31\",".repeat(101);
    assert!(matches!(
        one(&format!(
            "[[target]]\nname = \"a\"\nurl = \"https://a.example\"\naccept-tcb = [{list}]\n"
        )),
        FileProblem::TooMany {
            key: "accept-tcb",
            count: 101,
            limit: 100
        }
    ));
    let flood: String = (0..20_000).map(|index| format!("key{index} = 1\n")).collect();
    assert_eq!(mistakes(&flood).len(), 200);
    assert!(shown(&flood).lines().count() == 51);
}

#[test]
fn what_could_command_a_ci_log_is_escaped() {
    let text = "\"::error::x\\n::add-mask::\\u001b\" = 1\n[[target]]\nname = \"\\n::error::\"\nurl = \"https://a\\u202e b\"\n";
    let shown = shown(text);
    assert_eq!(shown.lines().count(), 3, "{shown}");
    assert!(
        shown
            .bytes()
            .all(|byte| byte == b'\n' || (b' '..=b'~').contains(&byte)),
        "{shown}"
    );
    assert!(
        shown.lines().all(|line| line.starts_with("cvm-verify.toml:")),
        "{shown}"
    );
}

#[test]
fn every_key_takes_its_own_example() {
    // `images` are tables, which no single text gives.
    for key in keys().filter(|key| key.name != "images") {
        key.shape
            .check(key.example.trim_matches(['[', ']', '"']))
            .unwrap_or_else(|problem| {
                panic!("{}: {problem}", key.name);
            });
    }
}

proptest! {
    #[test]
    fn no_text_panics_and_every_place_is_inside_the_file(
        text in any::<String>(),
        lines in "(\\[\\[target\\]\\]|\\[defaults\\]|name|url|lock|accept-tcb| = |\"|'|\\[|\\]|\\{|\\}|,|[a-z]|\n|\u{e9}|#){0,80}",
    ) {
        for text in [text, lines] {
            let (_, mistakes) = PolicyFile::read(text.as_bytes(), "f");
            let ends = text.lines().count() + 1;
            for mistake in &mistakes {
                if let Some(Position { line, column }) = mistake.place {
                    prop_assert!(line >= 1 && line <= ends, "{mistake}");
                    let length = text.split('\n').nth(line - 1).unwrap_or_default().chars().count();
                    prop_assert!(column >= 1 && column <= length + 1, "{mistake}");
                }
                prop_assert!(!mistake.to_string().contains('\n'));
                prop_assert!(mistake.to_string().len() < 1000);
            }
        }
    }

    #[test]
    fn a_damaged_file_never_panics(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut file = TEN.as_bytes().to_vec();
        let at = at.index(file.len());
        file[at] = byte;
        let (_, mistakes) = PolicyFile::read(&file, "f");
        prop_assert!(!mistakes.is_empty());
    }
}
