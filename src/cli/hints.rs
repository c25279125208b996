//! Phala Cloud's API as a source of hints: where the KMS of an app answers, and which contract governs it. Its operator's words
//! help to find what is then verified and reviewed. They decide nothing.

use std::time::Duration;

use url::Url;

use crate::config::{Settings, parse_url};
use crate::net::{Client, Limits};
use crate::plan::target::source_kind;
use crate::render::escape;
use crate::source::phala_cloud::{self, PhalaCloud};
use crate::source::{HostId, SourceKind};
use crate::usage_error::UsageError;
use cvm_verify_core::evidence::PhalaKms;
use cvm_verify_core::verify::chain::address_text;

/// How long the API may take: 15 s.
const TIME: Duration = Duration::from_secs(15);

/// The API to ask.
pub(super) struct PhalaHints {
    /// A mirror to ask instead.
    api: Option<Url>,
}

impl PhalaHints {
    /// The API that settings name. An app that another source shows has no other use for the mirror, so it is taken out of the
    /// settings.
    ///
    /// # Errors
    /// The mirror is not one that can be asked.
    pub(super) fn of(settings: &mut Settings) -> Result<Self, UsageError> {
        let api = settings.one("phala-api-url").map(|value| value.text.clone());
        if source_kind(settings) != SourceKind::PhalaCloud {
            settings.unset("phala-api-url");
        }
        let api = api.map(|text| parse_url("--phala-api-url", &text));
        Ok(Self {
            api: api.transpose()?,
        })
    }

    /// What the API says of the KMS of an app, or why it says nothing.
    pub(super) async fn ask(&self, client: &Client, app_id: [u8; 20]) -> Result<PhalaKms, String> {
        let app = PhalaCloud::new(HostId(app_id), self.api.as_ref()).map_err(|error| error.to_string())?;
        let limits = Limits::body(phala_cloud::MAX_BYTES).within(TIME);
        let body = phala_cloud::fetch(client, &app, &limits).await;
        let body = body.map_err(|error| error.to_string())?;
        PhalaKms::parse(&body).ok_or_else(|| "its answer names no KMS".to_owned())
    }
}

/// What the API said, and what that is worth, for a terminal.
pub(super) fn words(hint: &Result<PhalaKms, String>) -> String {
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
        None => "answers at an address that it does not say".to_owned(),
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
        "Phala Cloud's API says that the app's KMS {}, and {rules}. These are its operator's words and no evidence: compare them with \
         your own deployment.",
        escape::terminal(&host)
    )
}
