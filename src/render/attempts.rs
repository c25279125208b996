//! What is said of the attempts of a run that did not pass, before the one that a result is of.

use cvm_verify_core::checks::Check;
use cvm_verify_core::report::{AttemptReason, TargetReport, and_more};

/// How many reasons the sentence names.
const MAX_NAMED: usize = 4;

/// `2 earlier attempts of this run did not pass: quote-signature [not-verified], key-provider [provider-mismatch].` Nothing
/// if there was none. It holds words of ours alone: a report that was read from a file may name any reason.
pub(super) fn earlier(target: &TargetReport) -> Option<String> {
    let attempts = target.earlier_attempts.as_ref()?;
    let what = match attempts.not_passed {
        0 => return None,
        1 => "1 earlier attempt".to_owned(),
        count => format!("{count} earlier attempts"),
    };
    let named: Vec<String> = attempts.reasons.iter().take(MAX_NAMED).map(named).collect();
    let more = and_more("", attempts.reasons.len().saturating_sub(MAX_NAMED));
    let by = if named.is_empty() {
        String::new()
    } else {
        format!(": {}{more}", named.join(", "))
    };
    Some(format!("{what} of this run did not pass{by}."))
}

fn named(one: &AttemptReason) -> String {
    let known = Check::of(one.check).reason(&one.reason);
    format!("{} [{}]", one.check, known.map_or("unknown", |known| known.id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples;
    use cvm_verify_core::report::{CheckId, EarlierAttempts};

    fn of(check: CheckId, reason: &str) -> AttemptReason {
        AttemptReason {
            check,
            reason: reason.to_owned(),
        }
    }

    #[test]
    fn attempts_that_did_not_pass_are_counted_and_named_in_our_own_words() {
        let mut target = samples::pass();
        assert_eq!(earlier(&target), None);
        let mut attempts = EarlierAttempts::default();
        attempts.add([of(CheckId::QuoteSignature, "not-verified")]);
        target.earlier_attempts = Some(attempts.clone());
        assert_eq!(
            earlier(&target).as_deref(),
            Some("1 earlier attempt of this run did not pass: quote-signature [not-verified].")
        );
        attempts.add([of(CheckId::KeyProvider, "\u{1b}[31mPASS")]);
        target.earlier_attempts = Some(attempts.clone());
        assert_eq!(
            earlier(&target).as_deref(),
            Some(
                "2 earlier attempts of this run did not pass: quote-signature [not-verified], key-provider [unknown]."
            )
        );
        attempts
            .add(["nonce-mismatch", "no-nonce", "unchecked"].map(|reason| of(CheckId::Freshness, reason)));
        target.earlier_attempts = Some(attempts);
        assert!(earlier(&target).is_some_and(|said| said.ends_with("[no-nonce] and 1 more.")));
    }
}
