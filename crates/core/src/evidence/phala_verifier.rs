//! What Phala's verification API answers (phala-docs, `phala-cloud-api/attestations.mdx`): hostile input like all else.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::json::kind_of;
use super::{EvidenceError, Object};

const DOCUMENT: &str = "the answer of Phala's API";

/// Characters of an error's text that are kept.
const MAX_DETAIL: usize = 200;

/// An answer of Phala's verification API as it came, or why none did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedPhalaAnswer {
    /// Host that answered, or that was asked last.
    pub host: String,
    /// HTTP status; null if there was no answer.
    pub status: Option<u16>,
    /// The body, verbatim.
    pub body: Option<String>,
    /// Why there is no answer.
    pub problem: Option<String>,
}

/// An answer of status 200 to one quote. The API's word: none of it is proven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhalaAnswer {
    /// `success`: that the request was processed.
    pub success: bool,
    /// SHA-256 of the quote that was judged.
    pub checksum: Option<[u8; 32]>,
    /// The quote that was judged; absent where the request was not processed.
    pub quote: Option<PhalaQuote>,
}

/// The quote as the API read it, and its verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhalaQuote {
    /// `verified`: the API's verdict on the signature. It says nothing of the TCB status.
    pub verified: bool,
    /// `header.tee_type`.
    pub tee_type: String,
    /// The fields of the TD report that the API names, in the order in which they are in the report.
    pub fields: Vec<Vec<u8>>,
}

/// Name, offset in the TD report and length, bytes, of each field in the API's `body` (phala-docs,
/// `phala-cloud-api/attestations.mdx`; Intel TDX DCAP Quoting Library API, A.3).
pub(crate) const BODY_FIELDS: [(&str, usize, usize); 15] = [
    ("tee_tcb_svn", 0, 16),
    ("mrseam", 16, 48),
    ("mrsignerseam", 64, 48),
    ("seamattributes", 112, 8),
    ("tdattributes", 120, 8),
    ("xfam", 128, 8),
    ("mrtd", 136, 48),
    ("mrconfig", 184, 48),
    ("mrowner", 232, 48),
    ("mrownerconfig", 280, 48),
    ("rtmr0", 328, 48),
    ("rtmr1", 376, 48),
    ("rtmr2", 424, 48),
    ("rtmr3", 472, 48),
    ("reportdata", 520, 64),
];

impl PhalaAnswer {
    /// Reads the body of a 200.
    ///
    /// # Errors
    /// An [`EvidenceError`] that names the field. `success` and `verified` are true or false and nothing that only looks
    /// like it.
    pub fn parse(body: &str) -> Result<Self, EvidenceError> {
        let object = Object::document(DOCUMENT, body)?;
        let success = boolean(&object, "success")?;
        let checksum = object.hex_or_empty::<32>("checksum")?;
        let quote = object
            .get("quote")?
            .map(|value| PhalaQuote::parse(&Object::at(DOCUMENT, object.field("quote"), value.get())?))
            .transpose()?;
        Ok(Self {
            success,
            checksum,
            quote,
        })
    }
}

impl PhalaQuote {
    fn parse(quote: &Object<'_>) -> Result<Self, EvidenceError> {
        let verified = boolean(quote, "verified")?;
        let header = member(quote, "header")?;
        let tee_type = header
            .string("tee_type")?
            .ok_or_else(|| header.malformed("tee_type", "is missing"))?;
        let body = member(quote, "body")?;
        let fields = BODY_FIELDS
            .iter()
            .map(|(name, _, length)| {
                let bytes = body
                    .hex_up_to(name, *length)?
                    .ok_or_else(|| body.malformed(name, "is missing"))?;
                if bytes.len() == *length {
                    Ok(bytes)
                } else {
                    Err(body.malformed(name, format!("is {} bytes; {length} expected", bytes.len())))
                }
            })
            .collect::<Result<_, EvidenceError>>()?;
        Ok(Self {
            verified,
            tee_type,
            fields,
        })
    }
}

/// The text in the body of an error status: `{"detail": …}`. `None` where the body has another form.
pub(crate) fn error_detail(body: &str) -> Option<String> {
    let object = Object::document(DOCUMENT, body).ok()?;
    let detail = object.get("detail").ok()??;
    let text = object
        .as_string("detail", detail)
        .unwrap_or_else(|_| detail.get().to_owned());
    Some(text.chars().take(MAX_DETAIL).collect())
}

fn member<'a>(object: &Object<'a>, name: &str) -> Result<Object<'a>, EvidenceError> {
    let value = object
        .get(name)?
        .ok_or_else(|| object.malformed(name, "is missing"))?;
    Object::at(DOCUMENT, object.field(name), value.get())
}

fn boolean(object: &Object<'_>, name: &str) -> Result<bool, EvidenceError> {
    match object.get(name)?.map(RawValue::get) {
        Some("true") => Ok(true),
        Some("false") => Ok(false),
        Some(other) => Err(object.malformed(name, format!("is {}; true or false expected", kind_of(other)))),
        None => Err(object.malformed(name, "is missing")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_fields_cover_the_td_report_without_a_gap() {
        let mut end = 0;
        for (name, offset, length) in BODY_FIELDS {
            assert_eq!(offset, end, "{name}");
            end += length;
        }
        assert_eq!(end, 584);
    }

    #[test]
    fn an_error_has_a_text_a_list_or_nothing() {
        assert_eq!(error_detail(r#"{"detail":"no"}"#).as_deref(), Some("no"));
        assert_eq!(
            error_detail(r#"{"detail":[{"msg":"x"}]}"#).as_deref(),
            Some(r#"[{"msg":"x"}]"#)
        );
        assert_eq!(error_detail("<html>"), None);
        assert_eq!(error_detail("{}"), None);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,200}", verified in ".{0,10}") {
            let _ = PhalaAnswer::parse(&text);
            let _ = error_detail(&text);
            let _ = PhalaAnswer::parse(&format!(r#"{{"success":true,"quote":{{"verified":{verified}}}}}"#));
        }

        #[test]
        fn only_the_word_true_is_true(text in "[a-z0-9\"]{1,8}") {
            let read = PhalaAnswer::parse(&format!(r#"{{"success":{text}}}"#));
            prop_assert_eq!(read.is_ok_and(|answer| answer.success), text == "true");
        }
    }
}
