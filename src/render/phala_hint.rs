//! What Phala Cloud's API said of an app's KMS.

use super::escape;
use cvm_verify_core::evidence::PhalaKms;
use cvm_verify_core::verify::chain::address_text;

/// What the API said, and what that is worth, for a terminal.
#[must_use]
pub fn phala_hint(hint: &Result<PhalaKms, String>) -> String {
    let said = match hint {
        Err(why) => {
            return format!(
                "Phala Cloud's API gave no hint: {}. Name the KMS in the policy file (`kms-host`, `governance-kms-contract`).",
                escape::terminal(why.trim_end_matches('.'))
            );
        }
        Ok(said) => said,
    };
    let host = match &said.host {
        Some(host) => format!("answers at {host}"),
        None => "has no known address".to_owned(),
    };
    let rules = match &said.contract {
        Some((chain_id, address)) => {
            format!(
                "follows the contract {} on chain {chain_id}",
                address_text(address)
            )
        }
        None => "names no contract whose rules it follows".to_owned(),
    };
    format!(
        "Phala Cloud's API says that the app's KMS {}, and {rules}. This is its operator's statement, not evidence. Compare it with your own deployment.",
        escape::terminal(&host)
    )
}
