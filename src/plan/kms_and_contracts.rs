//! What settings say of the KMS and the contracts of a deployment that is not pinned yet.

use std::sync::Arc;

use super::target::named_source;
use crate::address::parse_url;
use crate::config::Settings;
use crate::engine::{AskedContracts, ContractHints, FurtherQuestions, PhalaHints};
use crate::source::phala_cloud;
use crate::usage_error::UsageError;
use cvm_verify_core::evidence::parse_user_hex;
use cvm_verify_core::policy::KmsHost;
use cvm_verify_core::reference::ReferenceValues;

/// Whom a deployment is asked about, next to its own evidence: the KMS at these hosts, and the contracts that settings name.
pub(crate) fn further_questions(
    settings: &Settings,
    kms: Vec<KmsHost>,
    hints: Option<PhalaHints>,
    reference: &Arc<ReferenceValues>,
) -> FurtherQuestions {
    let text = |key: &str| settings.one(key).map(|value| value.text.as_str());
    FurtherQuestions {
        kms,
        hints,
        contracts: AskedContracts::Found {
            written: ContractHints {
                chain_id: text("governance-chain-id").and_then(|text| text.parse().ok()),
                kms: text("governance-kms-contract").and_then(|text| parse_user_hex(text).ok()),
            },
            said: None,
            reference: Arc::clone(reference),
        },
        probes: probes(settings),
    }
}

/// Whether settings leave the endpoint probe.
pub(crate) fn probes(settings: &Settings) -> bool {
    settings
        .one("endpoint-probe")
        .is_none_or(|value| value.text != "never")
}

/// The hosts of KMSs that settings name.
///
/// # Errors
/// A host that is not one.
pub(crate) fn kms_hosts(settings: &Settings) -> Result<Vec<KmsHost>, UsageError> {
    let hosts = settings.all("kms-host").iter();
    let hosts = hosts.map(|value| value.text.parse::<KmsHost>());
    hosts
        .collect::<Result<_, _>>()
        .map_err(|error| UsageError::option("kms-host", error))
}

/// Phala Cloud's API that settings name. An app that another source shows has no other use for the mirror, so it is taken out of the
/// settings.
///
/// # Errors
/// The mirror is not one that can be asked.
pub(crate) fn phala_hints(settings: &mut Settings) -> Result<PhalaHints, UsageError> {
    let api = settings.one("phala-api-url").map(|value| value.text.clone());
    if named_source(settings).name != phala_cloud::ROW.name {
        settings.unset("phala-api-url");
    }
    let api = api.map(|text| parse_url("--phala-api-url", &text));
    Ok(PhalaHints {
        api: api.transpose()?,
    })
}
