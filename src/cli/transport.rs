//! Options of network and trust in; a session of the engine out.

use super::args::{ChainArgs, HttpArgs, PlanArgs, TransportArgs, TrustArgs};
use super::trust_roots::trust_roots;
use crate::address::parse_url;
use crate::collateral::Sources;
use crate::engine::{SecondVerifiers, Session, StatementLookups, TrustRoots};
use crate::env::Env;
use crate::files;
use crate::net::{Client, Secret, Transport};
use crate::plan::next_commands::NetworkOptions;
use crate::plan::planner::Plan;
use crate::source::chain::Nodes;
use crate::source::registry::{REGISTRY_CREDENTIALS, RegistryCredentials};
use crate::source::{Nras, PhalaVerifier};
use crate::usage_error::UsageError;
use cvm_verify_core::policy::{GpuVerifier, Verifier};

/// A token that may read the attestations of the repositories in the rules.
const SOURCE_TOKEN: &str = "CVM_VERIFY_SOURCE_TOKEN";

/// The same as options, for the commands that a finding advises. Not another root of trust: that one is always typed by a person.
pub(super) fn network_options(args: &TransportArgs) -> NetworkOptions {
    NetworkOptions::default()
        .with("--pccs-url", args.pccs_url.as_deref())
        .with("--proxy", args.http.proxy.as_deref())
        .with_file("--ca-file", args.http.ca_file.as_deref())
        .with_switch("--allow-private-network", args.http.allow_private_network)
}

/// How one target is asked: with the client, the sources of collateral and the nodes of the blockchain that the options name, these
/// roots, and the clock of [`Env`].
pub(super) fn session_of_one(
    transport: &TransportArgs,
    roots: &TrustRoots,
    nodes: &ChainArgs,
    env: &Env,
) -> Result<Session, UsageError> {
    let sources = match &transport.pccs_url {
        None => Sources::default_public(),
        Some(text) => Sources::only(&parse_url("--pccs-url", text)?),
    };
    Ok(Session {
        sources,
        now: env.now,
        clock_floor: env.clock_floor,
        statements: statement_lookups(transport, env)?,
        roots: roots.clone(),
        nodes: self::nodes(nodes)?,
        ..Session::new(client(&transport.http)?)
    })
}

/// The nodes to ask about contracts; none if none is named.
fn nodes(args: &ChainArgs) -> Result<Option<Nodes>, UsageError> {
    if args.rpc_url.is_empty() {
        return Ok(None);
    }
    Nodes::parse(args.rpc_url.iter().map(Secret::expose))
        .map(Some)
        .map_err(|error| UsageError::option("--rpc-url", error))
}

/// How the targets of a plan are asked, and whom the plan wants asked in addition.
pub(super) fn session_of_run(
    args: &PlanArgs,
    transport: &TransportArgs,
    trust: &TrustArgs,
    plan: &Plan,
    env: &Env,
) -> Result<Session, UsageError> {
    let session = session_of_one(transport, &trust_roots(trust)?, &args.chain, env)?;
    let second_verifiers = second_verifiers(plan.verifier(), args.phala_verifier_url.as_deref())?;
    let nras = nras(plan.gpu_verifier(), args.expect.gpu.gpu_verifier_url.as_deref())?;
    Ok(Session {
        second_verifiers: second_verifiers.with_nras(nras),
        ..session
    })
}

/// Whom to ask who built the images. The token goes to that address alone, credentials to the registries that they are for.
pub(super) fn statement_lookups(args: &TransportArgs, env: &Env) -> Result<StatementLookups, UsageError> {
    let api = args.source_api_url.as_deref();
    let api = api.map(|text| parse_url("--source-api-url", text)).transpose()?;
    if api
        .as_ref()
        .is_some_and(|url| url.query().is_some() || url.fragment().is_some())
    {
        let problem = "the URL must be https://HOST[:PORT][/PATH], without query";
        return Err(UsageError::option("--source-api-url", problem));
    }
    let token = env.variables.get(SOURCE_TOKEN).map(|text| text.trim());
    let token = token.filter(|text| !text.is_empty());
    let credentials = env.variables.get(REGISTRY_CREDENTIALS);
    let credentials = RegistryCredentials::read(credentials.map_or("", |text| text.as_str()));
    Ok(StatementLookups::new(
        api,
        token.map(|text| Secret::new(text.to_owned())),
        credentials.map_err(|error| UsageError::option(REGISTRY_CREDENTIALS, error))?,
    ))
}

/// Whom a run asks in addition to the evidence: `both` asks Phala's API, or the one at this address.
fn second_verifiers(verifier: Verifier, url: Option<&str>) -> Result<SecondVerifiers, UsageError> {
    Ok(SecondVerifiers::new(match (verifier, url) {
        (Verifier::Local, _) => None,
        (Verifier::Both, None) => Some(PhalaVerifier::default_public()),
        (Verifier::Both, Some(text)) => Some(PhalaVerifier::only(&parse_url("--phala-verifier-url", text)?)),
    }))
}

/// NVIDIA's attestation service, or the one at this address, if the verifier of GPUs wants that.
fn nras(verifier: GpuVerifier, url: Option<&str>) -> Result<Option<Nras>, UsageError> {
    Ok(match (verifier.asks_nras(), url) {
        (false, _) => None,
        (true, None) => Nras::public(),
        (true, Some(text)) => Some(Nras::at(parse_url("--gpu-verifier-url", text)?)),
    })
}

/// Builds the HTTP client.
pub(super) fn client(args: &HttpArgs) -> Result<Client, UsageError> {
    let ca_file = args
        .ca_file
        .as_deref()
        .map(|path| files::read(path, files::CERTIFICATE_LIMIT))
        .transpose()?;
    Client::new(&Transport {
        proxy: args.proxy.clone().map(Secret::new),
        ca_file,
        allow_private_network: args.allow_private_network,
        ..Transport::default()
    })
    .map_err(|error| match &args.ca_file {
        Some(path) => UsageError::file(path, error),
        None => UsageError::option("--proxy", error),
    })
}
