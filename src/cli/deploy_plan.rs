//! `cvm-verify plan`: before a deploy, what will be measured, who built the images, and what the policy would refuse.

use std::collections::BTreeSet;

use super::args::{DeployPlanArgs, PlanFormat};
use super::transport;
use crate::deploy_plan::{DeployPlan, Outlook};
use crate::engine::{Computation, LookupLimits, TimeLimits};
use crate::env::Env;
use crate::pin::WrittenLock;
use crate::plan::one_target::OneTarget;
use crate::plan::policy_file::found;
use crate::render;
use crate::runtime::runtime;
use cvm_verify_core::checks::{sought_in, statements_of_files, still_sought};

pub(super) fn run(args: &DeployPlanArgs, env: &mut Env) -> anyhow::Result<u8> {
    let now = (env.now)();
    let file = match args.no_config {
        true => None,
        false => found(args.config.config.as_deref(), false, env),
    };
    let OneTarget {
        expectations,
        settings,
        name,
    } = OneTarget::read(
        file.as_deref(),
        args.config.target.as_deref(),
        &args.expect.keys.settings,
        now,
        env,
    )?;
    let policy = expectations.policy;
    let document = expectations.compose_file.as_deref();
    let plan = DeployPlan::new(document, &policy)?;
    let written = match &args.output {
        Some(output) => Some(WrittenLock::of(
            output,
            args.compose_form.as_deref(),
            document,
            &policy,
            &settings,
            name.as_deref(),
        )?),
        None => None,
    };
    let images: BTreeSet<String> = plan.images.iter().cloned().collect();
    let sought = sought_in(&images, &policy.sources);
    let mut recorded = statements_of_files(&sought, &policy.sources.files, now);
    let missing = still_sought(sought, &recorded, &policy.sources, now);
    if !missing.is_empty() {
        let client = transport::client(&args.transport.http)?;
        let lookups = transport::statement_lookups(&args.transport, env)?;
        let runtime = runtime()?;
        let limits = LookupLimits::of(TimeLimits::default());
        recorded.extend(runtime.block_on(lookups.look_up(
            &client,
            &Computation::default(),
            missing,
            &policy.sources,
            now,
            limits,
        )));
    }
    let plan = plan.with_statements(&recorded, &policy, now);
    env.print(&match args.format {
        PlanFormat::Json => render::deploy_plan_json(&plan),
        PlanFormat::Text => render::deploy_plan_text(&plan),
    });
    if let Some(written) = written {
        written.write(plan.result, env)?;
    }
    Ok(match plan.result {
        Outlook::Ready => 0,
        Outlook::Refused => super::FAIL,
        Outlook::Undetermined => super::INCONCLUSIVE,
    })
}
