//! Arguments in, exit code out; nothing else.

use std::process::ExitCode;

use cvm_verify::cli::{Surroundings, run};

fn main() -> ExitCode {
    ExitCode::from(run(&mut Surroundings::of_process()))
}
