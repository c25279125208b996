//! TDX quotes, version 4 and 5, byte by byte, signed as the TD quoting enclave signs them.

use sha2::{Digest as _, Sha256};

use crate::{
    keys::{Key, derive_bytes},
    world::{TEE_TCB_SVN, World},
};

/// Quote version and body type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuoteFormat {
    /// Version 4, TD 1.0 body of 584 bytes: all dstack quotes to date.
    V4,
    /// Version 5, body type 2.
    V5Td10,
    /// Version 5, body type 3: TEE_TCB_SVN2 and MRSERVICETD follow, 648 bytes.
    V5Td15,
    /// Version 5, body type 4, 885 bytes.
    V5Td15Ex,
    /// Version 3, a genuine SGX enclave's quote. It verifies when the world's `tcb_info.id` is `SGX` and `qe_identity.id` is `QE`.
    SgxV3,
}

impl QuoteFormat {
    /// The TDX ones.
    pub const ALL: [Self; 4] = [Self::V4, Self::V5Td10, Self::V5Td15, Self::V5Td15Ex];
}

/// The TD report, field for field. Names and lengths are those of the TDX module specification.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the specification's own field names")]
pub struct TdReport {
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
    /// TD 1.5 only.
    pub tee_tcb_svn2: [u8; 16],
    /// TD 1.5 only.
    pub mr_service_td: [u8; 48],
}

impl Default for TdReport {
    /// An up-to-date module and attributes `0000001000000000`; every measurement is zero.
    fn default() -> Self {
        Self {
            tee_tcb_svn: TEE_TCB_SVN,
            mr_seam: derive_bytes(0, "mrseam"),
            mr_signer_seam: [0; 48],
            seam_attributes: [0; 8],
            td_attributes: [0, 0, 0, 0x10, 0, 0, 0, 0],
            xfam: [0xe7, 0x02, 0x06, 0, 0, 0, 0, 0],
            mr_td: [0; 48],
            mr_config_id: [0; 48],
            mr_owner: [0; 48],
            mr_owner_config: [0; 48],
            rtmr: [[0; 48]; 4],
            report_data: [0; 64],
            tee_tcb_svn2: TEE_TCB_SVN,
            mr_service_td: [0; 48],
        }
    }
}

/// Header fields and the parts around the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuoteShape {
    /// Version and body type.
    pub format: QuoteFormat,
    /// `None`: the format's own version number.
    pub version: Option<u16>,
    /// 2 = ECDSA P-256.
    pub attestation_key_type: u16,
    /// 0x81 = TDX.
    pub tee_type: u32,
    /// Intel's is 939a7233f79c4ca9940a0db3957f0607.
    pub qe_vendor_id: [u8; 16],
    /// `None`: the format's own body type (version 5).
    pub body_type: Option<u16>,
    /// Bytes after the signature data; real buffers hold 70 zeros and more.
    pub trailing: Vec<u8>,
    /// Flips bit 0 of the first byte of the quote's signature after signing.
    pub break_signature: bool,
    /// Flips bit 0 of the first byte of the QE report's signature after signing.
    pub break_qe_report_signature: bool,
    /// The QE report vouches for another attestation key than the one that signs.
    pub foreign_attestation_key: bool,
}

impl Default for QuoteShape {
    fn default() -> Self {
        Self {
            format: QuoteFormat::V4,
            version: None,
            attestation_key_type: 2,
            tee_type: 0x81,
            qe_vendor_id: [
                0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9, 0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f,
                0x06, 0x07,
            ],
            body_type: None,
            trailing: vec![0; 70],
            break_signature: false,
            break_qe_report_signature: false,
            foreign_attestation_key: false,
        }
    }
}

/// Makes and signs a quote on the world's machine.
pub fn sign_quote(world: &World, shape: &QuoteShape, report: &TdReport) -> Vec<u8> {
    let mut quote = header(world, shape);
    quote.extend(body(world, shape, report));

    let attestation_key = Key::derive(world.seed, "attestation key");
    let mut signature = attestation_key.sign_raw(&quote);
    signature[0] ^= u8::from(shape.break_signature);
    let signature_data = [
        &signature[..],
        &attestation_key.public_xy(),
        &certification_data(world, shape),
    ]
    .concat();

    quote.extend_from_slice(&(signature_data.len() as u32).to_le_bytes());
    quote.extend_from_slice(&signature_data);
    quote.extend_from_slice(&shape.trailing);
    quote
}

fn header(world: &World, shape: &QuoteShape) -> Vec<u8> {
    let version = shape.version.unwrap_or(match shape.format {
        QuoteFormat::SgxV3 => 3,
        QuoteFormat::V4 => 4,
        _ => 5,
    });
    let tee_type = if shape.format == QuoteFormat::SgxV3 {
        0
    } else {
        shape.tee_type
    };
    let mut out = version.to_le_bytes().to_vec();
    out.extend_from_slice(&shape.attestation_key_type.to_le_bytes());
    out.extend_from_slice(&tee_type.to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&shape.qe_vendor_id);
    out.extend_from_slice(&world.platform.qe_id);
    out.extend_from_slice(&[0; 4]);
    out
}

