//! Whether a set of collateral serves for a machine, judged without a quote: so that the next source is asked where one
//! serves a set that does not.

use dcap_qvl::QuoteCollateralV3;

use super::certificate::Certificate;
use super::dates;
use super::documents::AuthenticDocuments;
use super::eval_floor::built_in_eval_floor;
use super::platform::{self, Platform};
use crate::verify::{TrustRoot, UnusableCollateral};

/// Judges a set at a time, Unix seconds: each document's signature, whether it is for the FMSPC, the dates, and the built-in
/// floor of the evaluation data number. What it
/// says of a machine is not looked at. Nothing is accepted by this: a quote is verified with everything again.
///
/// # Errors
/// The first fault.
pub fn judge_collateral(
    collateral: &QuoteCollateralV3,
    fmspc: [u8; 6],
    root: &TrustRoot,
    at: u64,
) -> Result<(), UnusableCollateral> {
    let Some(root) = Certificate::of_der(root.der()) else {
        return Ok(());
    };
    let documents = AuthenticDocuments::of(collateral, &root, None);
    let platform = Platform { fmspc, pce_id: None };
    documents
        .first_fault()
        .cloned()
        .or_else(|| platform::first_fault(&documents, &platform))
        .or_else(|| dates::fault(collateral, None, at))
        .or_else(|| old_set(&documents, at))
        .map_or(Ok(()), Err)
}

/// Whether the set is older than the built-in floor: a source that serves a newer one may be there.
fn old_set(documents: &AuthenticDocuments, at: u64) -> Option<UnusableCollateral> {
    let number = [
        documents.tcb_info.as_ref().ok()?.tcb_evaluation_data_number,
        documents.qe_identity.as_ref().ok()?.tcb_evaluation_data_number,
    ]
    .into_iter()
    .min()?;
    let floor = built_in_eval_floor(at);
    (number < floor).then_some(UnusableCollateral::OldSet { number, floor })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use simulator::{DEFAULT_NOW, World};

    use super::*;

    const FMSPC: [u8; 6] = [0xb0, 0xc0, 0x6f, 0, 0, 0];

    fn judge(collateral: &QuoteCollateralV3, at: u64) -> Result<(), UnusableCollateral> {
        let root = TrustRoot::Custom(World::default().root_der());
        judge_collateral(collateral, FMSPC, &root, at)
    }

    #[test]
    fn a_set_serves_for_its_own_platform_time_and_root_alone() {
        let collateral = World::default().collateral();
        assert_eq!(judge(&collateral, DEFAULT_NOW), Ok(()));
        let ended = judge(&collateral, DEFAULT_NOW + 40 * 86_400);
        assert!(
            matches!(ended, Err(UnusableCollateral::Expired { .. })),
            "{ended:?}"
        );
        let early = judge(&collateral, DEFAULT_NOW - 2 * 86_400);
        assert!(
            matches!(early, Err(UnusableCollateral::NotYetValid { .. })),
            "{early:?}"
        );
        let root = TrustRoot::Custom(World::default().root_der());
        let other = judge_collateral(&collateral, [0; 6], &root, DEFAULT_NOW);
        assert!(
            matches!(other, Err(UnusableCollateral::WrongPlatform { .. })),
            "{other:?}"
        );
        let foreign = World::new(2, DEFAULT_NOW).collateral();
        for other in [
            judge_collateral(&collateral, FMSPC, &TrustRoot::Intel, DEFAULT_NOW),
            judge(&foreign, DEFAULT_NOW),
        ] {
            assert!(
                matches!(other, Err(UnusableCollateral::NotSignedByIntel { .. })),
                "{other:?}"
            );
        }
    }

    #[test]
    fn each_document_is_of_the_lowest_number_that_an_honest_server_has() {
        let floor = built_in_eval_floor(DEFAULT_NOW);
        let of = |tcb_info: u32, qe_identity: u32| {
            let mut world = World::default();
            world.tcb_info.eval_data_number = tcb_info;
            world.qe_identity.eval_data_number = qe_identity;
            judge(&world.collateral(), DEFAULT_NOW)
        };
        let old = UnusableCollateral::OldSet {
            number: floor - 1,
            floor,
        };
        assert_eq!(of(floor, floor), Ok(()));
        assert_eq!(of(floor - 1, floor), Err(old.clone()));
        assert_eq!(of(floor, floor - 1), Err(old));
    }

    #[test]
    fn all_parts_have_a_moment_in_common() {
        let of = |issued_after: i64| {
            let mut world = World::default();
            world.pki.tcb_signing.to = 86_400;
            world.tcb_info.issued_after = issued_after;
            judge(&world.collateral(), DEFAULT_NOW + 86_400)
        };
        assert_eq!(of(86_400), Ok(()));
        let apart = of(86_401);
        assert!(
            matches!(apart, Err(UnusableCollateral::NoCommonMoment { .. })),
            "{apart:?}"
        );
    }

    /// The list of another root's authority, with its own chain.
    #[test]
    fn an_issuer_of_lists_is_one_that_the_root_trusts() {
        let (mut collateral, foreign) = (
            World::default().collateral(),
            World::new(2, DEFAULT_NOW).collateral(),
        );
        collateral.pck_crl = foreign.pck_crl;
        collateral.pck_crl_issuer_chain = foreign.pck_crl_issuer_chain;
        let judged = judge(&collateral, DEFAULT_NOW);
        assert!(
            matches!(judged, Err(UnusableCollateral::NotSignedByIntel { .. })),
            "{judged:?}"
        );
    }

    proptest! {
        #[test]
        fn no_mutation_of_a_document_panics_or_serves(
            document in 0_usize..8,
            at in any::<prop::sample::Index>(),
            byte: u8,
            cut: bool,
        ) {
            let mut collateral = World::default().collateral();
            let change = |bytes: &mut Vec<u8>| {
                let at = at.index(bytes.len());
                if cut {
                    bytes.truncate(at);
                } else {
                    bytes[at] = byte;
                }
            };
            let text = |text: &mut String| {
                let mut bytes = std::mem::take(text).into_bytes();
                change(&mut bytes);
                *text = String::from_utf8_lossy(&bytes).into_owned();
            };
            let is_chain = matches!(document, 2 | 5);
            let honest = collateral.clone();
            match document {
                0 => text(&mut collateral.tcb_info),
                1 => change(&mut collateral.tcb_info_signature),
                2 => text(&mut collateral.tcb_info_issuer_chain),
                3 => text(&mut collateral.qe_identity),
                4 => change(&mut collateral.qe_identity_signature),
                5 => text(&mut collateral.pck_crl_issuer_chain),
                6 => change(&mut collateral.root_ca_crl),
                _ => change(&mut collateral.pck_crl),
            }
            let judged = judge(&collateral, DEFAULT_NOW);
            // A chain may lose what does not matter: blanks, and the root.
            prop_assert!(is_chain || collateral == honest || judged.is_err());
        }
    }
}
