//! How new a set of collateral is, beside another one.

use std::collections::BTreeMap;

use dcap_qvl::QuoteCollateralV3;

use super::early::evaluation_number;
use cvm_verify_core::verify::validity::Windows;

/// What `TCB info` and `QE identity` are called in [`Windows`].
const DOCUMENTS: [&str; 2] = ["TCB info", "QE identity"];

/// How new each kind of part is: its TCB evaluation data number, where it has one, and when the latest part of that kind begins, Unix
/// seconds. Intel issues documents of earlier numbers anew every day, so the number says more than the date. It is by kind, not by place: in
/// a rotation two chains of a set have two signers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Edition(BTreeMap<&'static str, (Option<u32>, u64)>);

impl Edition {
    pub(super) fn of(collateral: &QuoteCollateralV3, windows: &Windows) -> Self {
        let texts = [&collateral.tcb_info, &collateral.qe_identity];
        let numbers: BTreeMap<&str, Option<u32>> = DOCUMENTS
            .into_iter()
            .zip(texts.map(|text| evaluation_number(text)))
            .collect();
        let mut parts = BTreeMap::new();
        for part in windows.parts() {
            let number = numbers.get(part.what).copied().flatten();
            let latest = parts.entry(part.what).or_insert((number, part.not_before));
            *latest = (*latest).max((number, part.not_before));
        }
        Self(parts)
    }

    /// Whether no kind of part is of an earlier edition, or of the same and begins earlier, than in another set.
    pub(super) fn is_as_new_as(&self, other: &Self) -> bool {
        let is_as_new = |(what, theirs)| self.0.get(what).is_some_and(|mine| mine >= theirs);
        other.0.iter().all(is_as_new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cvm_verify_core::evidence::collateral;

    fn edition(change: impl FnOnce(&mut QuoteCollateralV3)) -> Edition {
        let json = include_bytes!("../../fixtures/dcap-qvl/tdx_quote_collateral.json");
        let mut collateral = collateral::parse(json).expect("the fixture");
        change(&mut collateral);
        let windows = Windows::read(&collateral, None).expect("dates");
        Edition::of(&collateral, &windows)
    }

    fn number(text: &mut String, by: i64) {
        let found = evaluation_number(text).expect("a number");
        let field = |number: i64| format!("\"tcbEvaluationDataNumber\":{number}");
        assert!(text.contains(&field(found.into())), "{text}");
        *text = text.replace(&field(found.into()), &field(i64::from(found) + by));
    }

    /// The same document, issued in a later year.
    fn issued_later(text: &mut String) {
        for year in (2023..2030).rev() {
            *text = text.replace(
                &format!("\"issueDate\":\"{year}"),
                &format!("\"issueDate\":\"{}", year + 1),
            );
        }
    }

    #[test]
    fn t25_an_earlier_evaluation_number_that_is_issued_anew_is_older() {
        let held = edition(|_| ());
        assert!(held.is_as_new_as(&held));
        let reissued: [fn(&mut QuoteCollateralV3); 2] = [
            |set| {
                number(&mut set.tcb_info, -1);
                issued_later(&mut set.tcb_info);
            },
            |set| {
                number(&mut set.qe_identity, -1);
                issued_later(&mut set.qe_identity);
            },
        ];
        for older in reissued {
            let older = edition(older);
            assert!(!older.is_as_new_as(&held) && held.is_as_new_as(&older));
        }
        // The next number is newer, also if the earlier one was issued after it.
        let next = edition(|set| number(&mut set.tcb_info, 1));
        let reissued = edition(|set| issued_later(&mut set.tcb_info));
        assert!(next.is_as_new_as(&reissued) && !reissued.is_as_new_as(&next));
        // Of two with one number the later one is newer.
        assert!(reissued.is_as_new_as(&held) && !held.is_as_new_as(&reissued));
    }

    #[test]
    fn a_second_signer_makes_a_set_no_older() {
        let held = Edition([("TCB signing certificate", (None, 10)), ("PCK CRL", (None, 5))].into());
        let of = |signer, list| {
            Edition(
                [
                    ("TCB signing certificate", (None, signer)),
                    ("PCK CRL", (None, list)),
                ]
                .into(),
            )
        };
        assert!(of(20, 5).is_as_new_as(&held));
        assert!(!of(9, 5).is_as_new_as(&held) && !of(20, 4).is_as_new_as(&held));
        // What another set has, and this one has not, may be what revokes.
        assert!(!Edition::default().is_as_new_as(&held) && held.is_as_new_as(&Edition::default()));
    }
}
