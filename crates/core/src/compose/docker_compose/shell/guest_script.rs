//! What a script does that runs in the guest itself, as root and before the containers: which images it starts, and whether it
//! replaces what is judged.

use std::collections::BTreeSet;

use super::engine_spellings::{EngineSpellings, asks_the_engine, engine_behind, engine_of_input};
use super::host_data::HOST_DATA;
use super::host_files::HOST_FILES;
use super::interpreters::{Execution, is_interpreter};
use super::known_folders::KnownFolders;
use super::language::Language;
use super::own_variables::fixed_values;
use super::paths::{base_name, file_key};
use super::programs::{ENGINE_STARTS_NOTHING, ENGINES, EXECUTORS, IN_GROUPS_STARTS_NOTHING};
use super::reader::{MAX_DEPTH, MAX_SCRIPT_BYTES};
use super::script::{Script, ShellCommand};
use super::variable_use::Use;
use super::word::Word;
use super::written_files::written_by;

/// Files that Docker Compose or the guest reads after a script.
const COMPOSE_FILES: [&str; 9] = [
    "docker-compose.yaml",
    "docker-compose.yml",
    "compose.yaml",
    "compose.yml",
    "docker-compose.override.yaml",
    "docker-compose.override.yml",
    "compose.override.yaml",
    "compose.override.yml",
    "app-compose.json",
];
/// How many images and files are named.
const MAX_NAMED: usize = 8;

/// What a script of the guest takes from outside the document to decide what runs.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::compose::docker_compose) struct GuestScript {
    /// Variables from outside that it may execute.
    pub(in crate::compose::docker_compose) executed: BTreeSet<String>,
    /// Whether it may execute what the host hands in as a file or a disk.
    pub(in crate::compose::docker_compose) executes_host_files: bool,
    /// Images without a digest that it starts or fetches.
    pub(in crate::compose::docker_compose) images: BTreeSet<String>,
    /// What else it has a container engine do: building, loading, other compose files.
    pub(in crate::compose::docker_compose) engine: BTreeSet<String>,
    /// Files that Docker Compose or the guest reads after it.
    pub(in crate::compose::docker_compose) replaces: BTreeSet<String>,
    /// Whether it is too long to be read.
    pub(in crate::compose::docker_compose) is_too_long: bool,
    /// Whether a container starts it, whose files the document does not hold.
    is_of_container: bool,
}

impl GuestScript {
    /// Reads a script. `is_settable` says of which variables something outside the document sets the value.
    pub(in crate::compose::docker_compose) fn read(
        text: &str,
        is_settable: &dyn Fn(&str) -> bool,
        is_pinned: &dyn Fn(&str) -> bool,
    ) -> Self {
        let mut script = Self {
            is_too_long: text.len() > MAX_SCRIPT_BYTES,
            ..Self::default()
        };
        let is_from_outside = |name: &str| matches!(name, HOST_FILES | HOST_DATA) || is_settable(name);
        let uses = super::uses(text, &is_from_outside);
        let executed = uses.into_iter().filter(|(_, how)| *how == Use::Executed);
        for (name, _) in executed {
            if matches!(name.as_str(), HOST_FILES | HOST_DATA) {
                script.executes_host_files = true;
            } else {
                script.executed.insert(name);
            }
        }
        if !script.is_too_long {
            script.commands(text, is_pinned, 0);
        }
        script
    }

    /// Which images a container with the socket of the engine starts or fetches, by the words of its command line, and what else it has
    /// the engine do.
    pub(in crate::compose::docker_compose) fn read_engine_of_container(
        words: &[String],
        is_pinned: &dyn Fn(&str) -> bool,
    ) -> Self {
        let mut script = Self {
            is_of_container: true,
            ..Self::default()
        };
        script.read_commands("", &[ShellCommand::of_list(words)], is_pinned, 0);
        Self {
            images: script.images,
            engine: script.engine,
            ..Self::default()
        }
    }

    fn commands(&mut self, text: &str, is_pinned: &dyn Fn(&str) -> bool, depth: usize) {
        if depth >= MAX_DEPTH {
            self.is_too_long = true;
            return;
        }
        self.read_commands(text, &Script::of(text, depth).commands, is_pinned, depth);
    }

