//! What a command takes from its environment, and which program this is.

pub(crate) mod ci_job;
pub(crate) mod run_id;
pub(crate) mod typed;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{IsTerminal as _, Write};
use std::path::Path;
use std::pin::Pin;
use std::time::Duration;

use crate::engine;
use crate::render::escape;
use cvm_verify_core::report::Tool;

/// What stands in place of bytes that are not UTF-8.
pub(crate) const NOT_TEXT: char = char::REPLACEMENT_CHARACTER;

/// Variables of CI systems and terminals that are looked at.
pub const CI_VARIABLES: [&str; 22] = [
    "NO_COLOR",
    "TERM",
    "COLUMNS",
    "GITHUB_ACTIONS",
    "GITHUB_OUTPUT",
    "GITHUB_STEP_SUMMARY",
    "GITHUB_WORKSPACE",
    "GITHUB_SERVER_URL",
    "GITHUB_API_URL",
    "GITHUB_EVENT_NAME",
    "GITHUB_REPOSITORY",
    "GITHUB_RUN_ID",
    "GITHUB_RUN_ATTEMPT",
    "GITHUB_WORKFLOW_REF",
    "GITHUB_JOB",
    "GITLAB_CI",
    "CI_PIPELINE_ID",
    "CI_PIPELINE_SOURCE",
    "CI_JOB_URL",
    "CI_PROJECT_URL",
    "CI_COMMIT_REF_NAME",
    "CI_JOB_NAME",
];

/// Variables that other programs take a proxy from. None is used; who cannot reach an address is told that one is set.
pub(crate) const PROXY_VARIABLES: [&str; 6] = [
    "HTTPS_PROXY",
    "https_proxy",
    "ALL_PROXY",
    "all_proxy",
    "HTTP_PROXY",
    "http_proxy",
];

/// Variables that say where a user's caches are.
const CACHE_VARIABLES: [&str; 3] = ["XDG_CACHE_HOME", "HOME", "LOCALAPPDATA"];

/// Arguments, environment, clock and streams of a run.
pub struct Env {
    /// The arguments, the program's name first.
    pub args: Vec<OsString>,
    /// The environment: the variables that [`Env::reads`] says.
    pub variables: BTreeMap<String, String>,
    /// Where reports go.
    pub stdout: Box<dyn Write + Send>,
    /// Where errors and progress go.
    pub stderr: Box<dyn Write + Send>,
    /// Whether standard output is a terminal.
    pub stdout_is_terminal: bool,
    /// Whether standard error is a terminal.
    pub stderr_is_terminal: bool,
    /// The clock, Unix seconds.
    pub now: fn() -> u64,
    /// A time that no honest clock is before, Unix seconds: when this program's commit was made.
    pub clock_floor: u64,
    /// Pause between two rounds of `--wait`.
    pub pause: Duration,
    /// How many times faster than asked for `watch` repeats its rounds: 1, save in tests and benchmarks.
    pub acceleration: u32,
    /// Ends `watch`, as SIGTERM does.
    pub stop: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    /// Whether a file exists: to notice a run inside a CVM, and the policy file.
    pub exists: fn(&Path) -> bool,
}

impl Env {
    /// Whether a variable of this name is looked at: ours, [`CI_VARIABLES`], where a user's caches are, and which proxy is set. A process
    /// has no other.
    #[must_use]
    pub fn reads(name: &str) -> bool {
        name.starts_with("CVM_VERIFY_")
            || CI_VARIABLES.contains(&name)
            || CACHE_VARIABLES.contains(&name)
            || PROXY_VARIABLES.contains(&name)
    }

    /// Those of this process.
    #[must_use]
    pub fn of_process() -> Self {
        // A value of ours that is not text is kept, so that it is refused: left out, it would count as not given.
        let text = |value: &OsString| value.to_string_lossy().into_owned();
        let mut env: BTreeMap<String, String> = std::env::vars_os()
            .map(|(name, value)| (text(&name), text(&value)))
            .filter(|(name, value)| {
                Self::reads(name) && (name.starts_with("CVM_VERIFY_") || !value.contains(NOT_TEXT))
            })
            .collect();
        if let Some((terminal_size::Width(columns), _)) = terminal_size::terminal_size() {
            env.entry("COLUMNS".to_owned())
                .or_insert_with(|| columns.to_string());
        }
        Self {
            args: std::env::args_os().collect(),
            variables: env,
            stdout: Box::new(std::io::stdout()),
            stderr: Box::new(std::io::stderr()),
            stdout_is_terminal: std::io::stdout().is_terminal(),
            stderr_is_terminal: std::io::stderr().is_terminal(),
            now: engine::now,
            clock_floor: engine::clock_floor(),
            pause: Duration::from_secs(10),
            acceleration: 1,
            stop: None,
            exists: |path| path.exists(),
        }
    }

