//! The fields of a quote that verified.

use dcap_qvl::QuoteClaims;
use dcap_qvl::quote::{Report, TDReport10};

use super::tcb::{TcbMoment, TcbRating, TcbVerdict};
use super::tcb_level::ShortOf;
use crate::verify::QuoteRefusal;
use crate::verify::digest::sha256;

/// A TDX quote whose signature chain, collateral, type and attributes hold.
///
/// The only place that exposes MRTD, RTMRs, REPORTDATA, PPID and FMSPC. Only [`prove`](crate::prove) makes it. The layout is that of
/// quotes of version 4 and 5 in Intel's TDX DCAP Quoting Library API.
#[derive(Debug, Clone)]
pub struct VerifiedQuote {
    report: TDReport10,
    mr_service_td: Option<[u8; 48]>,
    tcb: TcbVerdict,
    fmspc: [u8; 6],
    ppid: Vec<u8>,
    expires_at: u64,
    ends_first: Option<&'static str>,
    short_of: Vec<ShortOf>,
    signed_sha256: [u8; 32],
    user_data: [u8; 20],
    rated_by: [u8; 32],
}

impl VerifiedQuote {
    pub(super) fn new(claims: QuoteClaims, signed_part: &[u8]) -> Result<Self, QuoteRefusal> {
        let rated_by = rated_by(&claims);
        let mr_service_td = claims.report.as_td15().map(|report| report.mr_service_td);
        let report = match claims.report {
            Report::TD10(report) => report,
            Report::TD15(report) => report.base,
            Report::TD15Ex(report) => report.base.base,
            Report::SgxEnclave(_) => return Err(QuoteRefusal::NotTdx("an SGX enclave".to_owned())),
        };
        // A TD of 1.5 that was launched under a current module may run under an older one now. dcap-qvl, as Intel's library,
        // rates the launch alone, apart from a launch that was out of date and is not any more.
        let current = claims.platform.current_tcb_level.map(|level| TcbRating {
            moment: TcbMoment::Current,
            status: level.tcb_status,
            advisory_ids: level.advisory_ids,
        });
        let launch = TcbRating {
            moment: TcbMoment::Launch,
            status: claims.tcb.status,
            advisory_ids: claims.tcb.advisory_ids,
        };
        let tcb = TcbVerdict::new(launch, current, claims.tcb.eval_data_number);
        Ok(Self {
            report,
            mr_service_td,
            tcb,
            fmspc: claims.platform.pck.fmspc,
            ppid: claims.platform.pck.ppid,
            expires_at: claims.earliest_expiration_date,
            ends_first: None,
            short_of: Vec::new(),
            signed_sha256: sha256(signed_part),
            user_data: user_data(signed_part),
            rated_by,
        })
    }

    /// Measurement of the initial memory: the virtual firmware. 48 bytes.
    #[must_use]
    pub const fn mrtd(&self) -> &[u8; 48] {
        &self.report.mr_td
    }

    /// The four run-time measurement registers, 48 bytes each.
    #[must_use]
    pub(crate) const fn rtmrs(&self) -> [&[u8; 48]; 4] {
        [
            &self.report.rt_mr0,
            &self.report.rt_mr1,
            &self.report.rt_mr2,
            &self.report.rt_mr3,
        ]
    }

    /// What the app had signed. 64 bytes.
    #[must_use]
    pub const fn report_data(&self) -> &[u8; 64] {
        &self.report.report_data
    }

    /// TDATTRIBUTES, 8 bytes in the order of the quote (little endian).
    #[must_use]
    pub const fn td_attributes(&self) -> &[u8; 8] {
        &self.report.td_attributes
    }

    /// XFAM, 8 bytes in the order of the quote (little endian).
    #[must_use]
    pub const fn xfam(&self) -> &[u8; 8] {
        &self.report.xfam
    }

    /// MRSEAM: the TDX module. 48 bytes.
    #[must_use]
    pub const fn mr_seam(&self) -> &[u8; 48] {
        &self.report.mr_seam
    }

    /// MRCONFIGID, chosen by the host at launch. 48 bytes.
    #[must_use]
    pub const fn mr_config_id(&self) -> &[u8; 48] {
        &self.report.mr_config_id
    }