    fn read_commands(
        &mut self,
        text: &str,
        commands: &[ShellCommand],
        is_pinned: &dyn Fn(&str) -> bool,
        depth: usize,
    ) {
        let folders = KnownFolders::of(text, fixed_values(commands));
        let spellings = EngineSpellings::of(commands);
        for command in commands {
            self.writes(command, &folders);
            for text in spellings.texts_of(command, commands) {
                self.commands(&text, is_pinned, depth + 1);
            }
            for program in command.programs(&mut BTreeSet::new()) {
                let name = base_name(&program.word.text);
                self.reads_otherwise(command, name, program.arguments, &folders);
                self.unpacks(command, name, program.arguments, &folders);
                if ENGINES.contains(&name) {
                    self.engine(command, program.arguments, is_pinned);
                    continue;
                }
                if let Some(arguments) = engine_behind(name, program.arguments) {
                    self.engine(command, arguments, is_pinned);
                }
                if matches!(name, "docker-compose" | "podman-compose") {
                    self.compose(command, program.arguments);
                } else if matches!(name, "ctr" | "crictl" | "buildah" | "buildctl") {
                    note(&mut self.engine, name);
                } else if matches!(name, "parallel" | "xargs")
                    && let Some(engine) = engine_of_input(program.arguments)
                {
                    note(&mut self.engine, &format!("{engine} behind {name}"));
                } else if matches!(name, "crane" | "skopeo") {
                    self.copies(program.arguments, is_pinned);
                } else if asks_the_engine(name, program.arguments) {
                    note(&mut self.engine, &format!("{name} at the socket of the engine"));
                } else if is_interpreter(name) {
                    if Language::of_interpreter(name).is_some() {
                        self.names_in_code(command);
                    }
                    for script in Execution::of(name, program.arguments).scripts {
                        self.commands(&spellings.filled(&script.text), is_pinned, depth + 1);
                    }
                } else if EXECUTORS.contains(&name) {
                    let texts = program.arguments.iter().map(|word| spellings.filled(&word.text));
                    for script in texts.filter(|text| text.contains(' ')) {
                        self.commands(&script, is_pinned, depth + 1);
                    }
                }
            }
        }
    }

    /// `docker`, `nerdctl` or `podman` with arguments.
    fn engine(&mut self, command: &ShellCommand, arguments: &[Word], is_pinned: &dyn Fn(&str) -> bool) {
        let mut operands = operands(arguments);
        let Some((at, verb)) = operands.next() else {
            return;
        };
        // `docker image pull`, `docker container run`.
        let (at, verb) = match (verb, operands.next()) {
            ("container" | "image", Some((at, verb))) => (at, verb),
            _ => (at, verb),
        };
        let rest = arguments.get(at + 1..).unwrap_or_default();
        match verb {
            "run" | "create" => {
                if let Some(image) = image_of(rest).filter(|image| !is_pinned(image)) {
                    note(&mut self.images, image);
                }
            }
            "pull" => {
                let images = rest.iter().map(|word| word.text.as_str());
                for image in images.filter(|text| !text.starts_with('-') && !is_pinned(text)) {
                    note(&mut self.images, image);
                }
            }
            "compose" => self.compose(command, rest),
            // What runs in a container that is judged.
            "exec" | "restart" | "start" | "update" | "wait" | "attach" | "cp" => {}
            "network" | "system" | "volume" => {}
            verb if IN_GROUPS_STARTS_NOTHING.contains(&verb) => {}
            verb if ENGINE_STARTS_NOTHING.contains(&verb) => {}
            verb => note(&mut self.engine, &format!("docker {verb}")),
        }
    }

    /// Docker Compose: the file that is judged is the one in its own folder.
    fn compose(&mut self, command: &ShellCommand, arguments: &[Word]) {
        let is_elsewhere = command
            .folder
            .as_deref()
            .is_some_and(|folder| !is_own_folder(folder));
        let names_another = arguments.iter().any(|word| {
            let text = word.text.as_str();
            text.starts_with("-f") || text.starts_with("--file") || text.starts_with("--project-directory")
        });
        let has = |verbs: &[&str]| arguments.iter().any(|word| verbs.contains(&word.text.as_str()));
        let builds = has(&["build", "--build"]);
        if self.is_of_container && has(&["build", "create", "pull", "run", "up"]) {
            note(&mut self.engine, "docker compose in a container");
        } else if !self.is_of_container && (is_elsewhere || names_another || builds) {
            note(&mut self.engine, "docker compose with another file");
        }
    }

    /// Programs that bring an image without an engine.
    fn copies(&mut self, arguments: &[Word], is_pinned: &dyn Fn(&str) -> bool) {
        let texts = arguments.iter().map(|word| word.text.as_str());
        for text in texts {
            let image = text.strip_prefix("docker://");
            if let Some(image) = image.filter(|image| !is_pinned(image)) {
                note(&mut self.images, image);
            }
        }
    }

