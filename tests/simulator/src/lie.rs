//! Lies by name: each turns a healthy CVM into one attack of the threat list.

use std::{fmt, str::FromStr};

use crate::{
    app_compose::{DOCKER_COMPOSE, SWAPPED_DOCKER_COMPOSE, app_compose},
    cvm::{Cvm, MrConfigId},
    event_log::Event,
    pki::Certificate,
    quote::QuoteFormat,
    report_data::{Echo, ReportDataLayout},
    world::{DAY, TEE_TCB_SVN_OUT_OF_DATE},
};

/// Defines the enum, its names and its one-line descriptions in one place.
macro_rules! lies {
    ($($variant:ident $name:literal $about:literal,)*) => {
        /// A lie. `Display` and `FromStr` use the kebab-case name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Lie { $(#[doc = $about] $variant,)* }

        impl Lie {
            /// All of them, the truth first.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The kebab-case name.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What the lie does, in one line.
            pub fn about(self) -> &'static str {
                match self { $(Self::$variant => $about,)* }
            }
        }
    };
}

lies! {
    None "none" "A healthy CVM.",
    ReplayedQuote "replayed-quote" "T1: an old quote for every nonce, beside an echo of the fresh one.",
    LyingEcho "lying-echo" "T1: a fresh quote, but `report_data` in the JSON says something else.",
    NonceInSecondHalf "nonce-in-second-half" "T2: the nonce stands in bytes 32 to 64 of REPORTDATA.",
    NonZeroTail "non-zero-tail" "T2: the nonce and zeros, but the last byte is 1.",
    HalfNonce "half-nonce" "T2: only the first 16 bytes of the nonce.",
    DeletedEvent "deleted-event" "T5: the `key-provider` event is left out of the log after the quote.",
    ReorderedEvents "reordered-events" "T5: two runtime events change places after the quote.",
    AddedEvent "added-event" "T5: an event is appended after the quote.",
    ForgedEventLog "forged-event-log" "T6: the payload of `compose-hash` is swapped after the quote, its digest kept.",
    ForgedStrippedLog "forged-stripped-log" "T6: the payload of `compose-hash` is swapped in a log without digests.",
    ShortDigest "short-digest" "T6: a runtime event has a 32-byte digest for which zero-padding gives the right RTMR3.",
    OpaqueComposeHash "opaque-compose-hash" "T7: an IMR 3 event of type 1 named `compose-hash` with a real digest and a forged payload.",
    ForeignRegisterEvent "foreign-register-event" "T8: a forged `compose-hash` with imr 0 ahead of all.",
    DuplicateComposeHash "duplicate-compose-hash" "T9: two `compose-hash` events before `system-ready`, both measured.",
    LateComposeHash "late-compose-hash" "T9: a second `compose-hash` emitted by the application after `system-ready`.",
    MissingSystemReady "missing-system-ready" "T9: no `system-ready` event was measured.",
    SwappedBootOrder "swapped-boot-order" "T10: `app-id` and `compose-hash` were measured in the wrong order.",
    ShortAppId "short-app-id" "T10: the measured app id has 19 bytes.",
    ResplitEvent "resplit-event" "T11: an event measured as `compose-hash:A` is shown as `compose-hash`, cut at another `:`; the V1 digest is the same.",
    MislabelledVersion "mislabelled-version" "T12: V2 events whose JSON says version 1.",
    UnknownVersion "unknown-version" "T12: runtime events that say version 3.",
    DuplicateQuoteKey "duplicate-quote-key" "T13: the body has two members `quote`.",
    SwappedImage "swapped-image" "T14: another compose file, consistent with itself: hash, events, MRCONFIGID and text agree.",
    WrongComposeText "wrong-compose-text" "T15: `/info` shows a compose text other than the measured one.",
    PinnedAppId "pinned-app-id" "T35: the swapped image under the app id of the healthy CVM.",
    NoKeyProvider "no-key-provider" "T36: the key provider is `none`.",
    ForeignKms "foreign-kms" "T36: the KMS has another root key.",
    ConfigIdMismatch "config-id-mismatch" "T37: MRCONFIGID has tag 01 and another compose hash.",
    ConfigIdUnknownTag "config-id-unknown-tag" "T37: MRCONFIGID has tag 04.",
    ConfigIdTail "config-id-tail" "T37: MRCONFIGID has tag 01, the right hash and a non-zero last byte.",
    ConfigIdForeignProvider "config-id-foreign-provider" "T37: MRCONFIGID has tag 02 and binds another key provider.",
    ConfigIdForeignInstance "config-id-foreign-instance" "T37: MRCONFIGID has tag 03 and its document names another instance.",
    BrokenSignature "broken-signature" "T17: one bit of the quote's signature is flipped.",
    BrokenQeSignature "broken-qe-signature" "T18: one bit of the QE report's signature is flipped.",
    ForeignAttestationKey "foreign-attestation-key" "T18: the QE report vouches for another attestation key.",
    ForeignRoot "foreign-root" "T18: the quote comes from a machine under another root.",
    ForeignQe "foreign-qe" "T17: the quoting enclave has another signer than the QE identity.",
    NotTdx "not-tdx" "T19: the header of a TDX quote says SGX.",
    SgxQuote "sgx-quote" "T19: a genuine SGX quote, with collateral under which it verifies.",
    TrailingBytes "trailing-bytes" "T20: a byte after the signature data is not zero.",
    DebugTd "debug-td" "T21: DEBUG is set in TDATTRIBUTES.",
    MigratableTd "migratable-td" "T21: MIGRATABLE is set in TDATTRIBUTES.",
    UnknownXfam "unknown-xfam" "T22: XFAM has a bit outside the mask.",
    OwnedTd "owned-td" "T23: MROWNER is not zero.",
    ServiceTd "service-td" "T23: MRSERVICETD is not zero (TD 1.5).",
    OutOfDatePlatform "out-of-date-platform" "T24: the platform lands on the OutOfDate row of the TCB info.",
    ConfigurationNeeded "configuration-needed" "T24: the platform's row says ConfigurationNeeded.",
    SwHardeningNeeded "sw-hardening-needed" "T24: the platform's row says SWHardeningNeeded.",
    RelaunchAdvised "relaunch-advised" "T24: the TD was launched under an old module that has been updated since (TD 1.5).",
    RevokedTcb "revoked-tcb" "T24: the platform's row says Revoked.",
    NoMatchingTcbLevel "no-matching-tcb-level" "T24: the platform is below every TCB level.",
    OldQuotingEnclave "old-quoting-enclave" "T24: the quoting enclave is below every level of the QE identity.",
    RevokedPck "revoked-pck" "T18: the PCK certificate is on the PCK CRL.",
    RevokedPlatformCa "revoked-platform-ca" "T18: the PCK CA is on the root's CRL.",
    RevokedTcbSigner "revoked-tcb-signer" "T18: the TCB signing certificate is on the root's CRL.",
    OldTcbInfo "old-tcb-info" "T25: evaluation data number 15, still in date.",
    ExpiredTcbInfo "expired-tcb-info" "T25: the TCB info expired a second ago.",
    FutureTcbInfo "future-tcb-info" "T25: the TCB info is issued a second from now.",
    ExpiredCrl "expired-crl" "T25: the PCK CRL expired a second ago.",
    PceIdMismatch "pce-id-mismatch" "T29: the TCB info is of another PCE id than the certificate.",
    FmspcMismatch "fmspc-mismatch" "T29: the TCB info is of another FMSPC than the certificate.",
    SgxTcbInfo "sgx-tcb-info" "T29: the TCB info is that of SGX.",
    SgxQeIdentity "sgx-qe-identity" "T29: the QE identity is that of the quoting enclave of SGX.",
    DevelopmentImage "development-image" "T30: another OS image: MRTD, RTMR1 and RTMR2 differ, the rest agrees.",
    AppendedManifestLine "appended-manifest-line" "T32: a 0.6 `lite` guest whose checksum file has a line too many; os_image_hash follows.",
    LyingTcbInfo "lying-tcb-info" "T31: the quote has the development image, `/info` the registers of the healthy one.",
    AlteredAcpiTables "altered-acpi-tables" "T33: the host supplied other ACPI tables; RTMR0 replays.",
    MutableImageTag "mutable-image-tag" "T38: the measured compose file names an image by tag.",
}

