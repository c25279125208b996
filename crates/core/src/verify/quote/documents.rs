//! Whether each document of the collateral is authentic, whatever its dates.
//!
//! An authentic document may convict after its date: a certificate that Intel revoked stays revoked. To acquit, dcap-qvl
//! looks at everything again, with the dates.

use dcap_qvl::{QeIdentity, QuoteCollateralV3, TcbInfo};
use serde::de::DeserializeOwned;

use super::certificate::{Certificate, Crl, path, raw_signature_holds};
use crate::evidence::json_problem;
use crate::verify::UnusableCollateral;

/// How reports name the documents, as `prove::validity` does.
pub(super) const TCB_INFO: &str = "TCB info";
pub(super) const QE_IDENTITY: &str = "QE identity";
pub(super) const ROOT_CRL: &str = "root CA CRL";
pub(super) const PCK_CRL: &str = "PCK CRL";
pub(super) const PCK_CHAIN: &str = "PCK certificate chain";

/// The documents that are authentic; of each other, why it is not.
pub(super) struct AuthenticDocuments {
    /// Which platforms Intel rates how.
    pub tcb_info: Result<TcbInfo, UnusableCollateral>,
    /// Which quoting enclaves Intel rates how.
    pub qe_identity: Result<QeIdentity, UnusableCollateral>,
    /// Certificate authorities and signers that Intel revoked.
    pub root_crl: Result<Crl, UnusableCollateral>,
    /// PCK certificates that Intel revoked.
    pub pck_crl: Result<Crl, UnusableCollateral>,
}

impl AuthenticDocuments {
    /// Looks at each document. `ca` is the authority that issued the machine's certificate, where that is known; otherwise
    /// the one that the collateral names is taken, if it is one.
    pub(super) fn of(collateral: &QuoteCollateralV3, root: &Certificate, ca: Option<&Certificate>) -> Self {
        let root_crl = root_crl(&collateral.root_ca_crl, root);
        let signed = |what, chain: &str, text: &str, signature: &[u8]| {
            signed_by_intel(what, chain, text, signature, root, root_crl.as_ref().ok())
        };
        Self {
            tcb_info: json(TCB_INFO, &collateral.tcb_info).and_then(|document| {
                signed(
                    TCB_INFO,
                    &collateral.tcb_info_issuer_chain,
                    &collateral.tcb_info,
                    &collateral.tcb_info_signature,
                )?;
                Ok(document)
            }),
            qe_identity: json(QE_IDENTITY, &collateral.qe_identity).and_then(|document| {
                signed(
                    QE_IDENTITY,
                    &collateral.qe_identity_issuer_chain,
                    &collateral.qe_identity,
                    &collateral.qe_identity_signature,
                )?;
                Ok(document)
            }),
            pck_crl: pck_crl(collateral, root, ca),
            root_crl,
        }
    }

    /// The first document that is not authentic.
    pub(super) fn first_fault(&self) -> Option<&UnusableCollateral> {
        let faults = [
            self.tcb_info.as_ref().err(),
            self.qe_identity.as_ref().err(),
            self.root_crl.as_ref().err(),
            self.pck_crl.as_ref().err(),
        ];
        // What cannot be read is the plainer fault.
        let found = || faults.into_iter().flatten();
        found()
            .find(|unusable| matches!(unusable, UnusableCollateral::Malformed { .. }))
            .or_else(|| found().next())
    }
}

pub(super) fn malformed(document: &'static str, problem: impl Into<String>) -> UnusableCollateral {
    UnusableCollateral::Malformed {
        document,
        problem: problem.into(),
    }
}

pub(super) fn not_signed(document: &'static str, problem: impl Into<String>) -> UnusableCollateral {
    UnusableCollateral::NotSignedByIntel {
        document,
        problem: problem.into(),
    }
}

pub(super) fn wrong_platform(document: &'static str, problem: impl Into<String>) -> UnusableCollateral {
    UnusableCollateral::WrongPlatform {
        document,
        problem: problem.into(),
    }
}