fn body(world: &World, shape: &QuoteShape, report: &TdReport) -> Vec<u8> {
    let base = [
        &report.tee_tcb_svn[..],
        &report.mr_seam,
        &report.mr_signer_seam,
        &report.seam_attributes,
        &report.td_attributes,
        &report.xfam,
        &report.mr_td,
        &report.mr_config_id,
        &report.mr_owner,
        &report.mr_owner_config,
        report.rtmr.as_flattened(),
        &report.report_data,
    ]
    .concat();
    let td15 = || [&base[..], &report.tee_tcb_svn2, &report.mr_service_td].concat();
    let (body_type, body) = match shape.format {
        QuoteFormat::V4 => return base,
        QuoteFormat::SgxV3 => return enclave_report(world, report),
        QuoteFormat::V5Td10 => (2u16, base),
        QuoteFormat::V5Td15 => (3, td15()),
        QuoteFormat::V5Td15Ex => (4, [td15(), td15_ex_tail(world, report)].concat()),
    };
    let body_type = shape.body_type.unwrap_or(body_type);
    [
        &body_type.to_le_bytes()[..],
        &(body.len() as u32).to_le_bytes(),
        &body,
    ]
    .concat()
}

/// VMID, TD id, device information, then the initial TCB; the service TD fields are zero for a TD without one.
fn td15_ex_tail(world: &World, report: &TdReport) -> Vec<u8> {
    let mut tail = vec![0];
    tail.extend(derive_bytes::<32>(world.seed, "td id"));
    tail.extend([0; 48 + 48 + 8]);
    tail.extend(world.platform.cpu_svn);
    tail.extend(report.tee_tcb_svn);
    tail.extend(world.platform.fmspc);
    tail.extend([0; 6 + 48 + 8]);
    tail
}

/// Certification data of type 6: QE report, its signature, authentication data, and the PCK chain (type 5).
fn certification_data(world: &World, shape: &QuoteShape) -> Vec<u8> {
    let authentication: [u8; 32] = std::array::from_fn(|i| i as u8);
    let label = if shape.foreign_attestation_key {
        "another attestation key"
    } else {
        "attestation key"
    };
    let vouched = Key::derive(world.seed, label).public_xy();
    let qe_report = qe_report(
        world,
        &Sha256::new()
            .chain_update(vouched)
            .chain_update(authentication)
            .finalize(),
    );
    let mut qe_signature = world.pck_key().sign_raw(&qe_report);
    qe_signature[0] ^= u8::from(shape.break_qe_report_signature);
    // Real chains end in a NUL byte.
    let chain = [world.pck_chain_pem().as_bytes(), &[0]].concat();

    let mut inner = [&qe_report[..], &qe_signature].concat();
    inner.extend_from_slice(&(authentication.len() as u16).to_le_bytes());
    inner.extend_from_slice(&authentication);
    inner.extend_from_slice(&5u16.to_le_bytes());
    inner.extend_from_slice(&(chain.len() as u32).to_le_bytes());
    inner.extend_from_slice(&chain);

    // Version 3 has no envelope of type 6 around the QE report.
    if shape.format == QuoteFormat::SgxV3 {
        return inner;
    }
    let mut out = 6u16.to_le_bytes().to_vec();
    out.extend_from_slice(&(inner.len() as u32).to_le_bytes());
    out.extend(inner);
    out
}

/// Some enclave's SGX report, 384 bytes.
fn enclave_report(world: &World, report: &TdReport) -> Vec<u8> {
    let mut out = vec![0; 384];
    out[..16].copy_from_slice(&world.platform.cpu_svn);
    // INIT and MODE64BIT.
    out[48] = 0x05;
    out[64..96].copy_from_slice(&derive_bytes::<32>(world.seed, "enclave mrenclave"));
    out[320..].copy_from_slice(&report.report_data);
    out
}

/// The quoting enclave's SGX report, 384 bytes.
fn qe_report(world: &World, attestation_key_hash: &[u8]) -> Vec<u8> {
    let qe = &world.qe_identity;
    let mut report = vec![0; 384];
    report[..16].copy_from_slice(&world.platform.cpu_svn);
    // INIT and PROVISION_KEY as the identity asks; XFRM is outside its mask.
    report[48] = 0x15;
    report[56] = 0xe7;
    report[64..96].copy_from_slice(&derive_bytes::<32>(world.seed, "qe mrenclave"));
    report[128..160].copy_from_slice(&qe.enclave_mr_signer.unwrap_or(qe.mr_signer));
    report[256..258].copy_from_slice(&qe.isv_prod_id.to_le_bytes());
    report[258..260].copy_from_slice(&qe.enclave_isv_svn.to_le_bytes());
    report[320..352].copy_from_slice(attestation_key_hash);
    report
}
