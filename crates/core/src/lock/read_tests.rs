//! Each mistake in a lock file, and what a lock makes of a policy.

mod mistake_tests;

use proptest::prelude::*;

use super::{AcceptName, Lock, LockProblem, MAX_LOCK_BYTES, Notes, arbitrary};
use crate::policy::{Expected, LockOrigin, Origin, OsImageOption, OsImagePolicy, Policy};
use crate::reference::{OsClass, ReferenceValues};
use crate::toml_text::TomlProblem;

fn refused(text: &str) -> super::LockError {
    Lock::parse(text, "cvm.lock").unwrap_err()
}

fn first(error: &super::LockError) -> &super::LockMistake {
    error.all().first().unwrap()
}

fn with(lines: &str) -> String {
    format!("schema = \"cvm-verify/lock/v1\"\n{lines}")
}

#[test]
fn what_was_measured_is_one_of_those_that_a_lock_names() {
    let lock = |kms: &str, owner: &str| {
        let text = format!(
            "schema = \"cvm-verify/lock/v1\"\nkey_provider = \"{kms}\"\n[governance]\nchain_id = 1\napp_owner = \"{owner}\"\n"
        );
        Lock::parse(&text, "cvm.lock").unwrap()
    };
    let [one, other] = [[7; 20], [9; 20]].map(|address| format!("0x{}", hex::encode(address)));
    let [kms, other_kms] = [7, 9].map(|byte| format!("kms:{}", hex::encode([byte; 91])));
    let locked = lock(&format!("{kms},{other_kms}"), &format!("{one},{other}"));
    let mut measured = lock(&other_kms, &one);
    measured.keep_alternatives(&locked);
    assert_eq!(measured, locked);
    // Of another contract nothing is taken over.
    let mut elsewhere = lock(&other_kms, &one);
    elsewhere.governance.chain_id = Some(2);
    let before = elsewhere.governance.clone();
    elsewhere.keep_alternatives(&locked);
    assert_eq!(elsewhere.governance, before);
    // Another one is a change.
    let third = format!("0x{}", hex::encode([8; 20]));
    let mut measured = lock(&format!("kms:{}", hex::encode([8; 91])), &third);
    let before = measured.clone();
    measured.keep_alternatives(&locked);
    assert_eq!(measured, before);
}

/// Without `--force`, `pin` does not replace a lock that it cannot read. So the advice names `--force`, or another file.
#[test]
fn no_advice_for_a_broken_lock_names_a_command_that_refuses_it() {
    let mut named = 0;
    for text in [
        String::new(),
        "schema = 1\n".to_owned(),
        "app_id = 1\n".to_owned(),
        "services:\n  a:\n    image: x\n".to_owned(),
        with(""),
        with("nonsense\n"),
        with("compose_hash = \"12\"\n"),
        with("compose_hash = 12\n"),
        with("key_provider = \"kms:zz\"\n"),
        with("[compose]\n"),
        with("[os_image]\nname = \"x\"\nknown_by = \"nobody\"\n"),
        with("[accepted]\ntcb = \"because\"\n"),
        with("[[gpus]]\nmodel = \"H100\"\n"),
        with("[[places]]\npath = \"a\"\n"),
        with("[[sources]]\nimage = \"*\"\n"),
    ] {
        let Err(error) = Lock::read_file(text.as_bytes(), "cvm.lock") else {
            panic!("read: {text}");
        };
        let said = error.to_string();
        for advice in said.split("`cvm-verify pin").skip(1) {
            let (command, _) = advice.split_once('`').unwrap();
            let does_it = command.contains("--force") || command.contains("--output");
            assert!(does_it, "cvm-verify pin{command}: {text}");
            named += 1;
        }
        assert!(!said.contains("pin again"), "{said}");
    }
    assert!(named >= 10, "{named}");
}

#[test]
fn hex_that_people_wrote_is_normalised() {
    let text = with(&format!(
        "compose_hash = \" 0X{}\"\r\n[platform]\r\nfmspc = \"0xB0C06F000000\"\r\n",
        "AB".repeat(32)
    ));
    let lock = Lock::parse(&text, "cvm.lock").unwrap();
    assert_eq!(lock.compose_hash, Some([0xab; 32]));
    assert_eq!(lock.fmspc, Some([0xb0, 0xc0, 0x6f, 0, 0, 0]));
    let lock = Lock::parse(&with("key_provider = \"phala\"\n"), "cvm.lock").unwrap();
    assert_eq!(lock.key_provider, "phala".parse().ok());
}

