//! What a lock accepts of an image with a published vulnerability.

use crate::reference::{Advisory, ReferenceValues};

/// Until when, and as what, a lock accepts an image with a published vulnerability.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VulnerableAcceptance {
    /// When it ends, Unix seconds.
    pub until: u64,
    /// The sentence in the lock's `[accepted]`; absent where somebody wrote the day alone.
    pub sentence: Option<String>,
}

impl VulnerableAcceptance {
    /// Whether it accepts a vulnerability: the one that its sentence names, or, where the sentence names none, each. A
    /// vulnerability that became known later is not among those that are named.
    #[must_use]
    pub fn accepts(&self, advisory: &Advisory, reference: &ReferenceValues) -> bool {
        self.sentence.as_deref().is_none_or(|sentence| {
            advisory.is_named_in(sentence) || !names_a_vulnerability(sentence, reference)
        })
    }
}

/// Whether a sentence names vulnerabilities: as `pin` writes them, by an id that is listed, or by one of the usual form.
fn names_a_vulnerability(sentence: &str, reference: &ReferenceValues) -> bool {
    let is_id = |word: &str| {
        let start = |prefix: &str| {
            word.get(..prefix.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
        };
        start("CVE-") || start("GHSA-")
    };
    sentence.contains(WRITTEN_BY_PIN)
        || reference
            .advisories()
            .iter()
            .any(|advisory| advisory.is_named_in(sentence))
        || sentence
            .split(|c: char| !c.is_ascii_alphanumeric() && c != '-')
            .any(is_id)
}

/// What stands in front of the ids in the sentence that `pin` writes.
pub(crate) const WRITTEN_BY_PIN: &str = " has a published vulnerability: ";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_accepts_what_it_names_and_all_where_it_names_nothing() {
        let reference = ReferenceValues::built_in();
        let [first, second, ..] = reference.advisories() else {
            panic!("the table has advisories");
        };
        let (id, alias) = (first.id.as_str(), first.aliases[0].as_str());
        for (sentence, accepts) in [
            (None, [true, true]),
            (Some("We upgrade next month.".to_owned()), [true, true]),
            (
                Some(format!("dstack-0.5.3 has a published vulnerability: {id}.")),
                [true, false],
            ),
            (
                Some(format!("x has a published vulnerability: {id}, {}.", second.id)),
                [true, true],
            ),
            (
                Some(format!("{} and {alias}, until July", second.id)),
                [true, true],
            ),
            (Some(id.to_lowercase()), [true, false]),
            (
                Some(format!("x has a published vulnerability: {id}0.")),
                [false, false],
            ),
            (
                Some("x has a published vulnerability: CVE-0000-00001.".to_owned()),
                [false, false],
            ),
            (Some("We accept cve-2030-1 alone.".to_owned()), [false, false]),
            (
                Some("x has a published vulnerability: of our own.".to_owned()),
                [false, false],
            ),
        ] {
            let acceptance = VulnerableAcceptance { until: 0, sentence };
            let found = [first, second].map(|advisory| acceptance.accepts(advisory, reference));
            assert_eq!(found, accepts, "{acceptance:?}");
        }
    }
}
