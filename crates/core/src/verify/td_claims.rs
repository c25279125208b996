//! What is proven of one TD, as far as a binding looks at it.

use super::{BootClaims, VerifiedQuote};

/// What is proven of the TD that made some evidence.
#[derive(Clone, Copy)]
pub(super) struct TdClaims<'a> {
    /// Its quote, if that is proven.
    pub quote: Option<&'a VerifiedQuote>,
    /// What it booted, if that is proven.
    pub boot: Option<&'a BootClaims>,
    /// The nonce that the evidence was asked for with.
    pub nonce: Option<&'a [u8; 32]>,
    /// Whether the report data beside the quote is another than the one inside it.
    pub echo_differs: bool,
    /// The time that it is judged at, Unix seconds.
    pub at: u64,
    /// What is known where not all of it is proven.
    pub unproven: UnprovenTd,
}

/// What is known of a TD of which not all is proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnprovenTd {
    /// Nothing: it could not be determined.
    Undetermined,
    /// Its quote is genuine, and of a platform that is older than anything that Intel still rates.
    OldPlatform,
    /// Its quote, its event log or its boot was refused.
    Refused,
}

/// What two TDs differ in.
pub(super) enum OtherTd {
    /// Something of one of them is not proven.
    NotReached,
    /// They run other code.
    Code {
        /// The compose hash of the first one.
        compose_hash: [u8; 32],
    },
    /// They run the same code and are two instances. Two boots of one instance are not told apart: nothing that is measured
    /// changes.
    Instance,
    /// They are of one instance, which booted in another way, as it may at each boot, or was launched in another way.
    Launch {
        /// The boot events and the fields of the TD report that differ.
        differs: Vec<&'static str>,
    },
}

/// Whether two proofs are of one instance, launched in the same way, which booted the same.
pub(super) fn same_td(theirs: TdClaims<'_>, ours: TdClaims<'_>) -> Result<(), OtherTd> {
    let (Some(their_quote), Some(our_quote)) = (theirs.quote, ours.quote) else {
        return Err(OtherTd::NotReached);
    };
    let (Some(their_boot), Some(our_boot)) = (theirs.boot, ours.boot) else {
        return Err(OtherTd::NotReached);
    };
    if their_boot.compose_hash() != our_boot.compose_hash() {
        return Err(OtherTd::Code {
            compose_hash: *their_boot.compose_hash(),
        });
    }
    // RTMR3 is not compared: guests up to 0.5 let the app extend it after the boot.
    let mut differs = match their_boot == our_boot {
        true => Vec::new(),
        false if is_same_instance(their_boot, our_boot) => booted_otherwise(their_boot, our_boot),
        false => Vec::new(),
    };
    // Two boots that differ in nothing that is named here are not taken for one.
    if their_boot != our_boot && differs.is_empty() {
        return Err(OtherTd::Instance);
    }
    let fields = launched(their_quote).into_iter().zip(launched(our_quote));
    let launched = fields.filter(|(theirs, ours)| theirs != ours);
    differs.extend(launched.map(|((name, _), _)| name));
    match differs.is_empty() {
        true => Ok(()),
        false => Err(OtherTd::Launch { differs }),
    }
}

/// Whether two boots are of one instance, by what its disk and its keys make it: the id alone would be no proof without them.
fn is_same_instance(theirs: &BootClaims, ours: &BootClaims) -> bool {
    ours.instance_id().is_some()
        && theirs.instance_id() == ours.instance_id()
        && theirs.app_id() == ours.app_id()
        && theirs.key_provider() == ours.key_provider()
}

/// The boot events that differ between two boots of one instance: the build of the KMS that answered, the GPUs of that boot.
fn booted_otherwise(theirs: &BootClaims, ours: &BootClaims) -> Vec<&'static str> {
    let events = [
        ("mr-kms", theirs.mr_kms() != ours.mr_kms()),
        (
            "gpu-attestation",
            theirs.gpu_attestation() != ours.gpu_attestation(),
        ),
        (
            "gpu-policy-hash",
            theirs.gpu_policy_hash() != ours.gpu_policy_hash(),
        ),
        (
            "init-script-hash",
            theirs.init_script_hashes() != ours.init_script_hashes(),
        ),
        (
            "other boot events",
            theirs.unknown_events() != ours.unknown_events(),
        ),
    ];
    let differ = events.into_iter().filter(|(_, differ)| *differ);
    differ.map(|(name, _)| name).collect()
}

/// Everything in a TD report that is fixed before the guest's own events, by name. A TD report of TDX 1.0 has no MRSERVICETD, which is one
/// of zeros: no service TD was bound. Which format a report has, is the quoting service's choice, and no fact of the launch.
fn launched(quote: &VerifiedQuote) -> [(&'static str, &[u8]); 11] {
    const NO_SERVICE_TD: &[u8] = &[0; 48];
    let [rtmr0, rtmr1, rtmr2, _] = quote.rtmrs();
    [
        ("MRTD", quote.mrtd().as_slice()),
        ("RTMR0", rtmr0.as_slice()),
        ("RTMR1", rtmr1.as_slice()),
        ("RTMR2", rtmr2.as_slice()),
        ("MRSEAM", quote.mr_seam().as_slice()),
        ("MRCONFIGID", quote.mr_config_id().as_slice()),
        ("MROWNER", quote.mr_owner().as_slice()),
        ("MROWNERCONFIG", quote.mr_owner_config().as_slice()),
        ("TDATTRIBUTES", quote.td_attributes().as_slice()),
        ("XFAM", quote.xfam().as_slice()),
        (
            "MRSERVICETD",
            quote
                .mr_service_td()
                .map_or(NO_SERVICE_TD, |value| value.as_slice()),
        ),
    ]
}
