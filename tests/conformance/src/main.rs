//! The conformance corpus: cases as data (`cases/*.toml`), made into evidence bundles, and run against any verifier that
//! takes a bundle and ends with the exit codes 0 (pass), 1 (fail), 2 (usage) and 3 (inconclusive).
//!
//! ```text
//! conformance list
//! conformance make FOLDER
//! conformance run FOLDER --only t69 -- cvm-verify replay --format json
//! ```

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line program speaks through them"
)]

use std::io::{ErrorKind, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use conformance::{corpus, make, run};

/// The conformance corpus of cvm-verify.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The folder of the cases
    #[arg(long, global = true, value_name = "FOLDER", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/cases"))]
    cases: PathBuf,
    /// Only cases whose name contains this
    #[arg(long, global = true, value_name = "TEXT", default_value = "")]
    only: String,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Print name, threats and expected result of each case
    List,
    /// Write each case's evidence bundle, and corpus.json with arguments and expected results
    Make {
        /// Where to write them
        folder: PathBuf,
    },
    /// Run a verifier over a folder that `make` wrote, and compare
    Run {
        /// The folder that `make` wrote
        folder: PathBuf,
        /// Compare the exit code alone, not check id and reason
        #[arg(long)]
        codes_only: bool,
        /// How many verifiers run at the same time
        #[arg(long, default_value_t = 2)]
        jobs: usize,
        /// The verifier; the bundle and the case's arguments are appended
        #[arg(last = true, required = true)]
        verifier: Vec<String>,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match start(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("conformance: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Whether everything is as expected.
fn start(arguments: &Arguments) -> anyhow::Result<bool> {
    match &arguments.command {
        Command::List => {
            let mut stdout = std::io::stdout().lock();
            for case in corpus::read(&arguments.cases, &arguments.only)? {
                let threats = case.threats.join(" ");
                let written = writeln!(stdout, "{:<48} {threats:<8} {}", case.name, case.expected);
                match written {
                    // `| head` has read enough.
                    Err(error) if error.kind() == ErrorKind::BrokenPipe => break,
                    written => written?,
                }
            }
            Ok(true)
        }
        Command::Make { folder } => {
            let cases = corpus::read(&arguments.cases, &arguments.only)?;
            make::all(&cases, folder)?;
            println!("{} cases in {}", cases.len(), folder.display());
            Ok(true)
        }
        Command::Run {
            folder,
            codes_only,
            jobs,
            verifier,
        } => run::all(folder, &arguments.only, verifier, *codes_only, *jobs),
    }
}
