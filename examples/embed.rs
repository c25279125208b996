//! Verifies one deployment from a Rust program, and ends with the exit code of its verdict; with 2 if nothing was verified.
//!
//! `cargo run --example embed -- https://app.example.com COMPOSE_HASH`

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that prints")]
use std::{error::Error, process::ExitCode, sync::Arc};

use cvm_verify::engine::{Deployment, Run, Session, verify};
use cvm_verify::net::{Client, Transport};
use cvm_verify_core::evidence::parse_user_hex;
use cvm_verify_core::{Expected, Origin, Policy, Status, Verdict};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match verdict().await {
        Ok(verdict) => ExitCode::from(verdict.exit_code()),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

async fn verdict() -> Result<Verdict, Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let both = args.next().zip(args.next());
    let (url, hash) = both.ok_or("usage: embed URL COMPOSE_HASH")?;
    let (value, origin) = (parse_user_hex(&hash)?, Origin::Option("COMPOSE_HASH"));
    let compose_hash = Some(Expected { value, origin });
    let policy = Policy {
        compose_hash,
        ..Policy::default()
    };
    let session = Arc::new(Session::new(Client::new(&Transport::default())?));
    let app = Deployment::app("app", &url, policy)?;
    let stop = async { drop(tokio::signal::ctrl_c().await) };
    let reports = verify(&session, vec![app], &Run::default(), |_| {}, stop).await?;
    for check in reports.iter().flat_map(|report| &report.checks) {
        let is_to_act_on = matches!(check.status, Status::Fail | Status::Error | Status::Warn);
        if let Some(fix) = check.fix.as_ref().filter(|_| is_to_act_on) {
            println!("{}: {}\n  {fix}", check.id, check.detail);
        }
    }
    let verdict = Verdict::worst(reports.iter().map(|report| report.verdict));
    println!("{verdict:?}");
    Ok(verdict)
}
