//! What a bundle records of TLS.

use serde::{Deserialize, Serialize};

use super::{MAX_TLS_CERTIFICATE_BYTES, Probe, Seen, TlsChain, TlsHost, TlsSession};

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
        }
    }

    /// The session that was recorded, of a host name that says this of a gateway. `None` if no readable chain was recorded.
    #[must_use]
    pub fn session(&self, host: TlsHost) -> Option<TlsSession> {
        let decoded: Option<Vec<Vec<u8>>> = self
            .chain
            .iter()
            .map(|text| {
                let is_short = text.len() <= 2 * MAX_TLS_CERTIFICATE_BYTES;
                is_short.then(|| hex::decode(text).ok()).flatten()
            })
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
        }
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
