//! The evidence files of dstack-ingress (dstack-examples, `custom-domain/dstack-ingress/scripts/evidence-lib.sh`), read and
//! unproven.
//!
//! The ingress ends TLS inside the VM and serves four kinds of file below `/evidences/`: the manifest `sha256sum.txt`, the files
//! that it lists (the ACME account and the certificates), and `quote.json`, whose report data holds the hash of the manifest.

use std::collections::BTreeMap;

/// Bytes of `sha256sum.txt`. Real ones have about 200.
pub const MAX_INGRESS_MANIFEST_BYTES: usize = 8 * 1024;

/// Lines of `sha256sum.txt`: an account and up to 15 certificates.
const MAX_LINES: usize = 16;

/// Bytes of each file that the manifest lists. A certificate chain has about 6 KiB.
pub const MAX_INGRESS_FILE_BYTES: usize = 64 * 1024;

/// Bytes of `quote.json`. Real ones have about 40 KiB.
pub const MAX_INGRESS_QUOTE_BYTES: usize = 256 * 1024;

/// The manifest's own name.
pub const INGRESS_MANIFEST: &str = "sha256sum.txt";

/// The file with the quote.
pub const INGRESS_QUOTE: &str = "quote.json";

/// The file of the ACME account.
pub(crate) const INGRESS_ACCOUNT: &str = "acme-account.json";

/// What an ingress supplied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IngressEvidence {
    /// The host name that was asked, lower case.
    pub host: String,
    /// `sha256sum.txt`, the exact bytes.
    pub manifest: Vec<u8>,
    /// The files that the manifest lists and the ingress served, by name. Empty if the manifest cannot be read.
    pub files: BTreeMap<String, Vec<u8>>,
    /// `quote.json`. Empty if it was empty or not served: the ingress could not quote after a renewal.
    pub quote: Vec<u8>,
}

/// What was seen of an ingress at an address.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum IngressSeen {
    /// It was not asked for.
    #[default]
    NotAsked,
    /// The server has no manifest.
    Absent,
    /// It could not be fetched. For people, a clause.
    Unreachable(String),
    /// It supplied this.
    Evidence(Box<IngressEvidence>),
}

/// The lines of a manifest: each file once, with its SHA-256.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IngressManifest(BTreeMap<String, [u8; 32]>);

/// Why a manifest is refused: a clause that follows "the manifest".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// Too large.
    #[error("has {0} bytes; at most {MAX_INGRESS_MANIFEST_BYTES} are read")]
    TooLarge(usize),
    /// Too many lines.
    #[error("has more than {MAX_LINES} lines")]
    TooManyLines,
    /// No line.
    #[error("is empty")]
    Empty,
    /// Not what `sha256sum` writes.
    #[error(
        "has a line {0} that is not 64 lower-case hex digits, two spaces and a name, with a line feed at its end"
    )]
    Line(usize),
    /// A line that ends in carriage return and line feed.
    #[error("has a carriage return in line {0}; `sha256sum` writes none")]
    CarriageReturn(usize),
    /// A name that no file of an ingress has: one with a folder in it, for example.
    #[error("lists in line {0} a name that is neither {INGRESS_ACCOUNT} nor that of a certificate")]
    Name(usize),
    /// A file with two hashes.
    #[error("lists in line {0} a name for the second time")]
    Twice(usize),
}

impl ManifestError {
    /// Whether the file is no manifest at all: a page that a server answers every address with, for example.
    #[must_use]
    pub(crate) const fn is_of_another_file(&self) -> bool {
        match self {
            Self::TooLarge(_) | Self::Empty | Self::Line(1) => true,
            Self::TooManyLines | Self::Line(_) | Self::CarriageReturn(_) | Self::Name(_) | Self::Twice(_) => {
                false
            }
        }
    }
}

impl IngressManifest {
    /// Reads the bytes of `sha256sum.txt`.
    ///
    /// # Errors
    /// [`ManifestError`] names the line.
    pub fn parse(bytes: &[u8]) -> Result<Self, ManifestError> {
        if bytes.len() > MAX_INGRESS_MANIFEST_BYTES {
            return Err(ManifestError::TooLarge(bytes.len()));
        }
        let mut files = BTreeMap::new();
        // Each line has a line feed at its end, so nothing follows the last one.
        for (number, line) in (1..).zip(bytes.split_inclusive(|byte| *byte == b'\n')) {
            if number > MAX_LINES {
                return Err(ManifestError::TooManyLines);
            }
            let (hash, name) = line_of(line).ok_or(ManifestError::Line(number))?;
            if name.ends_with('\r') {
                return Err(ManifestError::CarriageReturn(number));
            }
            if !is_name(name) {
                return Err(ManifestError::Name(number));
            }
            if files.insert(name.to_owned(), hash).is_some() {
                return Err(ManifestError::Twice(number));
            }
        }
        match files.is_empty() {
            true => Err(ManifestError::Empty),
            false => Ok(Self(files)),
        }
    }

    /// The names. Each is safe to put behind `/evidences/`: it has no slash and no two dots in a row.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The files with their SHA-256.
    pub fn files(&self) -> impl Iterator<Item = (&str, &[u8; 32])> {
        self.0.iter().map(|(name, hash)| (name.as_str(), hash))
    }

