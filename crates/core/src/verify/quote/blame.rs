//! Who is to blame where dcap-qvl refused a quote whose own signatures hold: the machine, or the collateral.
//!
//! Nothing is accepted here, and dcap-qvl's message is never matched. In order:
//! 1. an authentic document that convicts the machine, also after its date, by what no later document takes back: its
//!    certificate is revoked, its level is revoked, it is below every level, or its TDX module or quoting enclave is not Intel's;
//! 2. a document that is not authentic, not for this machine, not valid at the time, or older than the TDX module: what a
//!    document does not list yet is not older than what it lists;
//! 3. what is left, which dcap-qvl refuses for a reason of its own.

use chrono::DateTime;
use dcap_qvl::QuoteCollateralV3;

use super::certificate::Certificate;
use super::documents::{AuthenticDocuments, PCK_CHAIN, malformed, not_signed, wrong_platform};
use super::own_signatures::{Machine, SelfProven, for_people, is_vouched_for, machine_of};
use super::platform::{self, Platform};
use super::{NotVerified, dates, tcb_level};
use crate::verify::{QuoteRefusal, Revocation, TrustRoot, UnusableCollateral};
use dcap_qvl::quote::AuthData;

/// Finds who is to blame at a time, Unix seconds. `error` is what dcap-qvl said.
pub(super) fn find(
    own: &SelfProven,
    collateral: &QuoteCollateralV3,
    root: &TrustRoot,
    at: u64,
    error: &anyhow::Error,
) -> NotVerified {
    let Some(root_certificate) = Certificate::of_der(root.der()) else {
        return NotVerified::Refused(QuoteRefusal::NotVerified(otherwise(error)));
    };
    let brought = collateral_machine(own, collateral, root);
    let (machine, chain_fault) = match (own.machine.as_deref(), &brought) {
        (Some(machine), Some(Err(unusable))) => (machine, Some(unusable.clone())),
        (Some(machine), _) => (machine, None),
        (None, Some(Ok(machine))) => (machine, None),
        (None, Some(Err(unusable))) => return NotVerified::Collateral(unusable.clone()),
        (None, None) => return NotVerified::Refused(no_chain()),
    };
    let documents = AuthenticDocuments::of(collateral, &root_certificate, Some(&machine.ca));
    if let Some(refusal) = convicted(own, machine, &documents, &root_certificate, collateral, at) {
        return NotVerified::Refused(refusal);
    }
    let platform = Platform {
        fmspc: machine.extension.fmspc,
        pce_id: Some(&machine.extension.pce_id),
    };
    documents
        .first_fault()
        .cloned()
        .or_else(|| platform::first_fault(&documents, &platform))
        .or(chain_fault)
        .or_else(|| dates::fault(collateral, dates::own_chain(&own.quote), at))
        .or_else(|| {
            let version = tcb_level::newer_module(documents.tcb_info.as_ref().ok()?, &own.quote)?;
            Some(UnusableCollateral::OlderThanModule { version })
        })
        .map_or_else(
            || NotVerified::Refused(QuoteRefusal::NotVerified(otherwise(error))),
            NotVerified::Collateral,
        )
}

/// What to say where dcap-qvl refuses for a reason that is none of ours.
fn otherwise(error: &anyhow::Error) -> String {
    format!("it does not verify: {}", for_people(error))
}

/// What to say of a quote that brings no certificate of its machine, where the collateral brings none either.
pub(super) fn no_chain() -> QuoteRefusal {
    QuoteRefusal::Malformed(
        "it brings no PCK certificate chain (certification data of type 5), so nothing shows which machine made it"
            .to_owned(),
    )
}

/// Why the machine is refused, by documents that are authentic and for this machine.
fn convicted(
    own: &SelfProven,
    machine: &Machine,
    documents: &AuthenticDocuments,
    root: &Certificate,
    collateral: &QuoteCollateralV3,
    at: u64,
) -> Option<QuoteRefusal> {
    let platform = Platform {
        fmspc: machine.extension.fmspc,
        pce_id: Some(&machine.extension.pce_id),
    };
    let tcb_info = documents.tcb_info.as_ref().ok();
    let tcb_info = tcb_info.filter(|document| {
        has_begun(&document.issue_date, at) && platform::rates(document, &platform).is_ok()
    });
    let identity = documents.qe_identity.as_ref().ok();
    let identity = identity.filter(|document| {
        has_begun(&document.issue_date, at) && platform::rates_quoting_enclaves(document).is_ok()
    });
    // How old the platform is comes last: a caller may take that alone for no fault.
    revoked(machine, documents, root)
        .or_else(|| tcb_info.and_then(|tcb_info| tcb_level::refused_module_identity(tcb_info, &own.quote)))
        .or_else(|| {
            let identity = identity?;
            tcb_level::refused_quoting_enclave(identity, &own.qe, has_ended(&identity.next_update, at))
        })
        .or_else(|| tcb_level::refused(tcb_info?, &collateral.tcb_info, machine, &own.quote))
}