    /// Code of another language that names the docker compose file, which it may write.
    fn names_in_code(&mut self, command: &ShellCommand) {
        let texts = command
            .words
            .iter()
            .map(|word| &word.text)
            .chain(&command.documents);
        for text in texts {
            // `compose.yaml` is a part of `docker-compose.yaml`.
            let is_named = |name: &&&str| {
                let mut found = text.match_indices(**name);
                found.any(|(at, _)| {
                    let is_part = text.get(..at).is_some_and(|before| before.ends_with("docker-"));
                    !is_part && !is_only_read(text, at, name)
                })
            };
            for name in COMPOSE_FILES.iter().filter(is_named) {
                note(&mut self.replaces, name);
            }
        }
    }

    /// Programs that fill the folder that they stand in with files that nothing names.
    fn unpacks(
        &mut self,
        command: &ShellCommand,
        name: &str,
        arguments: &[Word],
        folders: &KnownFolders<'_>,
    ) {
        let texts = || arguments.iter().map(|word| word.text.as_str());
        // The folder behind an option, in the same word or in the next.
        let behind = |options: &[&str]| {
            let at = texts().position(|text| options.iter().any(|option| text.starts_with(option)))?;
            let text = texts().nth(at)?;
            let rest = options.iter().find_map(|option| text.strip_prefix(option))?;
            match rest.trim_start_matches('=') {
                "" => texts().nth(at + 1),
                rest => Some(rest),
            }
        };
        let folder = match name {
            "tar" | "bsdtar" if is_extraction(arguments) => {
                behind(&["-C", "--directory", "--one-top-level"]).unwrap_or(".")
            }
            "unzip" if !texts().any(|text| matches!(text, "-l" | "-p" | "-t")) => {
                behind(&["-d"]).unwrap_or(".")
            }
            "git" if texts().any(|text| text == "clone") => match texts().next_back() {
                Some(folder)
                    if matches!(folder, "." | "./")
                        || is_own_folder(folders.path(folder).trim_end_matches('/')) =>
                {
                    folder
                }
                _ => return,
            },
            _ => return,
        };
        let stands_in = command.folder.as_deref().map(|folder| folders.path(folder));
        let folder = folders.path(folder);
        let key = file_key(
            &format!("{}/x", folder.trim_end_matches('/')),
            stands_in.as_deref(),
        );
        let path = key.split_once(':').map_or("", |(_, path)| path);
        let folder = path.strip_suffix("/x").unwrap_or_default();
        if matches!(folder, "." | "") || is_own_folder(folder) {
            note(&mut self.replaces, "docker-compose.yaml");
        }
    }

    fn writes(&mut self, command: &ShellCommand, folders: &KnownFolders<'_>) {
        for path in written_by(command) {
            let path = folders.path(&path);
            self.replaced(command, &path);
            self.sets_environment(command, &path);
        }
    }

    /// `.env` in the folder where Docker Compose runs: it takes from there which file it reads, and the values of variables.
    fn sets_environment(&mut self, command: &ShellCommand, path: &str) {
        const PRINTERS: [&str; 3] = ["cat", "echo", "printf"];
        let key = file_key(path, command.folder.as_deref());
        let path = key.split_once(':').map_or("", |(_, path)| path);
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        if name != ".env" || !is_own_folder(folder) {
            return;
        }
        let mut programs = command.programs(&mut BTreeSet::new()).into_iter();
        let is_printed = programs.all(|program| PRINTERS.contains(&base_name(&program.word.text)));
        let texts = || {
            command
                .words
                .iter()
                .map(|word| &word.text)
                .chain(&command.documents)
        };
        let is_fixed = |text: &String| {
            !text.contains(['$', '`']) && !text.contains("COMPOSE_") && !text.contains("DOCKER_")
        };
        let names_file =
            command.words.first().is_some_and(|word| word.text == "cat") && command.words.len() > 1;
        if !is_printed || names_file || command.is_piped || !texts().all(is_fixed) {
            note(&mut self.replaces, name);
        }
    }

    /// Programs that may change a file that they are handed.
    fn reads_otherwise(
        &mut self,
        command: &ShellCommand,
        name: &str,
        arguments: &[Word],
        folders: &KnownFolders<'_>,
    ) {
        #[rustfmt::skip]
        const READERS: [&str; 26] = [
            "[", "[[", "cat", "chmod", "chown", "cmp", "cp", "cut", "diff", "docker", "docker-compose",
            "echo", "egrep", "grep", "head", "jq", "ls", "md5sum", "printf", "sed", "sha256sum", "stat",
            "tail", "test", "wc", "awk",
        ];
        if READERS.contains(&name) {
            return;
        }
        for word in arguments {
            self.replaced(command, &folders.path(&word.text));
        }
    }

