//! Verifies one deployment from a Rust program, and ends with the exit code of its verdict.
//!
//! `cargo run --example embed -- https://app.example.com COMPOSE_HASH`

#![allow(clippy::print_stdout, reason = "a program that prints")]

use std::process::ExitCode;
use std::sync::Arc;

use cvm_verify::engine::{Deployment, Run, Session, verify};
use cvm_verify::net::{Client, Transport};
use cvm_verify_core::evidence::parse_user_hex;
use cvm_verify_core::{Expected, Origin, Policy, Verdict};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(url), Some(hash)) = (args.next(), args.next()) else {
        return Err("usage: embed URL COMPOSE_HASH".into());
    };
    let (value, origin) = (parse_user_hex(&hash)?, Origin::Option("COMPOSE_HASH"));
    let policy = Policy {
        compose_hash: Some(Expected { value, origin }),
        ..Policy::default()
    };
    let session = Arc::new(Session::new(Client::new(&Transport::default())?));
    let app = Deployment::app("app", &url, policy)?;
    let progress = |progress| println!("{progress:?}");
    let stop = async { drop(tokio::signal::ctrl_c().await) };
    let reports = verify(&session, vec![app], &Run::default(), progress, stop).await?;
    for check in reports.iter().flat_map(|report| &report.checks) {
        println!("{:?} {}: {}", check.status, check.id, check.detail);
    }
    let verdict = Verdict::worst(reports.iter().map(|report| report.verdict));
    Ok(ExitCode::from(verdict.exit_code()))
}
