//! Several registers of a quote as one value, as dstack's KMS and contracts know a build (dstack,
//! `dstack-attest/src/attestation.rs`).

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
    aggregated(
        [quote.mrtd(), rtmr0, rtmr1, rtmr2, rtmr3],
        [quote.mr_config_id(), quote.mr_owner(), quote.mr_owner_config()],
    )
}

fn aggregated(registers: [&[u8; 48]; 5], launch: [&[u8; 48]; 3]) -> [u8; 32] {
    let mut bytes = registers.map(<[u8; 48]>::as_slice).concat();
    if launch.iter().any(|value| value.iter().any(|byte| *byte != 0)) {
        bytes.extend(launch.map(<[u8; 48]>::as_slice).concat());
    }
    sha256(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both recorded KMSs, and what an app that the second one served recorded of it.
    #[test]
    fn mr_aggregated_is_that_of_the_recorded_kmss() {
        for name in [
            "kms-phala-bootstrap/expected.json",
            "base-chain-2025/kms-expected.json",
        ] {
            let Some(expected) = simulator::recorded::json(name) else {
                return;
            };
            let register = |key: &str| {
                let mut bytes = [0; 48];
                let text = expected["registers"][key].as_str().unwrap();
                hex::decode_to_slice(text, &mut bytes).unwrap();
                bytes
            };
            let [mrtd, rtmr0, rtmr1, rtmr2, rtmr3] =
                ["mrtd", "rtmr0", "rtmr1", "rtmr2", "rtmr3"].map(register);
            let [config_id, owner, owner_config] = ["mrconfigid", "mrowner", "mrownerconfig"].map(register);
            let found = aggregated(
                [&mrtd, &rtmr0, &rtmr1, &rtmr2, &rtmr3],
                [&config_id, &owner, &owner_config],
            );
            assert_eq!(
                hex::encode(found),
                expected["mr_aggregated_full"].as_str().unwrap(),
                "{name}"
            );
        }
    }
}
