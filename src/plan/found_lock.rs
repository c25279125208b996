//! The `cvm.lock` of the working folder: what is expected of the address that it was taken from, if nothing else is.
//!
//! Only of that address: a lock of another deployment would accuse this one. Other folders are not looked into, and where a
//! policy file is in use it alone says what is expected.

use std::path::Path;

use super::next_commands::LOCK_NAME;
use super::selection::Selection;
use super::target::parse_target;
use crate::env::Env;
use crate::files;
use crate::git::{self, Unrecorded};
use crate::usage_error::UsageError;
use cvm_verify_core::lock::LockFile;

/// What a run without expectations selects, with the lock of the working folder where it is the one of this address. Says what it
/// does.
///
/// # Errors
/// A lock that cannot be read: it may be the one that is meant.
pub(crate) fn with_found_lock(
    mut selection: Selection,
    quiet: bool,
    env: &mut Env,
) -> Result<Selection, UsageError> {
    let path = Path::new(LOCK_NAME);
    if !(env.exists)(path) {
        return Ok(selection);
    }
    let url = match selection.urls.as_slice() {
        [url] => url,
        [] => return Ok(selection),
        several => {
            let is_one = || files::read_lock_file(path).is_ok_and(|read| !is_of_several(&read.lock));
            if !quiet {
                let advice = match is_one() {
                    true => {
                        format!("If its values hold for each of them: --lock {LOCK_NAME}. Otherwise name")
                    }
                    false => "Name".to_owned(),
                };
                env.complain(&format!(
                    "There is a {LOCK_NAME} here. It is not used for {} addresses. {advice} each address with its own lock in a \
                     policy file (docs/policy-file.md).",
                    several.len()
                ));
            }
            return Ok(selection);
        }
    };
    let Some(origin) = origin_of(url, &selection) else {
        return Ok(selection);
    };
    let read = files::read_lock_file(path).map_err(|error| {
        UsageError::new(format!(
            "{error}\nThe file is in the working folder, so its values are expected. To verify without it: --no-lock"
        ))
    })?;
    let mut say = |line: &str| {
        if !quiet {
            env.complain(line);
        }
    };
    match choose(&read.lock, &origin, &selection.names) {
        Ok(name) => {
            say(&format!(
                "No expected values were given: using {LOCK_NAME} of this folder, which was made from {origin}."
            ));
            match git::unrecorded(path) {
                Some(Unrecorded::Untracked) => {
                    say(&format!(
                        "note: git does not track {LOCK_NAME}: no commit contains these expected values."
                    ));
                }
                Some(Unrecorded::Changed) => {
                    say(&format!("note: {LOCK_NAME} differs from the last commit."));
                }
                None => {}
            }
            if let (Some(name), true) = (name, selection.names.is_empty()) {
                selection.names = vec![name.to_owned()];
            }
            selection.options.give("--lock", [LOCK_NAME.to_owned()]);
        }
        Err(why) => say(&format!(
            "There is a {LOCK_NAME} here {why} To use it: --lock {LOCK_NAME}{}",
            if is_of_several(&read.lock) {
                " --target NAME"
            } else {
                ""
            }
        )),
    }
    Ok(selection)
}

/// Says that the lock of the working folder, which was made from this address, is not used because other values are expected.
pub(crate) fn say_of_unused_lock(selection: &Selection, env: &mut Env) {
    let path = Path::new(LOCK_NAME);
    let [url] = selection.urls.as_slice() else {
        return;
    };
    if !(env.exists)(path) {
        return;
    }
    // Nothing depends on it: a file that cannot be read is not this run's.
    let (Some(origin), Ok(read)) = (origin_of(url, selection), files::read_lock_file(path)) else {
        return;
    };
    if let Ok(name) = choose(&read.lock, &origin, &selection.names) {
        let name = name.map(|name| format!(" --target {name}")).unwrap_or_default();
        env.complain(&format!(
            "There is a {LOCK_NAME} here that was made from {origin}. It is not used, because other expected values were given. To use it as \
             well: --lock {LOCK_NAME}{name}. To verify without it: --no-lock"
        ));
    }
}

