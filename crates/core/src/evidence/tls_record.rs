//! What a bundle records of TLS.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    IngressEvidence, IngressSeen, MAX_INGRESS_FILE_BYTES, MAX_INGRESS_MANIFEST_BYTES,
    MAX_INGRESS_QUOTE_BYTES, MAX_TLS_CERTIFICATE_BYTES, Probe, Seen, TlsChain, TlsHost, TlsSession,
};

/// What a bundle records of TLS: its own claim, as all of a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsRecord {
    /// SHA-256 of the leaf's SubjectPublicKeyInfo, hex. For people: a replay computes it.
    pub leaf_spki_sha256: Option<String>,
    /// The certificates, DER in hex, the leaf first. Older bundles have none.
    #[serde(default)]
    chain: Vec<String>,
    /// Whether a trusted CA vouched for leaf and host name.
    #[serde(default)]
    trusted_ca: bool,
    /// How many other keys answered in the run.
    #[serde(default)]
    other_keys: usize,
    /// What came of the probe.
    #[serde(default)]
    probe: RecordedProbe,
    /// What was seen of an ingress. Older bundles have none.
    #[serde(default, skip_serializing_if = "RecordedIngress::is_not_asked")]
    ingress: RecordedIngress,
}

/// See [`IngressSeen`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum RecordedIngress {
    #[default]
    NotAsked,
    Absent,
    Unreachable,
    Evidence(RecordedFiles),
}

/// See [`IngressEvidence`]. Each file in hex.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct RecordedFiles {
    host: String,
    manifest: String,
    files: BTreeMap<String, String>,
    quote: String,
}

impl RecordedIngress {
    const fn is_not_asked(&self) -> bool {
        matches!(self, Self::NotAsked)
    }

    fn of(seen: &IngressSeen) -> Self {
        match seen {
            IngressSeen::NotAsked => Self::NotAsked,
            IngressSeen::Absent => Self::Absent,
            IngressSeen::Unreachable(_) => Self::Unreachable,
            IngressSeen::Evidence(evidence) => Self::Evidence(RecordedFiles {
                host: evidence.host.clone(),
                manifest: hex::encode(&evidence.manifest),
                files: evidence
                    .files
                    .iter()
                    .map(|(name, bytes)| (name.clone(), hex::encode(bytes)))
                    .collect(),
                quote: hex::encode(&evidence.quote),
            }),
        }
    }

    fn seen(&self) -> IngressSeen {
        match self {
            Self::NotAsked => IngressSeen::NotAsked,
            Self::Absent => IngressSeen::Absent,
            Self::Unreachable => {
                IngressSeen::Unreachable("the ingress of the recorded run did not answer".to_owned())
            }
            Self::Evidence(files) => files.evidence().map_or_else(
                || IngressSeen::Unreachable("the recorded files of the ingress cannot be read".to_owned()),
                |evidence| IngressSeen::Evidence(Box::new(evidence)),
            ),
        }
    }
}

impl RecordedFiles {
    fn evidence(&self) -> Option<IngressEvidence> {
        let files: Option<BTreeMap<String, Vec<u8>>> = self
            .files
            .iter()
            .map(|(name, text)| Some((name.clone(), bounded_hex(text, MAX_INGRESS_FILE_BYTES)?)))
            .collect();
        Some(IngressEvidence {
            host: self.host.clone(),
            manifest: bounded_hex(&self.manifest, MAX_INGRESS_MANIFEST_BYTES)?,
            files: files?,
            quote: bounded_hex(&self.quote, MAX_INGRESS_QUOTE_BYTES)?,
        })
    }
}

/// Hex of at most this many bytes.
fn bounded_hex(text: &str, limit: usize) -> Option<Vec<u8>> {
    let is_short = text.len() <= 2 * limit;
    is_short.then(|| hex::decode(text).ok()).flatten()
}

/// See [`Probe`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum RecordedProbe {
    #[default]
    NotSent,
    NoneSeen,
    Quotes32,
    Quotes64,
    Unknown,
}

impl TlsRecord {
    /// The record of a session. `leaf_spki_sha256` is for people.
    #[must_use]
    pub fn of(session: &TlsSession, leaf_spki_sha256: Option<[u8; 32]>) -> Self {
        Self {
            leaf_spki_sha256: leaf_spki_sha256.map(hex::encode),
            chain: session.chain.certificates().map(hex::encode).collect(),
            trusted_ca: session.has_trusted_ca,
            other_keys: session.other_keys,
            probe: match &session.probe {
                Probe::NotSent => RecordedProbe::NotSent,
                Probe::NoneSeen => RecordedProbe::NoneSeen,
                Probe::Quotes32 => RecordedProbe::Quotes32,
                Probe::Quotes64 => RecordedProbe::Quotes64,
                Probe::Unknown(_) => RecordedProbe::Unknown,
            },
            ingress: RecordedIngress::of(&session.ingress),
        }
    }

