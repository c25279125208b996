//! Real certificates, and what is wrong with them after a change.

use dcap_qvl::QuoteCollateralV3;
use proptest::prelude::*;

use super::*;
use crate::evidence::TlsChain;
use crate::verify::{Inputs, QuoteLayout, SignatureCache, TrustRoot, UnusableCollateral, prove};

fn pem(path: &str) -> Option<TlsChain> {
    let text = simulator::recorded::text(path)?;
    Some(TlsChain::new(certificates_of(&text)).unwrap())
}

/// The certificates of a PEM file.
fn certificates_of(text: &str) -> Vec<Vec<u8>> {
    use base64::Engine as _;
    let blocks = text.split("-----BEGIN CERTIFICATE-----").skip(1);
    blocks
        .map(|block| {
            let (body, _) = block.split_once("-----END CERTIFICATE-----").unwrap();
            let body: String = body.split_whitespace().collect();
            base64::engine::general_purpose::STANDARD.decode(body).unwrap()
        })
        .collect()
}

fn expected(path: &str) -> serde_json::Value {
    simulator::recorded::json(path).unwrap()
}

/// 2026-11-25T00:00:00Z: every recorded certificate is valid.
const NOW: u64 = 1_795_564_800;

fn leads_to_kms(chain: &TlsChain, app_id: &[u8; 20], kms: &str) -> Result<(), RaTlsRefusal> {
    super::leads_to_kms(chain, app_id, kms, NOW)
}

/// Every real chain, with the SHA-256 of its key and whether a KMS issued it.
fn real_chains() -> Vec<(&'static str, TlsChain, String, Option<String>)> {
    let mut all = Vec::new();
    for name in ["v0-get-tls-key", "v1-issue-cert"] {
        if let Some(chain) = pem(&format!("ratls-0.6/{name}.pem")) {
            let expected = expected("ratls-0.6/expected.json");
            let spki = expected[name]["leaf_spki_sha256"].as_str().unwrap().to_owned();
            all.push((name, chain, spki, None));
        }
    }
    for name in [
        "base-kms-nvidia-dev-0.5.4.1",
        "near-kms-cpu-gateway",
        "near-kms-nvidia-0.5.5",
        "phala-kms-nvidia-dev-0.5.7",
    ] {
        if let Some(chain) = pem(&format!("ratls-app-certs-0.5/{name}.pem")) {
            let expected = &expected("ratls-app-certs-0.5/expected.json")[name];
            let text = |key: &str| expected[key].as_str().unwrap().to_owned();
            all.push((name, chain, text("leaf_spki_sha256"), Some(text("kms_root_spki"))));
        }
    }
    all
}

/// The report data of a quote that nobody verified: bytes 520 to 584 of the TD report, behind a header of 48 bytes.
fn quoted(certificate: &RaTlsCertificate) -> [u8; 64] {
    let bytes = certificate.evidence().attestation.quote.as_bytes();
    QuoteLayout::of(bytes).unwrap();
    bytes[48 + 520..48 + 584].try_into().unwrap()
}

#[test]
fn each_real_certificate_is_read_and_its_quote_binds_its_key() {
    let chains = real_chains();
    for (name, chain, spki, kms) in chains {
        let certificate = evidence_of(&chain).unwrap().unwrap();
        assert_eq!(hex::encode(spki_sha256(chain.leaf()).unwrap()), spki, "{name}");
        assert!(certificate.leaf.is_p256, "{name}");
        assert_eq!(
            quoted(&certificate),
            report_data_of(&certificate.leaf.spki),
            "{name}"
        );
        assert_eq!(certificate.leaf.extension(USAGE), Some(APP_USAGE), "{name}");
        // The certificates of dstack 0.5 are those that a guest shows in /info, which are for clients alone.
        assert_eq!(certificate.leaf.is_server, kms.is_none(), "{name}");
        let app_id: [u8; 20] = certificate.leaf.extension(APP_ID).unwrap().try_into().unwrap();
        match kms {
            Some(kms) => {
                assert_eq!(leads_to_kms(&chain, &app_id, &kms), Ok(()), "{name}");
                assert_eq!(
                    leads_to_kms(&chain, &app_id, "00"),
                    Err(RaTlsRefusal::OtherKms),
                    "{name}"
                );
                let other = leads_to_kms(&chain, &[0; 20], &kms);
                assert!(matches!(other, Err(RaTlsRefusal::Chain(_))), "{name}: {other:?}");
            }
            None => assert_eq!(
                leads_to_kms(&chain, &app_id, "00"),
                Err(RaTlsRefusal::OtherKms),
                "{name}"
            ),
        }
    }
}

