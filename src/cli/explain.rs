//! `cvm-verify explain`: what a check proves, which attack it prevents, why it fails, how to fix it.

use super::args::ExplainArgs;
use super::error::UsageError;
use super::surroundings::Surroundings;
use crate::render;
use cvm_verify_core::checks::Check;
use cvm_verify_core::report::CheckId;

pub(super) fn run(args: &ExplainArgs, surroundings: &mut Surroundings) -> anyhow::Result<u8> {
    let text = match &args.check {
        None => render::explain_list(),
        Some(name) => {
            let id: CheckId = name
                .trim()
                .parse()
                .map_err(|error| UsageError::option("CHECK", error))?;
            render::explain(Check::of(id))
        }
    };
    surroundings.print(&text);
    Ok(0)
}
