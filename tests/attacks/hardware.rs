//! Quote and chain: T17 to T20 and T29. (Attributes, TCB and dates have modules of their own; every bit of every signed
//! part is in `bit_flips`.)

use cvm_verify_core::evidence::{Attestation, Evidence, QuoteBytes};
use cvm_verify_core::report::{CheckId, Status};
use cvm_verify_core::verify::{CollateralServers, UnusableCollateral};
use simulator::{Cvm, Lie, PckCa, QuoteFormat, World};

use crate::judge::Trial;
use crate::parts::{QuoteParts, chain_of, flipped, with_chain};

fn lie(lie: Lie) -> Trial {
    Trial::lying(|cvm| lie.apply(cvm))
}

fn edited(edit: impl Fn(&mut Vec<u8>) + Send + Sync + 'static) -> Trial {
    Trial::lying(|cvm| cvm.edit_quote(edit))
}

/// The healthy CVM, judged with collateral that was changed on its way.
fn with_collateral(change: impl FnOnce(&mut dcap_qvl::QuoteCollateralV3)) -> Trial {
    Trial::healthy().with(|trial| {
        let mut collateral = trial.cvm.world.collateral();
        change(&mut collateral);
        trial.collateral = Ok(Some(collateral));
    })
}

const NOT_VERIFIED: &str = "not-verified";
const NOT_SIGNED: &str = "not-signed-by-intel";

#[test]
fn the_healthy_baseline_passes() {
    let judged = Trial::healthy().judge();
    judged.passes();
    for id in [
        CheckId::Collateral,
        CheckId::QuoteSignature,
        CheckId::TdAttributes,
    ] {
        judged.proves(id);
    }
}

#[test]
fn t17_a_qe_identity_that_intel_did_not_sign_is_the_collaterals_fault() {
    with_collateral(|collateral| {
        collateral.qe_identity = collateral
            .qe_identity
            .replace("\"isvprodid\":2", "\"isvprodid\":1");
    })
    .judge()
    .leaves_open(CheckId::Collateral, NOT_SIGNED);
    with_collateral(|collateral| collateral.qe_identity_signature[5] ^= 1)
        .judge()
        .leaves_open(CheckId::Collateral, NOT_SIGNED);
    with_collateral(|collateral| collateral.qe_identity_signature = vec![0; 64])
        .judge()
        .leaves_open(CheckId::Collateral, NOT_SIGNED);
    // Signed, but by another world's key.
    let other = World::new(2, World::default().now).collateral();
    with_collateral(|collateral| {
        collateral.qe_identity_signature = other.qe_identity_signature;
        collateral.qe_identity_issuer_chain = other.qe_identity_issuer_chain;
    })
    .judge()
    .leaves_open(CheckId::Collateral, NOT_SIGNED);
}

#[test]
fn t17_a_quoting_enclave_of_another_signer_fails() {
    lie(Lie::ForeignQe)
        .judge()
        .fails(CheckId::QuoteSignature, NOT_VERIFIED);
}

#[test]
fn t17_documents_for_sgx_are_the_collaterals_fault() {
    Trial::lying(|cvm| cvm.world.qe_identity.id = "QE".into())
        .judge()
        .leaves_open(CheckId::Collateral, "wrong-platform");
    Trial::lying(|cvm| cvm.world.tcb_info.id = "SGX".into())
        .judge()
        .leaves_open(CheckId::Collateral, "wrong-platform");
}

#[test]
fn t18_signatures_and_chains_that_do_not_hold_fail() {
    for of in [
        Lie::BrokenSignature,
        Lie::BrokenQeSignature,
        Lie::ForeignAttestationKey,
        Lie::ForeignRoot,
    ] {
        let judged = lie(of).judge();
        judged.fails(CheckId::QuoteSignature, NOT_VERIFIED);
        // Nothing is read from it.
        judged.says(CheckId::TcbStatus, Status::Error, "quote-not-proven");
        judged.says(CheckId::ComposeHash, Status::Error, "quote-not-proven");
        assert_eq!(judged.0.measurements, Default::default());
        assert_eq!(judged.0.tcb, Default::default());
        assert_eq!(judged.0.evidence.signed_sha256, None);
    }
}