#[test]
fn deep_nesting_neither_overflows_nor_passes() {
    let dotted = vec!["a"; 79].join(".");
    let deep = format!("{}1{}", format!("{{ {dotted} = ").repeat(79), " }".repeat(79));
    for text in [
        with(&format!(
            "[compose]\nx = {}{}\n",
            "[".repeat(100_000),
            "]".repeat(100_000)
        )),
        with(&format!("[compose]\n{} = 1\n", vec!["a"; 100_000].join("."))),
        with(&format!("[compose]\nx = {deep}\n")),
        with(&format!("[compose.{dotted}]\n{dotted} = {deep}\n")),
    ] {
        let problem = first(&refused(&text)).problem.clone();
        // One dotted key alone is bounded by the parser.
        assert!(
            problem == TomlProblem::TooDeep.into()
                || problem == TomlProblem::NotToml("recursion limit".to_owned()).into(),
            "{problem}"
        );
    }
}

#[test]
fn a_vulnerable_image_is_accepted_for_90_days_at_most() {
    let late = |day: u32, today: u64| {
        let mut lock = arbitrary::example();
        lock.os_image.as_mut().unwrap().vulnerable_until = chrono::NaiveDate::from_ymd_opt(1970, 4, day);
        let origin = LockOrigin::from("cvm.lock");
        let policy = lock.apply(&origin, None, Policy::default()).unwrap();
        let mut problems = policy.problems(today);
        assert!(problems.len() < 2, "{problems:?}");
        problems.pop().map(|problem| (problem.key, problem.text))
    };
    assert_eq!(late(1, 0), None);
    let (key, text) = late(2, 0).unwrap();
    assert_eq!(key, "lock");
    assert!(
        text.starts_with("`os_image.vulnerable_until` of cvm.lock is more than 90 days ahead"),
        "{text}"
    );
    assert_eq!(late(2, 86_400), None);
    assert_eq!(late(2, u64::MAX), None);
}

/// As on the command line: what else such a lock says is not about this app.
#[test]
fn a_lock_of_another_app_or_chain_is_not_applied() {
    let mut lock = arbitrary::example();
    (lock.app_id, lock.governance.chain_id) = (Some([1; 20]), Some(8453));
    let applied = |app: Option<u8>, chain: Option<u64>| {
        let mut policy = Policy {
            app_id: app.map(|byte| of_option([byte; 20])),
            ..Policy::default()
        };
        policy.governance.chain_id = chain.map(of_option);
        let applied = lock.apply(&LockOrigin::from("cvm.lock"), None, policy);
        applied.map(drop).map_err(|error| first(&error).problem.clone())
    };
    assert_eq!(applied(None, None), Ok(()));
    assert_eq!(applied(Some(1), Some(8453)), Ok(()));
    assert_eq!(
        applied(Some(2), None),
        Err(LockProblem::OtherApp("01".repeat(20)))
    );
    assert_eq!(applied(None, Some(1)), Err(LockProblem::OtherChain(8453)));
}

fn of_option<T>(value: T) -> Expected<T> {
    let origin = Origin::Option("--given");
    Expected { value, origin }
}

#[test]
fn a_lock_fills_in_what_options_left_open() {
    let lock = arbitrary::example();
    let origin = LockOrigin::with_text("cvm.lock", &lock.to_toml(&Notes::default()));
    let policy = lock.apply(&origin, None, Policy::default()).unwrap();
    assert_eq!(
        policy.compose_hash.as_ref().map(|hash| hash.value),
        lock.compose_hash
    );
    assert!(policy.is_locked_compose_hash(&policy.compose_hash.as_ref().unwrap().value));
    let by = policy.app_id.map(|id| id.origin);
    assert_eq!(by, Some(origin.key(&["app_id"])));
    assert!(by.and_then(|by| by.location()).is_some());
    let by = policy.key_provider.map(|pin| pin.origin);
    assert_eq!(by, Some(origin.key(&["key_provider"])));
    let ends = 1_798_761_600; // 2027-01-01T00:00:00Z
    assert!(matches!(
        &policy.os_image,
        OsImagePolicy::Lock { vulnerable: Some(accepted), .. } if accepted.until == ends
    ));
    assert_eq!(
        policy.locked_platform.and_then(|platform| platform.fmspc),
        lock.fmspc
    );
    assert_eq!(
        policy.locked_compose.map(|compose| compose.compose_settings),
        Some(lock.compose_settings)
    );
}

