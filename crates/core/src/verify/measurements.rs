//! Several registers of a quote as one value, as dstack's KMS and contracts know a build (dstack-attestation.md §5.2).

use super::VerifiedQuote;
use super::digest::sha256;

/// `mr_system` with no key provider in it: SHA-256 of MRTD, RTMR0 to RTMR2 and 32 zero bytes. A KMS judges a guest that has no
/// keys yet.
#[must_use]
pub fn mr_system_at_boot(quote: &VerifiedQuote) -> [u8; 32] {
    let [rtmr0, rtmr1, rtmr2, _] = quote.rtmrs();
    let parts: [&[u8]; 5] = [quote.mrtd(), rtmr0, rtmr1, rtmr2, &[0; 32]];
    sha256(&parts.concat())
}

/// `mr_aggregated`: SHA-256 of MRTD, RTMR0 to RTMR2 and this RTMR3; and of MRCONFIGID, MROWNER and MROWNERCONFIG where one of
/// them is not zero.
#[must_use]
pub fn mr_aggregated(quote: &VerifiedQuote, rtmr3: &[u8; 48]) -> [u8; 32] {
    let [rtmr0, rtmr1, rtmr2, _] = quote.rtmrs();
    let registers: [&[u8]; 5] = [quote.mrtd(), rtmr0, rtmr1, rtmr2, rtmr3];
    let launch: [&[u8]; 3] = [quote.mr_config_id(), quote.mr_owner(), quote.mr_owner_config()];
    let mut bytes = registers.concat();
    if launch.iter().any(|value| value.iter().any(|byte| *byte != 0)) {
        bytes.extend(launch.concat());
    }
    sha256(&bytes)
}
