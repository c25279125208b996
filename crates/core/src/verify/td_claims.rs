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
    /// Whether its quote, its event log or its boot was refused: convicted, and not only undetermined.
    pub is_refused: bool,
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
    /// They run the same code and are two instances, or were launched in another way. Two boots of one instance are not told apart:
    /// nothing that is measured changes.
    Instance,
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
    let is_same =
        launched(their_quote) == launched(our_quote) && booted(their_quote, their_boot, our_quote, our_boot);
    is_same.then_some(()).ok_or(OtherTd::Instance)
}

/// Measurements, attributes, and MRSERVICETD where the report has one.
type Launched<'a> = (Vec<&'a [u8; 48]>, [&'a [u8; 8]; 2], Option<&'a [u8; 48]>);

/// Everything in a TD report that is fixed before the guest's own events.
fn launched(quote: &VerifiedQuote) -> Launched<'_> {
    let [rtmr0, rtmr1, rtmr2, _] = quote.rtmrs();
    let registers = vec![
        quote.mrtd(),
        rtmr0,
        rtmr1,
        rtmr2,
        quote.mr_seam(),
        quote.mr_config_id(),
        quote.mr_owner(),
        quote.mr_owner_config(),
    ];
    (
        registers,
        [quote.td_attributes(), quote.xfam()],
        quote.mr_service_td(),
    )
}

/// Whether two TDs booted the same, instance and all. RTMR3 is equal unless the app extends it after its boot, as guests up to
/// 0.5 let it: then both replayed to their own registers, and the events of the boot decide.
fn booted(
    theirs: &VerifiedQuote,
    their_boot: &BootClaims,
    ours: &VerifiedQuote,
    our_boot: &BootClaims,
) -> bool {
    let [.., their_rtmr3] = theirs.rtmrs();
    let [.., our_rtmr3] = ours.rtmrs();
    their_rtmr3 == our_rtmr3 || their_boot == our_boot
}
