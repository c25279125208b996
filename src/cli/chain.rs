//! Contracts that govern an app: which nodes are asked, and what a bundle recorded.

use super::args::ChainArgs;
use crate::config::Settings;
use crate::engine::ContractHints;
use crate::net::Secret;
use crate::source::chain::Nodes;
use crate::usage_error::UsageError;
use cvm_verify_core::evidence::{RecordedChain, RecordedKms, parse_user_hex};
use cvm_verify_core::policy::{KmsHost, Policy};
use cvm_verify_core::reference::ReferenceValues;
use cvm_verify_core::verify::KmsInputs;
use cvm_verify_core::verify::{Claims, SignatureCache, TrustRoot};

/// The nodes to ask; none where none is named.
pub(super) fn nodes(args: &ChainArgs) -> Result<Option<Nodes>, UsageError> {
    if args.rpc_url.is_empty() {
        return Ok(None);
    }
    Nodes::parse(args.rpc_url.iter().map(Secret::expose))
        .map(Some)
        .map_err(|error| UsageError::option("--rpc-url", error))
}

/// What settings say of contracts that are not pinned yet.
pub(super) fn hints(settings: &Settings) -> ContractHints {
    let text = |key: &str| settings.one(key).map(|value| value.text.as_str());
    ContractHints {
        chain_id: text("governance-chain-id").and_then(|text| text.parse().ok()),
        kms: text("governance-kms-contract").and_then(|text| parse_user_hex(text).ok()),
    }
}

/// The hosts of KMSs that settings name.
pub(super) fn kms_hosts(settings: &Settings) -> Result<Vec<KmsHost>, UsageError> {
    let hosts = settings.all("kms-host").iter();
    let hosts = hosts.map(|value| value.text.parse::<KmsHost>());
    hosts
        .collect::<Result<_, _>>()
        .map_err(|error| UsageError::option("kms-host", error))
}

/// Adds what a bundle recorded of KMSs. Whom the policy names is for the check to say.
pub(super) fn with_recorded_kms(claims: Claims, recorded: &[RecordedKms], root: &TrustRoot) -> Claims {
    if recorded.is_empty() {
        return claims;
    }
    let inputs = KmsInputs {
        signatures: &SignatureCache::default(),
        root,
        at: claims.at,
        clock_floor: 0,
    };
    claims.with_kms(recorded, &inputs)
}

/// Adds what a bundle recorded of the contracts that a policy names.
pub(super) fn recalled(claims: Claims, recorded: Option<&RecordedChain>, policy: &Policy) -> Claims {
    match (recorded, policy.contracts()) {
        (Some(recorded), Some(contracts)) => claims.with_chain(&contracts, recorded, &policy.reference),
        _ => claims,
    }
}

/// Adds what a bundle recorded of the contracts of the app that it is about.
pub(super) fn as_recorded(
    claims: Claims,
    recorded: Option<&RecordedChain>,
    reference: &ReferenceValues,
) -> Claims {
    let app = claims.boot.as_ref().ok().map(|boot| *boot.app_id());
    match recorded {
        Some(recorded) if Some(recorded.contracts.app) == app => {
            claims.with_chain(&recorded.contracts, recorded, reference)
        }
        _ => claims,
    }
}
