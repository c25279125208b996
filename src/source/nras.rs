//! NVIDIA's remote attestation service: `POST /v4/attest/gpu` and `/v4/attest/switch`, and its key set (NVIDIA Attestation
//! Service API, `/v4/attest`). Only the transport is here; what the answers are worth is decided where they are compared with the
//! reports.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use tokio::time::Instant;
use url::Url;

use super::NO_TIME;
use crate::net::{Client, Limits, below};
use cvm_verify_core::evidence::{GpuReport, NrasAnswer, NrasKind, RecordedNras, keys_used};
use cvm_verify_core::verify::gpu::{MAX_ANSWER_BYTES, MAX_KEYS_BYTES};

/// NVIDIA's own service.
const PUBLIC: &str = "https://nras.attestation.nvidia.com/";

/// How the opaque data of newer drivers (CUDA 13.5 and later) begins.
const STRUCTURED: &[u8] = b"NVDAOD";

/// The claims that are asked for. Version 4.0 differs in words alone that are judged alike, and the service takes evidence of
/// newer drivers with it alone.
fn claims_version(reports: &[GpuReport]) -> &'static str {
    let is_structured = |report: &GpuReport| {
        report
            .transcript
            .windows(STRUCTURED.len())
            .any(|window| window == STRUCTURED)
    };
    if reports.iter().any(is_structured) {
        "4.0"
    } else {
        "3.0"
    }
}

/// Where the service is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nras(Url);

impl Nras {
    /// NVIDIA's own service.
    #[must_use]
    pub fn public() -> Option<Self> {
        Url::parse(PUBLIC).ok().map(Self)
    }

    /// The one at `url`. The service's own paths are appended.
    #[must_use]
    pub const fn at(url: Url) -> Self {
        Self(url)
    }

    /// Sends reports to it, and fetches the keys of its answers, until `ends`.
    pub async fn ask(
        &self,
        client: &Client,
        nonce: &[u8; 32],
        reports: &[(NrasKind, Vec<GpuReport>)],
        ends: Instant,
    ) -> RecordedNras {
        let mut recorded = RecordedNras {
            host: self.0.host_str().unwrap_or("no host").to_owned(),
            ..RecordedNras::default()
        };
        if ends <= Instant::now() {
            recorded.problem = Some(NO_TIME.to_owned());
            return recorded;
        }
        for (kind, reports) in reports.iter().filter(|(_, reports)| !reports.is_empty()) {
            match self.appraisal(client, *kind, nonce, reports, ends).await {
                Ok(body) => recorded.answers.push(NrasAnswer { kind: *kind, body }),
                Err(problem) => {
                    recorded.problem = Some(problem);
                    return recorded;
                }
            }
        }
        match self.keys(client, ends).await {
            Ok(keys) => recorded.keys = Some(keys_used(&keys, &recorded.answers)),
            Err(problem) => recorded.problem = Some(problem),
        }
        recorded
    }

    /// The answer about devices of one kind. A service that does not know version 4 of the path is asked by version 3.
    async fn appraisal(
        &self,
        client: &Client,
        kind: NrasKind,
        nonce: &[u8; 32],
        reports: &[GpuReport],
        ends: Instant,
    ) -> Result<String, String> {
        let architecture = reports.first().map_or("", |report| report.architecture.as_str());
        let list: Vec<_> = reports
            .iter()
            .map(|report| {
                json!({
                    "certificate": STANDARD.encode(&report.chain),
                    "evidence": STANDARD.encode(&report.transcript),
                    "arch": report.architecture,
                })
            })
            .collect();
        let mut body = json!({
            "nonce": hex::encode(nonce),
            "arch": architecture,
            "evidence_list": list,
            "claims_version": claims_version(reports),
        });
        let mut status = 0;
        for version in ["v4", "v3"] {
            if version == "v3" {
                body.as_object_mut()
                    .map(|members| members.remove("claims_version"));
            }
            let url = below(&self.0, &format!("{version}/attest/{}", kind.as_str()));
            let limits = Limits::body(MAX_ANSWER_BYTES).until(ends);
            let response = client
                .post_json(&url, body.to_string().into_bytes(), &limits)
                .await
                .map_err(|error| error.to_string().trim_end_matches('.').to_owned())?;
            status = response.status;
            match status {
                200 => {
                    let text = String::from_utf8(response.body);
                    return text
                        .map_err(|_| format!("{} answered with bytes that are not text", response.host));
                }
                404 | 405 | 410 => {}
                429 => {
                    return Err(format!(
                        "{} limits the number of requests and refuses this one (status 429)",
                        response.host
                    ));
                }
                _ => return Err(format!("{} answered with status {status}", response.host)),
            }
        }
        Err(format!(
            "{} answered with status {status}",
            self.0.host_str().unwrap_or("the service")
        ))
    }

    async fn keys(&self, client: &Client, ends: Instant) -> Result<String, String> {
        let url = below(&self.0, ".well-known/jwks.json");
        let response = client
            .get_json(&url, &Limits::body(MAX_KEYS_BYTES).until(ends))
            .await;
        let response = response
            .and_then(crate::net::Response::ok)
            .map_err(|error| error.to_string().trim_end_matches('.').to_owned())?;
        String::from_utf8(response.body).map_err(|_| "the key set of NVIDIA's service is not text".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_of_newer_drivers_is_sent_for_claims_of_version_4() {
        let report = |transcript: &[u8]| GpuReport {
            architecture: "HOPPER".to_owned(),
            transcript: transcript.to_vec(),
            chain: Vec::new(),
        };
        let old = report(b"\x11\xe0\x01\xff plain");
        assert_eq!(claims_version(std::slice::from_ref(&old)), "3.0");
        assert_eq!(claims_version(&[old, report(b"\x11\xe0 NVDAOD\0\0")]), "4.0");
        assert_eq!(claims_version(&[]), "3.0");
    }
}
