//! Arguments in, exit code out; nothing else.

use std::process::ExitCode;

use cvm_verify::cli::{Env, run};

fn main() -> ExitCode {
    ExitCode::from(run(&mut Env::of_process()))
}
