//! Commands: arguments in, exit code out. One file per command.
//!
//! All inputs of a command – arguments, environment, clock, streams – come in
//! [`Env`], so that tests and the demo run the real program.

mod alert_test;
mod args;
mod cache;
mod completions;
mod compose_hash;
mod deploy_plan;
mod diff;
mod environment;
mod explain;
mod fetched_collateral;
mod help;
mod inspect;
mod merge;
mod os_image;
mod output;
mod pin;
mod proxy_hint;
mod reference;
mod replay;
mod selection;
mod short_help;
mod statement_check;
mod transport;
mod trust_roots;
mod verify;
mod wait;
mod watch;

pub use crate::env::{CI_VARIABLES, Env};

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use clap::FromArgMatches as _;

use args::{Cli, Command, StatementCommand};

use crate::artifacts::{self, WantedFiles};
use crate::bounded_io::ReadsWithin;
use crate::env::typed;
use crate::run_alerts::unjudged;
use crate::standard_output::StandardOutput;
use crate::usage_error::{CommandError, UsageError, WriteError};
use crate::{github_step, render, unknown_variables, watchdog};

/// A usage or configuration error: nothing was verified.
const USAGE: u8 = 2;
/// Something is wrong with the deployment.
const FAIL: u8 = 1;
/// It could not be determined.
const INCONCLUSIVE: u8 = 3;

const BUG: &str = "internal error in cvm-verify; there is no verdict";
const CORRECT_IT: &str = "Correct the input, option or file that it names, and run it again; `cvm-verify verify --help` describes every option. \
     A file of the repository is there only after a step that checks it out.";
/// The same of a service.
const CORRECT_WATCH: &str = "Correct the option, variable or file that it names, and start `watch` again; `cvm-verify watch --help` describes every \
     option.";
const REPORT_IT: &str = "Run it again; if that does not help, please report it with the log.";
const RUN_AGAIN: &str = "Run it again. If a pipe gave nothing, look at the command that should write to it.";
const LOST: &str = "The exit code is 3 because a result could not be written. Without that, it would be 0.";
const MAKE_ROOM: &str = "Check that the folder exists, that this run may write there and that the disk has room, or name another place; then run it again.";

/// This process runs one command and ends with it: a signal that the command does not act on ends both.
pub fn own_process() {
    watchdog::own_process();
}

/// Runs the program and returns its exit code: 0 pass, 1 fail, 2 usage error, 3 inconclusive.
pub fn run(env: &mut Env) -> u8 {
    let printed = std::mem::replace(&mut env.stdout, Box::new(std::io::sink()));
    let (output, reader) = StandardOutput::new(printed);
    env.stdout = Box::new(output);
    let code = decide(env);
    match reader.finish(watchdog::asked_to_end) {
        Some(problem) => {
            env.complain(&format!("error: {problem}"));
            if code != 0 {
                return code;
            }
            env.complain(LOST);
            INCONCLUSIVE
        }
        None => code,
    }
}

fn decide(env: &mut Env) -> u8 {
    let command = help::command();
    let variables = environment::option_variables_for(&env.variables, &command);
    let argv = match environment::with_environment(&command, &variables, env) {
        Ok(argv) => argv,
        Err(error) => {
            forget_earlier(env);
            return usage(env, &error, true);
        }
    };
    let parsed = command
        .try_get_matches_from(argv)
        .and_then(|matches| Cli::from_arg_matches(&matches));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => return clap_exit(env, &error),
    };
    let verifies = cli.command.reads_options_of_a_run();
    if (verifies || matches!(cli.command, Command::Alert(_) | Command::Merge(_))) && !cli.command.is_quiet() {
        let named = match unknown_variables::has_unknown(&variables, &env.variables) {
            true => unjudged::named_variables(env),
            false => Some(BTreeSet::new()),
        };
        if let Some(line) = unknown_variables::notes(&variables, named.as_ref(), &env.variables) {
            env.note(&line);
        }
    }
    // A panic is a bug, and must never look like a verdict.
    let caught = catch_unwind(AssertUnwindSafe(|| execute(cli.command, env)));
    let Ok(result) = caught else {
        env.complain("error: internal error in cvm-verify; there is no verdict. Please report this.");
        return without_verdict(env, BUG.to_owned(), REPORT_IT, INCONCLUSIVE);
    };
    match result.map_err(flat) {
        Ok(code) => code,
        Err(error) => match error.downcast::<UsageError>() {
            Ok(error) => usage(env, &error, verifies),
            Err(error) if error.is::<WriteError>() => {
                let said = error.to_string();
                env.complain(&format!("error: {said}\n{MAKE_ROOM}"));
                // After a verdict, a file that cannot be written changes the exit code and does not come here.
                if verifies {
                    env.complain("Nothing was verified.");
                }
                without_verdict(env, said, MAKE_ROOM, INCONCLUSIVE)
            }
            Err(error) => {
                let said = format!("{error:#}");
                env.complain(&format!("error: {said}"));
                without_verdict(env, said, REPORT_IT, INCONCLUSIVE)
            }
        },
    }
}

/// What a command failed with, itself.
fn flat(error: anyhow::Error) -> anyhow::Error {
    match error.downcast::<CommandError>() {
        Ok(CommandError::Usage(error)) => error.into(),
        Ok(CommandError::Write(error)) => error.into(),
        Ok(error) => error.into(),
        Err(error) => error,
    }
}

