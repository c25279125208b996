//! `replay --fetch-collateral`: the only thing that a replay asks the network for beside alerts.

use super::args::ReplayArgs;
use super::transport;
use crate::address::parse_url;
use crate::collateral::{CollateralFetcher, Sources};
use crate::env::Env;
use crate::net::retry::Schedule;
use crate::recorded::evidence::Recorded;
use crate::runtime::runtime;
use crate::usage_error::UsageError;
use cvm_verify_core::verify::TrustRoot;

/// Puts collateral of today in the place of what the evidence came with. Says what it asks for, and whom.
pub(super) fn fetch(
    args: &ReplayArgs,
    recorded: &mut Recorded,
    root: &TrustRoot,
    env: &mut Env,
) -> anyhow::Result<()> {
    if args.loose.collateral.is_some() {
        return Err(UsageError::option(
            "--fetch-collateral",
            "--collateral already gives the collateral; give only one of the two",
        )
        .into());
    }
    let Some(request) = recorded.collateral_request() else {
        // The evidence is refused for a reason of its own, which the report says.
        return Ok(());
    };
    let sources = match &args.pccs_url {
        None => Sources::default_public(),
        Some(text) => Sources::only(&parse_url("--pccs-url", text)?),
    };
    if !args.output.is_quiet() {
        let whom = args.pccs_url.as_ref().map_or(
            "Intel's PCS or, if that does not answer, Phala's PCCS",
            |_| "the PCCS of --pccs-url",
        );
        env.complain(&format!(
            "Fetching collateral for the platform with the FMSPC {} from {whom}. Nothing else is sent.",
            request.fmspc_hex()
        ));
    }
    let client = transport::client(&args.http)?;
    let schedule = Schedule::default();
    let fetcher = CollateralFetcher {
        client: &client,
        sources: &sources,
        schedule: &schedule,
        root: Some(root),
    };
    runtime()?.block_on(recorded.fetch_collateral(fetcher, &request, (env.now)()));
    Ok(())
}