    /// Where lines are wrapped, in characters: the terminal's width, within what reads well; 100 in a log.
    pub(crate) fn width(&self) -> usize {
        let columns = self
            .variables
            .get("COLUMNS")
            .and_then(|columns| columns.trim().parse().ok());
        match columns.filter(|_| self.stdout_is_terminal) {
            Some(columns) => usize::clamp(columns, 60, 120),
            None => 100,
        }
    }

    /// Whether the terminal takes no control sequences.
    pub(crate) fn is_dumb_terminal(&self) -> bool {
        self.variables.get("TERM").is_some_and(|term| term == "dumb")
    }

    /// Writes to standard output. A reader that went away (`| head`) is no error.
    pub(crate) fn print(&mut self, text: &str) {
        let _ = self
            .stdout
            .write_all(text.as_bytes())
            .and_then(|()| self.stdout.flush());
    }

    /// Writes to standard error.
    pub(crate) fn write_error(&mut self, text: &str) {
        let _ = self
            .stderr
            .write_all(text.as_bytes())
            .and_then(|()| self.stderr.flush());
    }

    /// Writes lines to standard output. They may quote what strangers wrote: nothing in them acts on a terminal or in a CI log.
    pub(crate) fn say(&mut self, lines: &str) {
        self.print(&escape::terminal_lines(lines));
    }

    /// Writes lines to standard error, and ends the last one. As with [`Env::say`], nothing in them acts.
    pub(crate) fn complain(&mut self, lines: &str) {
        self.write_error(&format!("{}\n", escape::terminal_lines(lines)));
    }

    /// Writes what the user should know, although nothing is wrong with the command, to standard error: one line, whatever it quotes.
    pub(crate) fn note(&mut self, sentence: &str) {
        self.complain(&format!("note: {}", escape::terminal(sentence)));
    }

    /// Whether this is a step of GitHub Actions.
    pub(crate) fn on_github(&self) -> bool {
        self.variables
            .get("GITHUB_ACTIONS")
            .is_some_and(|value| value == "true")
    }

    /// Whether GitHub or GitLab began this run on a schedule.
    pub(crate) fn is_scheduled(&self) -> bool {
        ["GITHUB_EVENT_NAME", "CI_PIPELINE_SOURCE"].iter().any(|name| {
            self.variables
                .get(*name)
                .is_some_and(|begun_by| begun_by == "schedule")
        })
    }

    /// What marks this machine as a CVM itself, if anything does.
    fn inside_a_cvm(&self) -> Option<&'static str> {
        [
            "/dev/tdx_guest",
            "/var/run/dstack.sock",
            "/var/run/dstack/dstack.sock",
            "/var/run/tappd.sock",
        ]
        .into_iter()
        .find(|path| (self.exists)(Path::new(path)))
    }

    /// Says so, if this machine is a CVM itself.
    pub(crate) fn note_a_run_inside_a_cvm(&mut self) {
        if let Some(mark) = self.inside_a_cvm() {
            self.note(&format!(
                "this machine is itself a CVM ({mark} exists). A verifier that its adversary can change proves nothing: run \
                 it from your CI."
            ));
        }
    }
}

/// This program.
pub(crate) fn tool() -> Tool {
    Tool {
        name: env!("CARGO_PKG_NAME").to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        git: env!("CVM_VERIFY_GIT").to_owned(),
    }
}

/// A variable that is true or false, as CI systems write it; `None` if it is neither.
pub(crate) fn truth(value: &str) -> Option<bool> {
    match value.trim().to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Some(true),
        "false" | "0" | "no" | "off" => Some(false),
        _ => None,
    }
}