fn execute(command: Command, env: &mut Env) -> anyhow::Result<u8> {
    let _reads = ReadsWithin::of_command();
    if command.judges() {
        env.note_a_run_inside_a_cvm();
    }
    match command {
        Command::Verify(mut args) => {
            args.output.statement = args.statement.take();
            verify::run(&args, env)
        }
        Command::Watch(args) => watch::run(&args, env),
        Command::Replay(args) => replay::run(&args, env),
        Command::Pin(args) => pin::run(&args, env),
        Command::Inspect(args) => inspect::run(&args, env),
        Command::Diff(args) => diff::run(&args, env),
        Command::ComposeHash(args) => compose_hash::run(&args, env),
        Command::OsImage(args) => os_image::run(&args, env),
        Command::Explain(args) => explain::run(&args, env),
        Command::Merge(args) => merge::run(&args, env),
        Command::Plan(args) => deploy_plan::run(&args, env),
        Command::Statement(args) => match &args.command {
            StatementCommand::Check(args) => statement_check::run(args, env),
        },
        Command::Alert(args) => alert_test::run(&args, env),
        Command::Reference(args) => reference::run(&args, env),
        Command::Completions(args) => completions::run(&args, env),
    }
}

fn usage(env: &mut Env, error: &UsageError, verifies: bool) -> u8 {
    let said = error.to_string();
    env.complain(&format!("error: {said}"));
    // A file that was waited for when a signal came is no mistake of the user.
    let is_interrupted = watchdog::asked_to_end();
    if verifies && is_interrupted {
        env.complain("Interrupted: there is no verdict.");
    } else if verifies {
        env.complain("Nothing was verified.");
    }
    match is_interrupted {
        true => without_verdict(env, said, RUN_AGAIN, INCONCLUSIVE),
        false => without_verdict(env, said, correct_it(env), USAGE),
    }
}

/// Help and version are not errors; everything else that clap says is a usage error.
fn clap_exit(env: &mut Env, error: &clap::Error) -> u8 {
    use clap::error::ErrorKind;
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            env.print(&error.to_string());
            0
        }
        _ => {
            let said = error.to_string();
            let said = match said.contains("cvm-verify pin ") {
                true => said.replace(
                    AS_A_VALUE,
                    "pin writes the lock to --output FILE (default: cvm.lock)",
                ),
                false => said,
            };
            env.complain(said.trim_end());
            forget_earlier(env);
            without_verdict(env, cause_of(&said), correct_it(env), USAGE)
        }
    }
}

fn correct_it(env: &Env) -> &'static str {
    match typed::command(env) {
        "watch" => CORRECT_WATCH,
        _ => CORRECT_IT,
    }
}

/// What clap advises for `pin --lock`, and helps nobody.
const AS_A_VALUE: &str = "to pass '--lock' as a value, use '-- --lock'";

/// What clap says is wrong, without how it would be typed.
fn cause_of(said: &str) -> String {
    let lines: Vec<&str> = said
        .lines()
        .take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more information"))
        .collect();
    let cause = lines.join("\n");
    cause.strip_prefix("error: ").unwrap_or(&cause).to_owned()
}

/// Tells GitHub, if it is asked for, and the alert channels of a run that repeats, that there is no verdict; returns the code.
fn without_verdict(env: &mut Env, cause: String, next: &'static str, code: u8) -> u8 {
    let unjudged = render::Unjudged { cause, next };
    for problem in github_step::speak_without_verdict(&unjudged, code, env) {
        env.complain(&format!("error: {problem}"));
    }
    if matches!(typed::command(env), "verify" | "replay" | "merge") {
        say_exit_code(code, env);
    }
    let alerts = unjudged::tell(&unjudged, env);
    for problem in github_step::speak_of_unjudged_alerts(alerts, env) {
        env.complain(&format!("error: {problem}"));
    }
    code
}

/// Where the arguments cannot be read, no command makes its files ready. What an earlier run left must not read as the result of this
/// one. `merge` may read what it would write: its files stay. Who asks for help begins no run.
fn forget_earlier(env: &Env) {
    let asks_for_help = env
        .args
        .iter()
        .any(|arg| ["-h", "--help", "-V", "--version"].iter().any(|help| arg == help));
    if matches!(typed::command(env), "verify" | "replay") && !asks_for_help {
        artifacts::forget_earlier(&wanted_files(env), (env.now)());
    }
}

/// Lets the variables for later jobs, where an earlier run or the beginning of this one wrote them, say this exit code.
fn say_exit_code(code: u8, env: &Env) {
    artifacts::say_exit_code(&wanted_files(env), code, (env.now)());
}

/// The files of a command whose arguments may be unreadable.
fn wanted_files(env: &Env) -> WantedFiles {
    let path = |name| typed::option(env, name).map(PathBuf::from);
    WantedFiles {
        output_dir: path("output-dir"),
        report_json: path("report-json"),
        summary: path("summary"),
        junit: path("junit"),
        dotenv: path("dotenv"),
        // No other command writes one.
        statement: path("statement").filter(|_| typed::command(env) == "verify"),
    }
}
