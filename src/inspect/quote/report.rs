//! The TD report as it is in the bytes (Intel TDX DCAP Quoting Library API, A.3).

use cvm_verify_core::verify::QuoteExtents;

/// A TD report, unproven. Numbers are in the order of the quote (little endian).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TdReport {
    pub tee_tcb_svn: [u8; 16],
    pub mr_seam: [u8; 48],
    pub mr_signer_seam: [u8; 48],
    pub seam_attributes: [u8; 8],
    pub td_attributes: [u8; 8],
    pub xfam: [u8; 8],
    pub mr_td: [u8; 48],
    pub mr_config_id: [u8; 48],
    pub mr_owner: [u8; 48],
    pub mr_owner_config: [u8; 48],
    pub rtmr: [[u8; 48]; 4],
    pub report_data: [u8; 64],
    pub td15: Option<Td15>,
    pub td15_ex: Option<Td15Ex>,
}

/// What TDX 1.5 adds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Td15 {
    pub tee_tcb_svn2: [u8; 16],
    pub mr_service_td: [u8; 48],
}

/// What body type 4 adds to that (`sgx_report2_body_v1_5_ex_t` of Intel's `sgx_quote_5.h`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Td15Ex {
    pub vm_id: u8,
    pub td_id: [u8; 32],
    pub device_info: [u8; 48],
    pub init_service_td_hash: [u8; 48],
    pub init_service_td_attributes: [u8; 8],
    pub init_cpu_svn: [u8; 16],
    pub init_tee_tcb_svn: [u8; 16],
    pub init_tee_fmspc: [u8; 12],
    pub current_service_td_hash: [u8; 48],
    pub current_service_td_attributes: [u8; 8],
}

impl TdReport {
    /// Reads it, if all of it is there.
    pub(crate) fn read(quote: &[u8], extents: QuoteExtents) -> Option<Self> {
        let (start, length) = extents.body?;
        let mut rest = Rest(quote.get(start..start + length)?);
        Some(Self {
            tee_tcb_svn: rest.take()?,
            mr_seam: rest.take()?,
            mr_signer_seam: rest.take()?,
            seam_attributes: rest.take()?,
            td_attributes: rest.take()?,
            xfam: rest.take()?,
            mr_td: rest.take()?,
            mr_config_id: rest.take()?,
            mr_owner: rest.take()?,
            mr_owner_config: rest.take()?,
            rtmr: [rest.take()?, rest.take()?, rest.take()?, rest.take()?],
            report_data: rest.take()?,
            td15: Td15::read(&mut rest),
            td15_ex: Td15Ex::read(&mut rest),
        })
    }
}

impl Td15 {
    fn read(rest: &mut Rest<'_>) -> Option<Self> {
        Some(Self {
            tee_tcb_svn2: rest.take()?,
            mr_service_td: rest.take()?,
        })
    }
}

impl Td15Ex {
    fn read(rest: &mut Rest<'_>) -> Option<Self> {
        let [vm_id] = rest.take()?;
        Some(Self {
            vm_id,
            td_id: rest.take()?,
            device_info: rest.take()?,
            init_service_td_hash: rest.take()?,
            init_service_td_attributes: rest.take()?,
            init_cpu_svn: rest.take()?,
            init_tee_tcb_svn: rest.take()?,
            init_tee_fmspc: rest.take()?,
            current_service_td_hash: rest.take()?,
            current_service_td_attributes: rest.take()?,
        })
    }
}

/// What is not read yet: fields one after the other.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (field, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*field)
    }
}
