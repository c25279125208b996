//! A bit flipped anywhere in what is signed, or in a signature, never passes, and accuses the right party: over simulated
//! and over genuine evidence.
//!
//! Each part is sampled evenly, with every position inside a byte; `CVM_VERIFY_EVERY_BIT=1` tries every bit (minutes).
//!
//! Bits that do not matter, and are left out by construction:
//! - padding behind the quote, and the length fields and types around the parts: nobody signs them. `layout.rs` refuses
//!   what they could hide (see `hardware`), or the parts move and then do not verify;
//! - everything of the PEM text but the certificates that it spells;
//! - the root certificates in the chains and `pck_crl_issuer_chain`: the root is the program's own, and the PCK CRL is
//!   checked with the key of the certificate that issued the PCK certificate;
//! - the highest bit of each byte of the two texts: such bytes are not UTF-8, and cannot come out of JSON.

use cvm_verify_core::evidence::collateral;
use cvm_verify_core::evidence::{Evidence, QuoteBytes};
use cvm_verify_core::policy::{Freshness, KeyProviderPin, OsImagePolicy, Policy};
use cvm_verify_core::report::{CheckId, RequiredAssurance};
use cvm_verify_core::verify::TrustRoot;
use simulator::{Cvm, QuoteFormat, World};

use crate::dcap_samples::{JUNE_2025, OCTOBER_2026, sample};
use crate::judge::{Trial, expected};
use crate::parts::{QuoteParts, certificates, chain_of, fields, flipped, pem, with_chain};

/// The bits of a part to try, at most so many.
fn bits(bytes: usize, most: usize) -> impl Iterator<Item = usize> {
    let all = bytes * 8;
    let step = match std::env::var_os("CVM_VERIFY_EVERY_BIT") {
        Some(_) => 1,
        // Odd, so that every position inside a byte comes up.
        None => all.div_ceil(most) | 1,
    };
    (0..all).step_by(step).chain(all.checked_sub(1))
}

/// Flips bits in everything that the evidence rests on.
fn no_flip_passes(mut trial: Trial, evidence: Evidence, most: usize) {
    trial.judge_evidence(Ok(evidence.clone())).passes();
    let quote = evidence.attestation.quote.as_bytes().to_vec();
    let judge = |trial: &Trial, quote: Vec<u8>| {
        let mut evidence = evidence.clone();
        evidence.attestation.quote = QuoteBytes::new(quote).unwrap();
        trial.judge_evidence(Ok(evidence))
    };

    for (name, range) in QuoteParts::of(&quote).binary() {
        for bit in bits(range.len(), most) {
            let at = range.start * 8 + bit;
            judge(&trial, flipped(&quote, at)).accuses_the_deployment(&format!("bit {bit} of the {name}"));
        }
    }
    let honest = trial.collateral.clone().unwrap().unwrap();
    let given = honest.pck_certificate_chain.clone();
    let chain = certificates(&chain_of(&quote));
    for (place, name) in ["PCK certificate", "PCK CA certificate"].iter().enumerate() {
        for bit in bits(chain[place].len(), most) {
            let mut chain = chain.clone();
            chain[place] = flipped(&chain[place], bit);
            let what = format!("bit {bit} of the {name}");
            judge(&trial, with_chain(&quote, &pem(&chain))).accuses_the_deployment(&what);
            if given.is_some() {
                let mut collateral = honest.clone();
                collateral.pck_certificate_chain = Some(pem(&chain));
                trial.collateral = Ok(Some(collateral));
                judge(&trial, quote.clone()).accuses_the_collateral(&what);
                trial.collateral = Ok(Some(honest.clone()));
            }
        }
    }

    for field in fields(&honest) {
        let is_text = field.bytes.starts_with(b"{");
        for bit in bits(field.bytes.len(), most) {
            if is_text && bit % 8 == 7 {
                continue;
            }
            let mut collateral = honest.clone();
            (field.put)(&mut collateral, flipped(&field.bytes, bit));
            trial.collateral = Ok(Some(collateral));
            trial
                .judge_evidence(Ok(evidence.clone()))
                .accuses_the_collateral(&format!("bit {bit} of the {}", field.name));
        }
    }
}

fn simulated(format: QuoteFormat) -> (Trial, Evidence) {
    let mut cvm = Cvm::healthy(&World::default());
    cvm.quote.format = format;
    let trial = Trial::of(cvm).with(|trial| trial.collateral = Ok(Some(trial.cvm.world.collateral())));
    let evidence = trial.evidence().unwrap();
    (trial, evidence)
}

#[test]
fn a_bit_of_simulated_evidence_of_version_4() {
    let (trial, evidence) = simulated(QuoteFormat::V4);
    no_flip_passes(trial, evidence, 60);
}

#[test]
fn a_bit_of_simulated_evidence_of_version_5() {
    let (trial, evidence) = simulated(QuoteFormat::V5Td15);
    no_flip_passes(trial, evidence, 40);
}

#[test]
fn a_bit_of_a_genuine_quote_of_version_4() {
    let (trial, evidence) = sample("tdx_quote", JUNE_2025);
    no_flip_passes(trial, evidence, 40);
}

#[test]
fn a_bit_of_a_genuine_quote_of_version_5() {
    let (trial, evidence) = sample("tdx_quote_td15ex", OCTOBER_2026);
    no_flip_passes(trial, evidence, 40);
}

#[test]
fn a_bit_of_a_genuine_dstack_vm() {
    let Some(folder) = simulator::recorded::folder() else {
        return;
    };
    let read = |name: &str| std::fs::read(folder.join("near-mpc-0.5.8").join(name)).unwrap();
    let evidence = Evidence::parse(&read("attestation.json"), Some(&read("info.json")), None, None);
    let trial = Trial::healthy().with(|trial| {
        trial.root = TrustRoot::Intel;
        trial.at = 1_786_622_400; // 2026-08-13T12:00:00Z
        trial.collateral = Ok(Some(collateral::parse(&read("collateral.json")).unwrap()));
        trial.policy = Policy {
            freshness: Freshness::Unchecked,
            os_image: OsImagePolicy::Unchecked,
            required: RequiredAssurance::Hardware,
            key_provider: Some(expected(
                "--key-provider",
                KeyProviderPin {
                    name: "local-sgx".to_owned(),
                    id: None,
                }
                .into(),
            )),
            ..Policy::default()
        };
    });
    let evidence = evidence.unwrap();
    let judged = trial.judge_evidence(Ok(evidence.clone()));
    judged.proves(CheckId::EventLog).proves(CheckId::MrConfigId);
    no_flip_passes(trial, evidence, 40);
}
