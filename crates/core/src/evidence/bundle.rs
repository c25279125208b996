//! The evidence bundle: everything a verdict rests on, in one file that replays to the same result.
//!
//! A bundle is not signed: its nonce and times are its own claim.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::bounded::{short_list, within_budget};
use super::excerpt::json_problem;
use super::{
    EvidenceError, HexError, RecordedChain, RecordedGpu, RecordedKms, RecordedPhalaAnswer,
    RecordedStatements, TlsRecord, bytes,
};
use crate::report::unix_seconds;

/// The name of the JSON format of a [`Bundle`].
pub const SCHEMA: &str = "cvm-verify/evidence/v1";

/// Bytes of a bundle file that are read: two bodies, a compose document and collateral.
const MAX_BUNDLE_BYTES: usize = 32 * 1024 * 1024;

/// Characters that are kept of a sentence for people.
const MAX_PROBLEM: usize = 1000;

/// Recorded evidence, to be verified again later: the file that `cvm-verify verify --evidence` writes. It is not signed: its times and
/// its nonce are its own claim, so a replay proves nothing of the moment or of the address.
/// What others than the app answered is in fields that only the program reads.
#[derive(Debug, Clone)]
pub struct Bundle {
    /// When it was captured, Unix seconds.
    pub captured_at: u64,
    /// Where it came from.
    pub source: BundleSource,
    /// The nonce that it was asked for with: 32 bytes, 64 hex digits in JSON.
    pub nonce: Option<[u8; 32]>,
    /// The verbatim JSON body of `/attestation`.
    pub attestation: Box<RawValue>,
    /// The verbatim JSON body of `/info`; a body that is not JSON is a JSON string of its first bytes.
    pub info: Option<Box<RawValue>>,
    /// What came in place of the information, if that was neither a body nor a 404. A sentence for people.
    pub info_problem: Option<String>,
    /// The collateral, as the JSON text of a `QuoteCollateralV3` with byte fields in hex.
    pub collateral: Option<Box<RawValue>>,
    /// Where the collateral came from.
    pub collateral_source: Option<String>,
    /// When the collateral was fetched, Unix seconds. Older bundles do not say.
    pub collateral_fetched_at: Option<u64>,
    /// A compose document that was given as a file.
    pub app_compose: Option<String>,
    /// What Phala's verification API answered.
    #[doc(hidden)]
    pub phala_api: Option<RecordedPhalaAnswer>,
    /// Intel's early set, where it is another than the standard one.
    #[doc(hidden)]
    pub early: Option<EarlyRecord>,
    /// What was asked for GPUs beside the attestation.
    #[doc(hidden)]
    pub gpu: Option<RecordedGpu>,
    /// What the contracts that govern the app answered.
    #[doc(hidden)]
    pub chain: Option<RecordedChain>,
    /// What the KMSs that the policy names showed and answered. Empty if none was asked.
    #[doc(hidden)]
    pub kms: Vec<RecordedKms>,
    /// What was seen of TLS while the evidence was fetched.
    #[doc(hidden)]
    pub tls: Option<TlsRecord>,
    /// What was looked up of who built the images. Empty where no rule asked for it.
    #[doc(hidden)]
    pub provenance: Vec<RecordedStatements>,
}

impl Bundle {
    /// A bundle of an attestation alone, captured at a time in Unix seconds.
    #[must_use]
    pub const fn new(captured_at: u64, source: BundleSource, attestation: Box<RawValue>) -> Self {
        Self {
            captured_at,
            source,
            nonce: None,
            attestation,
            info: None,
            info_problem: None,
            collateral: None,
            collateral_source: None,
            collateral_fetched_at: None,
            app_compose: None,
            phala_api: None,
            early: None,
            gpu: None,
            chain: None,
            kms: Vec::new(),
            tls: None,
            provenance: Vec::new(),
        }
    }
}

/// Intel's early set, or why it could not be had.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EarlyRecord {
    /// The same form as the bundle's `collateral`.
    pub collateral: Option<Box<RawValue>>,
    /// Why there is none.
    pub problem: Option<String>,
}

/// Who was asked for evidence.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AskedParty {
    /// The app, or a file.
    #[default]
    App,
    /// The guest agent, behind the gateway.
    GuestAgent,
    /// Phala Cloud's API, which stands between the CVM and this program.
    PhalaCloud,
}

/// Where evidence came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BundleSource {
    /// `app` for the app's own endpoints, `guest-agent`, or `phala-cloud` for one instance of its API's answer.
    pub kind: String,
    /// The address that was asked.
    pub url: Option<String>,
}

