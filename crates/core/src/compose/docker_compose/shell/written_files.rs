//! Files that a script writes: a file is a variable by another name, so what is written to it comes out where it is read or started.

use std::collections::BTreeSet;

use super::download_output::downloaded_files;
use super::paths::{FILE, base_name};
use super::programs::{
    DOWNLOADERS, FETCHERS, PROJECT_FILES, STARTUP_FILES, STARTUP_FILES_OF_GUEST, UNPACKERS,
};
use super::script::ShellCommand;
use super::script_files::is_data;
use super::shown_environment::{WHOLE_ENVIRONMENT, is_environment_file};
use super::tainted::Tainted;
use super::verbs::targets_of_unknown;
use super::word::Word;

/// Files that are followed. With more of them each is taken for any other.
const MAX_FILES: usize = 32;

/// Folders in which a shell looks for programs.
const PATH: [&str; 6] = [
    "/bin",
    "/sbin",
    "/usr/bin",
    "/usr/local/bin",
    "/usr/local/sbin",
    "/usr/sbin",
];

/// Adds to files what they are written with.
pub(super) fn taint_files(
    keys: impl IntoIterator<Item = String>,
    from: &BTreeSet<String>,
    tainted: &mut Tainted,
) {
    if from.is_empty() {
        return;
    }
    let mut room = MAX_FILES.saturating_sub(files(tainted).count());
    let mut followed = BTreeSet::new();
    for key in keys {
        if tainted.contains_key(&key) || followed.contains(&key) {
            followed.insert(key);
        } else if room > 0 {
            room -= 1;
            followed.insert(key);
        } else {
            followed.insert(FILE.to_owned());
        }
    }
    for key in followed {
        tainted.entry(key).or_default().extend(from.iter().cloned());
    }
}

/// The variables from outside that a file of this name is written with; the whole environment of the file that holds it.
pub(super) fn sources_of_file(key: &str, tainted: &Tainted) -> BTreeSet<String> {
    let Some(path) = key.strip_prefix(FILE).filter(|path| !path.is_empty()) else {
        return BTreeSet::new();
    };
    let mut found = sources_where(tainted, |written| is_same(written, path));
    if is_environment_file(path) {
        found.insert(WHOLE_ENVIRONMENT.to_owned());
    }
    found
}

/// The variables from outside that a program is written with, which the shell looks for by its name alone. `any_folder`: the script
/// says itself in which folders.
pub(super) fn sources_of_program(name: &str, any_folder: bool, tainted: &Tainted) -> BTreeSet<String> {
    let is_found = |path: &str| {
        let (folder, base) = path.rsplit_once('/').unwrap_or(("", path));
        let is_on_path =
            matches!(base_name(folder), "bin" | "sbin") || folder.starts_with('$') && !folder.contains('/');
        base == name && (any_folder || is_on_path) || PATH.iter().any(|folder| is_same(path, folder))
    };
    sources_where(tainted, is_found)
}

/// The variables from outside in the files by which a project says what npm, make and the like start.
pub(super) fn sources_of_project(tainted: &Tainted) -> BTreeSet<String> {
    sources_of_written(tainted, |path| PROJECT_FILES.contains(&base_name(path)))
}

/// The variables from outside in a module of Python, and in those that Python loads at its start.
pub(super) fn sources_of_module(module: &str, tainted: &Tainted) -> BTreeSet<String> {
    let last = module.rsplit('.').next().unwrap_or_default();
    let first = module.split('.').next().unwrap_or_default();
    let is_loaded = |path: &str| {
        let base = base_name(path);
        let is_module = !module.is_empty()
            && (base.strip_suffix(".py") == Some(last)
                || path.ends_with(".py") && path.split('/').any(|step| step == first));
        is_module || matches!(base, "sitecustomize.py" | "usercustomize.py") || base.ends_with(".pth")
    };
    sources_of_written(tainted, is_loaded)
}

/// The variables from outside in the written files for whose paths `is_read` holds, and in one that may be any.
pub(super) fn sources_of_written(tainted: &Tainted, is_read: impl Fn(&str) -> bool) -> BTreeSet<String> {
    sources_where(tainted, |path| path.is_empty() || is_read(path))
}

fn sources_where(tainted: &Tainted, is_one: impl Fn(&str) -> bool) -> BTreeSet<String> {
    let found = files(tainted).filter(|(path, _)| is_one(path));
    found.flat_map(|(_, from)| from.iter().cloned()).collect()
}

/// Whether a script writes a file with a value from outside.
pub(super) fn has_files(tainted: &Tainted) -> bool {
    files(tainted).next().is_some()
}

/// The written files, with what they are written with.
pub(super) fn files(tainted: &Tainted) -> impl Iterator<Item = (&str, &BTreeSet<String>)> {
    let keys = tainted.range(FILE.to_owned()..);
    keys.map_while(|(key, from)| Some((key.strip_prefix(FILE)?, from)))
}

/// Whether a file that was written may be one that is named otherwise.
fn is_same(written: &str, named: &str) -> bool {
    // An argument of a function may be any path.
    let is_argument = written.strip_prefix('$').is_some_and(|name| {
        name.trim_start_matches('{')
            .starts_with(|c: char| c.is_ascii_digit())
    });
    if matches!(written, "" | "/") || written == named || is_argument {
        return true;
    }
    let written = written.trim_end_matches('/');
    // A folder that was written, and the folder where a script stands if that is not known.
    let is_below = |path: &str, folder: &str| {
        path.strip_prefix(folder)
            .is_some_and(|rest| rest.starts_with('/'))
    };
    let is_tail = |path: &str, end: &str| {
        !end.starts_with(['/', '~', '$']) && path.strip_suffix(end).is_some_and(|rest| rest.ends_with('/'))
    };
    if is_below(named, written) || is_tail(named, written) || is_tail(written, named) {
        return true;
    }
    match named.find(['*', '?', '[']) {
        Some(at) => {
            let (start, rest) = named.split_at(at);
            let end = rest.rsplit(['*', '?', ']']).next().unwrap_or_default();
            written.starts_with(start) && written.ends_with(end)
        }
        None => false,
    }
}

