//! Files that a script of the guest writes with what something outside the document decides, or makes a link to that. A container that
//! mounts one sees it.

use std::collections::{BTreeMap, BTreeSet};

use super::host_data::HOST_DATA;
use super::host_files::HOST_FILES;
use super::interpreters::{Execution, is_interpreter};
use super::known_folders::KnownFolders;
use super::paths::base_name;
use super::reader::{MAX_DEPTH, MAX_SCRIPT_BYTES};
use super::script::Script;
use super::tainted::Tainted;
use super::written_files::files;

/// What a file is written with that is not in the document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::compose::docker_compose) enum WrittenFrom {
    /// A variable of `allowed_envs`.
    Variable(String),
    /// What nothing authenticates: an answer over plain HTTP.
    Unprotected,
    /// What the host hands in as a file or a disk.
    Host,
}

/// The files, by their paths as the script writes them. An empty path may be any.
pub(in crate::compose::docker_compose) fn files_from_outside(
    text: &str,
    is_settable: &dyn Fn(&str) -> bool,
) -> BTreeMap<String, WrittenFrom> {
    let mut found = BTreeMap::new();
    add_files(text, is_settable, &mut found, 0);
    found
}

fn add_files(
    text: &str,
    is_settable: &dyn Fn(&str) -> bool,
    found: &mut BTreeMap<String, WrittenFrom>,
    depth: usize,
) {
    // Such a script is named as one that cannot be read.
    if depth >= MAX_DEPTH || text.len() > MAX_SCRIPT_BYTES {
        return;
    }
    let is_from_outside = |name: &str| matches!(name, HOST_FILES | HOST_DATA) || is_settable(name);
    let mut script = Script::of(text, depth);
    script.add_commands_of_input();
    let mut tainted = Tainted::new();
    script.taint_all(&is_from_outside, &mut tainted);
    let folders = KnownFolders::of(text, script.fixed_values());
    for (path, from) in files(&tainted) {
        let path = folders.path(path);
        // A pseudo file keeps nothing of what is written to it.
        if ["/dev/", "/proc/", "/sys/"]
            .iter()
            .any(|start| path.starts_with(start))
        {
            continue;
        }
        let from = from.iter().map(|name| match name.as_str() {
            HOST_FILES => WrittenFrom::Host,
            HOST_DATA => WrittenFrom::Unprotected,
            name => WrittenFrom::Variable(name.to_owned()),
        });
        if let Some(from) = from.max() {
            let known = found.entry(path).or_insert_with(|| from.clone());
            *known = from.max(known.clone());
        }
    }
    for command in &script.commands {
        for program in command.programs(&mut BTreeSet::new()) {
            let name = base_name(&program.word.text);
            if is_interpreter(name) {
                for script in Execution::of(name, program.arguments).scripts {
                    add_files(&script.text, is_settable, found, depth + 1);
                }
            }
        }
    }
}