#[test]
fn options_replace_their_own_value_and_keep_the_rest_of_the_lock() {
    let lock = arbitrary::example();
    let given = Policy {
        compose_hash: Some(crate::policy::Expected {
            value: [7; 32],
            origin: Origin::Option("--compose-hash"),
        }),
        ..Policy::default()
    };
    let known = OsImageOption::Policy(Box::new(OsImagePolicy::Known));
    let policy = lock.apply(&"cvm.lock".into(), Some(known), given).unwrap();
    assert_eq!(policy.compose_hash.as_ref().map(|hash| hash.value), Some([7; 32]));
    assert!(!policy.is_locked_compose_hash(&policy.compose_hash.as_ref().unwrap().value));
    assert_eq!(
        policy.replaced_compose_hash.as_ref().map(|hash| hash.value),
        lock.compose_hash
    );
    assert!(matches!(policy.os_image, OsImagePolicy::Known));
    assert!(policy.locked_compose.is_some() && policy.locked_platform.is_some() && policy.app_id.is_some());
}

#[test]
fn a_partial_lock_expects_only_what_it_holds() {
    let lock = Lock {
        app_id: Some([1; 20]),
        ..Lock::default()
    };
    let policy = lock.apply(&"cvm.lock".into(), None, Policy::default()).unwrap();
    assert!(policy.compose_hash.is_none() && policy.key_provider.is_none());
    assert!(policy.locked_compose.is_none() && policy.locked_platform.is_none());
    assert!(matches!(policy.os_image, OsImagePolicy::Known));
    let error = lock
        .apply(&"cvm.lock".into(), Some(OsImageOption::Lock), Policy::default())
        .unwrap_err();
    assert_eq!(first(&error).problem, LockProblem::NoOsImage);
}

proptest! {
    #[test]
    fn no_text_panics(text in any::<String>(), lines in "([a-z_.\\[\\]{}=\"', 0-9\\n]|json){0,200}") {
        let _ = Lock::parse(&text, "cvm.lock");
        let _ = Lock::parse(&with(&text), "cvm.lock");
        let _ = Lock::parse(&with(&format!("[compose]\n{lines}")), "cvm.lock");
        let _ = Lock::read(text.as_bytes(), "cvm.lock");
    }

    #[test]
    fn a_damaged_lock_never_panics_and_its_errors_are_short(
        lock in arbitrary::lock(), at in any::<prop::sample::Index>(), byte in any::<u8>(),
    ) {
        let mut file = lock.to_toml(&Notes::default()).into_bytes();
        let at = at.index(file.len());
        file[at] = byte;
        if let Err(error) = Lock::read(&file, "cvm.lock") {
            let said = error.to_string();
            prop_assert!(said.lines().all(|line| line.len() < 1000), "{}", said);
            prop_assert!(said.split('\n').count() <= 21, "{}", said);
        }
    }
}

/// A lock of registers with more lines in it.
fn with_registers(class: OsClass, more: &str) -> String {
    let reference = ReferenceValues::built_in();
    let row = reference
        .images()
        .iter()
        .find(|row| row.class == class && row.registers.is_some() && !row.is_third_party())
        .unwrap();
    let registers = row.registers.as_ref().unwrap();
    let hex = |bytes: [u8; 48]| hex::encode(bytes);
    format!(
        "schema = \"cvm-verify/lock/v1\"\n{more}\n[os_image]\nmrtd = \"{}\"\nrtmr0 = \"{}\"\nrtmr1 = \"{}\"\nrtmr2 = \"{}\"\n",
        hex(reference.mrtds_of(row)[0]),
        hex([7; 48]),
        hex(registers.rtmr1.0),
        hex(registers.rtmr2.0)
    )
}