    fn replaced(&mut self, command: &ShellCommand, path: &str) {
        let key = file_key(path, command.folder.as_deref());
        let path = key.split_once(':').map_or("", |(_, path)| path);
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        if !is_own_folder(folder) {
            return;
        }
        // A pattern, or a variable whose value is not known, may be any of them.
        let first = name.find(['*', '?', '[', '$']);
        let start = name.get(..first.unwrap_or_default()).unwrap_or_default();
        let end = name.rsplit(['*', '?', ']', '}']).next().unwrap_or_default();
        let is_pattern = first.is_some() && !name.contains('$') && !end.is_empty();
        let is_meant =
            |file: &&&str| **file == name || is_pattern && file.starts_with(start) && file.ends_with(end);
        if let Some(file) = COMPOSE_FILES.iter().find(is_meant) {
            note(&mut self.replaces, file);
        }
    }
}

/// Whether code only reads the file whose name stands at a place of it: `open("…")`, with no mode behind the name.
fn is_only_read(code: &str, at: usize, name: &str) -> bool {
    let before = code.get(..at).unwrap_or_default();
    let before = before.trim_end_matches(|c: char| c == '/' || c == '.' || c.is_ascii_alphanumeric());
    let behind = code.get(at + name.len()..).unwrap_or_default();
    let quote = |c: char| before.ends_with(c) && behind.starts_with(c);
    let opens = before
        .strip_suffix(['"', '\''])
        .and_then(|before| before.strip_suffix("open("));
    // Python's own `open`: another one may write.
    let is_builtin = opens.is_some_and(|before| {
        !before.ends_with(|c: char| matches!(c, '.' | '_' | '>' | ':') || c.is_ascii_alphanumeric())
    });
    is_builtin && (quote('"') || quote('\'')) && behind.get(1..).is_some_and(|behind| behind.starts_with(')'))
}

/// The folder where the guest keeps its files and runs Docker Compose, or one that is not known.
fn is_own_folder(folder: &str) -> bool {
    matches!(folder, "" | "/dstack" | "/tapp") || folder.contains('$')
}

/// Whether `tar` unpacks: by its first word, or by an option.
fn is_extraction(arguments: &[Word]) -> bool {
    let first = arguments.first().map_or("", |word| word.text.as_str());
    let is_short = |text: &str| text.starts_with('-') && !text.starts_with("--") && text.contains('x');
    let lists = |text: &str| matches!(text, "-O" | "--to-stdout");
    let texts = || arguments.iter().map(|word| word.text.as_str());
    let extracts = !first.starts_with('-') && first.contains('x') && !first.contains('.')
        || texts().any(|text| is_short(text) || matches!(text, "--extract" | "--get"));
    extracts && !texts().any(lists)
}

/// The words that are no options, with their positions.
fn operands(arguments: &[Word]) -> impl Iterator<Item = (usize, &str)> {
    let words = arguments.iter().enumerate();
    let words = words.map(|(at, word)| (at, word.text.as_str()));
    words.filter(|(_, text)| !text.starts_with('-'))
}

/// The image behind the options of `docker run`: an option that is not known to stand alone takes the next word.
fn image_of(arguments: &[Word]) -> Option<&str> {
    const ALONE: [&str; 16] = [
        "--detach",
        "--disable-content-trust",
        "--init",
        "--interactive",
        "--no-healthcheck",
        "--oom-kill-disable",
        "--privileged",
        "--publish-all",
        "--quiet",
        "--read-only",
        "--replace",
        "--rm",
        "--sig-proxy",
        "--tty",
        "-P",
        "-q",
    ];
    let mut words = arguments.iter().map(|word| word.text.as_str());
    while let Some(text) = words.next() {
        if !text.starts_with('-') {
            return Some(text);
        }
        let is_cluster =
            !text.starts_with("--") && text.chars().skip(1).all(|letter| "ditPq".contains(letter));
        let has_argument = text.contains('=') || !text.starts_with("--") && text.len() > 2;
        if !is_cluster && !has_argument && !ALONE.contains(&text) {
            words.next();
        }
    }
    None
}

fn note(named: &mut BTreeSet<String>, text: &str) {
    if named.len() < MAX_NAMED {
        named.insert(text.to_owned());
    }
}