/// Why a file is not a bundle.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// Larger than any bundle.
    #[error("it is {size} bytes; at most {MAX_BUNDLE_BYTES} are read")]
    TooLarge {
        /// Its size.
        size: usize,
    },
    /// Not UTF-8, not JSON, not an object, a field of another type or twice.
    #[error("{0}")]
    Unreadable(String),
    /// No `schema` of ours: some other JSON document.
    #[error(
        "it has no `schema` of cvm-verify, so it is not an evidence bundle (`verify --evidence FILE` writes one); `replay \
         --attestation FILE` reads a bare /attestation body"
    )]
    NotABundle,
    /// Another kind of our documents.
    #[error("its schema is {found:?}, so it is not an evidence bundle; `verify --evidence FILE` writes one")]
    OtherKind {
        /// What it says.
        found: String,
    },
    /// A bundle of a version of the schema that this program does not know.
    #[error(
        "its schema is {found:?}; this version reads {SCHEMA:?}. Use the version of cvm-verify that wrote it, or a newer one"
    )]
    OtherSchema {
        /// What it says.
        found: String,
    },
    /// The nonce is not 32 bytes of hex.
    #[error("`nonce` {0}")]
    Nonce(HexError),
    /// The time is not RFC 3339, or before 1970.
    #[error("`captured_at` is not an RFC 3339 time")]
    CapturedAt,
    /// The same for the time of the collateral.
    #[error("`collateral_fetched_at` is not an RFC 3339 time")]
    CollateralFetchedAt,
}

#[derive(Serialize)]
struct WrittenBundle<'a> {
    schema: &'a str,
    captured_at: String,
    source: &'a BundleSource,
    nonce: Option<String>,
    attestation: &'a RawValue,
    info: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    info_problem: Option<&'a str>,
    collateral: Option<&'a RawValue>,
    tls: Option<&'a TlsRecord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    collateral_source: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    collateral_fetched_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    app_compose: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phala_api: Option<&'a RecordedPhalaAnswer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    early: Option<&'a EarlyRecord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gpu: Option<&'a RecordedGpu>,
    #[serde(skip_serializing_if = "Option::is_none")]
    chain: Option<&'a RecordedChain>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    kms: &'a [RecordedKms],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    provenance: &'a [RecordedStatements],
}

#[derive(Deserialize)]
struct ReadBundle {
    schema: Option<String>,
    captured_at: String,
    source: BundleSource,
    nonce: Option<String>,
    attestation: Box<RawValue>,
    info: Option<Box<RawValue>>,
    info_problem: Option<String>,
    collateral: Option<Box<RawValue>>,
    collateral_source: Option<String>,
    collateral_fetched_at: Option<String>,
    app_compose: Option<String>,
    #[serde(default, deserialize_with = "within_budget")]
    phala_api: Option<RecordedPhalaAnswer>,
    #[serde(default, deserialize_with = "within_budget")]
    early: Option<EarlyRecord>,
    #[serde(default, deserialize_with = "within_budget")]
    gpu: Option<RecordedGpu>,
    #[serde(default, deserialize_with = "within_budget")]
    chain: Option<RecordedChain>,
    #[serde(default, deserialize_with = "within_budget")]
    kms: Vec<RecordedKms>,
    #[serde(default, deserialize_with = "within_budget")]
    tls: Option<TlsRecord>,
    #[serde(default, deserialize_with = "short_list")]
    provenance: Vec<RecordedStatements>,
}

#[derive(Deserialize)]
struct SchemaOnly {
    schema: Option<String>,
}

/// Bytes for the problems of 64 images whose statements are left out.
const ROOM_FOR_PROBLEMS: usize = 64 * 1024;

