//! Files that a script writes and that a program reads which it starts: settings that name commands, and modules of a language. A line
//! end, a quote or a bracket in the value adds a setting or a statement.

use std::collections::BTreeSet;

use super::interpreters::is_interpreter;
use super::paths::{base_name, file_key};
use super::programs::{COREUTILS, DOWNLOADERS, HARMLESS, UNPACKERS};
use super::readers_table::{CODE_ENDS, LOADERS, OTHERS_THAT_EXECUTE_NO_FILE, READERS};
use super::tainted::Tainted;
use super::word::Word;
use super::written_files::{has_files, sources_of_file, sources_of_written};

/// Folders of what servers send to browsers.
const OF_BROWSERS: [&str; 4] = ["/assets/", "/html/", "/public/", "/static/"];
/// Folders into which bundlers put what is for browsers, and compilers what is for the server.
const OF_EITHER: [&str; 3] = ["/build/", "/dist/", "/out/"];
/// Programs that start what a project says, whichever folder that stands in.
const PROJECT_STARTERS: [&str; 7] = ["next", "npm", "nuxt", "pm2", "pm2-runtime", "pnpm", "yarn"];

/// Whether a file of JavaScript is one for browsers, which the program does not load: by its folder, where no word of the program names a
/// file there.
fn is_for_browsers(path: &str, name: &str, arguments: &[Word]) -> bool {
    let path = format!("/{path}");
    let words = || arguments.iter().map(|word| word.text.as_str());
    let is_named = |part: &str| words().any(|text| format!("/{text}/").contains(part));
    let of_project = PROJECT_STARTERS.contains(&name)
        || matches!(name, "bun" | "deno") && words().any(|text| matches!(text, "run" | "start" | "task"));
    let is_in = |parts: &[&str]| {
        let mut parts = parts.iter().filter(|part| path.contains(**part)).peekable();
        parts.peek().is_some() && !parts.any(|part| is_named(part))
    };
    is_in(&OF_BROWSERS) || !of_project && is_in(&OF_EITHER)
}

/// The variables from outside in files that a program reads as its settings or loads as modules.
pub(super) fn sources_of_read_files(
    name: &str,
    arguments: &[Word],
    folder: Option<&str>,
    tainted: &Tainted,
) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    if !has_files(tainted) {
        return found;
    }
    let is_program =
        |programs: &[&str]| programs.contains(&name) || programs.contains(&without_version(name));
    for (_, files, reads_named) in READERS.iter().filter(|(programs, ..)| is_program(programs)) {
        found.extend(sources_of_written(tainted, |path| {
            let path = format!("/{path}");
            files.iter().any(|part| path.contains(part)) && !is_no_setting(&path)
        }));
        if *reads_named {
            for word in arguments {
                for named in paths_in(&word.text) {
                    found.extend(sources_of_file(&file_key(named, folder), tainted));
                    let below = named.trim_end_matches('/');
                    if below.starts_with('/') {
                        found.extend(sources_of_written(tainted, |path| {
                            let rest = path.strip_prefix(below);
                            rest.is_some_and(|rest| rest.starts_with('/')) && !is_no_setting(path)
                        }));
                    }
                }
            }
        }
    }
    // Node takes NODE_OPTIONS from such a file.
    if matches!(name, "node" | "nodejs" | "tsx") {
        let is_of_environment = |word: &&Word| word.text.starts_with("--env-file");
        if arguments.iter().any(|word| is_of_environment(&word)) {
            found.extend(sources_of_written(tainted, |path| {
                base_name(path).contains(".env")
            }));
            for word in arguments {
                let named = word.text.rsplit('=').next().unwrap_or_default();
                found.extend(sources_of_file(&file_key(named, folder), tainted));
            }
        }
    }
    for (_, ends) in LOADERS.iter().filter(|(programs, _)| is_program(programs)) {
        found.extend(sources_of_written(tainted, |path| {
            ends.iter().any(|end| path.ends_with(end))
                && !(ends.contains(&".js") && is_for_browsers(path, name, arguments))
        }));
    }
    found.extend(sources_of_named_code(name, arguments, folder, tainted));
    found
}

/// The variables from outside in a file of code that a program names which may execute, load or compile it, whatever program that is.
/// What an interpreter executes of its words is read by itself.
fn sources_of_named_code(
    name: &str,
    arguments: &[Word],
    folder: Option<&str>,
    tainted: &Tainted,
) -> BTreeSet<String> {
    let quiet: [&[&str]; 5] = [
        &COREUTILS,
        &HARMLESS,
        &DOWNLOADERS,
        &UNPACKERS,
        &OTHERS_THAT_EXECUTE_NO_FILE,
    ];
    if is_interpreter(name) || quiet.iter().any(|programs| programs.contains(&name)) {
        return BTreeSet::new();
    }
    let is_code = |path: &&str| {
        let end = base_name(path).rsplit_once('.').map(|(_, end)| end);
        let is_of_browsers = || OF_BROWSERS.iter().any(|part| path.contains(part));
        end.is_some_and(|end| CODE_ENDS.contains(&end)) && !(path.ends_with(".js") && is_of_browsers())
    };
    let words = arguments.iter().flat_map(|word| paths_in(&word.text));
    let named = words.filter(is_code);
    named
        .flat_map(|path| sources_of_file(&file_key(path, folder), tainted))
        .collect()
}

/// Whether a file holds certificates, keys or passwords by its name: one lies beside settings and is none.
fn is_no_setting(path: &str) -> bool {
    const ENDS: [&str; 6] = [".cer", ".crt", ".csr", ".key", ".p12", ".pem"];
    let name = base_name(path);
    // Not `passwd.conf`: what such a file may hold, its whole name says.
    ENDS.iter().any(|end| name.ends_with(end))
        || name.ends_with("passwd")
        || matches!(name, "passwd.client" | "users")
}

/// The paths that a word may name: all of it, what stands behind `=`, `@` or `:`, and what an option of one letter has in its word.
fn paths_in(word: &str) -> impl Iterator<Item = &str> {
    let value = word.rsplit(['=', '@', ':']).next();
    let glued = word
        .strip_prefix('-')
        .filter(|rest| !rest.starts_with('-'))
        .and_then(|rest| rest.get(1..));
    let paths = [Some(word), value.filter(|value| *value != word), glued];
    paths.into_iter().flatten().filter(|path| !path.is_empty())
}

/// A program without the version that ends its name: `gcc-12`, `php-fpm8.2`.
fn without_version(name: &str) -> &str {
    name.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | '-'))
}
