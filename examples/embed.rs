//! Verifies one deployment from a Rust program, and ends with the exit code of its verdict; with 2 if nothing was verified:
//! `cargo run --example embed -- https://app.example.com COMPOSE_HASH`
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that prints")]
use cvm_verify::engine::{Deployment, Run, Session, verify};
use cvm_verify::net::{Client, Transport};
use cvm_verify::render::escape::terminal;
use cvm_verify_core::{Expected, Origin, Policy, Status, Verdict, parse_user_hex};
use std::{error::Error, io::Write as _, io::stdout, process::ExitCode, sync::Arc};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let verdict = verdict().await.inspect_err(|error| eprintln!("error: {error}"));
    verdict.map_or(ExitCode::from(2), |verdict| ExitCode::from(verdict.exit_code()))
}

async fn verdict() -> Result<Verdict, Box<dyn Error>> {
    let args: Option<Vec<String>> = std::env::args_os().map(|arg| arg.into_string().ok()).collect();
    let both = args.as_deref().and_then(|args| args.get(1).zip(args.get(2)));
    let (url, hash) = both.ok_or("usage: embed URL COMPOSE_HASH")?;
    let value = parse_user_hex(hash).map_err(|error| format!("COMPOSE_HASH {error}"))?;
    let origin = Origin::Option("COMPOSE_HASH");
    let policy = Policy {
        compose_hash: Some(Expected { value, origin }),
        ..Policy::default()
    };
    let session = Arc::new(Session::new(Client::new(&Transport::default())?));
    let app = Deployment::app("app", url, policy)?;
    let stop = async { drop(tokio::signal::ctrl_c().await) };
    let reports = verify(&session, vec![app], &Run::default(), |_| {}, stop).await?;
    for check in reports.iter().flat_map(|report| &report.checks) {
        if let (Status::Fail | Status::Error | Status::Warn, Some(fix)) = (check.status, &check.fix) {
            writeln!(stdout(), "{}: {}", check.id, terminal(&check.detail))?;
            writeln!(stdout(), "  {}", terminal(fix))?;
        }
    }
    let verdict = Verdict::worst(reports.iter().map(|report| report.verdict));
    writeln!(stdout(), "{verdict:?}")?;
    Ok(verdict)
}
