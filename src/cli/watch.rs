//! `cvm-verify watch`: what its options say.

use std::sync::Arc;

use super::args::WatchArgs;
use super::selection::{policy_file, selection};
use super::transport::{self, nras, second_verifiers};
use super::trust_roots::trust_roots;
use super::{cache, chain, wait};
use crate::engine::Session;
use crate::env::Env;
use crate::plan::planner::Plan;
use crate::usage_error::UsageError;
use crate::watch::{self, Options};

pub(super) fn run(args: &WatchArgs, env: &mut Env) -> anyhow::Result<u8> {
    args.alert_state.refuse_idle(!args.once, env)?;
    let options = Options {
        policy_file: policy_file(&args.plan, args.quiet, env),
        selection: selection(&args.plan, &args.rounds.settings, &args.transport, &env.variables),
        once: args.once,
        concurrency: args.concurrency,
        one_attempt: wait::timeout(args.transport.timeout.as_deref())?,
        listen: args.listen,
        evidence: args.evidence.clone(),
        log_format: args.log_format,
        quiet: args.quiet,
        state: args.alert_state.state.clone(),
        github_issue: args.alert_state.github_issue.clone(),
        rules: args.alert_state.rules(),
    };
    let session_of = |plan: &Plan, env: &Env| session(args, plan, env);
    Ok(watch::run(&options, &session_of, env)?)
}

fn session(args: &WatchArgs, plan: &Plan, env: &Env) -> Result<Arc<Session>, UsageError> {
    let url = args.plan.phala_verifier_url.as_deref();
    Ok(Arc::new(Session {
        roots: trust_roots(&args.trust)?,
        collateral_cache: cache::collateral_cache(&args.cache, &args.plan.collateral_age, env),
        keep_bundles: args.evidence.is_some(),
        second_verifiers: second_verifiers(plan.verifier(), url)?.with_nras(nras(
            plan.gpu_verifier(),
            args.plan.expect.gpu.gpu_verifier_url.as_deref(),
        )?),
        nodes: chain::nodes(&args.plan.chain)?,
        ..transport::session(&args.transport, env)?
    }))
}