/// Scheme, host and port of an address. One that cannot be used is reported by what uses it.
fn origin_of(url: &str, selection: &Selection) -> Option<String> {
    parse_target(url, &selection.options).ok()?.source.origin()
}

/// Whether a target has to be chosen.
fn is_of_several(file: &LockFile) -> bool {
    matches!(file, LockFile::Several(_))
}

/// The deployment of the file that was taken from this origin, by its name where it has one; else why none is used.
fn choose<'f>(file: &'f LockFile, origin: &str, wanted: &[String]) -> Result<Option<&'f str>, String> {
    let is_wanted = |name: Option<&str>| match (name, wanted) {
        (Some(name), [_, ..]) => wanted.iter().any(|wanted| wanted == name),
        _ => true,
    };
    let locks: Vec<_> = file
        .locks()
        .into_iter()
        .filter(|(name, _)| is_wanted(*name))
        .collect();
    let of_origin: Vec<Option<&str>> = locks
        .iter()
        .filter(|(_, lock)| lock.origin.as_deref() == Some(origin))
        .map(|(name, _)| *name)
        .collect();
    match of_origin.as_slice() {
        [name] => return Ok(*name),
        [_, _, ..] => {
            let names: Vec<&str> = of_origin.into_iter().flatten().collect();
            return Err(format!(
                "that holds several targets of {origin}: {}. It is not used.",
                names.join(", ")
            ));
        }
        [] => {}
    }
    let mut others: Vec<&str> = locks
        .iter()
        .filter_map(|(_, lock)| lock.origin.as_deref())
        .collect();
    others.sort_unstable();
    others.dedup();
    Err(match others.as_slice() {
        [] => "that does not name the address that it was made from. It is not used.".to_owned(),
        [one] => format!("for {one}. It is not used for {origin}."),
        [first, others @ ..] => {
            format!(
                "for {first} and {} other addresses. It is not used for {origin}.",
                others.len()
            )
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use cvm_verify_core::lock::Lock;

    fn file(text: &str) -> LockFile {
        Lock::parse_file(&format!("schema = \"cvm-verify/lock/v1\"\n{text}"), LOCK_NAME).unwrap()
    }

    fn one(origin: &str) -> LockFile {
        file(&format!("{origin}\napp_id = \"{}\"\n", "aa".repeat(20)))
    }

    fn several() -> LockFile {
        let target = |name: &str, origin: &str| {
            format!(
                "[target.{name}]\norigin = \"{origin}\"\napp_id = \"{}\"\n",
                "aa".repeat(20)
            )
        };
        file(
            &[
                target("a", "https://a.example"),
                target("b", "https://b.example"),
                target("b2", "https://b.example"),
            ]
            .concat(),
        )
    }

    #[test]
    fn a_lock_is_that_of_its_own_origin_alone() {
        let wanted = |text: &str| vec![text.to_owned()];
        let lock = one("origin = \"https://a.example\"");
        assert_eq!(choose(&lock, "https://a.example", &[]), Ok(None));
        let why = choose(&lock, "https://a.example:8443", &[]).unwrap_err();
        assert!(
            why.contains("for https://a.example. It is not used for https://a.example:8443"),
            "{why}"
        );
        let why = choose(&one(""), "https://a.example", &[]).unwrap_err();
        assert!(why.contains("does not name the address"), "{why}");
        assert_eq!(choose(&several(), "https://a.example", &[]), Ok(Some("a")));
        let why = choose(&several(), "https://b.example", &[]).unwrap_err();
        assert!(why.contains("b, b2"), "{why}");
        assert_eq!(
            choose(&several(), "https://b.example", &wanted("b2")),
            Ok(Some("b2"))
        );
        assert!(choose(&several(), "https://a.example", &wanted("b")).is_err());
        let why = choose(&several(), "https://c.example", &[]).unwrap_err();
        assert!(why.contains("https://a.example and 1 other"), "{why}");
    }
}