impl Bundle {
    /// The bundle as a JSON document with a final newline, of a size that [`Bundle::parse`] reads. The bodies stay verbatim. Statements
    /// about images are left out, the largest first, if there is no room for them.
    ///
    /// # Errors
    /// It is larger than 32 MiB without them, too.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        let mut text = self.to_json_with(&self.provenance)?;
        if text.len() <= MAX_BUNDLE_BYTES {
            return Ok(text);
        }
        // The largest first, so that padded statements about one image take no other image's place.
        let mut provenance = self.provenance.clone();
        let mut left: Vec<(usize, &mut RecordedStatements)> = provenance
            .iter_mut()
            .map(|one| (one.found_bytes(), one))
            .collect();
        left.sort_by_key(|(bytes, _)| *bytes);
        let mut excess = text.len() - MAX_BUNDLE_BYTES + ROOM_FOR_PROBLEMS;
        while let Some((bytes, largest)) = left.pop().filter(|(bytes, _)| *bytes > 0 && excess > 0) {
            *largest = largest.left_out();
            excess = excess.saturating_sub(bytes);
        }
        text = self.to_json_with(&provenance)?;
        match text.len() <= MAX_BUNDLE_BYTES {
            true => Ok(text),
            false => Err(serde::ser::Error::custom(format!(
                "the evidence has {} bytes, and a bundle at most {MAX_BUNDLE_BYTES}",
                text.len()
            ))),
        }
    }

    fn to_json_with(&self, provenance: &[RecordedStatements]) -> Result<String, serde_json::Error> {
        let mut text = serde_json::to_string_pretty(&WrittenBundle {
            schema: SCHEMA,
            captured_at: crate::report::rfc3339(self.captured_at),
            source: &self.source,
            nonce: self.nonce.map(hex::encode),
            attestation: &self.attestation,
            info: self.info.as_deref(),
            info_problem: self.info_problem.as_deref(),
            collateral: self.collateral.as_deref(),
            tls: self.tls.as_ref(),
            collateral_source: self.collateral_source.as_deref(),
            collateral_fetched_at: self.collateral_fetched_at.map(crate::report::rfc3339),
            app_compose: self.app_compose.as_deref(),
            phala_api: self.phala_api.as_ref(),
            early: self.early.as_ref(),
            gpu: self.gpu.as_ref(),
            chain: self.chain.as_ref(),
            kms: &self.kms,
            provenance,
        })?;
        text.push('\n');
        Ok(text)
    }

    /// Reads a bundle.
    ///
    /// # Errors
    /// [`BundleError`] says what the file is instead.
    pub fn parse(file: &[u8]) -> Result<Self, BundleError> {
        if file.len() > MAX_BUNDLE_BYTES {
            return Err(BundleError::TooLarge { size: file.len() });
        }
        if file.trim_ascii().is_empty() {
            return Err(BundleError::Unreadable("it is empty".to_owned()));
        }
        let read = match serde_json::from_slice::<ReadBundle>(file) {
            Ok(read) => read,
            // What kind of document it is says more than which member it lacks.
            Err(error) => {
                let other: SchemaOnly = serde_json::from_slice(file).map_err(unreadable)?;
                refuse_other_schema(other.schema)?;
                return Err(unreadable(error));
            }
        };
        refuse_other_schema(read.schema)?;
        let captured_at = unix_seconds(&read.captured_at).ok_or(BundleError::CapturedAt)?;
        let collateral_fetched_at = read
            .collateral_fetched_at
            .map(|text| unix_seconds(&text).ok_or(BundleError::CollateralFetchedAt))
            .transpose()?;
        Ok(Self {
            captured_at,
            source: read.source,
            nonce: read
                .nonce
                .map(|text| bytes::hex_exact(&text))
                .transpose()
                .map_err(BundleError::Nonce)?,
            attestation: read.attestation,
            info: read.info.filter(|info| info.get() != "null"),
            info_problem: read
                .info_problem
                .map(|problem| problem.chars().take(MAX_PROBLEM).collect()),
            collateral: read.collateral.filter(|collateral| collateral.get() != "null"),
            collateral_source: read.collateral_source,
            collateral_fetched_at,
            app_compose: read.app_compose,
            phala_api: read.phala_api,
            early: read.early,
            gpu: read.gpu,
            chain: read.chain,
            kms: read.kms,
            tls: read.tls,
            provenance: read.provenance,
        })
    }

    /// Parses the evidence inside.
    ///
    /// # Errors
    /// An [`EvidenceError`] that names the document and the field.
    pub fn evidence(&self) -> Result<super::Evidence, EvidenceError> {
        super::Evidence::parse(
            self.attestation.get().as_bytes(),
            self.info.as_ref().map(|info| info.get().as_bytes()),
            self.app_compose.as_ref().map(String::as_bytes),
            self.nonce,
        )
        .map(|evidence| evidence.with_gpu(self.gpu.as_ref()))
        .map(|evidence| match &self.info_problem {
            Some(problem) => evidence.without_info(problem.clone()),
            None => evidence,
        })
    }
}