#[test]
fn t18_a_revoked_certificate_of_the_machines_chain_fails_with_its_serial() {
    use simulator::Certificate::{Pck, PckCa, Root};
    for (revoked, says) in [(Pck, "PCK certificate"), (PckCa, "PCK CA"), (Root, "root CA")] {
        let trial = Trial::lying(|cvm| {
            cvm.world.pki.revoked.insert(revoked);
        });
        let judged = trial.judge();
        judged.fails(CheckId::QuoteSignature, "revoked");
        let detail = judged.detail(CheckId::QuoteSignature);
        let certificate = trial.cvm.world.certificate_der(revoked);
        let serial = {
            use der::Decode as _;
            let parsed = x509_cert::Certificate::from_der(&certificate).unwrap();
            hex::encode(parsed.tbs_certificate().serial_number().as_bytes())
        };
        for part in [says, &serial, "2026-"] {
            assert!(detail.contains(part), "{part}: {detail}");
        }
    }
}

#[test]
fn t18_a_revoked_signer_of_the_documents_is_the_collaterals_fault() {
    let judged = lie(Lie::RevokedTcbSigner).judge();
    judged.leaves_open(CheckId::Collateral, NOT_SIGNED);
    assert!(
        judged
            .detail(CheckId::Collateral)
            .contains("revoked its signing certificate"),
        "{judged}"
    );
}

#[test]
fn t18_both_certificate_authorities_are_accepted() {
    for ca in [PckCa::Platform, PckCa::Processor] {
        Trial::lying(|cvm| cvm.world.platform.pck_ca = ca)
            .judge()
            .passes();
    }
}

#[test]
fn t18_one_document_in_the_place_of_another_is_the_collaterals_fault() {
    with_collateral(|collateral| std::mem::swap(&mut collateral.root_ca_crl, &mut collateral.pck_crl))
        .judge()
        .leaves_open(CheckId::Collateral, NOT_SIGNED);
    with_collateral(|collateral| collateral.pck_crl = collateral.root_ca_crl.clone())
        .judge()
        .leaves_open(CheckId::Collateral, "wrong-platform");
    with_collateral(|collateral| {
        std::mem::swap(
            &mut collateral.tcb_info_signature,
            &mut collateral.qe_identity_signature,
        );
    })
    .judge()
    .leaves_open(CheckId::Collateral, NOT_SIGNED);
    // A PCK certificate signs no TCB info, although its chain ends in the same root.
    let world = World::default();
    with_collateral(|collateral| {
        collateral.tcb_info_issuer_chain = world.pck_chain_pem();
        let signature = world.pck_key().sign_raw(collateral.tcb_info.as_bytes());
        collateral.tcb_info_signature = signature.to_vec();
    })
    .judge()
    .leaves_open(CheckId::Collateral, NOT_SIGNED);
}