    /// The session that was recorded, of a host name that says this of a gateway. `None` if no readable chain was recorded.
    #[must_use]
    pub fn session(&self, host: TlsHost) -> Option<TlsSession> {
        let decoded: Option<Vec<Vec<u8>>> = self
            .chain
            .iter()
            .map(|text| bounded_hex(text, MAX_TLS_CERTIFICATE_BYTES))
            .collect();
        Some(TlsSession {
            chain: TlsChain::new(decoded?).ok()?,
            other_keys: self.other_keys,
            has_trusted_ca: self.trusted_ca,
            host,
            seen: Seen::Recorded,
            probe: match self.probe {
                RecordedProbe::NotSent => Probe::NotSent,
                RecordedProbe::NoneSeen => Probe::NoneSeen,
                RecordedProbe::Quotes32 => Probe::Quotes32,
                RecordedProbe::Quotes64 => Probe::Quotes64,
                RecordedProbe::Unknown => {
                    Probe::Unknown("the probe of the recorded run was not answered.".to_owned())
                }
            },
            ingress: self.ingress.seen(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(probe: Probe) -> TlsSession {
        TlsSession {
            chain: TlsChain::new(vec![vec![1, 2], vec![3]]).unwrap(),
            other_keys: 1,
            has_trusted_ca: true,
            host: TlsHost::Gateway,
            seen: Seen::Live,
            probe,
            ingress: IngressSeen::NotAsked,
        }
    }

    #[test]
    fn the_files_of_an_ingress_are_read_as_they_were() {
        let evidence = IngressEvidence {
            host: "app.example".to_owned(),
            manifest: b"\xff manifest\n".to_vec(),
            files: BTreeMap::from([("cert-app.example.pem".to_owned(), vec![0, 1, 2])]),
            quote: vec![],
        };
        for ingress in [
            IngressSeen::NotAsked,
            IngressSeen::Absent,
            IngressSeen::Evidence(Box::new(evidence)),
        ] {
            let session = TlsSession {
                ingress: ingress.clone(),
                ..session(Probe::NotSent)
            };
            let text = serde_json::to_string(&TlsRecord::of(&session, None)).unwrap();
            let read: TlsRecord = serde_json::from_str(&text).unwrap();
            assert_eq!(read.session(TlsHost::Gateway).unwrap().ingress, ingress, "{text}");
        }
        // A file beyond the limit is not read, and nothing is concluded from it.
        let long = "00".repeat(MAX_INGRESS_MANIFEST_BYTES + 1);
        let text = format!(
            r#"{{"leaf_spki_sha256":null,"chain":["00"],"ingress":{{"evidence":{{"host":"a","manifest":"{long}","files":{{}},"quote":""}}}}}}"#
        );
        let read: TlsRecord = serde_json::from_str(&text).unwrap();
        assert!(matches!(
            read.session(TlsHost::Other).unwrap().ingress,
            IngressSeen::Unreachable(_)
        ));
    }

    #[test]
    fn what_is_recorded_is_read_and_is_a_recording() {
        for probe in [Probe::NotSent, Probe::NoneSeen, Probe::Quotes32, Probe::Quotes64] {
            let session = session(probe);
            let text = serde_json::to_string(&TlsRecord::of(&session, Some([7; 32]))).unwrap();
            let read: TlsRecord = serde_json::from_str(&text).unwrap();
            let expected = TlsSession {
                seen: Seen::Recorded,
                ..session
            };
            assert_eq!(read.session(TlsHost::Gateway), Some(expected));
        }
    }

    #[test]
    fn a_record_without_a_readable_chain_is_no_session() {
        for text in [
            r#"{"leaf_spki_sha256":"00"}"#,
            r#"{"leaf_spki_sha256":null,"chain":[]}"#,
            r#"{"leaf_spki_sha256":null,"chain":["zz"]}"#,
            r#"{"leaf_spki_sha256":null,"chain":["00","00","00","00","00","00","00","00","00"]}"#,
        ] {
            let read: TlsRecord = serde_json::from_str(text).unwrap();
            assert_eq!(read.session(TlsHost::Other), None, "{text}");
        }
    }
}
