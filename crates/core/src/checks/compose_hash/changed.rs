//! What another compose document than the locked one changes: two hashes alone tell nobody whose change it is.

use super::super::Finding;
use super::{mismatch_finding, other_hash};
use crate::lock::{DocumentChanges, document_changes};
use crate::policy::{Expected, Origin, Policy};
use crate::report::and_more;
use crate::verify::{Claims, NotProven};

/// Changes that one sentence names.
const MAX_NAMED: usize = 4;

/// What is left where nothing that a lock holds of a document differs: it holds no text of the docker compose file.
const ONE_OF_TWO: &str = " Its images and all settings around the docker compose file are the locked ones. What differs is something else \
                          in the docker compose file, or only the way in which the JSON of the document is written (blanks, order of \
                          keys).";
const FIND_OUT_WHICH: &str = "Find out which: `cvm-verify compose-hash app-compose.json` of your release shows the hash of each form. If one \
                              of them is under `actual`, your release runs, written by another deploy tool: expect that hash (--compose-hash). \
                              Otherwise:";

/// The finding of another document, with what changed against the lock if that holds the expected hash, and the command that shows all
/// of it.
pub(super) fn finding(
    expected: &Expected<[u8; 32]>,
    measured: &[u8; 32],
    claims: &Claims,
    policy: &Policy,
) -> Finding {
    let mut finding = mismatch_finding(expected, measured);
    let Origin::Lock(lock) = &expected.origin else {
        return finding;
    };
    let is_other_text = matches!(claims.compose, Err(NotProven::Refused(_)));
    finding = finding.advising(match is_other_text {
        // Nothing can be pinned until the measured document is shown.
        true => format!(
            "If a roll-out is under way, wait for its end (--wait 10m); turn off any cache of /info, and verify again. What is proven \
             without the document: `cvm-verify diff {lock} URL`. If you deployed a newer release, run `cvm-verify pin URL` once /info shows \
             it, and review the difference. If you did not, someone else did: stop sending it secrets."
        ),
        false => format!(
        "See what changed: `cvm-verify diff {lock} URL`. While the locked release is being rolled out, wait for its end (--wait 10m). If \
         you deployed a newer one, run `cvm-verify pin URL` and review the difference. If you did not, someone else did: stop sending \
         it secrets."
        ),
    });
    if claims.other_document_in_info() == Some(&expected.value) {
        finding.detail.push_str(
            " What changed is not known: /info shows the locked document. An instance of the locked release may have answered it, as in a \
             roll-out.",
        );
        return finding;
    }
    let Some(locked) = &policy.locked_compose else {
        return finding;
    };
    let Ok(document) = &claims.compose else {
        finding.detail.push_str(
            " It is not known what changed: the document is not in the evidence, or is not the measured one.",
        );
        return finding;
    };
    match document_changes(locked, document) {
        Ok(changes) if changes.means.is_empty() => {
            // What was advised so far goes on to what a person must find out.
            let advice = finding.fix.take().unwrap_or_default();
            let detail = format!(
                "The compose hash is not the one expected by {}.{ONE_OF_TWO}",
                expected.origin
            );
            other_hash(expected, measured, detail)
                .differing(changes.lines)
                .advising(format!("{FIND_OUT_WHICH} {advice}"))
        }
        Ok(changes) => {
            finding.detail.push(' ');
            finding.detail.push_str(&sentence(&changes));
            finding.differing(changes.lines)
        }
        Err(error) => {
            let problem =
                format!(" It is not known what changed: the document cannot be read unambiguously: {error}.");
            finding.detail.push_str(&problem);
            finding
        }
    }
}

fn sentence(changes: &DocumentChanges) -> String {
    let named: Vec<&str> = changes.means.iter().take(MAX_NAMED).map(String::as_str).collect();
    let more = and_more(";", changes.means.len() - named.len() + changes.more);
    format!("What changed: {}{more}.", named.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_changes_are_named_and_the_others_counted() {
        let of = |named: usize, more: usize| {
            sentence(&DocumentChanges {
                means: (1..=named).map(|number| format!("change {number}")).collect(),
                more,
                lines: Vec::new(),
            })
        };
        assert_eq!(of(1, 0), "What changed: change 1.");
        let four = "What changed: change 1; change 2; change 3; change 4";
        assert_eq!(of(4, 0), format!("{four}."));
        assert_eq!(of(5, 0), format!("{four}; and 1 more."));
        assert_eq!(of(7, 3), format!("{four}; and 6 more."));
        assert_eq!(of(4, 2), format!("{four}; and 2 more."));
    }
}