#[test]
fn t18_the_platform_of_another_pck_certificate_is_not_the_quotes() {
    // The PCCS is the host's: it may hand over a chain beside the quote's own.
    let mut patched = World::new(2, World::default().now);
    patched.platform.cpu_svn = [255; 16];
    for chain in [patched.pck_chain_pem(), World::default().tcb_signing_chain()] {
        with_collateral(|collateral| collateral.pck_certificate_chain = Some(chain))
            .judge()
            .leaves_open(CheckId::Collateral, NOT_SIGNED);
    }
    // Another machine under the same root.
    let mut other = World::default();
    other.platform.fmspc = [0x66; 6];
    let judged =
        with_collateral(|collateral| collateral.pck_certificate_chain = Some(other.pck_chain_pem())).judge();
    judged.leaves_open(CheckId::Collateral, "wrong-platform");
    for fmspc in ["666666666666", "b0c06f000000"] {
        assert!(judged.detail(CheckId::Collateral).contains(fmspc), "{judged}");
    }
    let own = World::default().pck_chain_pem();
    with_collateral(|collateral| collateral.pck_certificate_chain = Some(own.clone()))
        .judge()
        .passes();
    // A renewed certificate of the same machine, with the same key, is another one than that of the quote, and so is that of
    // another level of the model.
    let with_chain_later = |world: &World| {
        let chain = world.pck_chain_pem();
        assert_ne!(chain, own);
        with_collateral(|collateral| collateral.pck_certificate_chain = Some(chain))
            .with(|trial| trial.at += 90 * 86_400)
            .judge()
    };
    let mut renewed = World::default();
    renewed.pki.pck.from -= 1;
    with_chain_later(&renewed).leaves_open(CheckId::Collateral, "wrong-platform");
    let mut level = World::default();
    level.platform.cpu_svn = [255; 16];
    with_chain_later(&level)
        .leaves_open(CheckId::Collateral, "wrong-platform")
        .detail_says(CheckId::Collateral, "both have the FMSPC b0c06f000000");
}

/// A machine has more than one certificate when Intel issues one again for its key: whether the quote's own is revoked or has
/// ended counts, and no other one takes its place.
#[test]
fn t18_another_certificate_of_the_same_key_does_not_take_the_place_of_the_quotes() {
    let other = World::default().pck_chain_pem();
    let ended = |world: &mut World| {
        world.pki.pck.from -= 86_400;
        world.pki.pck.to = -86_400;
    };
    let revoked = |world: &mut World| {
        world.pki.pck.from -= 86_400;
        world.pki.revoked.insert(simulator::Certificate::Pck);
    };
    let reissued = |world: &mut World| world.pki.pck.from -= 86_400;
    let judge = |change: &dyn Fn(&mut World), chain: Option<&String>| {
        let mut world = World::default();
        change(&mut world);
        assert_ne!(world.pck_chain_pem(), other);
        Trial::of(Cvm::healthy(&world))
            .with(|trial| {
                let mut collateral = world.collateral();
                collateral.pck_certificate_chain = chain.cloned();
                trial.collateral = Ok(Some(collateral));
            })
            .judge()
    };
    for chain in [None, Some(&other)] {
        judge(&revoked, chain).fails(CheckId::QuoteSignature, "revoked");
    }
    judge(&ended, None).leaves_open(CheckId::Collateral, "expired");
    for change in [&ended as &dyn Fn(&mut World), &reissued] {
        judge(change, Some(&other)).leaves_open(CheckId::Collateral, "wrong-platform");
    }
    judge(&reissued, None).passes();
}

#[test]
fn t18_a_chain_without_its_leaf_or_its_intermediate_fails() {
    let world = World::default();
    let chain = world.pck_chain_pem();
    let certificates = crate::parts::certificates(&chain);
    for kept in [&certificates[..0], &certificates[..1], &certificates[1..]] {
        let shortened = crate::parts::pem(kept);
        edited(move |quote| *quote = with_chain(quote, &shortened))
            .judge()
            .fails(CheckId::QuoteSignature, NOT_VERIFIED);
    }
    // The root inside the quote is not what is trusted: without it nothing changes.
    let without_root = crate::parts::pem(&certificates[..2]);
    edited(move |quote| *quote = with_chain(quote, &without_root))
        .judge()
        .passes();
}

#[test]
fn t18_a_tail_behind_the_hash_in_the_qe_report_fails() {
    // Intel's enclave leaves the second half of its report data zero; the PCK key signs what another would put there.
    let world = World::default();
    edited(move |quote| {
        let parts = QuoteParts::of(quote);
        let mut report = quote[parts.qe_report.clone()].to_vec();
        report[383] = 1;
        let signature = world.pck_key().sign_raw(&report);
        quote[parts.qe_report].copy_from_slice(&report);
        quote[parts.qe_report_signature].copy_from_slice(&signature);
    })
    .judge()
    .fails(CheckId::QuoteSignature, NOT_VERIFIED);
}

