//! The recorded KMSs, and the gateway and the app that one of them served, verify from Intel's signature to their boot events. Their
//! recordings hold no collateral: that of another recording is about the same kind of platform.

use std::path::Path;

use cvm_verify_core::report::CheckId::*;
use cvm_verify_core::report::Status::*;
use serde_json::{Value, json};

use super::run::{Ran, run};
use simulator::recorded;

/// What was recorded: quote, event log, what they must hold, and collateral that is about their platform.
struct Recording {
    quote: &'static str,
    event_log: &'static str,
    expected: &'static str,
    collateral: &'static str,
    at: &'static str,
}

/// Collateral of September 2025 for the FMSPC 20a06f000000.
const OF_20A06F: (&str, &str) = (
    "cases/near-private-ml/collateral.json",
    "--at=2025-09-03T08:00:00Z",
);

const APP: Recording = Recording {
    quote: "base-chain-2025/app-quote.hex",
    event_log: "base-chain-2025/app-eventlog.json",
    expected: "base-chain-2025/app-expected.json",
    collateral: OF_20A06F.0,
    at: OF_20A06F.1,
};
const GATEWAY: Recording = Recording {
    quote: "base-chain-2025/gateway-quote.hex",
    event_log: "base-chain-2025/gateway-eventlog.json",
    expected: "base-chain-2025/gateway-expected.json",
    ..APP
};
const KMS: Recording = Recording {
    quote: "base-chain-2025/kms-quote.hex",
    event_log: "base-chain-2025/kms-eventlog.json",
    expected: "base-chain-2025/kms-expected.json",
    collateral: "dstack-0.5-lium/collateral.json",
    at: "--at=2026-02-19T12:00:00Z",
};
const PHALA_KMS: Recording = Recording {
    quote: "kms-phala-bootstrap/quote.hex",
    event_log: "kms-phala-bootstrap/eventlog.json",
    expected: "kms-phala-bootstrap/expected.json",
    ..APP
};

impl Recording {
    /// Replays it against what its README promises. `repair` is applied to the quote first.
    fn replay(&self, vectors: &Path, repair: impl Fn(String) -> String, more: &[&str]) -> Ran {
        let text = |name: &str| std::fs::read_to_string(vectors.join(name)).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let body = folder.path().join("attestation.json");
        let quote = repair(text(self.quote).trim().to_owned());
        std::fs::write(
            &body,
            json!({ "quote": quote, "event_log": text(self.event_log) }).to_string(),
        )
        .unwrap();
        let expected: Value = serde_json::from_str(&text(self.expected)).unwrap();
        let event = |name: &str| expected["boot_events"][name].as_str().unwrap().to_owned();
        let provider = &expected["key_provider"];
        let member = |name: &str| provider[name].as_str().unwrap();
        let collateral = vectors.join(self.collateral).display().to_string();
        let mut args = vec![
            "replay".to_owned(),
            "--format=json".to_owned(),
            format!("--attestation={}", body.display()),
            format!("--collateral={collateral}"),
            self.at.to_owned(),
            format!("--compose-hash={}", event("compose-hash")),
            format!("--app-id={}", event("app-id")),
            format!("--key-provider={}:{}", member("name"), member("id")),
        ];
        args.extend(more.iter().map(|arg| (*arg).to_owned()));
        run(&args)
    }

    #[track_caller]
    fn verifies(&self, vectors: &Path, repair: impl Fn(String) -> String, more: &[&str]) -> Ran {
        let ran = self.replay(vectors, repair, more);
        for id in [
            Evidence,
            Collateral,
            QuoteSignature,
            TcbStatus,
            TdAttributes,
            EventLog,
            BootOrder,
            ComposeHash,
            AppId,
            KeyProvider,
            MrConfigId,
        ] {
            ran.assert(id, Pass, None);
        }
        // All of them ran an image whose data disk a host can read (CVE-2025-59054).
        ran.assert(OsImage, Fail, Some("vulnerable-image"));
        ran
    }
}

#[test]
fn the_recorded_chain_of_kms_gateway_and_app_verifies() {
    let Some(vectors) = recorded::folder() else { return };
    let as_recorded = |quote| quote;
    APP.verifies(&vectors, as_recorded, &[]);
    KMS.verifies(&vectors, as_recorded, &[]);
    let document = vectors.join("base-chain-2025/gateway-app-compose.json");
    let document = format!("--app-compose-file={}", document.display());
    let ran = GATEWAY.verifies(&vectors, as_recorded, &[&document]);
    assert_ne!(ran.check(ImagePins).status, Error, "{ran:#?}");
    // One bit of the log, and one of the TD report.
    let flipped = |quote: String| quote.replacen("4a328ba9b9fade85", "4a328ba9b9fade84", 1);
    APP.replay(&vectors, flipped, &[])
        .assert(QuoteSignature, Fail, Some("not-verified"));
}

/// Two characters of Intel's intermediate certificate were altered before the quote was published. With Intel's own, all of it verifies.
#[test]
fn the_recorded_bootstrap_of_phalas_kms_verifies_with_intels_certificate() {
    let Some(vectors) = recorded::folder() else { return };
    let line = |text: &str| hex::encode(text);
    let published = line("b3Jwb3JhdGlvbjEUMBIGA1UEDwwLU2FudGEgQ2xhcmExCzAJBgNVBAgMAkNBMRsw");
    let of_intel = line("b3Jwb3JhdGlvbjEUMBIGA1UEBwwLU2FudGEgQ2xhcmExCzAJBgNVBAgMAkNBMQsw");
    let repaired = |quote: String| {
        assert_eq!(quote.matches(&published).count(), 1);
        quote.replace(&published, &of_intel)
    };
    PHALA_KMS.verifies(&vectors, repaired, &[]);
    PHALA_KMS
        .replay(&vectors, |quote| quote, &[])
        .assert(QuoteSignature, Fail, Some("not-verified"));
}
