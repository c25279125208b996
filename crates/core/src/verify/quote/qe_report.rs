//! The quoting enclave's report: an SGX report, 384 bytes (Intel SGX DCAP quote library, `sgx_report_body_t`).

/// The fields of the report that the proof looks at. Read from the bytes that the PCK key signs.
#[derive(Debug, Clone, Copy)]
pub(super) struct QeReport {
    /// MISCSELECT.
    pub misc_select: u32,
    /// ATTRIBUTES, 16 bytes.
    pub attributes: [u8; 16],
    /// MRSIGNER, 32 bytes.
    pub mr_signer: [u8; 32],
    /// ISVPRODID.
    pub isv_prod_id: u16,
    /// ISVSVN: the enclave's security version.
    pub isv_svn: u16,
    /// SHA-256 of the attestation key and the authentication data, 32 bytes.
    pub key_hash: [u8; 32],
    /// The rest of the report data, 32 bytes.
    pub tail: [u8; 32],
}

impl QeReport {
    /// Reads the fields.
    pub(super) fn of(bytes: &[u8; 384]) -> Option<Self> {
        Some(Self {
            misc_select: u32::from_le_bytes(at(bytes, 16)?),
            attributes: at(bytes, 48)?,
            mr_signer: at(bytes, 128)?,
            isv_prod_id: u16::from_le_bytes(at(bytes, 256)?),
            isv_svn: u16::from_le_bytes(at(bytes, 258)?),
            key_hash: at(bytes, 320)?,
            tail: at(bytes, 352)?,
        })
    }
}

fn at<const N: usize>(bytes: &[u8], offset: usize) -> Option<[u8; N]> {
    bytes.get(offset..)?.first_chunk().copied()
}