#[test]
fn t19_an_sgx_quote_is_not_tdx_with_and_without_collateral() {
    for of in [Lie::SgxQuote, Lie::NotTdx] {
        lie(of).judge().fails(CheckId::QuoteSignature, "not-tdx");
        lie(of)
            .with(|trial| trial.collateral = Err(UnusableCollateral::Missing))
            .judge()
            .fails(CheckId::QuoteSignature, "not-tdx")
            .says(CheckId::Collateral, Status::Error, "missing");
    }
}

#[test]
fn t19_an_enclave_report_inside_a_tdx_quote_is_not_tdx() {
    Trial::lying(|cvm| {
        cvm.quote.format = QuoteFormat::V5Td10;
        cvm.quote.body_type = Some(1);
    })
    .judge()
    .fails(CheckId::QuoteSignature, "not-tdx");
}

#[test]
fn t19_other_versions_types_keys_and_vendors_are_malformed() {
    let changes: [fn(&mut simulator::Cvm); 7] = [
        |cvm| cvm.quote.version = Some(6),
        |cvm| cvm.quote.version = Some(0),
        // A version 5 header over a body without type and size.
        |cvm| cvm.quote.version = Some(5),
        |cvm| cvm.quote.attestation_key_type = 3,
        |cvm| cvm.quote.qe_vendor_id = [0; 16],
        |cvm| {
            cvm.quote.format = QuoteFormat::V5Td15;
            cvm.quote.body_type = Some(2);
        },
        |cvm| {
            cvm.quote.format = QuoteFormat::V5Td10;
            cvm.quote.body_type = Some(5);
        },
    ];
    for change in changes {
        Trial::lying(change)
            .judge()
            .fails(CheckId::QuoteSignature, "malformed");
    }
    Trial::lying(|cvm| cvm.quote.tee_type = 0x82)
        .judge()
        .fails(CheckId::QuoteSignature, "not-tdx");
}

#[test]
fn t19_cut_and_empty_quotes_are_malformed() {
    for length in [1, 47, 48, 631, 632, 635, 636, 700, 1000, 4000] {
        edited(move |quote| quote.truncate(length))
            .judge()
            .fails(CheckId::QuoteSignature, "malformed");
    }
    edited(|quote| quote.fill(0))
        .judge()
        .fails(CheckId::QuoteSignature, "malformed");
    edited(Vec::clear)
        .judge()
        .leaves_open(CheckId::Evidence, "no-quote");
}

#[test]
fn t20_zero_padding_passes_up_to_the_limit_and_changes_no_identity() {
    let identity = Trial::healthy().judge().0.evidence;
    for length in [0, 1, 307, 3065] {
        let judged = Trial::lying(|cvm| cvm.quote.trailing = vec![0; length]).judge();
        judged.passes();
        assert_eq!(judged.0.evidence, identity, "{length}");
    }
    Trial::lying(|cvm| cvm.quote.trailing = vec![0; 16 * 1024])
        .judge()
        .leaves_open(CheckId::Evidence, "too-large");
    assert!(QuoteBytes::new(vec![0; 16 * 1024 + 1]).is_none());
}

#[test]
fn t20_other_trailing_bytes_fail() {
    for (length, at) in [(1, 0), (70, 0), (70, 69), (3065, 2000)] {
        let mut trailing = vec![0; length];
        trailing[at] = 0x80;
        Trial::lying(|cvm| cvm.quote.trailing = trailing)
            .judge()
            .fails(CheckId::QuoteSignature, "trailing-bytes");
    }
    lie(Lie::TrailingBytes)
        .judge()
        .fails(CheckId::QuoteSignature, "trailing-bytes");
}