impl Lie {
    /// Applies the lie to a healthy CVM and its world.
    pub fn apply(self, cvm: &mut Cvm) {
        match self {
            Self::None => {}
            Self::ReplayedQuote => {
                cvm.report_data = ReportDataLayout::replay_of(b"a nonce of last week, 32 bytes..");
                cvm.echo = Echo::Query;
            }
            Self::LyingEcho => cvm.echo = Echo::Text("11".repeat(64)),
            Self::NonceInSecondHalf => cvm.report_data = ReportDataLayout::NonceInSecondHalf,
            Self::NonZeroTail => cvm.report_data = ReportDataLayout::NonZeroTail,
            Self::HalfNonce => cvm.report_data = ReportDataLayout::HalfNonce,
            Self::DeletedEvent => {
                cvm.edit_log_after_quote(|log| log.retain(|event| event.event != "key-provider"))
            }
            Self::ReorderedEvents => cvm.edit_log_after_quote(|log| swap(log, "boot-mr-done", "instance-id")),
            Self::AddedEvent => cvm.edit_log_after_quote(|log| log.push(Event::runtime("added", b"later"))),
            Self::ForgedEventLog => cvm.edit_log_after_quote(|log| forge_compose_hash(log)),
            Self::ForgedStrippedLog => {
                cvm.body.stripped_log = true;
                cvm.edit_log_after_quote(|log| forge_compose_hash(log));
            }
            Self::ShortDigest => cvm.edit_log_before_quote(|log| {
                if let Some(event) = named(log, "compose-hash") {
                    event.digest.truncate(32);
                }
            }),
            Self::OpaqueComposeHash => cvm.edit_log_after_quote(|log| {
                if let Some(event) = named(log, "compose-hash") {
                    event.event_type = 1;
                    event.payload = vec![0x66; 32];
                }
            }),
            Self::ForeignRegisterEvent => cvm.edit_log_before_quote(|log| {
                let mut forged = Event::runtime("compose-hash", &[0x66; 32]);
                forged.imr = 0;
                log.insert(0, forged);
            }),
            Self::DuplicateComposeHash => cvm.edit_log_before_quote(|log| {
                let at = position(log, "compose-hash");
                log.insert(at, Event::runtime("compose-hash", &[0x66; 32]));
            }),
            Self::LateComposeHash => cvm.app_events.push(("compose-hash".into(), vec![0x66; 32])),
            Self::MissingSystemReady => {
                cvm.edit_log_before_quote(|log| log.retain(|event| event.event != "system-ready"))
            }
            Self::SwappedBootOrder => cvm.edit_log_before_quote(|log| swap(log, "app-id", "compose-hash")),
            Self::ShortAppId => cvm.app_id = Some(cvm.app_id_bytes()[..19].to_vec()),
            Self::ResplitEvent => {
                // The V1 preimage has no lengths: what the application measured under a name of its own after
                // `system-ready` is shown as `compose-hash`, at the place of the real one, by cutting at another ':'.
                let forged = [0x66; 32];
                cvm.edit_log_before_quote(move |log| {
                    let at = position(log, "compose-hash");
                    log.insert(at, Event::runtime("compose-hash:A", &forged));
                });
                cvm.edit_log_after_quote(move |log| {
                    if let Some(event) = named(log, "compose-hash:A") {
                        event.event = "compose-hash".into();
                        event.payload = [&b"A:"[..], &forged].concat();
                    }
                });
            }
            Self::MislabelledVersion => {
                cvm.event_version = crate::EventVersion::V2;
                cvm.edit_log_after_quote(|log| relabel(log, 1));
            }
            Self::UnknownVersion => cvm.edit_log_after_quote(|log| relabel(log, 3)),
            Self::DuplicateQuoteKey => cvm.body.attestation_members_last.push(r#""quote":"00""#.into()),
            Self::SwappedImage => cvm.app_compose = app_compose(SWAPPED_DOCKER_COMPOSE),
            Self::WrongComposeText => {
                let text = app_compose(SWAPPED_DOCKER_COMPOSE);
                cvm.body.show_app_compose = Some(text);
            }
            Self::PinnedAppId => {
                cvm.app_id = Some(cvm.app_id_bytes());
                cvm.app_compose = app_compose(SWAPPED_DOCKER_COMPOSE);
            }
            Self::NoKeyProvider => cvm.set_key_provider("none", ""),
            Self::ForeignKms => {
                let id = crate::cvm::simulated_kms_id(cvm.world.seed ^ u64::MAX);
                cvm.set_key_provider("kms", &id);
            }
            Self::ConfigIdMismatch => cvm.mr_config_id = config_id(1, &[0x66; 32], 0),
            Self::ConfigIdUnknownTag => cvm.mr_config_id = config_id(4, &cvm.compose_hash(), 0),
            Self::ConfigIdTail => cvm.mr_config_id = config_id(1, &cvm.compose_hash(), 1),
            Self::ConfigIdForeignProvider => {
                let mut launch = cvm.launch();
                launch.key_provider_id = b"another".to_vec();
                cvm.mr_config_id = config_id(2, &launch.identity(), 0);
            }
            Self::ConfigIdForeignInstance => {
                let mut launch = cvm.launch();
                launch.instance_id = vec![0x66; 20];
                cvm.mr_config_id = MrConfigId::Tag03(launch.document(false));
            }
            Self::BrokenSignature => cvm.quote.break_signature = true,
            Self::BrokenQeSignature => cvm.quote.break_qe_report_signature = true,
            Self::ForeignAttestationKey => cvm.quote.foreign_attestation_key = true,
            Self::ForeignRoot => cvm.world.seed ^= u64::MAX,
            Self::ForeignQe => cvm.world.qe_identity.enclave_mr_signer = Some([0x66; 32]),
            Self::NotTdx => cvm.quote.tee_type = 0,
            Self::SgxQuote => {
                cvm.quote.format = QuoteFormat::SgxV3;
                cvm.world.tcb_info.id = "SGX".into();
                cvm.world.qe_identity.id = "QE".into();
            }
            Self::TrailingBytes => cvm.quote.trailing.push(1),
            Self::DebugTd => cvm.report.td_attributes[0] |= 1,
            Self::MigratableTd => cvm.report.td_attributes[3] |= 0x20,
            Self::UnknownXfam => cvm.report.xfam[7] |= 0x80,
            Self::OwnedTd => cvm.report.mr_owner = [0x66; 48],
            Self::ServiceTd => {
                cvm.quote.format = QuoteFormat::V5Td15;
                cvm.report.mr_service_td = [0x66; 48];
            }
            Self::OutOfDatePlatform => cvm.world.fall_behind(),
            Self::ConfigurationNeeded => cvm
                .world
                .tcb_info
                .land_on("ConfigurationNeeded", &["INTEL-SA-00000"]),
            Self::SwHardeningNeeded => cvm
                .world
                .tcb_info
                .land_on("SWHardeningNeeded", &["INTEL-SA-00000"]),
            Self::RelaunchAdvised => {
                cvm.quote.format = QuoteFormat::V5Td15;
                cvm.report.tee_tcb_svn = TEE_TCB_SVN_OUT_OF_DATE;
            }
            Self::RevokedTcb => cvm.world.tcb_info.land_on("Revoked", &[]),
            Self::NoMatchingTcbLevel => cvm.world.below_every_tcb_level(),
            Self::OldQuotingEnclave => cvm.world.qe_identity.enclave_isv_svn = 1,
            Self::RevokedPck => revoke(cvm, Certificate::Pck),
            Self::RevokedPlatformCa => revoke(cvm, Certificate::PckCa),
            Self::RevokedTcbSigner => revoke(cvm, Certificate::TcbSigning),
            Self::OldTcbInfo => cvm.world.tcb_info.eval_data_number = 15,
            Self::ExpiredTcbInfo => {
                cvm.world.tcb_info.issued_after = -30 * DAY;
                cvm.world.tcb_info.expires_after = -1;
            }
            Self::FutureTcbInfo => cvm.world.tcb_info.issued_after = 1,
            Self::ExpiredCrl => cvm.world.pki.pck_crl.to = -1,
            Self::PceIdMismatch => cvm.world.tcb_info.pce_id = Some([0, 1]),
            Self::FmspcMismatch => cvm.world.tcb_info.fmspc = Some([0x66; 6]),
            Self::SgxTcbInfo => cvm.world.tcb_info.id = "SGX".into(),
            Self::SgxQeIdentity => cvm.world.qe_identity.id = "QE".into(),
            Self::DevelopmentImage => cvm.boot.os_image = "dstack-dev-0.5.5".into(),
            Self::AppendedManifestLine => {
                cvm.boot.lite = true;
                cvm.boot.memory_size = 2 << 30;
                cvm.boot.appended_manifest_lines = format!("{}  extra.bin\n", "66".repeat(32));
            }
            Self::LyingTcbInfo => {
                let honest = cvm.td_report([0; 64]);
                cvm.boot.os_image = "dstack-dev-0.5.5".into();
                cvm.body.tcb_info = crate::Nested::Object;
                cvm.body.edit_info(move |body| {
                    body["tcb_info"]["mrtd"] = hex::encode(honest.mr_td).into();
                    for (i, register) in honest.rtmr.iter().enumerate() {
                        body["tcb_info"][format!("rtmr{i}")] = hex::encode(register).into();
                    }
                });
            }
            Self::AlteredAcpiTables => cvm.boot.acpi_tables = "with a hostile AML method".into(),
            Self::MutableImageTag => {
                let docker_compose = DOCKER_COMPOSE.replace(
                    "docker.io/example/worker@sha256:9a0b1c2d3e4f5061728394a5b6c7d8e9f0010203040506070809aabbccddeeff",
                    "docker.io/example/worker:latest",
                );
                cvm.app_compose = app_compose(&docker_compose);
            }
        }
    }
}

impl fmt::Display for Lie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Lie {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL
            .iter()
            .copied()
            .find(|lie| lie.name() == name)
            .ok_or_else(|| format!("no lie is named {name:?}"))
    }
}