/// Whether other programs execute or load a file at their start: those of a container, or those of the guest as well.
pub(super) fn is_startup_file(path: &str, is_guest: bool) -> bool {
    let is_one = |files: &[&str]| files.iter().any(|file| path.contains(file));
    is_one(&STARTUP_FILES) || is_guest && is_one(&STARTUP_FILES_OF_GUEST) || is_in_start_folder(path)
}

/// Whether a file lies in a folder whose name says that the scripts in it are executed at a start: `/docker-entrypoint.d/`,
/// `/custom-cont-init.d/`, `/etc/my_init.d/`.
fn is_in_start_folder(path: &str) -> bool {
    const STARTS: [&str; 9] = [
        "boot",
        "entrypoint",
        "finish",
        "hook",
        "init",
        "poststart",
        "prestart",
        "service",
        "start",
    ];
    let is_one = |folder: &str| {
        let Some(stem) = folder.strip_suffix(".d") else {
            return folder.contains("entrypoint") && !is_data(path);
        };
        let mut words = stem.split(['-', '_', '.']);
        words.any(|word| word == "rc" || STARTS.iter().any(|start| word.starts_with(start)))
    };
    path.rsplit_once('/')
        .is_some_and(|(folders, _)| folders.split('/').any(is_one))
}

/// The files that a command writes.
pub(super) fn written_by(command: &ShellCommand) -> Vec<String> {
    let mut written: Vec<String> = command
        .outputs
        .iter()
        .map(|output| output.text.clone())
        .filter(|path| {
            !matches!(
                path.as_str(),
                "" | "1" | "2" | "/dev/null" | "/dev/stdout" | "/dev/stderr"
            )
        })
        .collect();
    for program in command.programs(&mut BTreeSet::new()) {
        let operands = || {
            let words = program.arguments.iter().map(|word| word.text.as_str());
            words.filter(|text| !text.starts_with('-'))
        };
        match base_name(&program.word.text) {
            "ftp" | "ftpget" | "lftp" | "sftp" | "tftp" => written.push(String::new()),
            "tee" => written.extend(operands().map(str::to_owned)),
            name @ ("curl" | "wget" | "aria2c") => written.extend(downloaded_files(name, program.arguments)),
            name if name == "mount" || name.starts_with("mount.") => {
                written.extend(operands().next_back().map(str::to_owned))
            }
            // `sshfs -o OPTION u@h:/ /mnt -o OPTION`
            "sshfs" => {
                let before =
                    std::iter::once("").chain(program.arguments.iter().map(|word| word.text.as_str()));
                let words = program
                    .arguments
                    .iter()
                    .map(|word| word.text.as_str())
                    .zip(before);
                let mut own = words
                    .filter(|(text, before)| !text.starts_with('-') && *before != "-o" && *before != "-p");
                written.extend(own.nth(1).map(|(text, _)| text.to_owned()));
            }
            "socat" => written.extend(operands().filter_map(|text| {
                let (kind, rest) = text.split_once(':')?;
                let is_file = ["creat", "create", "file", "gopen", "open"]
                    .iter()
                    .any(|file| kind.eq_ignore_ascii_case(file));
                let path = rest.split(',').next()?;
                is_file.then(|| path.to_owned())
            })),
            "dd" => {
                let outputs = operands().filter_map(|text| text.strip_prefix("of="));
                written.extend(outputs.map(str::to_owned));
            }
            "sed" if has_option(program.arguments, 'i', "--in-place") => {
                written.extend(operands().skip(1).map(str::to_owned));
            }
            program_name @ ("cp" | "mv" | "ln" | "install" | "rsync" | "scp") => {
                // `-t` of rsync keeps times.
                let named = target(program.arguments).filter(|_| !matches!(program_name, "rsync" | "scp"));
                let Some(target) = named.or_else(|| operands().next_back()) else {
                    continue;
                };
                // The target may be a folder.
                let inside = operands().filter(|text| *text != target);
                let name = |text: &str| base_name(text).rsplit(':').next().unwrap_or_default().to_owned();
                let inside = inside.map(|text| format!("{}/{}", target.trim_end_matches('/'), name(text)));
                written.extend(inside);
                written.push(target.to_owned());
            }
            // What these bring is judged as such.
            name if DOWNLOADERS.contains(&name) || UNPACKERS.contains(&name) || FETCHERS.contains(&name) => {}
            name => {
                let targets = targets_of_unknown(name, program.arguments);
                written.extend(targets.into_iter().map(str::to_owned));
            }
        }
    }
    written
}

/// The folder that `-t` or `--target-directory` names.
fn target(arguments: &[Word]) -> Option<&str> {
    let at = arguments
        .iter()
        .position(|word| word.text.starts_with("-t") || word.text.starts_with("--target"))?;
    let option = arguments.get(at)?.text.as_str();
    match option.split_once('=') {
        Some((_, folder)) => Some(folder),
        None if option.len() > 2 && !option.starts_with("--") => option.get(2..),
        None => arguments.get(at + 1).map(|word| word.text.as_str()),
    }
}

/// Whether an option stands among words, in a cluster or by its long name.
pub(super) fn has_option(words: &[Word], letter: char, long: &str) -> bool {
    words.iter().any(|word| {
        let text = word.text.as_str();
        text.starts_with(long) || text.starts_with('-') && !text.starts_with("--") && text.contains(letter)
    })
}
