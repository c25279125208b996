//! Phala Cloud's API as a source of hints: where the KMS of an app answers, and which contract governs it. These are its operator's statements. They
//! help to find what is then verified and reviewed. They decide nothing.

use std::time::Duration;

use url::Url;

use crate::net::{Client, Limits};
use crate::source::HostId;
use crate::source::phala_cloud::{self, PhalaCloud};
use cvm_verify_core::evidence::PhalaKms;

/// How long the API may take: 15 s.
const TIME: Duration = Duration::from_secs(15);

/// The API to ask.
#[derive(Debug, Clone, Default)]
pub struct PhalaHints {
    /// A mirror to ask instead.
    pub api: Option<Url>,
}

impl PhalaHints {
    /// What the API says of the KMS of an app, or why it says nothing.
    pub(super) async fn ask(&self, client: &Client, app_id: [u8; 20]) -> Result<PhalaKms, String> {
        let app = PhalaCloud::new(HostId(app_id), self.api.as_ref()).map_err(|error| error.to_string())?;
        let limits = Limits::body(phala_cloud::MAX_BYTES).within(TIME);
        let body = phala_cloud::fetch(client, &app, &limits).await;
        let body = body.map_err(|error| error.to_string())?;
        PhalaKms::parse(&body).ok_or_else(|| "its answer names no KMS".to_owned())
    }
}