fn revoke(cvm: &mut Cvm, certificate: Certificate) {
    cvm.world.pki.revoked.insert(certificate);
}

fn config_id(tag: u8, hash: &[u8; 32], last: u8) -> MrConfigId {
    let mut id = [0; 48];
    id[0] = tag;
    id[1..33].copy_from_slice(hash);
    id[47] = last;
    MrConfigId::Raw(id)
}

fn forge_compose_hash(log: &mut [Event]) {
    if let Some(event) = named(log, "compose-hash") {
        event.payload = vec![0x66; 32];
    }
}

fn named<'a>(log: &'a mut [Event], name: &str) -> Option<&'a mut Event> {
    log.iter_mut().find(|event| event.event == name)
}

fn position(log: &[Event], name: &str) -> usize {
    log.iter()
        .position(|event| event.event == name)
        .unwrap_or(log.len())
}

fn swap(log: &mut [Event], one: &str, other: &str) {
    let (one, other) = (position(log, one), position(log, other));
    if one.max(other) < log.len() {
        log.swap(one, other);
    }
}

fn relabel(log: &mut [Event], version: u32) {
    for event in log.iter_mut().filter(|event| event.imr == 3) {
        event.version = Some(version);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event_log::digest_v1;

    #[test]
    fn names_are_kebab_case_unique_and_parse_back() {
        let mut names: Vec<_> = Lie::ALL.iter().map(|lie| lie.name()).collect();
        for lie in Lie::ALL {
            assert_eq!(lie.name().parse(), Ok(*lie));
            assert!(
                lie.name()
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte == b'-')
            );
        }
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Lie::ALL.len());
    }

    #[test]
    fn a_resplit_event_hashes_alike() {
        assert_eq!(
            digest_v1("compose-hash", b"A:B"),
            digest_v1("compose-hash:A", b"B")
        );
    }
}
