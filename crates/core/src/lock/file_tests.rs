use proptest::prelude::*;

use super::super::arbitrary;
use super::*;

fn lock(byte: u8) -> Lock {
    Lock {
        compose_hash: Some([byte; 32]),
        ..arbitrary::example()
    }
}

fn file(text: &str) -> LockFile {
    Lock::parse_file(text, "cvm.lock").unwrap()
}

fn put(before: Option<&str>, name: &str, lock: &Lock) -> String {
    with_target(before, "cvm.lock", name, lock, &Notes::default()).unwrap()
}

#[test]
fn each_target_takes_its_own_block() {
    let text = put(Some(&put(None, "shop", &lock(1))), "api.v2", &lock(2));
    let file = file(&text);
    assert!(matches!(&file, LockFile::Several(several) if several.keys().eq(["api.v2", "shop"])));
    assert_eq!(file.of(Some("shop"), "cvm.lock").unwrap(), &lock(1));
    assert_eq!(file.of(Some("api.v2"), "cvm.lock").unwrap(), &lock(2));
    let error = |name| file.of(name, "cvm.lock").unwrap_err().to_string();
    assert_eq!(
        error(Some("shp")),
        "cvm.lock: the file has no target \"shp\"; it has api.v2, shop. Pin the target shp into it with `cvm-verify pin`, or \
         correct the name."
    );
    assert_eq!(
        error(None),
        "cvm.lock: each block of the file is for a named target (api.v2, shop). Choose one with --target NAME."
    );
}

#[test]
fn a_lock_of_one_deployment_is_any_targets_and_its_bytes_are_as_ever() {
    let text = lock(1).to_toml(&Notes::default());
    let file = file(&text);
    assert_eq!(file.of(None, "cvm.lock").unwrap(), &lock(1));
    assert_eq!(file.of(Some("shop"), "cvm.lock").unwrap(), &lock(1));
    assert!(matches!(file, LockFile::One(_)));
    let error = with_target(Some(&text), "cvm.lock", "shop", &lock(1), &Notes::default()).unwrap_err();
    assert_eq!(error.all().first().unwrap().problem, LockProblem::OneWithoutName);
}

#[test]
fn a_file_of_several_reads_well() {
    let notes = Notes { ..Notes::default() };
    let shop = Lock {
        compose_settings: BTreeMap::new(),
        images: BTreeMap::new(),
        ..lock(1)
    };
    let text = with_target(None, "cvm.lock", "shop", &shop, &notes).unwrap();
    insta::assert_snapshot!(put(Some(&text), "api", &lock(2)));
}

#[test]
fn pinning_one_target_leaves_the_text_of_the_others_as_it_is() {
    let mut text = put(None, "b", &lock(1));
    text = text.replace("[target.b]", "# Reviewed by Ada.\n[target.b]");
    let with_more = put(Some(&put(Some(&text), "a", &lock(0x72))), "c", &lock(3));
    let changed = put(Some(&with_more), "a", &lock(0x74));
    assert!(changed.contains("# Reviewed by Ada.\n[target.b]\n"), "{changed}");
    assert_eq!(changed, with_more.replace(&"72".repeat(32), &"74".repeat(32)));
    assert_eq!(put(Some(&changed), "a", &lock(0x74)), changed, "the same bytes");
    let order: Vec<&str> = changed
        .lines()
        .filter(|line| ["[target.a]", "[target.b]", "[target.c]"].contains(line))
        .collect();
    assert_eq!(order, ["[target.a]", "[target.b]", "[target.c]"]);
}

#[test]
fn a_file_that_people_laid_out_otherwise_keeps_every_value() {
    let hash = "11".repeat(32);
    let text = format!("schema = \"cvm-verify/lock/v1\"\ntarget.a.compose_hash = \"{hash}\"\n[target]\n[ target . \"b\" ]\ncompose_hash = \"{hash}\"\n")
        .replace("[target]\n", "");
    let after = put(Some(&text), "b", &lock(2));
    let file = file(&after);
    assert_eq!(file.of(Some("a"), "").unwrap().compose_hash, Some([0x11; 32]));
    assert_eq!(file.of(Some("b"), "").unwrap(), &lock(2));
}