#[test]
fn a_lock_that_accepts_what_it_does_not_hold_is_refused() {
    let accepts = |name: &str| format!("[accepted]\n{name} = \"Because.\"");
    let read = |text: &str| Lock::parse(text, "cvm.lock");
    let held = read(&with_registers(
        OsClass::Development,
        &accepts("development-image"),
    ))
    .unwrap();
    assert_eq!(held.accepted[&AcceptName::DevelopmentImage], "Because.");
    // The files say that it is one, whatever the row of its registers says. This is what `pin` writes.
    let by_files = format!(
        "{}known_by = \"development-files {}\"\n",
        with_registers(OsClass::Production, &accepts("development-image")),
        "cd".repeat(32)
    );
    assert!(read(&by_files).is_ok(), "{:?}", read(&by_files));
    for name in [
        "unknown-image",
        "acpi-change",
        "tcb",
        "no-nonce",
        "unread-compose",
    ] {
        assert!(
            read(&with_registers(OsClass::Production, &accepts(name))).is_ok(),
            "{name}"
        );
    }
    for (name, why) in [
        ("development-image", "its registers are those of dstack-"),
        ("vulnerable-image", "it has no os_image.vulnerable_until"),
        (
            "td-attributes",
            "its td_attributes are those of every dstack guest",
        ),
        ("key-provider", "its key_provider is a KMS, or is not there"),
        ("other-kms", "its key_provider names no KMS"),
        ("other-app", "it has no app_id"),
    ] {
        let error = read(&with_registers(OsClass::Production, &accepts(name))).unwrap_err();
        let said = error.to_string();
        assert!(
            said.contains(&format!(
                "`accepted.{name}` accepts what this lock does not hold: {why}"
            )),
            "{said}"
        );
    }
    let without = format!(
        "schema = \"cvm-verify/lock/v1\"\ncompose_hash = \"{}\"\n",
        "ab".repeat(32)
    );
    for name in ["development-image", "unknown-image", "acpi-change"] {
        let said = read(&format!("{without}{}\n", accepts(name)))
            .unwrap_err()
            .to_string();
        assert!(said.contains("it has no [os_image]"), "{said}");
    }
    // To accept is not to expect.
    let nothing = format!("schema = \"cvm-verify/lock/v1\"\n{}\n", accepts("tcb"));
    assert_eq!(
        first(&read(&nothing).unwrap_err()).problem,
        LockProblem::ExpectsNothing
    );
    let said = read(&format!("{without}{}\n", accepts("dev-image")))
        .unwrap_err()
        .to_string();
    assert!(
        said.contains("is not a thing to accept. These are: development-image,"),
        "{said}"
    );
    for text in [
        "\"\"".to_owned(),
        format!("\"{}\"", "x".repeat(5000)),
        "true".to_owned(),
    ] {
        assert!(
            read(&format!("{without}[accepted]\ntcb = {text}\n")).is_err(),
            "{text:.9}"
        );
    }
}

#[test]
fn how_an_image_was_known_is_read_strictly() {
    let known = |text: &str| {
        let lock = with_registers(OsClass::Production, "");
        Lock::parse(&format!("{lock}known_by = {text}\n"), "cvm.lock")
    };
    for text in [
        "\"row\"",
        "\"unknown\"",
        &format!("\"files {}\"", "0xAB".to_owned() + &"cd".repeat(31)),
    ] {
        assert!(known(text).is_ok(), "{text}");
    }
    let said = known("\"files\"").unwrap_err().to_string();
    assert!(
        said.contains(
            "is none of row, published-hash HASH, files HASH [VERSION], \
             development-files HASH [VERSION], unknown"
        ),
        "{said}"
    );
    assert!(known("7").is_err());
}

#[test]
fn an_origin_is_scheme_host_and_port_alone() {
    let read = |origin: &str| {
        let text = format!(
            "schema = \"cvm-verify/lock/v1\"\norigin = {origin}\napp_id = \"{}\"\n",
            "aa".repeat(20)
        );
        Lock::parse(&text, "cvm.lock").map(|lock| lock.origin)
    };
    for (text, origin) in [
        ("\"https://App.Example\"", "https://app.example"),
        ("\"https://app.example:8443/\"", "https://app.example:8443"),
        ("\"http://[::1]:8080\"", "http://[::1]:8080"),
    ] {
        assert_eq!(read(text), Ok(Some(origin.to_owned())), "{text}");
    }
    for text in [
        "\"https://app.example/path\"",
        "\"https://app.example?token=1\"",
        "\"https://user@app.example\"",
        "\"ftp://app.example\"",
        "\"app.example\"",
        "\"https://\"",
        "\"https://a b\"",
    ] {
        let error = read(text).unwrap_err();
        assert_eq!(first(&error).problem, LockProblem::Origin, "{text}");
        assert!(
            error.to_string().contains("origin = \"https://app.example\""),
            "{error}"
        );
    }
}
