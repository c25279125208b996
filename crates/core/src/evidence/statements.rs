//! What was looked up about who built an image: Sigstore bundles as they were received, and why there are none.

use std::collections::BTreeMap;

use base64::Engine as _;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::bounded::short_list;
use super::has_more_values_than;

/// Most bundles that are read about one image from one source.
pub const MAX_STATEMENTS: usize = 30;
/// Most images that are looked up for one deployment.
pub(crate) const MAX_LOOKED_UP: usize = 64;

crate::word_enum! {
    /// Where statements about an image are looked up.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    pub enum StatementSource {
        /// A file that the user named.
        File = "file",
        /// GitHub's API.
        GithubApi = "github-api",
        /// The registry of the image.
        Registry = "registry",
    }
}

impl StatementSource {
    /// As a sentence names it.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::File => "the given files",
            Self::GithubApi => "GitHub's API",
            Self::Registry => "the registry",
        }
    }
}

impl LookupProblem {
    /// There is more than is read.
    #[must_use]
    pub fn too_many(source: StatementSource) -> Self {
        Self {
            kind: LookupProblemKind::TooManyStatements,
            detail: format!(
                "{} lists more statements about it than are read: at most {MAX_STATEMENTS}, on at most 8 pages",
                source.words()
            ),
        }
    }
}

/// What one source said of one image. Nothing in it is proven.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RecordedStatements {
    /// The image's name with its digest, `NAME@sha256:HEX`.
    pub image: String,
    /// Who was asked.
    pub from: StatementSource,
    /// The address that was asked, without its query; the path of a file.
    pub url: Option<String>,
    /// When, RFC 3339 UTC.
    pub fetched_at: String,
    /// The bundles, JSON as received.
    #[serde(default, deserialize_with = "short_list")]
    pub bundles: Vec<Box<RawValue>>,
    /// What the registry holds under digests that follow from the image's: its index, and what BuildKit attests about it.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "short_list"
    )]
    pub documents: Vec<String>,
    /// Whether the registry has a signature of cosign's old format.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub legacy_signature: bool,
    /// Why it is not known whether there are any, or all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<LookupProblem>,
}

impl RecordedStatements {
    /// Bytes of what was found.
    pub(super) fn found_bytes(&self) -> usize {
        let bundles = self.bundles.iter().map(|bundle| bundle.get().len());
        bundles.chain(self.documents.iter().map(String::len)).sum()
    }

    /// The same without what was found, for which a bundle has no room.
    pub(super) fn left_out(&self) -> Self {
        Self {
            image: self.image.clone(),
            from: self.from,
            url: self.url.clone(),
            fetched_at: self.fetched_at.clone(),
            bundles: Vec::new(),
            documents: Vec::new(),
            legacy_signature: self.legacy_signature,
            problem: Some(LookupProblem {
                kind: LookupProblemKind::TooManyStatements,
                detail: format!(
                    "what {} has about it was left out of the evidence bundle, which has at most 32 MiB",
                    self.from.words()
                ),
            }),
        }
    }
}

/// Why a look-up failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LookupProblem {
    /// Which of the known ones.
    pub kind: LookupProblemKind,
    /// The facts, a sentence without its full stop. No secret, and no word of the server.
    pub detail: String,
}

/// The kinds of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LookupProblemKind {
    /// Without a token, "not found" and "forbidden" say nothing: a private repository answers so, too.
    CannotSee,
    /// The token may not read it.
    ApiDenied,
    /// Too many requests; the detail says until when.
    RateLimited,
    /// No connection, no answer in time, a server error.
    Unreachable,
    /// An answer of another form, or beyond a limit.
    MalformedAnswer,
    /// More statements than are read.
    TooManyStatements,
    /// A replay sends no request, and the evidence holds nothing about the image.
    NotRecorded,
}

/// Largest file of bundles, in bytes.
pub const MAX_STATEMENT_FILE: usize = 8 * 1024 * 1024;
/// Most bundles of a file.
const MAX_OF_FILE: usize = 1024;
/// Values of a file in JSON.
const MAX_VALUES: usize = 200_000;

/// The bundles of a file that the user named: one, a list, JSON lines, or an answer of GitHub's API.
#[derive(Debug, Clone)]
pub struct StatementFile {
    path: String,
    bundles: Vec<Box<RawValue>>,
}

