//! What simulated collateral is blamed for, and its limits of time.

use dcap_qvl::QuoteCollateralV3;
use simulator::quote::QuoteFormat;
use simulator::{Cvm, World};

use super::certificate::Certificate;
use super::documents::{AuthenticDocuments, PCK_CHAIN, PCK_CRL, TCB_INFO, malformed};
use super::{NotVerified, VerifiedQuote, verify};
use crate::evidence::QuoteBytes;
use crate::verify::digest::sha256;
use crate::verify::{FORECAST, TrustRoot, UnusableCollateral};

const DAY: u64 = 86_400;

/// Verifies the quote of the healthy machine of a world with its collateral after a change.
fn unusable(
    world: &World,
    at: u64,
    change: impl FnOnce(&mut QuoteCollateralV3),
) -> Option<UnusableCollateral> {
    let mut collateral = world.collateral();
    change(&mut collateral);
    let quote = QuoteBytes::new(Cvm::healthy(world).quote_bytes("")).unwrap();
    let root = TrustRoot::custom(world.root_pem().as_bytes()).unwrap();
    match verify(&quote, &collateral, &root, at) {
        Ok(_) => None,
        Err(NotVerified::Collateral(unusable)) => Some(unusable),
        Err(NotVerified::Refused(refusal)) => panic!("{refusal}"),
    }
}

#[test]
fn a_certificate_counts_in_its_last_second() {
    let mut world = World::default();
    world.pki.tcb_signing.to = 3 * 86_400;
    let last = world.now + 3 * DAY;
    assert_eq!(unusable(&world, last, |_| ()), None);
    let ended = unusable(&world, last + 1, |_| ());
    assert!(
        matches!(ended, Some(UnusableCollateral::Expired { ended, .. }) if ended == last),
        "{ended:?}"
    );
}

/// The collateral is out of date, and brings a chain beside the quote's own.
#[test]
fn a_chain_beside_the_quote_is_blamed_where_it_is_not_the_quotes_alone() {
    let world = World::default();
    let at = world.now + 90 * DAY;
    let with = |change: fn(&mut World)| {
        let mut other = world.clone();
        change(&mut other);
        unusable(&world, at, |all| {
            all.pck_certificate_chain = Some(other.pck_chain_pem())
        })
    };
    let its_own = with(|_| ());
    assert!(
        matches!(its_own, Some(UnusableCollateral::Expired { .. })),
        "{its_own:?}"
    );
    for (unusable, problem) in [
        (
            with(|world| world.pki.pck.from -= 1),
            "it is another certificate of this machine than the one in the quote",
        ),
        (
            with(|world| world.platform.cpu_svn = [255; 16]),
            "it is that of another machine, or of another level of this one (both have the FMSPC b0c06f000000)",
        ),
        (
            with(|world| world.platform.fmspc = [0x66; 6]),
            "it is that of another machine: its FMSPC is 666666666666, and that of the machine that made the quote is b0c06f000000",
        ),
    ] {
        let expected = UnusableCollateral::WrongPlatform {
            document: PCK_CHAIN,
            problem: problem.to_owned(),
        };
        assert_eq!(unusable, Some(expected));
    }
}

#[test]
fn an_empty_document_is_called_empty() {
    let world = World::default();
    let root = Certificate::of_der(&world.root_der()).unwrap();
    for text in ["", " \n"] {
        let mut collateral = world.collateral();
        text.clone_into(&mut collateral.tcb_info);
        let documents = AuthenticDocuments::of(&collateral, &root, None);
        let expected = malformed(TCB_INFO, "it is empty");
        assert_eq!(documents.first_fault(), Some(&expected));
    }
}

#[test]
fn the_part_that_ends_first_is_named_where_that_is_soon() {
    for (left, expected) in [(FORECAST - 1, Some("TCB signing certificate")), (FORECAST, None)] {
        let mut world = World::default();
        world.pki.tcb_signing.to = left.cast_signed();
        assert_eq!(verified(&Cvm::healthy(&world)).ends_first(), expected);
    }
}

/// What Intel says later is not known yet: it convicts nobody.
#[test]
fn a_document_that_is_issued_later_is_not_yet_valid() {
    let mut world = World::default();
    world.qe_identity.enclave_isv_svn = 0;
    world.qe_identity.issued_after = 86_400;
    let early = unusable(&world, world.now, |_| ());
    assert!(
        matches!(early, Some(UnusableCollateral::NotYetValid { .. })),
        "{early:?}"
    );
}

#[test]
fn a_list_of_somebody_else_is_told_from_one_that_was_changed() {
    let world = World::default();
    let foreign = World::new(2, world.now).collateral().root_ca_crl;
    let called = "the authority that issued the machine's certificate";
    let changed = format!("its signature is not that of {called}, so it was changed after it was signed");
    let other = format!("it is the list of \"Simulated SGX Root CA\", not of {called}");
    for (list, problem) in [(None, changed), (Some(foreign), other)] {
        let found = unusable(&world, world.now, |all| match list {
            Some(list) => all.pck_crl = list,
            None => *all.pck_crl.last_mut().unwrap() ^= 1,
        });
        let document = PCK_CRL;
        assert_eq!(
            found,
            Some(UnusableCollateral::NotSignedByIntel { document, problem })
        );
    }
}

fn verified(cvm: &Cvm) -> VerifiedQuote {
    let quote = QuoteBytes::new(cvm.quote_bytes("")).unwrap();
    let root = TrustRoot::custom(cvm.world.root_pem().as_bytes()).unwrap();
    match verify(&quote, &cvm.world.collateral(), &root, cvm.world.now) {
        Ok(quote) => quote,
        Err(NotVerified::Collateral(unusable)) => panic!("{unusable}"),
        Err(NotVerified::Refused(refusal)) => panic!("{refusal}"),
    }
}

#[test]
fn what_is_signed_is_shown() {
    let mut cvm = Cvm::healthy(&World::default());
    (cvm.report.mr_owner, cvm.report.mr_owner_config) = ([3; 48], [4; 48]);
    let (bytes, quote) = (cvm.quote_bytes(""), verified(&cvm));
    assert_eq!((quote.mr_owner(), quote.mr_owner_config()), (&[3; 48], &[4; 48]));
    // Header and body of version 4; the user data is in the header.
    assert_eq!(quote.signed_sha256(), &sha256(&bytes[..48 + 584]));
    assert_eq!(quote.old_device_id(), sha256(&bytes[28..48]));
    assert_ne!(bytes[28..44], [0; 16]);
    assert_eq!(quote.mr_service_td(), None);
    cvm.quote.format = QuoteFormat::V5Td15;
    assert_eq!(verified(&cvm).mr_service_td(), Some(&[0; 48]));
}

#[test]
fn a_platform_that_is_behind_is_told_what_it_is_short_of() {
    let mut cvm = Cvm::healthy(&World::default());
    assert_eq!(verified(&cvm).shortfalls(), []);
    cvm.world.fall_behind();
    assert_eq!(verified(&cvm).shortfalls().len(), 1);
}

#[test]
fn a_tcb_info_is_for_the_pce_of_the_machine() {
    let mut world = World::default();
    assert_eq!(unusable(&world, world.now, |_| ()), None);
    world.tcb_info.pce_id = Some([0x66; 2]);
    let found = unusable(&world, world.now, |_| ());
    assert!(
        matches!(found, Some(UnusableCollateral::WrongPlatform { .. })),
        "{found:?}"
    );
}
