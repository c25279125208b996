//! Why evidence cannot be read.

/// Why a document that a CVM sent, or a file of evidence, cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EvidenceError {
    /// The document is not JSON at all: a gateway's error page, a truncated body, an empty file.
    #[error("{document} is not JSON: {problem}")]
    NotJson {
        /// Which document.
        document: &'static str,
        /// What the parser met.
        problem: String,
    },
    /// The document is larger than is ever needed.
    #[error("{document} is {size} bytes; at most {limit} are read")]
    TooLarge {
        /// Which document.
        document: &'static str,
        /// Its size, bytes.
        size: usize,
        /// The limit, bytes.
        limit: usize,
    },
    /// The compose document in the info is larger than is read from a CVM. An honest one may be.
    #[error(
        "the compose document in the info is {size} bytes; at most {limit} are read from there. Give the document as a \
         file: --app-compose-file FILE for a live deployment, --app-compose FILE for `replay`"
    )]
    ComposeTooLarge {
        /// Its size, bytes.
        size: usize,
        /// The limit, bytes.
        limit: usize,
    },
    /// The document is well formed but holds no quote.
    #[error(
        "{document} has no `quote`: the app must answer with what the dstack SDK's getQuote() returns (stopped or \
         non-TDX instances have none){}", lies_below(.below.as_deref())
    )]
    NoQuote {
        /// Which document.
        document: &'static str,
        /// Path of a member that looks like a quote, one level below where it belongs.
        below: Option<String>,
    },
    /// A field has another JSON type than the SDK gives it: the app answers in a form of its own, of which nothing is signed.
    #[error(
        "{document}: `{field}` {problem}. The app must answer with what the dstack SDK's getQuote() returns, \
         unchanged{}", lies_below(.below.as_deref())
    )]
    OtherType {
        /// Which document.
        document: &'static str,
        /// The field.
        field: String,
        /// Which type it has, and which the SDK gives it.
        problem: String,
        /// Path of a member that looks like a quote, one level below where it belongs.
        below: Option<String>,
    },
    /// A field that nothing signs has another form than the SDK gives it: another JSON type, a text that is not hex, or a part that is
    /// missing. An app may write so; what contradicts what is signed is [`Self::Malformed`].
    #[error("{document}: `{field}` {problem}")]
    OtherForm {
        /// Which document.
        document: &'static str,
        /// Path of the field, as `event_log[3].imr`.
        field: String,
        /// Which form it has, and which the SDK gives it.
        problem: String,
    },
    /// A list of instances in another form than is known, or of another app: nothing of it is evidence.
    #[error("{document}: `{field}` {problem}: cvm-verify cannot use this list")]
    OtherList {
        /// Which document.
        document: &'static str,
        /// Path of the field.
        field: String,
        /// What is not as it was.
        problem: String,
    },
    /// A document that was asked for, and for which another answer came. That nobody has it (404) is not one.
    #[error("{problem}")]
    Unanswered {
        /// What came instead.
        problem: String,
    },
    /// A certificate in place of an attestation, which carries none or one that is not its own.
    #[error("the certificate is refused: {why}")]
    Certificate {
        /// Why.
        why: String,
    },
    /// Evidence of another TEE than Intel TDX.
    #[error("{document} is of the platform {kind}; this version verifies `tdx` alone")]
    UnsupportedPlatform {
        /// Which document.
        document: &'static str,
        /// The platform, as dstack calls it.
        kind: String,
    },
    /// A quote of a TPM.
    #[error(
        "{document} is a quote of a TPM, not of Intel TDX: it says nothing about a TD. Hand over the TDX quote that the guest \
         agent gives (GetQuote or Attest)"
    )]
    TpmQuote {
        /// Which document.
        document: &'static str,
    },
    /// A field that matters has a value that it must not have.
    #[error("{document}: `{field}` {problem}")]
    Malformed {
        /// Which document.
        document: &'static str,
        /// Path of the field, as `event_log[3].digest`.
        field: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A field holds more than is read of it. That is a limit of this program, and no fault of the one who sent it.
    #[error("{document}: `{field}` {problem}")]
    FieldTooLarge {
        /// Which document.
        document: &'static str,
        /// Path of the field, as `event_log[3].event_payload`.
        field: String,
        /// How much it holds, and how much is read.
        problem: String,
    },
    /// A field that matters occurs twice, so two readers could use different values.
    #[error("{document}: `{field}` occurs more than once")]
    Duplicate {
        /// Which document.
        document: &'static str,
        /// Path of the field.
        field: String,
    },
}

/// Where a quote lies instead, for people.
fn lies_below(path: Option<&str>) -> String {
    path.map_or_else(String::new, |path| {
        format!("; `{path}` looks like a quote: answer with the object that holds it, not with one around it")
    })
}

/// The text of a document of at most `limit` bytes.
pub(super) fn document_text<'a>(
    document: &'static str,
    body: &'a [u8],
    limit: usize,
) -> Result<&'a str, EvidenceError> {
    within(document, body, limit)?;
    utf8(document, body)
}

/// Refuses a document of more than `limit` bytes.
pub(super) fn within(
    document: &'static str,
    body: impl AsRef<[u8]>,
    limit: usize,
) -> Result<(), EvidenceError> {
    match body.as_ref().len() {
        size if size > limit => Err(EvidenceError::TooLarge {
            document,
            size,
            limit,
        }),
        _ => Ok(()),
    }
}

pub(super) fn utf8<'a>(document: &'static str, body: &'a [u8]) -> Result<&'a str, EvidenceError> {
    std::str::from_utf8(body).map_err(|error| EvidenceError::NotJson {
        document,
        problem: format!("byte {} is not UTF-8", error.valid_up_to() + 1),
    })
}
