//! Which run of a CI a report is of.

use super::word_enum::text_serde;
use std::fmt;
use std::str::FromStr;

/// The name of a run that several processes share: 1 to 200 letters, digits and `. _ : / @ + -`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunId(String);

/// A text that is not the name of a run. The text itself is not repeated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("write 1 to {LONGEST} letters, digits and . _ : / @ + -, the same for every shard of one run")]
pub struct RunIdError;

/// Longest name, in bytes.
const LONGEST: usize = 200;

impl FromStr for RunId {
    type Err = RunIdError;

    fn from_str(text: &str) -> Result<Self, RunIdError> {
        let text = text.trim();
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._:/@+-".contains(&byte);
        if (1..=LONGEST).contains(&text.len()) && text.bytes().all(is_plain) {
            Ok(Self(text.to_owned()))
        } else {
            Err(RunIdError)
        }
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_serde!(RunId);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_run_has_a_plain_name() {
        for text in ["1", "github-actions/123", " verify-cvms-28001234 ", "a@b:c+d.e_f"] {
            assert_eq!(text.parse::<RunId>().expect(text).to_string(), text.trim());
        }
        for text in ["", " ", "a b", "a\nb", "ü", "::error::\u{1b}", &"x".repeat(201)] {
            assert_eq!(text.parse::<RunId>(), Err(RunIdError), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,300}") {
            let _ = text.parse::<RunId>();
        }
    }
}
