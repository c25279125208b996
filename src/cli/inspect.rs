//! `cvm-verify inspect`: what its options say.

use super::args::{InspectArgs, InspectFormat};
use super::transport::session_of_one;
use super::trust_roots::trust_roots;
use crate::env::Env;
use crate::inspect_run::{self, InspectRequest};

pub(super) fn run(args: &InspectArgs, env: &mut Env) -> anyhow::Result<u8> {
    let roots = trust_roots(&args.trust)?;
    let request = InspectRequest {
        what: &args.what,
        source: &args.source.settings,
        app_compose: args.app_compose.as_deref(),
        phala_hints: args.phala_hints,
        is_json: args.format == InspectFormat::Json,
        root: &roots.quote,
        session: &|env| session_of_one(&args.transport, &roots, &args.chain, env),
    };
    Ok(inspect_run::run(&request, env)?.exit_code())
}
