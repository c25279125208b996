//! Arguments in, exit code out; nothing else.

use std::process::ExitCode;

use cvm_verify::cli::{Env, own_process, run};

fn main() -> ExitCode {
    own_process();
    ExitCode::from(run(&mut Env::of_process()))
}
