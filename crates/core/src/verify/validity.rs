//! When each part of the collateral is valid, read without proof.
//!
//! It only explains: why verification refused (expired, not yet valid), and when a new set will be needed. No date read
//! here ever makes anything pass.

use dcap_qvl::QuoteCollateralV3;
use der::Decode;
use serde::Deserialize;
use x509_cert::Certificate;
use x509_cert::crl::CertificateList;

use crate::report::unix_seconds;

/// A part of the collateral and its time, both ends inclusive, in Unix seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dated {
    /// What it is, as a report names it.
    pub what: &'static str,
    /// `notBefore`, `thisUpdate` or `issueDate`, in Unix seconds.
    pub not_before: u64,
    /// `notAfter` or `nextUpdate`, in Unix seconds.
    pub not_after: u64,
}

/// The windows of all parts; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Windows(Vec<Dated>);

/// A part whose dates cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the dates of the {what} cannot be read: it is not {expected}")]
pub struct WindowError {
    /// The part.
    pub what: &'static str,
    /// What it should be.
    pub expected: &'static str,
}

impl Windows {
    /// Reads the dates of `collateral` and, if given, of the PCK certificate chain (PEM) of the quote.
    ///
    /// # Errors
    /// [`WindowError`] for the first part that cannot be read.
    pub fn read(collateral: &QuoteCollateralV3, pck_chain_pem: Option<&str>) -> Result<Self, WindowError> {
        let mut parts = vec![
            document("TCB info", &collateral.tcb_info)?,
            document("QE identity", &collateral.qe_identity)?,
            crl("root CA CRL", &collateral.root_ca_crl)?,
            crl("PCK CRL", &collateral.pck_crl)?,
        ];
        let pck_chain = pck_chain_pem.or(collateral.pck_certificate_chain.as_deref());
        let chains = [
            (
                "TCB signing certificate",
                Some(collateral.tcb_info_issuer_chain.as_str()),
            ),
            (
                "TCB signing certificate",
                Some(collateral.qe_identity_issuer_chain.as_str()),
            ),
            (
                "PCK CA certificate",
                Some(collateral.pck_crl_issuer_chain.as_str()),
            ),
            ("PCK certificate", pck_chain),
        ];
        for (leaf, pem) in chains {
            let Some(pem) = pem else { continue };
            for part in chain(leaf, pem)? {
                // The same root is in every chain.
                if !parts.contains(&part) {
                    parts.push(part);
                }
            }
        }
        Ok(Self(parts))
    }

    /// All parts.
    pub fn parts(&self) -> &[Dated] {
        &self.0
    }

    /// The part that becomes valid last.
    pub fn latest_start(&self) -> Option<&Dated> {
        self.0.iter().max_by_key(|part| part.not_before)
    }

    /// The part that ends first: the set is good until then.
    pub fn earliest_end(&self) -> Option<&Dated> {
        self.0.iter().min_by_key(|part| part.not_after)
    }

    /// The part whose time ended first, if any has ended at `now` (Unix seconds).
    pub fn expired_at(&self, now: u64) -> Option<&Dated> {
        self.earliest_end().filter(|part| now > part.not_after)
    }

    /// The part that starts last, if any has not started at `now` (Unix seconds).
    pub fn not_yet_valid_at(&self, now: u64) -> Option<&Dated> {
        self.latest_start().filter(|part| now < part.not_before)
    }
}

/// `issueDate` and `nextUpdate` of TCB info or QE identity (Intel PCS API v4), RFC 3339.
fn document(what: &'static str, json: &str) -> Result<Dated, WindowError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Dates {
        issue_date: String,
        next_update: String,
    }
    let error = WindowError {
        what,
        expected: "JSON with issueDate and nextUpdate in RFC 3339",
    };
    let dates: Dates = serde_json::from_str(json).map_err(|_| error)?;
    Ok(Dated {
        what,
        not_before: unix_seconds(&dates.issue_date).ok_or(error)?,
        not_after: unix_seconds(&dates.next_update).ok_or(error)?,
    })
}

fn crl(what: &'static str, der: &[u8]) -> Result<Dated, WindowError> {
    let error = WindowError {
        what,
        expected: "a CRL in DER with a nextUpdate",
    };
    let list: CertificateList = CertificateList::from_der(der).map_err(|_| error)?;
    let next = list.tbs_cert_list.next_update.ok_or(error)?;
    Ok(Dated {
        what,
        not_before: list.tbs_cert_list.this_update.to_unix_duration().as_secs(),
        not_after: next.to_unix_duration().as_secs(),
    })
}

/// The certificates of a chain. What each is called follows from its place; a certificate that names itself as its
/// issuer is a root.
fn chain(leaf: &'static str, pem: &str) -> Result<Vec<Dated>, WindowError> {
    let error = WindowError {
        what: leaf,
        expected: "a chain of X.509 certificates in PEM",
    };
    // The chain inside a quote often ends in a NUL byte.
    let pem = pem.trim_matches(|c: char| c.is_ascii_whitespace() || c == '\0');
    let certificates = Certificate::load_pem_chain(pem.as_bytes()).map_err(|_| error)?;
    if certificates.is_empty() {
        return Err(error);
    }
    let dated = certificates.iter().enumerate().map(|(place, certificate)| {
        let certificate = certificate.tbs_certificate();
        let what = if certificate.subject() == certificate.issuer() {
            "root CA certificate"
        } else if place == 0 {
            leaf
        } else {
            "PCK CA certificate"
        };
        let validity = certificate.validity();
        Dated {
            what,
            not_before: validity.not_before.to_unix_duration().as_secs(),
            not_after: validity.not_after.to_unix_duration().as_secs(),
        }
    });
    Ok(dated.collect())
}

#[cfg(test)]
#[path = "validity_tests.rs"]
mod tests;
