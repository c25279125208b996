//! What the KMSs that were asked showed and answered.

use super::Inspector;
use super::opened::Opened;
use super::page::{Page, cut};
use cvm_verify_core::evidence::{KmsMeta, KmsRules, MAX_KMS, RecordedKms};
use cvm_verify_core::verify::chain::address_text;
use cvm_verify_core::verify::{RaTlsCertificate, ra_tls_evidence_of, spki_sha256};

/// Characters of a text of a KMS that are shown.
const MAX_TEXT: usize = 120;

/// Shows each KMS.
pub(super) fn section(page: &mut Page, recorded: &[RecordedKms]) {
    for kms in recorded.iter().take(MAX_KMS) {
        page.section("KMS (what it showed, not verified)");
        one(page, kms);
    }
}

fn one(page: &mut Page, kms: &RecordedKms) {
    page.field("Host", cut(&kms.host, MAX_TEXT))
        .note("It gives the app its keys, if its root key is the app's key-provider id.");
    if let Some(problem) = &kms.problem {
        page.field("Problem", cut(problem, MAX_TEXT))
            .mark("Its answer is not that of a KMS.");
    }
    let chain = kms.tls_chain();
    let key = chain.as_ref().and_then(|chain| spki_sha256(chain.leaf()));
    match key {
        Some(hash) => page
            .field("TLS key", hex::encode(hash))
            .note("SHA-256 of its SubjectPublicKeyInfo. Its certificate carries the quote of the KMS's VM."),
        None => page.field("TLS key", "none that can be read"),
    };
    if kms.other_keys > 0 {
        page.field("Other TLS keys", kms.other_keys)
            .mark("More than one server answered.");
    }
    match chain.as_ref().and_then(ra_tls_evidence_of) {
        Some(Ok(certificate)) => evidence_in(page, &certificate),
        Some(Err(refusal)) => {
            page.field("Evidence", cut(&refusal.to_string(), MAX_TEXT))
                .mark("It cannot be read.");
        }
        None if chain.is_some() => {
            page.field("Evidence", "none in its certificate")
                .mark("It does not show that it runs in a VM.");
        }
        None => {}
    }
    let Some(body) = &kms.meta else { return };
    match KmsMeta::parse(body) {
        Ok(meta) => answer(page, &meta),
        Err(error) => {
            page.field("Answer", cut(&error.to_string(), MAX_TEXT))
                .mark("It cannot be read.");
        }
    }
}

/// The evidence that its certificate carries.
fn evidence_in(page: &mut Page, certificate: &RaTlsCertificate) {
    let own = Opened::new(certificate.evidence(), &Inspector(()));
    let note =
        "The quote of the VM that the KMS runs in, made when it started. `verify` with `kms-host` proves it.";
    own.show_size(page, "Evidence", note);
    if let Some(hash) = own.boot_event("compose-hash") {
        page.field("Its compose hash", hex::encode(hash))
            .note("Which code it runs: `kms-compose-hash` names it in the policy file.");
    }
    if let Some(report) = &own.report {
        page.field("Its MRTD", hex::encode(report.mr_td));
    }
    if let Some(provider) = own.boot_event("key-provider") {
        page.field(
            "Its key provider",
            cut(&String::from_utf8_lossy(provider), MAX_TEXT),
        )
        .note("Who gave its own VM the keys of the disk that holds the root keys.");
    }
}

fn answer(page: &mut Page, meta: &KmsMeta) {
    let is_development = meta.allows_any_upgrade || meta.is_development;
    page.field("Rules for development", if is_development { "yes" } else { "no" })
        .note_or_mark(
            is_development,
            "A KMS with such rules gives the app's keys to any code.",
        );
    let verifies = match meta.verifies_os_images {
        Some(true) => "yes",
        Some(false) => "no",
        None => "not said",
    };
    page.field("Verifies OS images", verifies).note_or_mark(
        meta.verifies_os_images == Some(false),
        "Whether it compares the image of a guest with the published one. KMSs from 0.6.3 on always do.",
    );
    let rules = match meta.rules {
        Some(KmsRules::Contract { chain_id, address }) => {
            format!("the contract {} on chain {chain_id}", address_text(&address))
        }
        Some(KmsRules::Operator) => "those of its operator".to_owned(),
        None => "not said".to_owned(),
    };
    page.field("Rules", rules)
        .note("These rules say which code gets keys, and which other KMS gets the root keys.");
    let bootstrap = match &meta.bootstrap {
        Some(Ok(_)) => "shown",
        Some(Err(_)) => "present, but it cannot be read",
        None => "not shown",
    };
    page.field("Evidence of its bootstrap", bootstrap)
        .note("That its root keys were made in a VM. A replica that got them from another KMS has none.");
}