/// Reads a document as dcap-qvl does.
fn json<T: DeserializeOwned>(what: &'static str, text: &str) -> Result<T, UnusableCollateral> {
    serde_json::from_str(text).map_err(|error| {
        let problem = match text.trim() {
            "" => "it is empty".to_owned(),
            _ => json_problem(&error),
        };
        malformed(what, problem)
    })
}

/// Text of someone else's, for people. Rendering escapes it.
pub(super) fn bounded(text: &str) -> String {
    text.chars().take(160).collect()
}

/// A document whose signer the trusted root issued and did not revoke.
fn signed_by_intel(
    what: &'static str,
    chain: &str,
    text: &str,
    signature: &[u8],
    root: &Certificate,
    root_crl: Option<&Crl>,
) -> Result<(), UnusableCollateral> {
    let Some(chain) = Certificate::chain_of_pem(chain) else {
        return Err(malformed(
            what,
            "its issuer chain is not a chain of X.509 certificates in PEM",
        ));
    };
    let Some(signer) = chain.first() else {
        return Err(malformed(what, "its issuer chain is empty"));
    };
    if signer.is_ca() || !signer.is_signed_by(root) {
        return Err(not_signed(
            what,
            "its signing certificate is not issued by the trusted root",
        ));
    }
    if !raw_signature_holds(signer.key(), text.as_bytes(), signature) {
        return Err(not_signed(
            what,
            "its signature does not fit its text, so it was changed after it was signed",
        ));
    }
    match root_crl.and_then(|crl| crl.revoked_at(signer)) {
        Some(date) => Err(not_signed(
            what,
            format!(
                "Intel revoked its signing certificate, serial {}, at {}",
                hex::encode(signer.serial()),
                crate::report::rfc3339(date)
            ),
        )),
        None => Ok(()),
    }
}

fn crl(what: &'static str, der: &[u8]) -> Result<Crl, UnusableCollateral> {
    if der.is_empty() {
        return Err(malformed(what, "it is missing"));
    }
    Crl::of_der(der).ok_or_else(|| malformed(what, "it is not a certificate revocation list in DER"))
}

fn root_crl(der: &[u8], root: &Certificate) -> Result<Crl, UnusableCollateral> {
    let crl = crl(ROOT_CRL, der)?;
    if crl.is_signed_by(root) {
        return Ok(crl);
    }
    Err(not_signed(ROOT_CRL, foreign(&crl, root, "the trusted root")))
}

fn foreign(crl: &Crl, issuer: &Certificate, called: &str) -> String {
    if crl.is_of(issuer) {
        format!("its signature is not that of {called}, so it was changed after it was signed")
    } else {
        format!("it is the list of \"{}\", not of {called}", crl.issuer_name())
    }
}

fn pck_crl(
    collateral: &QuoteCollateralV3,
    root: &Certificate,
    ca: Option<&Certificate>,
) -> Result<Crl, UnusableCollateral> {
    let crl = crl(PCK_CRL, &collateral.pck_crl)?;
    let named = Certificate::chain_of_pem(&collateral.pck_crl_issuer_chain).unwrap_or_default();
    let named = named
        .split_first()
        .filter(|(ca, others)| ca.is_ca() && path(ca, others, root).is_ok())
        .map(|(ca, _)| ca);
    match ca.or(named) {
        Some(ca) if crl.is_signed_by(ca) => Ok(crl),
        // Intel's own list, of an authority that did not issue this machine's certificate.
        Some(ca)
            if !crl.is_of(ca)
                && (crl.is_signed_by(root) || named.is_some_and(|named| crl.is_signed_by(named))) =>
        {
            Err(wrong_platform(
                PCK_CRL,
                format!(
                    "it is the list of \"{}\", and the machine's certificate is issued by \"{}\"",
                    crl.issuer_name(),
                    ca.name()
                ),
            ))
        }
        Some(ca) => Err(not_signed(
            PCK_CRL,
            foreign(&crl, ca, "the authority that issued the machine's certificate"),
        )),
        None => Err(not_signed(
            PCK_CRL,
            "its issuer chain does not end in the trusted root",
        )),
    }
}
