//! Certificates of a chain.

use x509_cert::Certificate;

use crate::inspect::page::{Page, count};
use cvm_verify_core::report::rfc3339;

/// Certificates of a chain that are shown. Real chains have three.
const MAX_CERTIFICATES: usize = 8;

/// The certificates of a PEM chain.
pub(crate) fn load_chain(pem: &str) -> Option<Vec<Certificate>> {
    let pem = pem.trim_matches(|c: char| c.is_ascii_whitespace() || c == '\0');
    Certificate::load_pem_chain(pem.as_bytes()).ok()
}

pub(super) fn show_chain(page: &mut Page, title: &str, pem: &str) {
    let Some(certificates) = load_chain(pem) else {
        page.field(title, "cannot be read")
            .mark("It is not a chain of X.509 certificates in PEM.");
        return;
    };
    page.field(title, count(certificates.len(), "certificate")).note(
        "Usually three: the platform's own, the CA of its kind, and Intel's root. `inspect` does not check whether each \
         signed the one before it.",
    );
    for (place, certificate) in certificates.iter().take(MAX_CERTIFICATES).enumerate() {
        let certificate = certificate.tbs_certificate();
        page.field(&format!("Certificate {}", place + 1), certificate.subject());
        page.item(format!("issued by {}", certificate.issuer()));
        page.item(format!(
            "serial number {}",
            hex::encode(certificate.serial_number().as_bytes())
        ));
        let validity = certificate.validity();
        page.item(format!(
            "valid from {} to {}",
            rfc3339(validity.not_before.to_unix_duration().as_secs()),
            rfc3339(validity.not_after.to_unix_duration().as_secs()),
        ));
        page.note(meaning(place, certificate.subject() == certificate.issuer()));
    }
    page.more(certificates.len().saturating_sub(MAX_CERTIFICATES));
}

fn meaning(place: usize, signs_itself: bool) -> &'static str {
    match (signs_itself, place) {
        (true, _) => "It signs itself: a root. Verification ignores this copy and uses its own.",
        (false, 0) => "The platform's own certificate (PCK): Intel's statement of what this machine is.",
        (false, _) => {
            "Intel's CA for one kind of machine: `Platform` for servers, `Processor` for older single-socket ones."
        }
    }
}