    /// The listed certificate for a host: its own, that of the wildcard above it, or the one of older releases. Case is not
    /// significant in the name of a host.
    #[must_use]
    pub(crate) fn certificate_of(&self, host: &str) -> Option<&str> {
        let wildcard = host
            .split_once('.')
            .map(|(_, parent)| format!("cert-*.{parent}.pem"));
        let names = [
            Some(format!("cert-{host}.pem")),
            wildcard,
            Some("cert.pem".to_owned()),
        ];
        names
            .into_iter()
            .flatten()
            .find_map(|name| self.names().find(|listed| listed.eq_ignore_ascii_case(&name)))
    }
}

fn line_of(line: &[u8]) -> Option<([u8; 32], &str)> {
    let line = std::str::from_utf8(line).ok()?.strip_suffix('\n')?;
    let (digits, name) = line.split_once("  ")?;
    let is_lower = digits
        .bytes()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let mut hash = [0; 32];
    (is_lower && hex::decode_to_slice(digits, &mut hash).is_ok()).then_some((hash, name))
}

/// `acme-account.json`, or `cert…pem` of letters, digits, `-`, `.`, `*` and `_`.
fn is_name(name: &str) -> bool {
    let is_certificate = name
        .strip_prefix("cert")
        .and_then(|rest| rest.strip_suffix(".pem"))
        .is_some_and(|middle| {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-.*_".contains(&byte);
            middle.len() <= 253 && middle.bytes().all(plain) && !name.contains("..")
        });
    name == INGRESS_ACCOUNT || is_certificate
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HASH: &str = "5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c";

    fn parsed(text: &str) -> Result<Vec<String>, ManifestError> {
        let manifest = IngressManifest::parse(text.as_bytes())?;
        Ok(manifest.names().map(str::to_owned).collect())
    }

    #[test]
    fn what_sha256sum_writes_is_read() {
        let text = format!(
            "{HASH}  acme-account.json\n{HASH}  cert-app.example.pem\n{HASH}  cert-*.b.example.pem\n"
        );
        assert_eq!(
            parsed(&text).unwrap(),
            [
                "acme-account.json",
                "cert-*.b.example.pem",
                "cert-app.example.pem"
            ]
        );
        let manifest = IngressManifest::parse(text.as_bytes()).unwrap();
        assert_eq!(
            manifest.certificate_of("app.example"),
            Some("cert-app.example.pem")
        );
        assert_eq!(
            manifest.certificate_of("a.b.example"),
            Some("cert-*.b.example.pem")
        );
        assert_eq!(
            manifest.certificate_of("App.example"),
            Some("cert-app.example.pem")
        );
        assert_eq!(manifest.certificate_of("other.example"), None);
        let older = format!("{HASH}  acme-account.json\n{HASH}  cert.pem\n");
        let older = IngressManifest::parse(older.as_bytes()).unwrap();
        assert_eq!(older.certificate_of("other.example"), Some("cert.pem"));
    }

    #[test]
    fn each_odd_manifest_has_its_own_words() {
        let line = |name: &str| format!("{HASH}  {name}\n");
        for (text, error) in [
            (String::new(), ManifestError::Empty),
            ("x".repeat(9000), ManifestError::TooLarge(9000)),
            (line("cert-a.pem").repeat(17), ManifestError::Twice(2)),
            (line("../cert-a.pem"), ManifestError::Name(1)),
            (line("cert-../a.pem"), ManifestError::Name(1)),
            (line("cert-..pem"), ManifestError::Name(1)),
            (line("/etc/passwd"), ManifestError::Name(1)),
            (line("cert-a.pem\r"), ManifestError::CarriageReturn(1)),
            (line("quote.json"), ManifestError::Name(1)),
            (format!("{HASH}  cert-a.pem"), ManifestError::Line(1)),
            (
                format!("{}  cert-a.pem\n", HASH.to_uppercase()),
                ManifestError::Line(1),
            ),
            (format!("{HASH} *cert-a.pem\n"), ManifestError::Line(1)),
            (format!("{HASH}  cert-a.pem\n\n"), ManifestError::Line(2)),
        ] {
            assert_eq!(parsed(&text).unwrap_err(), error, "{text:.80}");
        }
        let many: String = (0..17)
            .map(|number| line(&format!("cert-{number}.pem")))
            .collect();
        assert_eq!(parsed(&many).unwrap_err(), ManifestError::TooManyLines);
    }

    #[test]
    fn a_page_for_every_address_is_another_file_and_a_bad_manifest_is_not() {
        let of = |text: &str| parsed(text).unwrap_err().is_of_another_file();
        assert!(of("<!doctype html><html></html>\n") && of("") && of(&"x".repeat(9000)));
        assert!(!of(&format!("{HASH}  cert-a.pem\r\n")) && !of(&format!("{HASH}  ../a.pem\n")));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(names in proptest::collection::btree_set("cert-[a-z0-9]{1,9}(\\.[a-z0-9]{1,9}){1,3}\\.pem", 1..15)) {
            let text: String = names.iter().map(|name| format!("{HASH}  {name}\n")).collect();
            prop_assert_eq!(parsed(&text).unwrap(), names.into_iter().collect::<Vec<_>>());
        }

        #[test]
        fn no_text_panics_and_no_name_leads_elsewhere(text in "([0-9a-f]{64}  [a-z./*-]{0,20}\n?){0,3}|\\PC{0,80}") {
            if let Ok(names) = parsed(&text) {
                prop_assert!(names.iter().all(|name| !name.contains('/') && !name.contains("..")));
            }
        }
    }
}
