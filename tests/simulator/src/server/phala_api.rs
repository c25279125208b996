//! Phala's verification API: `POST /api/v1/attestations/verify` (phala-docs, `phala-cloud-api/attestations.mdx`). It verifies
//! nothing: its verdict is a knob.

use std::sync::Arc;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::connection::Response;
use super::listener::Request;
use super::stateful::{self, Stateful};

/// The path of the one endpoint.
pub const PHALA_API_PATH: &str = "/api/v1/attestations/verify";

type Edit = Arc<dyn Fn(&mut Value) + Send + Sync>;

struct State {
    verified: bool,
    refusal: Option<(u16, String)>,
    edits: Vec<Edit>,
}

/// A stand-in for Phala's API.
pub struct PhalaApiServer(Stateful<State>);

impl PhalaApiServer {
    /// Serves over plain HTTP and finds every quote good.
    ///
    /// # Panics
    /// When loopback has no free port.
    pub fn http() -> Self {
        let state = State {
            verified: true,
            refusal: None,
            edits: vec![],
        };
        Self(Stateful::start(state, None))
    }

    /// The verdict from now on.
    pub fn find(&self, verified: bool) {
        self.0.state().verified = verified;
    }

    /// From now on every quote is refused with this status and `{"detail": …}`.
    pub fn refuse(&self, status: u16, detail: &str) {
        self.0.state().refusal = Some((status, detail.to_owned()));
    }

    /// Edits each answer before it is sent.
    pub fn edit(&self, edit: impl Fn(&mut Value) + Send + Sync + 'static) {
        self.0.state().edits.push(Arc::new(edit));
    }
}

stateful::of_one_endpoint!(PhalaApiServer);

impl stateful::State for State {
    type Endpoint = ();

    fn endpoint(&self, _: &str) {}

    fn respond(&mut self, request: &Request) -> Response {
        if request.method != "POST" || request.path() != PHALA_API_PATH {
            return detail(404, "Not Found");
        }
        if let Some((status, text)) = &self.refusal {
            return detail(*status, text);
        }
        let sent: Value = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
        let Some(quote) = sent["hex"].as_str().and_then(|text| hex::decode(text).ok()) else {
            return detail(400, "Either 'file' or 'hex' must be provided");
        };
        let Some(mut answer) = answer(&quote, self.verified) else {
            return detail(422, "Invalid quote: malformed quote structure");
        };
        for edit in &self.edits {
            edit(&mut answer);
        }
        Response::json(answer.to_string())
    }
}

fn detail(status: u16, text: &str) -> Response {
    let mut response = Response::json(json!({ "detail": text }).to_string());
    response.status = status;
    response
}

/// The answer about a quote of version 4 or 5.
fn answer(quote: &[u8], verified: bool) -> Option<Value> {
    let version = u16::from_le_bytes(*quote.first_chunk()?);
    let body = quote.get(if version == 5 { 54 } else { 48 }..)?;
    let at = |offset: usize, length: usize| Some(hex::encode(body.get(offset..offset + length)?));
    let prefixed = |offset, length| at(offset, length).map(|digits| format!("0x{digits}"));
    Some(json!({
        "success": true,
        "quote": {
            "header": {
                "version": version,
                "ak_type": "ECDSA_P256",
                "tee_type": "TEE_TDX",
                "qe_vendor": format!("0x{}", hex::encode(quote.get(12..28)?)),
                "user_data": format!("0x{}", hex::encode(quote.get(28..48)?)),
            },
            "body": {
                "tee_tcb_svn": at(0, 16)?,
                "mrseam": prefixed(16, 48)?,
                "mrsignerseam": prefixed(64, 48)?,
                "seamattributes": prefixed(112, 8)?,
                "tdattributes": prefixed(120, 8)?,
                "xfam": prefixed(128, 8)?,
                "mrtd": prefixed(136, 48)?,
                "mrconfig": prefixed(184, 48)?,
                "mrowner": prefixed(232, 48)?,
                "mrownerconfig": prefixed(280, 48)?,
                "rtmr0": prefixed(328, 48)?,
                "rtmr1": prefixed(376, 48)?,
                "rtmr2": prefixed(424, 48)?,
                "rtmr3": prefixed(472, 48)?,
                "reportdata": prefixed(520, 64)?,
            },
            "cert_data": null,
            "verified": verified,
        },
        "checksum": hex::encode(Sha256::digest(quote)),
        "can_download": true,
        "uploaded_at": "2026-10-01T12:00:00Z",
        "quote_collateral": null,
    }))
}