fn refuse_other_schema(schema: Option<String>) -> Result<(), BundleError> {
    match schema.filter(|found| found.starts_with("cvm-verify/")) {
        None => Err(BundleError::NotABundle),
        Some(found) if found != SCHEMA => {
            let is_bundle = found.starts_with("cvm-verify/evidence/");
            let found = found.chars().take(80).collect();
            Err(match is_bundle {
                true => BundleError::OtherSchema { found },
                false => BundleError::OtherKind { found },
            })
        }
        Some(_) => Ok(()),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "used as a function of map_err")]
fn unreadable(error: serde_json::Error) -> BundleError {
    BundleError::Unreadable(if error.is_eof() {
        "it ends too early".to_owned()
    } else {
        json_problem(&error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{LookupProblemKind, StatementSource};

    fn raw(text: String) -> Box<RawValue> {
        RawValue::from_string(text).unwrap()
    }

    #[test]
    fn what_is_written_is_read_whoever_pads_the_statements_about_an_image() {
        let source = BundleSource {
            kind: "app".to_owned(),
            url: None,
        };
        let mut bundle = Bundle::new(1_700_000_000, source, raw("{\"quote\":\"00\"}".to_owned()));
        let padded = format!("\"{}\"", "x".repeat(1024 * 1024));
        bundle.provenance.push(RecordedStatements {
            image: "web@sha256:00".to_owned(),
            from: StatementSource::Registry,
            url: None,
            fetched_at: String::new(),
            bundles: vec![raw(padded); 32],
            documents: vec!["{}".to_owned()],
            legacy_signature: false,
            problem: None,
        });
        // What convicts another image, or says that it has none, stays.
        let other = RecordedStatements {
            image: "db@sha256:11".to_owned(),
            bundles: vec![raw("{}".to_owned())],
            documents: Vec::new(),
            ..bundle.provenance[0].clone()
        };
        bundle.provenance.push(other.clone());
        let read = Bundle::parse(bundle.to_json().unwrap().as_bytes()).unwrap();
        assert_eq!(read.attestation.get(), bundle.attestation.get());
        let [statements, kept] = &read.provenance[..] else {
            panic!("{:?}", read.provenance.len())
        };
        assert!(statements.bundles.is_empty() && statements.documents.is_empty());
        let kind = statements.problem.as_ref().map(|problem| problem.kind);
        assert_eq!(kind, Some(LookupProblemKind::TooManyStatements));
        assert_eq!((kept.bundles.len(), kept.problem.is_none()), (1, true));
        assert_eq!(kept.image, other.image);

        bundle.provenance.clear();
        bundle.info = Some(raw(format!("\"{}\"", "x".repeat(MAX_BUNDLE_BYTES))));
        let error = bundle.to_json().unwrap_err().to_string();
        assert!(error.contains("a bundle at most 33554432"), "{error}");
    }

    #[test]
    fn a_member_of_more_values_than_a_recording_has_is_refused() {
        let with = |member: String| {
            let text = format!(
                r#"{{"schema":"{SCHEMA}","captured_at":"2026-01-01T00:00:00Z","source":{{"kind":"app"}},"attestation":{{}},{member}}}"#
            );
            Bundle::parse(text.as_bytes()).map_err(|error| error.to_string())
        };
        let refused = |member: String| with(member).unwrap_err();
        let zeros = |count: usize| vec!["0"; count].join(",");
        let kms = |count| format!(r#""kms":[{}]"#, vec![r#"{"host":""}"#; count].join(","));
        assert_eq!(with(kms(5)).unwrap().kms.len(), 5);
        for member in [
            format!(r#""chain":{{"exchanges":[{{"params":[{}]}}]}}"#, zeros(500_000)),
            kms(300_000),
            format!(r#""tls":[{}]"#, zeros(500_001)),
        ] {
            let said = refused(member);
            assert!(said.contains("more than 500000 values"), "{said}");
        }
        let statements = |bundles: usize| {
            let bundles = zeros(bundles);
            format!(r#"{{"image":"a","from":"registry","fetched_at":"","bundles":[{bundles}]}}"#)
        };
        let provenance = |count: usize, bundles| {
            format!(r#""provenance":[{}]"#, vec![statements(bundles); count].join(","))
        };
        assert_eq!(
            with(provenance(3, 1000)).unwrap().provenance[2].bundles.len(),
            1000
        );
        for member in [provenance(1001, 1), provenance(1, 1001)] {
            let said = refused(member);
            assert!(said.contains("a list of at most 1000 members"), "{said}");
        }
    }
}