/// Whether a document was issued before a time. What Intel says later is not yet known then.
fn has_begun(issued: &str, at: u64) -> bool {
    seconds(issued).is_some_and(|issued| issued <= at)
}

/// Whether the time at which a document is renewed is over.
fn has_ended(next_update: &str, at: u64) -> bool {
    seconds(next_update).is_none_or(|end| end < at)
}

/// An RFC 3339 time, Unix seconds.
fn seconds(time: &str) -> Option<u64> {
    let time = DateTime::parse_from_rfc3339(time).ok()?;
    u64::try_from(time.timestamp()).ok()
}

/// A certificate of the machine's chain that an authentic list names. A revocation is not taken back, so that the list's
/// own dates do not matter.
fn revoked(machine: &Machine, documents: &AuthenticDocuments, root: &Certificate) -> Option<QuoteRefusal> {
    let lists = [
        (
            documents.pck_crl.as_ref().ok(),
            &machine.pck,
            "the machine's PCK certificate",
        ),
        (
            documents.root_crl.as_ref().ok(),
            &machine.ca,
            "the PCK CA certificate, which issued the machine's",
        ),
        (documents.root_crl.as_ref().ok(), root, "the root CA certificate"),
    ];
    lists.into_iter().find_map(|(crl, certificate, whose)| {
        let at = crl?.revoked_at(certificate)?;
        Some(QuoteRefusal::Revoked(Revocation::Certificate {
            whose,
            serial: hex::encode(certificate.serial()),
            at,
        }))
    })
}

/// The machine whose PCK chain the collateral brings. It is the quote's own certificate, or, for a quote that brings none, one of
/// the key that vouches for its quoting enclave. `None`: the collateral brings none.
pub(super) fn collateral_machine(
    own: &SelfProven,
    collateral: &QuoteCollateralV3,
    root: &TrustRoot,
) -> Option<Result<Machine, UnusableCollateral>> {
    let text = collateral.pck_certificate_chain.as_deref()?;
    let Some(chain) = Certificate::chain_of_pem(text) else {
        return Some(Err(malformed(
            PCK_CHAIN,
            "it is not a chain of X.509 certificates in PEM",
        )));
    };
    let (pck, others) = chain.split_first()?;
    let Ok(machine) = machine_of(pck.clone(), others, root) else {
        return Some(Err(not_signed(
            PCK_CHAIN,
            "it does not lead from a PCK certificate to the trusted root",
        )));
    };
    let AuthData::V4(signature_data) = &own.quote.auth_data else {
        return None;
    };
    let is_the_quotes = match &own.machine {
        Some(own) => own.pck.der() == pck.der(),
        None => is_vouched_for(signature_data, pck),
    };
    if is_the_quotes {
        return Some(Ok(machine));
    }
    let theirs = hex::encode(machine.extension.fmspc);
    Some(Err(wrong_platform(
        PCK_CHAIN,
        match &own.machine {
            Some(own) if own.extension == machine.extension => {
                "it is another certificate of this machine than the one in the quote".to_owned()
            }
            Some(own) if own.extension.fmspc == machine.extension.fmspc => format!(
                "it is that of another machine, or of another level of this one (both have the FMSPC {theirs})"
            ),
            Some(own) => format!(
                "it is that of another machine: its FMSPC is {theirs}, and that of the machine that made the quote is {}",
                hex::encode(own.extension.fmspc)
            ),
            None => format!(
                "it is that of a machine (FMSPC {theirs}) that did not make this quote, which brings no certificate of its own"
            ),
        },
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_counts_from_the_second_of_its_issue() {
        for (issued, at, expected) in [
            ("1970-01-01T00:01:40Z", 100, true),
            ("1970-01-01T00:01:40Z", 99, false),
            ("1969-12-31T23:59:59Z", 100, false),
            ("yesterday", 100, false),
        ] {
            assert_eq!(has_begun(issued, at), expected, "{issued} {at}");
        }
    }

    #[test]
    fn a_document_counts_to_the_second_of_its_end() {
        for (end, at, expected) in [
            ("1970-01-01T00:01:40Z", 100, false),
            ("1970-01-01T00:01:40Z", 101, true),
            ("tomorrow", 100, true),
        ] {
            assert_eq!(has_ended(end, at), expected, "{end} {at}");
        }
    }

    #[test]
    fn what_is_none_of_our_reasons_is_said_in_a_bounded_sentence() {
        let error = anyhow::anyhow!("it is odd").context("the quote");
        assert_eq!(otherwise(&error), "it does not verify: the quote: it is odd");
        let long = anyhow::anyhow!("x".repeat(900));
        assert_eq!(
            otherwise(&long),
            format!("it does not verify: {}", "x".repeat(200))
        );
    }
}
