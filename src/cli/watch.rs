//! `cvm-verify watch`: what its options say.

use std::sync::Arc;

use super::args::WatchArgs;
use super::selection::{policy_file, selection_or_found_lock};
use super::transport::session_of_run;
use super::{cache, wait};
use crate::engine::{Computation, Session};
use crate::env::Env;
use crate::plan::planner::Plan;
use crate::run_alerts::subject;
use crate::usage_error::UsageError;
use crate::watch::{self, Options};

pub(super) fn run(args: &WatchArgs, env: &mut Env) -> anyhow::Result<u8> {
    args.alert_state.refuse_idle(!args.once, env)?;
    let options = Options {
        policy_file: policy_file(&args.plan, args.quiet, env),
        selection: selection_or_found_lock(
            &args.plan,
            &args.rounds.settings,
            &args.transport,
            args.quiet,
            env,
        )?,
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
        run_subject: subject::subject(env),
        policy_subject: subject::policy_subject(env),
    };
    let session_of =
        |plan: &Plan, computation: &Computation, env: &Env| session(args, plan, computation, env);
    Ok(watch::run(&options, &session_of, env)?)
}

fn session(
    args: &WatchArgs,
    plan: &Plan,
    computation: &Computation,
    env: &Env,
) -> Result<Arc<Session>, UsageError> {
    Ok(Arc::new(Session {
        collateral_cache: cache::collateral_cache(&args.cache, &args.plan.collateral_age, env),
        keep_bundles: args.evidence.is_some(),
        computation: computation.clone(),
        ..session_of_run(&args.plan, &args.transport, &args.trust, plan, env)?
    }))
}
