//! The PCK certificate's SGX extension, OID 1.2.840.113741.1.13.1 (Intel's "PCK certificate and CRL profile").

use crate::{asn1, x509};

const SGX: &str = "1.2.840.113741.1.13.1";

/// The CA that issued the PCK certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PckCa {
    /// Multi-package platforms; its certificates carry the platform instance id and the three flags.
    Platform,
    /// Single-package platforms.
    Processor,
}

/// What the PCK certificate says of the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Platform {
    /// Platform provisioning id; `SHA-256(PPID)` is the machine id.
    pub ppid: [u8; 16],
    /// Family, model, stepping, platform type, custom SKU.
    pub fmspc: [u8; 6],
    /// SGX TCB component SVNs 1..16.
    pub cpu_svn: [u8; 16],
    /// SVN of the provisioning certification enclave.
    pub pce_svn: u16,
    /// Id of the provisioning certification enclave.
    pub pce_id: [u8; 2],
    /// 0 standard, 1 scalable, 2 scalable with integrity.
    pub sgx_type: u8,
    /// Platform instance id, left out for [`PckCa::Processor`].
    pub platform_instance_id: [u8; 16],
    /// Flag 7.1. True on all real dstack hosts. The flags are left out for [`PckCa::Processor`].
    pub dynamic_platform: bool,
    /// Flag 7.2. True on nearly all real dstack hosts.
    pub cached_keys: bool,
    /// Flag 7.3. True on all real dstack hosts.
    pub smt_enabled: bool,
    /// Issuer of the PCK certificate.
    pub pck_ca: PckCa,
    /// The quoting enclave's id, first 16 bytes of the quote header's user data.
    pub qe_id: [u8; 16],
}

impl Platform {
    /// The extension as it stands in the certificate, DER.
    pub(crate) fn sgx_extension(&self) -> Vec<u8> {
        let mut tcb: Vec<_> = (1u8..)
            .zip(self.cpu_svn)
            .map(|(number, svn)| entry(&format!("2.{number}"), asn1::integer(svn.into())))
            .collect();
        tcb.push(entry("2.17", asn1::integer(self.pce_svn.into())));
        tcb.push(entry("2.18", asn1::octet_string(&self.cpu_svn)));

        let mut fields = vec![
            entry("1", asn1::octet_string(&self.ppid)),
            entry("2", asn1::sequence(&tcb)),
            entry("3", asn1::octet_string(&self.pce_id)),
            entry("4", asn1::octet_string(&self.fmspc)),
            entry("5", asn1::element(asn1::ENUMERATED, &[self.sgx_type])),
        ];
        if self.pck_ca == PckCa::Platform {
            fields.push(entry("6", asn1::octet_string(&self.platform_instance_id)));
            let flags = [
                entry("7.1", asn1::boolean(self.dynamic_platform)),
                entry("7.2", asn1::boolean(self.cached_keys)),
                entry("7.3", asn1::boolean(self.smt_enabled)),
            ];
            fields.push(entry("7", asn1::sequence(&flags)));
        }
        x509::extension(SGX, false, &asn1::sequence(&fields))
    }
}

fn entry(arc: &str, value: Vec<u8>) -> Vec<u8> {
    asn1::sequence(&[asn1::oid(&format!("{SGX}.{arc}")), value])
}