/// Without collateral a genuine quote is not refused, and nothing is bound either.
#[test]
fn a_real_certificate_is_not_bound_without_collateral() {
    for (name, chain, ..) in real_chains() {
        let certificate = evidence_of(&chain).unwrap().unwrap();
        let inputs = Inputs {
            collateral: Err::<&QuoteCollateralV3, _>(UnusableCollateral::Missing),
            collateral_fetched_at: None,
            signatures: &SignatureCache::default(),
            root: &TrustRoot::Intel,
            at: 1_790_000_000,
            clock_floor: 0,
        };
        let own = prove(certificate.evidence(), &inputs);
        let refused = crate::verify::is_bound_certificate(&certificate, &own);
        assert_eq!(
            refused,
            Err(crate::verify::NotBound::QuoteNotProven(
                crate::verify::UnprovenTd::Undetermined
            )),
            "{name}"
        );
        assert!(
            matches!(own.quote, Err(crate::verify::NotProven::NotReached)),
            "{name}: {:?}",
            own.quote
        );
    }
}

#[test]
fn a_certificate_of_a_public_ca_is_none_of_dstack() {
    if let Some(chain) = pem("base-chain-2025/gateway-tls-chain.pem") {
        assert!(evidence_of(&chain).is_none());
        assert!(spki_sha256(chain.leaf()).is_some());
    }
}

#[test]
fn the_chain_of_base_leads_to_its_kms() {
    if let Some(chain) = pem("base-chain-2025/app-ratls-chain.pem") {
        let certificate = evidence_of(&chain).unwrap().unwrap();
        assert_eq!(quoted(&certificate), report_data_of(&certificate.leaf.spki));
        let expected = expected("base-chain-2025/app-expected.json");
        let kms = expected["key_provider"]["id"].as_str().unwrap();
        let app_id: [u8; 20] = certificate.leaf.extension(APP_ID).unwrap().try_into().unwrap();
        assert_eq!(leads_to_kms(&chain, &app_id, kms), Ok(()));
    }
}

#[test]
fn a_chain_that_was_cut_or_mixed_does_not_lead_to_the_kms() {
    let chains = real_chains();
    let of_kms: Vec<_> = chains.iter().filter(|(.., kms)| kms.is_some()).collect();
    let (Some((_, one, _, Some(kms))), Some((_, other, ..))) = (of_kms.first(), of_kms.get(1)) else {
        return;
    };
    let certificate = evidence_of(one).unwrap().unwrap();
    let app_id: [u8; 20] = certificate.leaf.extension(APP_ID).unwrap().try_into().unwrap();
    let all: Vec<Vec<u8>> = one.certificates().map(<[u8]>::to_vec).collect();
    let foreign: Vec<Vec<u8>> = other.certificates().map(<[u8]>::to_vec).collect();
    for (what, chain) in [
        ("the leaf alone", vec![all[0].clone()]),
        ("without the one between", vec![all[0].clone(), all[2].clone()]),
        (
            "the leaf of another app",
            vec![foreign[0].clone(), all[1].clone(), all[2].clone()],
        ),
        (
            "out of order",
            vec![all[0].clone(), all[2].clone(), all[1].clone()],
        ),
    ] {
        let chain = TlsChain::new(chain).unwrap();
        let leads = leads_to_kms(&chain, &app_id, kms);
        assert!(matches!(leads, Err(RaTlsRefusal::Chain(_))), "{what}: {leads:?}");
    }
}

