//! Quotes of a TPM, which are told apart because people hand them over in place of a TDX quote.

/// How a TPM begins what it signs: TPM_GENERATED_VALUE (TPM 2.0 Library, part 2, section 6.2).
const GENERATED: [u8; 4] = [0xff, b'T', b'C', b'G'];

/// Whether bytes begin like a quote of a TPM: TPMS_ATTEST, or TPM2B_ATTEST, which has its length of two bytes in front.
pub(super) fn begins_like_one(bytes: &[u8]) -> bool {
    let sized = bytes.get(2..).is_some_and(|rest| rest.starts_with(&GENERATED));
    bytes.starts_with(&GENERATED) || sized
}

#[cfg(test)]
mod tests {
    use super::super::{Attestation, EvidenceError};

    #[test]
    fn a_tpm_quote_is_called_one_in_each_form() {
        let plain = [&b"\xffTCG\x80\x18"[..], &[7; 90]].concat();
        let sized = [&[0, 96][..], &plain].concat();
        for bytes in [plain, sized] {
            let hex = hex::encode(&bytes).into_bytes();
            let json = format!("{{\"attestation\":\"{}\"}}", hex::encode(&bytes)).into_bytes();
            for error in [
                Attestation::of_bytes(&bytes)
                    .expect("recognised")
                    .expect_err("refused"),
                Attestation::of_bytes(&hex)
                    .expect("recognised")
                    .expect_err("refused"),
                Attestation::parse(&json).expect_err("refused"),
            ] {
                assert!(matches!(error, EvidenceError::TpmQuote { .. }), "{error}");
                let text = error.to_string();
                assert!(text.contains("TPM") && !text.contains("first byte"), "{text}");
            }
        }
    }
}
