//! Runs the program in this process.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cvm_verify::cli;
use cvm_verify::cli::Env;
use cvm_verify_core::report::{CheckId, CheckResult, Report, ResultFields, Status};

/// What a run left behind.
#[derive(Debug)]
pub struct Ran {
    pub code: u8,
    pub stdout: String,
    pub stderr: String,
}

/// Runs the program with these arguments and no environment.
pub fn run<S: AsRef<str>>(args: &[S]) -> Ran {
    run_in(args, &[], |_| {})
}

/// Runs the program with an environment, after a change of its surroundings.
pub fn run_in<S: AsRef<str>>(args: &[S], env: &[(&str, &str)], change: impl FnOnce(&mut Env)) -> Ran {
    let (out, err) = (Sink::default(), Sink::default());
    let mut env = env_of(args, env, &out, &err);
    change(&mut env);
    let code = cli::run(&mut env);
    Ran {
        code,
        stdout: out.text(),
        stderr: err.text(),
    }
}

/// Surroundings that write here.
pub fn env_of<S: AsRef<str>>(args: &[S], env: &[(&str, &str)], out: &Sink, err: &Sink) -> Env {
    Env {
        args: std::iter::once("cvm-verify")
            .chain(args.iter().map(AsRef::as_ref))
            .map(OsString::from)
            .collect(),
        // A process has no variable beside those that it looks at.
        variables: env
            .iter()
            .filter(|(name, _)| Env::reads(name))
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect::<BTreeMap<_, _>>(),
        stdout: Box::new(out.clone()),
        stderr: Box::new(err.clone()),
        stdout_is_terminal: false,
        stderr_is_terminal: false,
        now: || simulator::DEFAULT_NOW,
        clock_floor: 0,
        pause: Duration::from_millis(10),
        acceleration: 1,
        stop: None,
        exists: |_| false,
    }
}

/// What was found by checks, without the advice.
pub fn found(mut checks: Vec<CheckResult>) -> Vec<CheckResult> {
    checks.iter_mut().for_each(|check| check.fix = None);
    checks
}

impl Ran {
    /// What was found of the first target. The advice is left out: that of a live run has commands for the target.
    pub fn found(&self) -> Vec<CheckResult> {
        found(self.report().targets.swap_remove(0).checks)
    }

    /// The report, where the run was made with `--format json`. `merge` must find it sound: what the program writes
    /// never contradicts itself.
    pub fn report(&self) -> Report {
        cvm_verify::merge::read("stdout", self.stdout.as_bytes())
            .unwrap_or_else(|error| panic!("no report: {error}\n{}\n{}", self.stdout, self.stderr))
    }

    /// The result of a check of the first target.
    pub fn check(&self, id: CheckId) -> ResultFields {
        (**self.report().targets[0].check(id).unwrap()).clone()
    }

    /// Asserts status and reason of a check of the first target.
    #[track_caller]
    pub fn assert(&self, id: CheckId, status: Status, reason: Option<&str>) {
        let check = self.check(id);
        assert_eq!(
            (check.status, check.reason.as_deref()),
            (status, reason),
            "{id}: {check:#?}"
        );
    }

    /// Asserts that the sentence of a check of the first target holds this.
    #[track_caller]
    pub fn assert_detail(&self, id: CheckId, says: &str) {
        let check = self.check(id);
        assert!(check.detail.contains(says), "{says:?} is not in {check:#?}");
    }

    /// Asserts that standard output holds this.
    #[track_caller]
    pub fn assert_stdout(&self, says: &str) {
        assert!(self.stdout.contains(says), "{says:?} is not in {}", self.stdout);
    }

    /// Asserts that standard error holds this.
    #[track_caller]
    pub fn assert_stderr(&self, says: &str) {
        assert!(self.stderr.contains(says), "{says:?} is not in {}", self.stderr);
    }

    /// Asserts a usage error that says this.
    #[track_caller]
    pub fn assert_usage_error(&self, says: &str) {
        assert_eq!(self.code, 2, "{self:#?}");
        self.assert_stderr(says);
        assert!(self.stdout.is_empty(), "{}", self.stdout);
    }
}

/// What was written, as it is written.
#[derive(Clone, Default)]
pub struct Sink(Arc<Mutex<Vec<u8>>>);

impl Sink {
    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
