//! Spans of time as users type them: a whole number with `s`, `m`, `h` or `d`.

/// Units and their seconds.
const UNITS: [(char, u64); 4] = [('s', 1), ('m', 60), ('h', 60 * 60), ('d', 24 * 60 * 60)];

/// The seconds of `90s`, `5m`, `24h` or `7d`. `None` for anything else, and for more seconds than fit.
pub fn parse(text: &str) -> Option<u64> {
    let text = text.trim();
    let last = text.chars().last()?;
    let (_, unit) = UNITS.iter().find(|(letter, _)| last == *letter)?;
    let digits = text.get(..text.len() - 1)?;
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse::<u64>().ok()?.checked_mul(*unit)
}

/// A span in the largest unit that it is a whole number of.
pub fn shown(seconds: u64) -> String {
    let whole = UNITS.iter().rev().find(|(_, unit)| seconds.is_multiple_of(*unit));
    let (letter, unit) = whole.unwrap_or(&UNITS[0]);
    format!("{}{letter}", seconds / unit)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_span_has_a_number_and_a_unit() {
        for (text, seconds) in [
            ("0s", 0),
            ("90s", 90),
            (" 5m ", 300),
            ("24h", 86_400),
            ("7d", 604_800),
        ] {
            assert_eq!(parse(text), Some(seconds), "{text}");
        }
        for text in [
            "",
            "s",
            "5",
            "5 m",
            "-5m",
            "+5m",
            "1.5h",
            "5ü",
            "ü",
            "99999999999999999999d",
            "9999999999999999999d",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_back(seconds in 0u64..1_000_000_000) {
            prop_assert_eq!(parse(&shown(seconds)), Some(seconds));
        }

        #[test]
        fn no_text_panics(text in ".{0,20}") {
            let _ = parse(&text);
        }
    }
}