/// A server may leave out the last certificate of a chain: the VM measured the key that signed the one before.
#[test]
fn a_chain_without_the_certificate_of_the_kms_leads_to_its_key_and_to_no_other() {
    for (name, chain, _, kms) in real_chains() {
        let Some(kms) = kms else { continue };
        let certificate = evidence_of(&chain).unwrap().unwrap();
        let app_id: [u8; 20] = certificate.leaf.extension(APP_ID).unwrap().try_into().unwrap();
        let all: Vec<Vec<u8>> = chain.certificates().map(<[u8]>::to_vec).collect();
        assert_eq!(all.len(), 3, "{name}");
        let short = TlsChain::new(all[..2].to_vec()).unwrap();
        assert_eq!(leads_to_kms(&short, &app_id, &kms), Ok(()), "{name}");
        let of_another_app = leads_to_kms(&short, &[0; 20], &kms);
        assert!(
            matches!(of_another_app, Err(RaTlsRefusal::Chain(_))),
            "{name}: {of_another_app:?}"
        );
        for other in real_chains().into_iter().filter_map(|(.., other)| other) {
            let leads = leads_to_kms(&short, &app_id, &other);
            let expected = match other == kms {
                true => Ok(()),
                false => Err(RaTlsRefusal::OtherKms),
            };
            assert_eq!(leads, expected, "{name}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_certificate_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let chain = TlsChain::new(vec![bytes.clone(), bytes]).unwrap();
        let _ = evidence_of(&chain);
        let _ = leads_to_kms(&chain, &[0; 20], "00");
        prop_assert!(spki_sha256(chain.leaf()).is_none() || is_of_dstack(chain.leaf()) || evidence_of(&chain).is_none());
    }

    #[test]
    fn no_changed_certificate_panics_or_keeps_a_binding_to_another_key(place in 0..12_000_usize, change in 1..=255_u8) {
        if let Some(chain) = pem("ratls-0.6/v1-issue-cert.pem") {
            let mut leaf = chain.leaf().to_vec();
            let place = place % leaf.len();
            leaf[place] ^= change;
            let changed = TlsChain::new(vec![leaf]).unwrap();
            if let Some(Ok(certificate)) = evidence_of(&changed) {
                // Whatever was changed: report data and key still fit, or the change is in neither.
                let fits = quoted_if_any(&certificate) == Some(report_data_of(&certificate.leaf.spki));
                let original = evidence_of(&chain).unwrap().unwrap();
                prop_assert_eq!(fits, certificate.leaf.spki == original.leaf.spki
                    && quoted_if_any(&certificate) == Some(quoted(&original)));
            }
        }
    }
}

fn quoted_if_any(certificate: &RaTlsCertificate) -> Option<[u8; 64]> {
    let bytes = certificate.evidence().attestation.quote.as_bytes();
    bytes.get(48 + 520..48 + 584)?.try_into().ok()
}

#[test]
fn a_certificate_is_valid_from_its_first_second_to_its_last_by_either_clock() {
    let (day, skew) = (86_400, crate::verify::age::CLOCK_SKEW);
    let identity = simulator::TlsIdentity::new(1, NOW, simulator::TlsMode::TestCa);
    let leaf = TlsLeaf::of_der(&identity.leaf_der()).unwrap();
    let (from, to) = (NOW - day, NOW + 365 * day);
    let early = from - skew - 1;
    for (at, expected) in [
        (early, Err(RaTlsRefusal::NotYetValid { from, at: early })),
        (from - skew, Ok(())),
        (NOW, Ok(())),
        (to + skew, Ok(())),
        (to + skew + 1, Err(RaTlsRefusal::Expired { to })),
    ] {
        assert_eq!(leaf.valid_at(at), expected, "{at}");
    }
}

/// A certificate may carry its quote in the older extension, too: the same one.
#[test]
fn a_certificate_with_evidence_in_two_forms_has_one_quote() {
    let cvm = simulator::Cvm::healthy(&simulator::World::default());
    let mut quote = Vec::new();
    let identity = simulator::TlsIdentity::ra_tls_versioned(1, NOW, &cvm, |versioned| {
        quote.clone_from(&versioned.quote);
        versioned.msgpack()
    });
    let read = |quote: &[u8]| {
        let both = identity
            .clone()
            .with_ra_tls_extension(simulator::server::RA_TLS_QUOTE, quote);
        let chain = TlsChain::new(both.chain_der()).unwrap();
        evidence_of(&chain).unwrap().map(|_| ())
    };
    assert_eq!(read(&quote), Ok(()));
    quote[100] ^= 1;
    assert_eq!(read(&quote), Err(RaTlsRefusal::TwoQuotes));
}