/// Why a file holds no bundles.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StatementFileError {
    /// Not JSON, or another shape.
    #[error(
        "it is neither a Sigstore bundle nor a list of them, JSON lines of them, or an answer of GitHub's attestations API"
    )]
    NotBundles,
    /// Too many.
    #[error("it holds more than {MAX_OF_FILE} bundles or {MAX_VALUES} values")]
    TooMany,
    /// An answer of GitHub's API whose bundles are elsewhere.
    #[error(
        "it is an answer of GitHub's API that names its bundles by address; give the bundles themselves (`gh attestation \
         download`)"
    )]
    ByAddress,
    /// A statement of in-toto as it is before it is signed.
    #[error(
        "it is the statement itself, which nobody signed; sign it, and give the bundle that signing it wrote"
    )]
    Unsigned,
}

/// What tells a statement of in-toto that stands by itself.
#[derive(Deserialize)]
struct BareStatement {
    #[serde(rename = "_type")]
    _type: String,
}

#[derive(Deserialize)]
struct ApiAnswer {
    attestations: Vec<ApiAttestation>,
}

#[derive(Deserialize)]
struct ApiAttestation {
    bundle: Option<Box<RawValue>>,
}

impl StatementFile {
    /// Reads a file's bytes. `path` is for people and for the bundle.
    ///
    /// # Errors
    /// [`StatementFileError`] says what it is instead.
    #[doc(hidden)]
    pub fn parse(path: &str, file: &[u8]) -> Result<Self, StatementFileError> {
        if has_more_values_than(file, MAX_VALUES) {
            return Err(StatementFileError::TooMany);
        }
        let mut bundles = Vec::new();
        for document in serde_json::Deserializer::from_slice(file).into_iter::<Box<RawValue>>() {
            let document = document.map_err(|_| StatementFileError::NotBundles)?;
            let text = document.get();
            if text.starts_with('[') {
                let list: Vec<Box<RawValue>> =
                    serde_json::from_str(text).map_err(|_| StatementFileError::NotBundles)?;
                bundles.extend(list);
            } else if let Ok(answer) = serde_json::from_str::<ApiAnswer>(text) {
                for attestation in answer.attestations {
                    let bundle = attestation.bundle.filter(|bundle| bundle.get() != "null");
                    bundles.push(bundle.ok_or(StatementFileError::ByAddress)?);
                }
            } else if serde_json::from_str::<BareStatement>(text).is_ok() {
                return Err(StatementFileError::Unsigned);
            } else {
                bundles.push(document);
            }
            if bundles.len() > MAX_OF_FILE {
                return Err(StatementFileError::TooMany);
            }
        }
        match bundles.is_empty() || !bundles.iter().all(|bundle| is_bundle(bundle.get())) {
            true => Err(StatementFileError::NotBundles),
            false => Ok(Self {
                path: path.to_owned(),
                bundles,
            }),
        }
    }

    /// The bundles whose statement has this digest as a subject: others prove nothing of it.
    pub fn bundles_about(&self, digest: &[u8; 32]) -> impl Iterator<Item = &Box<RawValue>> {
        let wanted = hex::encode(digest);
        self.bundles
            .iter()
            .filter(move |bundle| is_about(bundle.get(), &wanted))
    }

    /// What it says of an image, in at most [`MAX_STATEMENTS`] bundles.
    #[must_use]
    pub fn about(&self, image: &str, digest: &[u8; 32], at: String) -> RecordedStatements {
        let mut about = self.bundles_about(digest);
        let bundles = about.by_ref().take(MAX_STATEMENTS).cloned().collect();
        RecordedStatements {
            image: image.to_owned(),
            from: StatementSource::File,
            url: Some(self.path.clone()),
            fetched_at: at,
            bundles,
            documents: Vec::new(),
            legacy_signature: false,
            problem: about
                .next()
                .map(|_| LookupProblem::too_many(StatementSource::File)),
        }
    }
}

/// Whether a document is what Sigstore calls a bundle: it holds a statement or a signature over something else.
fn is_bundle(document: &str) -> bool {
    let members: BTreeMap<String, IgnoredAny> = serde_json::from_str(document).unwrap_or_default();
    members.contains_key("dsseEnvelope") || members.contains_key("messageSignature")
}

/// Whether a subject of the statement inside a bundle, unproven, has this SHA-256, hex.
fn is_about(bundle: &str, wanted: &str) -> bool {
    let statement = payload(bundle).and_then(|payload| serde_json::from_slice(&payload).ok());
    let subjects = statement
        .as_ref()
        .and_then(|statement: &Value| statement.get("subject")?.as_array());
    let digest = |subject: &Value| subject.pointer("/digest/sha256").and_then(Value::as_str) == Some(wanted);
    subjects.is_some_and(|subjects| subjects.iter().any(digest))
}

