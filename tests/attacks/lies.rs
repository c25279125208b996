//! Every lie that the simulator knows by name, judged by the strict policy of the healthy CVM.

use cvm_verify_core::report::{CheckId, Status, Verdict};
use simulator::Lie;

use crate::judge::Trial;

/// What gives the lie away: check, status, reason, and the verdict.
fn exposure(lie: Lie) -> (CheckId, Status, &'static str, Verdict) {
    use CheckId as Id;
    let fails = |id, reason| (id, Status::Fail, reason, Verdict::Fail);
    let open = |id, reason| (id, Status::Error, reason, Verdict::Inconclusive);
    match lie {
        Lie::None => unreachable!("it is the truth"),
        Lie::ReplayedQuote | Lie::HalfNonce => fails(Id::Freshness, "nonce-mismatch"),
        Lie::NonceInSecondHalf | Lie::NonZeroTail => open(Id::Freshness, "other-layout"),
        Lie::LyingEcho => fails(Id::ReportData, "echo-mismatch"),
        Lie::DeletedEvent | Lie::ReorderedEvents | Lie::AddedEvent | Lie::ForgedStrippedLog => {
            fails(Id::EventLog, "rtmr-mismatch")
        }
        Lie::ForgedEventLog => fails(Id::EventLog, "digest-mismatch"),
        Lie::MislabelledVersion => fails(Id::EventLog, "preimage-mismatch"),
        Lie::OpaqueComposeHash | Lie::ForeignRegisterEvent => fails(Id::EventLog, "wrong-event-type"),
        Lie::ShortDigest | Lie::UnknownVersion => fails(Id::Evidence, "malformed-field"),
        Lie::DuplicateQuoteKey => fails(Id::Evidence, "duplicate-field"),
        Lie::DuplicateComposeHash => fails(Id::BootOrder, "duplicate-event"),
        Lie::LateComposeHash => fails(Id::BootOrder, "reserved-after-ready"),
        Lie::MissingSystemReady => fails(Id::BootOrder, "no-system-ready"),
        Lie::SwappedBootOrder => fails(Id::BootOrder, "out-of-order"),
        Lie::ShortAppId | Lie::ResplitEvent => fails(Id::BootOrder, "bad-payload"),
        Lie::SwappedImage | Lie::PinnedAppId | Lie::MutableImageTag => {
            fails(Id::ComposeHash, "compose-hash-mismatch")
        }
        Lie::WrongComposeText => open(Id::ImagePins, "compose-not-proven"),
        Lie::NoKeyProvider | Lie::ForeignKms => fails(Id::KeyProvider, "provider-mismatch"),
        Lie::ConfigIdMismatch | Lie::ConfigIdForeignProvider | Lie::ConfigIdForeignInstance => {
            fails(Id::MrConfigId, "mismatch")
        }
        Lie::ConfigIdUnknownTag => open(Id::MrConfigId, "unsupported-tag"),
        Lie::ConfigIdTail => fails(Id::MrConfigId, "non-zero-tail"),
        Lie::BrokenSignature
        | Lie::BrokenQeSignature
        | Lie::ForeignAttestationKey
        | Lie::ForeignRoot
        | Lie::ForeignQe => fails(Id::QuoteSignature, "not-verified"),
        Lie::RevokedPck | Lie::RevokedPlatformCa => fails(Id::QuoteSignature, "revoked"),
        Lie::RevokedTcbSigner => open(Id::Collateral, "not-signed-by-intel"),
        Lie::OldQuotingEnclave => fails(Id::QuoteSignature, "qe-out-of-date"),
        Lie::PceIdMismatch | Lie::FmspcMismatch | Lie::SgxTcbInfo | Lie::SgxQeIdentity => open(Id::Collateral, "wrong-platform"),
        Lie::NotTdx | Lie::SgxQuote => fails(Id::QuoteSignature, "not-tdx"),
        Lie::TrailingBytes => fails(Id::QuoteSignature, "trailing-bytes"),
        Lie::DebugTd | Lie::MigratableTd | Lie::ServiceTd => fails(Id::QuoteSignature, "attributes-refused"),
        Lie::UnknownXfam => fails(Id::TdAttributes, "xfam-refused"),
        Lie::OwnedTd => fails(Id::TdAttributes, "owner-not-zero"),
        Lie::OutOfDatePlatform
        | Lie::ConfigurationNeeded
        | Lie::SwHardeningNeeded
        | Lie::RelaunchAdvised => fails(Id::TcbStatus, "not-up-to-date"),
        Lie::OldTcbInfo => open(Id::Collateral, "old-set"),
        Lie::RevokedTcb => fails(Id::QuoteSignature, "revoked"),
        Lie::NoMatchingTcbLevel => fails(Id::QuoteSignature, "no-matching-tcb-level"),
        Lie::ExpiredTcbInfo | Lie::ExpiredCrl => open(Id::Collateral, "expired"),
        Lie::FutureTcbInfo => open(Id::Collateral, "not-yet-valid"),
        Lie::DevelopmentImage
        | Lie::LyingTcbInfo
        | Lie::AlteredAcpiTables
        // The VM that the longer manifest describes has another size.
        | Lie::AppendedManifestLine => fails(Id::OsImage, "register-mismatch"),
    }
}

#[test]
fn the_truth_passes() {
    Trial::lying(|cvm| Lie::None.apply(cvm)).judge().passes();
}

#[test]
fn no_lie_of_the_simulator_passes() {
    for lie in Lie::ALL.iter().copied().filter(|lie| *lie != Lie::None) {
        let (id, status, reason, verdict) = exposure(lie);
        let judged = Trial::lying(|cvm| lie.apply(cvm)).judge();
        judged.says(id, status, reason).concludes(verdict);
        // Without `/info` no lie is better off.
        let alone = Trial::lying(|cvm| lie.apply(cvm))
            .with(|trial| trial.info = false)
            .judge();
        assert_ne!(alone.0.verdict, Verdict::Pass, "{lie}\n{alone}");
    }
}
