//! `cargo xtask TASK`: one entry point for what a developer runs. Each task only starts the command that does the work,
//! and prints it first, so that it can also be typed.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line program speaks through them"
)]

use std::path::Path;
use std::process::{Command, ExitCode};

/// A task: its name, what it does, and its commands. Arguments behind the name go to the last command.
struct Task {
    name: &'static str,
    about: &'static str,
    commands: &'static [&'static [&'static str]],
}

const TASKS: &[Task] = &[
    Task {
        name: "test",
        about: "every test of the workspace; arguments go to cargo test",
        commands: &[&["cargo", "test", "--workspace", "--locked"]],
    },
    Task {
        name: "lint",
        about: "format, clippy with warnings denied, dependencies (deny.toml)",
        commands: &[
            &["cargo", "fmt", "--all", "--check"],
            &[
                "cargo",
                "clippy",
                "--workspace",
                "--all-targets",
                "--locked",
                "--",
                "-D",
                "warnings",
            ],
            &["scripts/deny"],
        ],
    },
    Task {
        name: "docs",
        about: "makes the generated pages and snapshots anew, builds the API documentation, and lists the public items of the core",
        commands: &[
            &[
                "env",
                "UPDATE_GENERATED=1",
                "INSTA_UPDATE=always",
                "TRYCMD=overwrite",
                "cargo",
                "test",
                "--workspace",
                "--locked",
                "--quiet",
            ],
            &["cargo", "doc", "--workspace", "--no-deps", "--locked"],
            &["tests/core_alone/public", "--update"],
        ],
    },
    Task {
        name: "fuzz",
        about: "an hour of fuzzing; or: fuzz SECONDS TARGET… (nightly Rust and cargo-fuzz, or --stable)",
        commands: &[&["fuzz/run"]],
    },
    Task {
        name: "bench",
        about: "time, memory and size of a replay, and the benchmarks in process",
        commands: &[
            &["bench/run"],
            &["cargo", "bench", "--locked", "--bench", "prove"],
        ],
    },
    Task {
        name: "demo",
        about: "simulated machines, honest ones and some that lie",
        commands: &[&["cargo", "run", "--locked", "--quiet", "--example", "demo"]],
    },
    Task {
        name: "action",
        about: "the tests of the GitHub Action under act; arguments go to pytest",
        commands: &[&["tests/action/run"]],
    },
    Task {
        name: "release-check",
        about: "the release scripts: their tests, and a whole release rehearsed without a network",
        commands: &[&["tests/release/run"], &["tests/release/rehearse"]],
    },
    Task {
        name: "ci",
        about: "everything that a pull request has to pass",
        commands: &[&[".ci/run"]],
    },
];

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().unwrap_or_default();
    let Some(task) = TASKS.iter().find(|task| task.name == name) else {
        return help(&name);
    };
    let more: Vec<String> = arguments.collect();
    for (index, command) in task.commands.iter().enumerate() {
        let is_last = index + 1 == task.commands.len();
        let more = if is_last { more.as_slice() } else { &[] };
        if let Err(code) = run(command, more) {
            return code;
        }
    }
    ExitCode::SUCCESS
}

/// Runs a command in the repository's root. A failure ends the task with the command's own exit code.
fn run(command: &[&str], more: &[String]) -> Result<(), ExitCode> {
    let Some((program, fixed)) = command.split_first() else {
        return Ok(());
    };
    println!("$ {} {}", command.join(" "), more.join(" "));
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let status = Command::new(program)
        .args(fixed)
        .args(more)
        .current_dir(&root)
        .status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => {
            let code = status.code().and_then(|code| u8::try_from(code).ok());
            eprintln!("xtask: {program} ended with {status}");
            Err(ExitCode::from(code.unwrap_or(1)))
        }
        Err(error) => {
            eprintln!("xtask: {program} could not be started: {error}");
            Err(ExitCode::FAILURE)
        }
    }
}

fn help(name: &str) -> ExitCode {
    let asked = ["", "help", "--help", "-h"].contains(&name);
    if !asked {
        eprintln!("xtask: there is no task {name:?}\n");
    }
    println!("cargo xtask TASK\n");
    for task in TASKS {
        println!("  {:14} {}", task.name, task.about);
    }
    if asked {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(2)
    }
}