#[test]
fn t20_bytes_hidden_inside_the_signature_data_are_trailing_bytes_too() {
    // Each length field is made to cover what the one before it leaves over.
    let hide = |at_outer: bool| {
        edited(move |quote| {
            let parts = QuoteParts::of(quote);
            let junk = b"anything";
            quote.splice(parts.chain.end..parts.chain.end, *junk);
            let mut grow = |at: usize| {
                let old = u32::from_le_bytes(quote[at..at + 4].try_into().unwrap());
                quote[at..at + 4].copy_from_slice(&(old + 8).to_le_bytes());
            };
            grow(parts.signed.end);
            if !at_outer {
                grow(parts.qe_report.start - 4);
            }
        })
    };
    for at_outer in [true, false] {
        hide(at_outer)
            .judge()
            .fails(CheckId::QuoteSignature, "trailing-bytes");
    }
}

#[test]
fn t18_another_kind_of_certification_data_around_the_qe_report_is_malformed() {
    // Nobody signs this number, and dcap-qvl does not look at it: only 6 is a quoting enclave's report.
    for kind in [0, 1, 5, 7] {
        edited(move |quote| {
            let at = QuoteParts::of(quote).qe_report.start - 6;
            quote[at] = kind;
        })
        .judge()
        .fails(CheckId::QuoteSignature, "malformed");
    }
}

#[test]
fn t29_tcb_info_of_another_platform_is_the_collaterals_fault() {
    for (of, both) in [
        (Lie::PceIdMismatch, ["0001", "0000"]),
        (Lie::FmspcMismatch, ["666666666666", "b0c06f000000"]),
    ] {
        let judged = lie(of).judge();
        judged.leaves_open(CheckId::Collateral, "wrong-platform");
        for value in both {
            assert!(judged.detail(CheckId::Collateral).contains(value), "{judged}");
        }
    }
}

#[test]
fn t29_fmspc_and_ppid_of_an_unproven_certificate_are_never_shown() {
    let judged = edited(|quote| {
        let parts = QuoteParts::of(quote);
        *quote = flipped(quote, parts.signature.start * 8);
        assert!(!chain_of(quote).is_empty());
    })
    .judge();
    judged.fails(CheckId::QuoteSignature, NOT_VERIFIED);
    assert_eq!(judged.0.tcb.fmspc, None);
}

#[test]
fn a_refused_quote_without_collateral_is_refused_and_a_good_one_is_left_open() {
    let trial = Trial::healthy().with(|trial| trial.collateral = Err(UnusableCollateral::Missing));
    let judged = trial.judge();
    judged.leaves_open(CheckId::Collateral, "missing");
    for check in &judged.0.checks {
        // What nobody asked for rests on no quote.
        let independent = matches!(check.id, CheckId::Evidence | CheckId::Collateral)
            || matches!(check.reason.as_deref(), Some("not-configured" | "no-connection"));
        let expected = (!independent).then_some("quote-not-proven");
        assert!(independent || check.reason.as_deref() == expected, "{judged}");
    }
    Trial::healthy()
        .with(|trial| {
            trial.collateral = Err(UnusableCollateral::Unreachable {
                problem: "nobody answers".to_owned(),
                servers: CollateralServers::Public,
            })
        })
        .judge()
        .leaves_open(CheckId::Collateral, "unreachable");
}

#[test]
fn a_bare_quote_proves_hardware_and_no_code() {
    let trial = Trial::healthy();
    let quote = QuoteBytes::new(trial.cvm.quote_bytes(&crate::judge::query())).unwrap();
    let judged = trial.judge_evidence(Ok(Evidence {
        attestation: Attestation::bare(quote),
        info: None,
        info_problem: None,
        gpu: None,
        compose_copies: Vec::new(),
        nonce: Some(crate::judge::NONCE),
    }));
    judged.leaves_open(CheckId::EventLog, "no-event-log");
    assert_eq!(judged.0.assurance, cvm_verify_core::report::Assurance::Hardware);
}
