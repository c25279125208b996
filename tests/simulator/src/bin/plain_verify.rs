//! Verifies the quote of an evidence bundle with dcap-qvl alone, again and again: what `bench/fleet` compares with.
//!
//! Usage: `plain_verify BUNDLE ROOT_PEM UNIX_SECONDS COUNT`

#![allow(clippy::print_stderr, reason = "a command-line program speaks through it")]

use std::{env, error::Error, fs, hint::black_box, process::ExitCode};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use dcap_qvl::{QuoteCollateralV3, verify::QuoteVerifier};
use serde_json::Value;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("plain_verify: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let mut next = || {
        arguments
            .next()
            .ok_or("usage: plain_verify BUNDLE ROOT_PEM UNIX_SECONDS COUNT")
    };
    let (bundle, root, at, count) = (next()?, next()?, next()?, next()?);
    let bundle: Value = serde_json::from_slice(&fs::read(bundle)?)?;
    let quote = hex::decode(bundle["attestation"]["quote"].as_str().ok_or("no quote")?)?;
    let collateral: QuoteCollateralV3 = serde_json::from_value(bundle["collateral"].clone())?;
    let root: String = fs::read_to_string(root)?
        .lines()
        .filter(|line| !line.starts_with("-----"))
        .collect();
    let root = BASE64_STANDARD.decode(root)?;
    let at = at.parse()?;
    let verifier = QuoteVerifier::new(root);
    for _ in 0..count.parse::<u32>()? {
        black_box(verifier.verify(&quote, &collateral, at)?);
    }
    Ok(())
}
