//! Revocation lists: which certificates Intel has taken back.

use dcap_qvl::QuoteCollateralV3;
use der::Decode as _;
use x509_cert::crl::CertificateList;

use crate::inspect::opened::Opened;
use crate::inspect::page::{Page, count};
use crate::inspect::platform::{chain_in, load_chain};
use cvm_verify_core::report::rfc3339;

pub(super) fn show(page: &mut Page, opened: &Opened<'_>, collateral: &QuoteCollateralV3) {
    let chain = chain_in(opened.quote)
        .or_else(|| collateral.pck_certificate_chain.clone())
        .and_then(|pem| load_chain(&pem))
        .unwrap_or_default();
    let serials: Vec<&[u8]> = chain
        .iter()
        .map(|certificate| certificate.tbs_certificate().serial_number().as_bytes())
        .collect();
    for (title, der, what) in [
        (
            "Root CA CRL",
            &collateral.root_ca_crl,
            "CAs that the root revoked.",
        ),
        ("PCK CRL", &collateral.pck_crl, "Platforms that their CA revoked."),
    ] {
        let Ok(list) = CertificateList::<x509_cert::certificate::Rfc5280>::from_der(der) else {
            page.field(title, "cannot be read")
                .mark("It is not a CRL in DER.");
            continue;
        };
        let list = list.tbs_cert_list;
        let revoked = list.revoked_certificates.unwrap_or_default();
        page.field(title, format!("{} revoked", count(revoked.len(), "certificate")));
        page.item(format!("issued by {}", list.issuer));
        page.item(format!(
            "from {}, next update {}",
            rfc3339(list.this_update.to_unix_duration().as_secs()),
            list.next_update.map_or_else(
                || "not named".to_owned(),
                |next| rfc3339(next.to_unix_duration().as_secs())
            ),
        ));
        page.note(what);
        if revoked
            .iter()
            .any(|entry| serials.contains(&entry.serial_number.as_bytes()))
        {
            page.mark("It names the serial number of a certificate in the platform's chain: the platform is revoked.");
        }
    }
}