    /// MROWNER, chosen by the host at launch. 48 bytes.
    #[must_use]
    pub const fn mr_owner(&self) -> &[u8; 48] {
        &self.report.mr_owner
    }

    /// MROWNERCONFIG, chosen by the host at launch. 48 bytes.
    #[must_use]
    pub const fn mr_owner_config(&self) -> &[u8; 48] {
        &self.report.mr_owner_config
    }

    /// MRSERVICETD of a TD 1.5 report; a TD 1.0 report has none. 48 bytes.
    #[must_use]
    pub const fn mr_service_td(&self) -> Option<&[u8; 48]> {
        self.mr_service_td.as_ref()
    }

    /// What Intel says of the platform's patch level.
    #[must_use]
    pub const fn tcb(&self) -> &TcbVerdict {
        &self.tcb
    }

    /// FMSPC of the platform certificate. 6 bytes.
    #[must_use]
    pub const fn fmspc(&self) -> &[u8; 6] {
        &self.fmspc
    }

    /// Provisioning id of the platform certificate. 16 bytes.
    #[must_use]
    pub fn ppid(&self) -> &[u8] {
        &self.ppid
    }

    /// The machine: SHA-256 of its PPID. 32 bytes.
    #[must_use]
    pub fn platform_id(&self) -> [u8; 32] {
        sha256(&self.ppid)
    }

    /// The machine as KMSs before 0.5.6 name it: SHA-256 of the user data in the quote's header. 32 bytes.
    #[must_use]
    pub fn old_device_id(&self) -> [u8; 32] {
        sha256(&self.user_data)
    }

    /// When the first part of the collateral ends, Unix seconds.
    #[must_use]
    pub const fn expires_at(&self) -> u64 {
        self.expires_at
    }

    /// Which part of the collateral ends first, where that is soon (within [`crate::verify::FORECAST`]). A name for people,
    /// read in dates that the verification proved.
    #[must_use]
    pub(crate) const fn ends_first(&self) -> Option<&'static str> {
        self.ends_first
    }

    pub(super) const fn naming_the_end(mut self, part: Option<&'static str>) -> Self {
        self.ends_first = part;
        self
    }

    /// What the platform is short of to be up to date, by component. A hint for people, which decides nothing.
    #[must_use]
    pub fn shortfalls(&self) -> &[ShortOf] {
        &self.short_of
    }

    pub(super) fn short_of(mut self, short_of: Vec<ShortOf>) -> Self {
        self.short_of = short_of;
        self
    }

    /// What Intel's rating of this quote depends on next to the collateral, as one hash: quotes with the same one are rated
    /// the same by the same collateral.
    #[must_use]
    pub const fn rated_by(&self) -> &[u8; 32] {
        &self.rated_by
    }

    /// SHA-256 of header and body. The whole quote's hash would change with its padding.
    #[must_use]
    pub const fn signed_sha256(&self) -> &[u8; 32] {
        &self.signed_sha256
    }
}

/// The user data of the header: bytes 28 to 47 of a quote (Intel's TDX DCAP quoting library, appendix 3). Zero if there is none.
fn user_data(signed_part: &[u8]) -> [u8; 20] {
    signed_part
        .get(28..48)
        .and_then(|bytes| bytes.try_into().ok())
        .unwrap_or_default()
}

/// The security versions of platform, TDX module (at launch and now) and quoting enclave, and what they are of.
fn rated_by(claims: &QuoteClaims) -> [u8; 32] {
    let (pck, qe) = (&claims.platform.pck, &claims.qe.report);
    let mut parts = Vec::with_capacity(256);
    parts.extend(pck.fmspc);
    parts.extend(pck.cpu_svn);
    parts.extend(pck.pce_svn.to_le_bytes());
    if let Some(report) = claims.report.as_td10() {
        parts.extend(report.tee_tcb_svn);
        parts.extend(report.mr_signer_seam);
        parts.extend(report.seam_attributes);
    }
    if let Some(report) = claims.report.as_td15() {
        parts.extend(report.tee_tcb_svn2);
    }
    parts.extend(qe.misc_select.to_le_bytes());
    parts.extend(qe.attributes);
    parts.extend(qe.mr_signer);
    parts.extend(qe.isv_prod_id.to_le_bytes());
    parts.extend(qe.isv_svn.to_le_bytes());
    sha256(&parts)
}