#[test]
fn mistakes_in_a_file_of_several_name_place_and_key() {
    let refused = |lines: &str| {
        let text = format!("schema = \"cvm-verify/lock/v1\"\n{lines}");
        let error = Lock::parse_file(&text, "cvm.lock").unwrap_err();
        (
            error.all().first().unwrap().place.map(|place| place.line),
            error.to_string(),
        )
    };
    for (lines, line, says) in [
        ("[target]\n", 2, "`target` is empty"),
        ("target = []\n", 2, "`target` is a TOML array, not a section"),
        ("[target.shop]\n", 2, "`target.shop` is empty"),
        ("[target.shop]\ntool = \"x\"\n", 2, "the lock expects nothing"),
        (
            "[target.shop]\ncompose_hash = \"29\"\n",
            3,
            "`target.shop.compose_hash` has 2 hex digits",
        ),
        (
            "[target.shop]\nschema = \"x\"\n",
            3,
            "`target.shop.schema` is unknown",
        ),
        (
            "[target.shop.platform]\nfmspc = 1\n",
            3,
            "`target.shop.platform.fmspc` is a TOML integer",
        ),
        (
            "[target.\"a b\"]\ntool = \"x\"\n",
            2,
            "holds a name that no target can have",
        ),
        (
            "app_id = \"00\"\n[target.shop]\ntool = \"x\"\n",
            2,
            "the lock expects nothing",
        ),
    ] {
        let (found, message) = refused(lines);
        assert_eq!(found, Some(line), "{message}");
        assert!(message.contains(says), "{says} is not in {message}");
    }
    let hash = "29".repeat(32);
    let (_, mixed) = refused(&format!(
        "app_id = \"00\"\n[target.shop]\ncompose_hash = \"{hash}\"\n"
    ));
    assert!(mixed.contains("`app_id` is unknown"), "{mixed}");
}

#[test]
fn a_file_that_could_not_be_read_again_is_not_written() {
    let full = Lock {
        images: [("web".to_owned(), "a".repeat(MAX_LOCK_BYTES / 2))].into(),
        ..lock(1)
    };
    let text = put(None, "a", &full);
    let error = with_target(Some(&text), "cvm.lock", "b", &full, &Notes::default()).unwrap_err();
    assert!(
        matches!(error.all().first().unwrap().problem, LockProblem::TooManyTargets { size } if size > MAX_LOCK_BYTES)
    );
    // In its own place it may grow back.
    assert_eq!(put(Some(&text), "a", &full), text);
}

proptest! {
    #[test]
    fn what_is_put_is_read_back_beside_the_others(
        first in arbitrary::lock(), second in arbitrary::lock(),
        name in "[A-Za-z0-9._-]{1,64}", other in "[a-z.]{1,3}", notes in arbitrary::notes(),
    ) {
        prop_assume!(!first.is_empty() && !second.is_empty());
        let text = with_target(None, "cvm.lock", &other, &first, &notes).unwrap();
        let text = with_target(Some(&text), "cvm.lock", &name, &second, &notes).unwrap();
        prop_assert!(text.bytes().all(|byte| byte == b'\n' || (b' '..=b'~').contains(&byte)));
        let file = Lock::parse_file(&text, "cvm.lock").unwrap();
        prop_assert_eq!(file.of(Some(&name), "").unwrap(), &second);
        if name != other {
            prop_assert_eq!(file.of(Some(&other), "").unwrap(), &first);
            let again = with_target(Some(&text), "cvm.lock", &other, &first, &notes).unwrap();
            prop_assert_eq!(again, text);
        }
    }

    #[test]
    fn no_blocks_panic(text in "(\\[target\\.|\"|\\.|a|\\]|\n|#|=){0,60}", name in "[a-z]{1,2}") {
        let _ = spliced(&text, &name, "[target.x]\n");
        let _ = with_target(Some(&text), "cvm.lock", &name, &lock(1), &Notes::default());
    }
}
