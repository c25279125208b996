//! Commands: arguments in, exit code out. One file per command.
//!
//! Everything that a command takes from its surroundings – arguments, environment, clock, streams – comes in
//! [`Surroundings`], so that tests and the demo run the real program.

mod alert_state;
mod alerts;
mod args;
mod environment;
mod error;
mod explain;
mod files;
mod github;
mod inspect;
mod judge;
mod live;
mod output;
mod pin;
mod policy;
mod progress;
mod replay;
mod round;
mod surroundings;
mod target;
mod transport;
mod verify;
mod wait;

pub use surroundings::{CI_VARIABLES, Surroundings};

use std::panic::{AssertUnwindSafe, catch_unwind};

use clap::{CommandFactory as _, FromArgMatches as _};

use args::{Cli, Command};
use error::UsageError;

/// A usage or configuration error: nothing was verified.
const USAGE: u8 = 2;
/// Something is wrong with the deployment.
const FAIL: u8 = 1;
/// It could not be determined.
const INCONCLUSIVE: u8 = 3;

/// Runs the program and returns its exit code: 0 pass, 1 fail, 2 usage error, 3 inconclusive.
pub fn run(surroundings: &mut Surroundings) -> u8 {
    let argv = match environment::with_environment(Cli::command(), surroundings) {
        Ok(argv) => argv,
        Err(error) => return usage(surroundings, &error),
    };
    let parsed = Cli::command()
        .try_get_matches_from(argv)
        .and_then(|matches| Cli::from_arg_matches(&matches));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => return clap_exit(surroundings, &error),
    };
    // A panic is a bug, and must never look like a verdict.
    let caught = catch_unwind(AssertUnwindSafe(|| execute(cli.command, surroundings)));
    let Ok(result) = caught else {
        surroundings.complain(
            "error: cvm-verify met a state that it should not; nothing was decided. Please report this.",
        );
        return INCONCLUSIVE;
    };
    match result {
        Ok(code) => code,
        Err(error) => match error.downcast::<UsageError>() {
            Ok(error) => usage(surroundings, &error),
            Err(error) => {
                surroundings.complain(&format!("error: {error:#}"));
                INCONCLUSIVE
            }
        },
    }
}

fn execute(command: Command, surroundings: &mut Surroundings) -> anyhow::Result<u8> {
    match command {
        Command::Verify(args) => verify::run(&args, surroundings),
        Command::Replay(args) => replay::run(&args, surroundings),
        Command::Pin(args) => pin::run(&args, surroundings),
        Command::Inspect(args) => inspect::run(&args, surroundings),
        Command::Explain(args) => explain::run(&args, surroundings),
        Command::Alert(args) => alerts::run(&args, surroundings),
    }
}

fn usage(surroundings: &mut Surroundings, error: &UsageError) -> u8 {
    surroundings.complain(&format!("error: {error}\nNothing was verified."));
    USAGE
}

/// Help and version are not errors; everything else that clap says is a usage error.
fn clap_exit(surroundings: &mut Surroundings, error: &clap::Error) -> u8 {
    use clap::error::ErrorKind;
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            surroundings.print(&error.to_string());
            0
        }
        _ => {
            surroundings.complain(error.to_string().trim_end());
            USAGE
        }
    }
}
