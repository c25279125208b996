//! What a secret holds, read without showing it.

use url::Url;

use super::error::DeliveryError;
use crate::net::Secret;

/// The URL in `secret`, without the blanks and line ends around it. `None` if that is all it holds.
pub(super) fn url(secret: &Secret) -> Result<Option<Url>, DeliveryError> {
    let text = single_line(secret, "its URL")?.trim();
    if text.is_empty() {
        return Ok(None);
    }
    Url::parse(text).map(Some).map_err(DeliveryError::NotAUrl)
}

/// The key in `secret`, without line ends at its end: what `echo` adds belongs to no key, a blank may. `None` if that
/// is all it holds.
pub(super) fn key(secret: &Secret) -> Result<Option<&[u8]>, DeliveryError> {
    let text = single_line(secret, "its signing secret")?;
    Ok((!text.is_empty()).then_some(text.as_bytes()))
}

/// The word in `secret`, without the blanks and line ends around it. `None` if that is all it holds.
pub(super) fn word<'a>(secret: &'a Secret, what: &'static str) -> Result<Option<&'a str>, DeliveryError> {
    let text = single_line(secret, what)?.trim();
    Ok((!text.is_empty()).then_some(text))
}

/// `secret` without line ends at its end. A line break within means that something else was stored with it; the URL
/// parser would silently remove it, and a log that masks secrets line by line would miss the rest.
fn single_line<'a>(secret: &'a Secret, what: &'static str) -> Result<&'a str, DeliveryError> {
    let text = secret.expose().trim_end_matches(['\r', '\n']);
    if text.chars().any(char::is_control) {
        return Err(DeliveryError::ControlCharacter { what });
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    #[test]
    fn line_ends_and_blanks_around_a_url_are_no_part_of_it() {
        for stored in [
            "https://h.example/a",
            "https://h.example/a\n",
            " https://h.example/a \r\n\n",
        ] {
            assert_eq!(
                url(&secret(stored)).unwrap().unwrap().as_str(),
                "https://h.example/a"
            );
        }
        for empty in ["", "\n", " \r\n"] {
            assert_eq!(url(&secret(empty)).unwrap(), None);
        }
    }

    #[test]
    fn a_key_loses_line_ends_only() {
        assert_eq!(key(&secret(" k \r\n")).unwrap(), Some(&b" k "[..]));
        assert_eq!(key(&secret("\n")).unwrap(), None);
    }

    #[test]
    fn a_line_break_or_control_character_within_is_refused_and_not_shown() {
        for stored in [
            "https://h.example/hunter2\nhttps://h.example/b",
            "hunter2\u{7}",
            "\nhunter2",
            "hunter2\0",
        ] {
            let refused = url(&secret(stored)).unwrap_err();
            assert_eq!(refused, DeliveryError::ControlCharacter { what: "its URL" });
            let what = "its signing secret";
            assert_eq!(
                key(&secret(stored)),
                Err(DeliveryError::ControlCharacter { what })
            );
            assert!(!format!("{refused} {refused:?}").contains("hunter2"));
        }
    }

    #[test]
    fn something_that_is_no_url_is_named_without_showing_it() {
        let refused = url(&secret("hooks.slack.example/hunter2")).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "its URL is not one (relative URL without a base); store the whole URL, https:// included"
        );
        assert!(!format!("{refused:?}").contains("hunter2"));
    }
}