/// The statement inside a bundle, unproven.
fn payload(bundle: &str) -> Option<Vec<u8>> {
    #[derive(Deserialize)]
    struct Outer {
        #[serde(rename = "dsseEnvelope")]
        envelope: Inner,
    }
    #[derive(Deserialize)]
    struct Inner {
        payload: String,
    }
    let outer: Outer = serde_json::from_str(bundle).ok()?;
    base64::engine::general_purpose::STANDARD
        .decode(outer.envelope.payload)
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bundle_of(statement: &str) -> String {
        let payload = base64::engine::general_purpose::STANDARD.encode(statement);
        format!(r#"{{"dsseEnvelope":{{"payload":"{payload}"}}}}"#)
    }

    fn bundle(digest: &str) -> String {
        bundle_of(&format!(
            r#"{{"subject":[{{}},{{"digest":{{"sha256":"{digest}"}}}}]}}"#
        ))
    }

    #[test]
    fn a_statement_is_about_its_subjects_and_not_about_what_it_mentions() {
        let digest = "aa".repeat(32);
        let mentions = [
            format!(r#"{{"subject":[],"predicate":{{"digest":{{"sha256":"{digest}"}}}}}}"#),
            format!(r#"{{"subject":[{{"name":"{digest}","digest":{{"sha512":"{digest}"}}}}]}}"#),
            format!(r#"{{"subject":{{"digest":{{"sha256":"{digest}"}}}}}}"#),
            format!(r#"{{"subject":["{digest}"#),
        ];
        let texts: Vec<String> = mentions.iter().map(|statement| bundle_of(statement)).collect();
        let file = StatementFile::parse("f", texts.join("\n").as_bytes()).unwrap();
        assert_eq!(file.bundles.len(), 4);
        assert_eq!(file.bundles_about(&[0xaa; 32]).count(), 0);
    }

    #[test]
    fn each_form_of_file_gives_its_bundles() {
        let (a, b) = (bundle(&"aa".repeat(32)), bundle(&"bb".repeat(32)));
        for (text, count) in [
            (a.clone(), 1),
            (format!("{a}\n{b}\n"), 2),
            (format!("[{a},{b}]"), 2),
            (format!(r#"{{"attestations":[{{"bundle":{a}}}]}}"#), 1),
        ] {
            let file = StatementFile::parse("f", text.as_bytes()).unwrap();
            assert_eq!(file.bundles.len(), count, "{text}");
            let about = file.about("web", &[0xaa; 32], String::new());
            assert_eq!(about.bundles.len(), 1, "{text}");
            assert_eq!(file.about("web", &[0xcc; 32], String::new()).bundles.len(), 0);
        }
    }

    #[test]
    fn what_is_cut_off_is_said() {
        let of = |count| {
            let text = bundle(&"aa".repeat(32)).repeat(count);
            let file = StatementFile::parse("f", text.as_bytes()).unwrap();
            let about = file.about("web", &[0xaa; 32], String::new());
            (about.bundles.len(), about.problem.map(|problem| problem.kind))
        };
        assert_eq!(of(MAX_STATEMENTS), (30, None));
        assert_eq!(
            of(MAX_STATEMENTS + 1),
            (30, Some(LookupProblemKind::TooManyStatements))
        );
        let text = bundle(&"aa".repeat(32)).repeat(MAX_STATEMENTS + 1);
        let file = StatementFile::parse("f", text.as_bytes()).unwrap();
        assert_eq!(file.bundles_about(&[0xaa; 32]).count(), MAX_STATEMENTS + 1);
    }

    #[test]
    fn what_holds_no_bundle_is_refused() {
        for (text, error) in [
            ("", StatementFileError::NotBundles),
            ("x", StatementFileError::NotBundles),
            ("[1]", StatementFileError::NotBundles),
            (
                r#"{"schema":"cvm-verify/report/v1"}"#,
                StatementFileError::NotBundles,
            ),
            (
                r#"{"verifier":{},"verificationResult":"PASSED"}"#,
                StatementFileError::NotBundles,
            ),
            (
                r#"{"attestations":[{"bundle":null,"bundle_url":"https://x.example"}]}"#,
                StatementFileError::ByAddress,
            ),
            (
                r#"{"_type":"https://in-toto.io/Statement/v1","subject":[],"predicate":{}}"#,
                StatementFileError::Unsigned,
            ),
        ] {
            assert_eq!(
                StatementFile::parse("f", text.as_bytes()).unwrap_err(),
                error,
                "{text}"
            );
        }
        let many = "{}\n".repeat(2_000);
        assert_eq!(
            StatementFile::parse("f", many.as_bytes()).unwrap_err(),
            StatementFileError::TooMany
        );
    }
}
