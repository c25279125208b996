//! Two releases at a time: a second compose hash, accepted until a day.

use std::str::FromStr;

use chrono::NaiveDate;

use super::tcb::{MAX_EXCEPTION_DAYS, end_of, is_too_far};
use crate::evidence::{HexError, parse_user_hex};

/// A compose hash that is accepted next to the expected one for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecondHash {
    /// SHA-256 of the compose document.
    pub value: [u8; 32],
    /// The last day, UTC, on which it is accepted.
    pub until: NaiveDate,
    /// The first second at which it no longer is, Unix seconds.
    pub ends: u64,
}

/// Why a second compose hash is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecondHashError {
    /// It has another form.
    #[error("{0:?} is not of the form HEX:until=YYYY-MM-DD")]
    Form(String),
    /// A day that the calendar does not have.
    #[error("{0:?} is not a day of the calendar; write it as YYYY-MM-DD")]
    Day(String),
    /// The hash.
    #[error("the hash {0}")]
    Hash(#[from] HexError),
    /// It ends too far ahead.
    #[error(
        "the second compose hash ends more than {MAX_EXCEPTION_DAYS} days ahead; for a longer roll-out, use a lock of its \
         own"
    )]
    TooFar,
}

impl FromStr for SecondHash {
    type Err = SecondHashError;

    fn from_str(text: &str) -> Result<Self, SecondHashError> {
        let form = || SecondHashError::Form(text.chars().take(120).collect());
        let (hash, date) = text.trim().split_once(":until=").ok_or_else(form)?;
        let until = NaiveDate::parse_from_str(date.trim(), "%Y-%m-%d")
            .map_err(|_| SecondHashError::Day(date.chars().take(40).collect()))?;
        Ok(Self {
            value: parse_user_hex(hash)?,
            until,
            ends: end_of(until).ok_or_else(form)?,
        })
    }
}

impl SecondHash {
    /// Refuses an end that is too far ahead of the time that is judged at, Unix seconds: as far as a
    /// [`TcbException`](super::tcb::TcbException) may end.
    ///
    /// # Errors
    /// [`SecondHashError::TooFar`].
    pub fn check_end(&self, at: u64) -> Result<(), SecondHashError> {
        if is_too_far(self.ends, at) {
            return Err(SecondHashError::TooFar);
        }
        Ok(())
    }

    /// Whether it is still accepted at a time, Unix seconds.
    #[must_use]
    pub const fn holds(&self, at: u64) -> bool {
        at < self.ends
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HASH: &str = "f4c8a15d6b2b4e753a7fae47661ee5a7263f0357d19647ccaf59a686bf001908";

    #[test]
    fn it_holds_to_the_end_of_its_day() {
        let second: SecondHash = format!(" 0x{HASH}:until=2026-06-10 ").parse().unwrap();
        assert_eq!(hex::encode(second.value), HASH);
        let end = 1_781_136_000;
        assert_eq!(crate::report::rfc3339(end), "2026-06-11T00:00:00Z");
        assert!(second.holds(end - 1) && !second.holds(end));
        assert_eq!(second.check_end(end - 91 * 86_400), Ok(()));
        assert_eq!(
            second.check_end(end - 91 * 86_400 - 1),
            Err(SecondHashError::TooFar)
        );
    }

    #[test]
    fn other_forms_are_refused() {
        let error = |text: &str| text.parse::<SecondHash>().unwrap_err().to_string();
        for text in ["", HASH, &format!("{HASH}:until")] {
            assert!(
                error(text).contains("is not of the form"),
                "{text}: {}",
                error(text)
            );
        }
        for day in ["", "soon", "2026-02-30", "2026-06-10:until=2026-06-11"] {
            let text = format!("{HASH}:until={day}");
            assert!(
                error(&text).contains("is not a day of the calendar"),
                "{text}: {}",
                error(&text)
            );
        }
        assert!(error("00:until=2026-06-10").starts_with("the hash"));
        assert!(error(":until=2026-06-10").starts_with("the hash"));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,120}") {
            let _ = text.parse::<SecondHash>();
            let _ = format!("{HASH}:until={text}").parse::<SecondHash>();
        }
    }
}
