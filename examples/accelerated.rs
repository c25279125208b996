//! The program, with `watch` repeating its rounds many times faster than asked for: what `bench/watch` measures over days
//! in minutes.
//!
//! `cargo run --release --example accelerated -- FACTOR watch …`

use std::io::Write as _;
use std::process::ExitCode;

use cvm_verify::cli;
use cvm_verify::cli::Env;

fn main() -> ExitCode {
    let mut env = Env::of_process();
    let factor = env.args.get(1).and_then(|text| text.to_str()?.parse().ok());
    let Some(factor) = factor else {
        let _ = writeln!(std::io::stderr(), "usage: accelerated FACTOR watch …");
        return ExitCode::from(2);
    };
    env.args.remove(1);
    env.acceleration = factor;
    ExitCode::from(cli::run(&mut env))
}
