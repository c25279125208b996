//! The measurement document of an OS image: `measurement.tdx.cbor`, which a dstack 0.6 guest shows beside its evidence
//! (dstack 0.6, `dstack-mr/src`).
//!
//! Nobody signed it. It is bound to a published `os_image_hash` by the image's checksum file, and it proves something only
//! where the registers that follow from it are those of a verified quote.

use minicbor::Decoder;
use minicbor::data::Type;

use super::registers::{
    AcpiDigests, CONFIGURATION_VOLUME, Digest384, command_line_digest, rtmr0, rtmr1, rtmr2,
};
use super::td_hob::{MemoryError, Witness, WitnessError};
use crate::verify::digest::sha256;

/// The most bytes that a document may have. Real ones have about 600.
pub const MAX_DOCUMENT: usize = 16 * 1024;
/// The most bytes that a checksum file may have. Real ones have about 1 KiB.
pub const MAX_CHECKSUM_FILE: usize = 64 * 1024;
/// The most bytes that a kernel command line may have (dstack 0.6, `measurement.tdx.cbor` of an image).
const MAX_COMMAND_LINE: usize = 2048;
/// The document's name in the checksum file.
const FILE_NAME: &str = "measurement.tdx.cbor";
/// The token that binds the root file system to the command line.
const ROOT_HASH: &str = "dstack.rootfs_hash=";
/// What QEMU adds to the command line, so that the document must not have it.
const ADDED_BY_QEMU: &str = " initrd=initrd";
/// The firmware family whose RTMR0 events are known.
const FIRMWARE: &str = "pre202505";

/// A measurement document that belongs to an `os_image_hash`, and what follows from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeasurementDocument {
    /// SHA-256 of the checksum file that lists the document.
    os_image_hash: [u8; 32],
    version: u64,
    mrtd: Mrtd,
    rtmr1: Digest384,
    rtmr2: Digest384,
    td_hob: Witness,
}

/// MRTD by the order in which the hypervisor adds the firmware's pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mrtd {
    /// Each page is extended when it is added: QEMU 9 and later.
    pub single_pass: Digest384,
    /// All pages of a section are added, then extended: QEMU 8.
    pub two_pass: Digest384,
}

impl Mrtd {
    /// The order in which the pages of this MRTD were added.
    #[must_use]
    pub fn order_of(&self, mrtd: &Digest384) -> Option<PageOrder> {
        if *mrtd == self.single_pass {
            Some(PageOrder::SinglePass)
        } else if *mrtd == self.two_pass {
            Some(PageOrder::TwoPass)
        } else {
            None
        }
    }
}

/// The order in which the hypervisor adds the firmware's pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageOrder {
    /// QEMU 9 and later.
    SinglePass,
    /// QEMU 8.
    TwoPass,
}

/// Why a measurement document is not usable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// More bytes than accepted.
    #[error("the {what} has {bytes} bytes; at most {limit} are accepted")]
    TooLarge {
        /// `checksum file` or `measurement document`.
        what: &'static str,
        /// How many it has.
        bytes: usize,
        /// How many are accepted.
        limit: usize,
    },
    /// The checksum file is not a list of `SHA-256  NAME` lines.
    #[error("line {0} of the checksum file is not `SHA-256  NAME`")]
    ChecksumLine(usize),
    /// The checksum file names a file twice.
    #[error("the checksum file names {FILE_NAME} twice")]
    ListedTwice,
    /// The checksum file does not list the document.
    #[error("the checksum file does not list {FILE_NAME}")]
    NotListed,
    /// The checksum file lists another document.
    #[error("the checksum file lists {FILE_NAME} with SHA-256 {listed}, the document has {found}")]
    OtherDocument {
        /// Hex of 32 bytes.
        listed: String,
        /// Hex of 32 bytes.
        found: String,
    },
    /// Not the CBOR that is expected.
    #[error("the measurement document is not CBOR with definite lengths: {0}")]
    Cbor(String),
    /// A key that this version does not know: it could change what the others mean.
    #[error("the measurement document has the unknown key `{0}`")]
    UnknownKey(String),
    /// A key given twice.
    #[error("the measurement document has the key `{0}` twice")]
    DuplicateKey(&'static str),
    /// A key that must be there.
    #[error("the measurement document lacks the key `{0}`")]
    MissingKey(&'static str),
    /// A field with another value than one that is understood.
    #[error("`{field}` of the measurement document {problem}")]
    Field {
        /// The field's path.
        field: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// A version that is not read.
    #[error("the measurement document has version {0}; versions 3 and 4 are read")]
    Version(u64),
    /// Bytes behind the document.
    #[error("the measurement document has {0} bytes behind its end")]
    TrailingBytes(usize),
    /// The firmware's memory layout.
    #[error("{0}")]
    Witness(#[from] WitnessError),
}

impl MeasurementDocument {
    /// Reads a document and binds it to the hash of the checksum file that lists it. The hash itself is as good as the
    /// place that published it.
    ///
    /// # Errors
    /// [`DocumentError`].
    pub fn read(checksum_file: &[u8], document: &[u8]) -> Result<Self, DocumentError> {
        limit("checksum file", checksum_file, MAX_CHECKSUM_FILE)?;
        limit("measurement document", document, MAX_DOCUMENT)?;
        let listed = listed_hash(checksum_file, FILE_NAME)?.ok_or(DocumentError::NotListed)?;
        let found = sha256(document);
        if listed != found {
            return Err(DocumentError::OtherDocument {
                listed: hex::encode(listed),
                found: hex::encode(found),
            });
        }
        let fields = Fields::parse(document)?;
        Ok(Self {
            os_image_hash: sha256(checksum_file),
            version: fields.version,
            mrtd: fields.mrtd,
            rtmr1: rtmr1(&fields.kernel),
            rtmr2: rtmr2(&fields.command_line, &fields.initrd),
            td_hob: Witness::parse(&fields.td_hob)?,
        })
    }

    /// SHA-256 of the checksum file: the hash that a release page publishes, where the document is that release's.
    #[must_use]
    pub const fn os_image_hash(&self) -> &[u8; 32] {
        &self.os_image_hash
    }

    /// The document's version, 3 or 4.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// MRTD, by page order.
    #[must_use]
    pub const fn mrtd(&self) -> &Mrtd {
        &self.mrtd
    }

    /// RTMR1.
    #[must_use]
    pub const fn rtmr1(&self) -> &Digest384 {
        &self.rtmr1
    }

    /// RTMR2.
    #[must_use]
    pub const fn rtmr2(&self) -> &Digest384 {
        &self.rtmr2
    }

    /// RTMR0 of a VM with this much memory, bytes, and these ACPI tables.
    ///
    /// # Errors
    /// [`MemoryError`].
    pub fn rtmr0(&self, memory_size: u64, acpi: &AcpiDigests) -> Result<Digest384, MemoryError> {
        Ok(rtmr0(
            &self.td_hob.digest(memory_size)?,
            &CONFIGURATION_VOLUME,
            acpi,
        ))
    }
}

fn limit(what: &'static str, bytes: &[u8], limit: usize) -> Result<(), DocumentError> {
    if bytes.len() > limit {
        return Err(DocumentError::TooLarge {
            what,
            bytes: bytes.len(),
            limit,
        });
    }
    Ok(())
}

/// The SHA-256 that a checksum file lists for a file. Every line is read: a file with a line that is not understood is refused.
///
/// # Errors
/// [`DocumentError::ChecksumLine`], [`DocumentError::ListedTwice`].
pub fn listed_hash(checksum_file: &[u8], name: &str) -> Result<Option<[u8; 32]>, DocumentError> {
    let text = std::str::from_utf8(checksum_file).map_err(|_| DocumentError::ChecksumLine(1))?;
    let mut found = None;
    for (index, line) in text.strip_suffix('\n').unwrap_or(text).split('\n').enumerate() {
        let wrong = || DocumentError::ChecksumLine(index + 1);
        let (digits, file) = line.split_once("  ").ok_or_else(wrong)?;
        let mut hash = [0; 32];
        hex::decode_to_slice(digits, &mut hash).map_err(|_| wrong())?;
        if digits.bytes().any(|digit| digit.is_ascii_uppercase()) || file.is_empty() {
            return Err(wrong());
        }
        if file == name && found.replace(hash).is_some() {
            return Err(DocumentError::ListedTwice);
        }
    }
    Ok(found)
}

/// The fields of a document.
struct Fields {
    version: u64,
    command_line: Digest384,
    kernel: Digest384,
    initrd: Digest384,
    mrtd: Mrtd,
    td_hob: Vec<u8>,
}

impl Fields {
    fn parse(bytes: &[u8]) -> Result<Self, DocumentError> {
        let mut decoder = Decoder::new(bytes);
        let mut version = None;
        let mut image = None;
        let mut tdvf = None;
        map(&mut decoder, |key, decoder| match key {
            "version" => once("version", &mut version, decoder.u64().map_err(cbor)?),
            "image" => once("image", &mut image, Image::parse(decoder)?),
            "tdvf" => once("tdvf", &mut tdvf, Tdvf::parse(decoder)?),
            _ => Err(unknown(key)),
        })?;
        let behind = bytes.len().saturating_sub(decoder.position());
        if behind > 0 {
            return Err(DocumentError::TrailingBytes(behind));
        }
        let version = needed("version", version)?;
        let image = needed("image", image)?;
        let tdvf = needed("tdvf", tdvf)?;
        let command_line = match (version, image.command_line, image.command_line_sha384) {
            (3, None, Some(digest)) => digest,
            (3, Some(_), _) => return Err(DocumentError::UnknownKey("image.cmdline".to_owned())),
            (3, None, None) => return Err(DocumentError::MissingKey("image.cmdline_sha384")),
            (4, Some(text), None) => command_line_digest(&text),
            (4, _, Some(_)) => return Err(DocumentError::UnknownKey("image.cmdline_sha384".to_owned())),
            (4, None, None) => return Err(DocumentError::MissingKey("image.cmdline")),
            (other, ..) => return Err(DocumentError::Version(other)),
        };
        Ok(Self {
            version,
            command_line,
            kernel: image.kernel,
            initrd: image.initrd,
            mrtd: tdvf.mrtd,
            td_hob: tdvf.td_hob,
        })
    }
}

struct Image {
    command_line: Option<String>,
    command_line_sha384: Option<Digest384>,
    kernel: Digest384,
    initrd: Digest384,
}

impl Image {
    fn parse(decoder: &mut Decoder<'_>) -> Result<Self, DocumentError> {
        let (mut text, mut digest, mut kernel, mut initrd, mut normalized) = (None, None, None, None, None);
        map(decoder, |key, decoder| match key {
            "cmdline" => once("image.cmdline", &mut text, command_line(decoder)?),
            "cmdline_sha384" => {
                let value = bytes_48("image.cmdline_sha384", decoder)?;
                once("image.cmdline_sha384", &mut digest, value)
            }
            "kernel_authenticode" => {
                let value = bytes_48("image.kernel_authenticode", decoder)?;
                once("image.kernel_authenticode", &mut kernel, value)
            }
            "initrd_sha384" => {
                let value = bytes_48("image.initrd_sha384", decoder)?;
                once("image.initrd_sha384", &mut initrd, value)
            }
            // How the image was built. It changes nothing of what the digest above is.
            "kernel_header_normalized" => {
                let value = decoder.bool().map_err(cbor)?;
                once("image.kernel_header_normalized", &mut normalized, value)
            }
            _ => Err(unknown(&format!("image.{key}"))),
        })?;
        Ok(Self {
            command_line: text,
            command_line_sha384: digest,
            kernel: needed("image.kernel_authenticode", kernel)?,
            initrd: needed("image.initrd_sha384", initrd)?,
        })
    }
}

struct Tdvf {
    mrtd: Mrtd,
    td_hob: Vec<u8>,
}

impl Tdvf {
    fn parse(decoder: &mut Decoder<'_>) -> Result<Self, DocumentError> {
        let (mut firmware, mut mrtd, mut td_hob) = (None, None, None);
        map(decoder, |key, decoder| match key {
            "ovmf" => once(
                "tdvf.ovmf",
                &mut firmware,
                decoder.str().map_err(cbor)?.to_owned(),
            ),
            "mrtd" => once("tdvf.mrtd", &mut mrtd, parse_mrtd(decoder)?),
            "td_hob" => once(
                "tdvf.td_hob",
                &mut td_hob,
                decoder.bytes().map_err(cbor)?.to_vec(),
            ),
            _ => Err(unknown(&format!("tdvf.{key}"))),
        })?;
        let firmware = needed("tdvf.ovmf", firmware)?;
        if firmware != FIRMWARE {
            return Err(field(
                "tdvf.ovmf",
                format!(
                    "is {:?}; the RTMR0 events of {FIRMWARE:?} alone are known",
                    short(&firmware)
                ),
            ));
        }
        Ok(Self {
            mrtd: needed("tdvf.mrtd", mrtd)?,
            td_hob: needed("tdvf.td_hob", td_hob)?,
        })
    }
}

fn parse_mrtd(decoder: &mut Decoder<'_>) -> Result<Mrtd, DocumentError> {
    let (mut single, mut two) = (None, None);
    map(decoder, |key, decoder| match key {
        "single_pass" => {
            let value = bytes_48("tdvf.mrtd.single_pass", decoder)?;
            once("tdvf.mrtd.single_pass", &mut single, value)
        }
        "two_pass" => {
            let value = bytes_48("tdvf.mrtd.two_pass", decoder)?;
            once("tdvf.mrtd.two_pass", &mut two, value)
        }
        _ => Err(unknown(&format!("tdvf.mrtd.{key}"))),
    })?;
    Ok(Mrtd {
        single_pass: needed("tdvf.mrtd.single_pass", single)?,
        two_pass: needed("tdvf.mrtd.two_pass", two)?,
    })
}

fn command_line(decoder: &mut Decoder<'_>) -> Result<String, DocumentError> {
    const FIELD: &str = "image.cmdline";
    let text = decoder.str().map_err(cbor)?;
    if text.is_empty() || text.len() > MAX_COMMAND_LINE {
        return Err(field(
            FIELD,
            format!("has {} bytes; 1 to {MAX_COMMAND_LINE} are accepted", text.len()),
        ));
    }
    if text.chars().any(char::is_control) {
        return Err(field(FIELD, "has a control character".to_owned()));
    }
    if text.contains(ADDED_BY_QEMU) {
        return Err(field(
            FIELD,
            format!("has `{}`, which QEMU adds", ADDED_BY_QEMU.trim()),
        ));
    }
    if !text.split(' ').any(|token| token.starts_with(ROOT_HASH)) {
        return Err(field(
            FIELD,
            format!("lacks `{ROOT_HASH}`, so that it does not bind the root file system"),
        ));
    }
    Ok(text.to_owned())
}

/// Reads a map of definite length with text keys.
fn map<'b>(
    decoder: &mut Decoder<'b>,
    mut entry: impl FnMut(&'b str, &mut Decoder<'b>) -> Result<(), DocumentError>,
) -> Result<(), DocumentError> {
    match decoder.datatype().map_err(cbor)? {
        Type::Map => {}
        other => {
            return Err(DocumentError::Cbor(format!(
                "a map is expected, {other} was found"
            )));
        }
    }
    let entries = decoder
        .map()
        .map_err(cbor)?
        .ok_or_else(|| DocumentError::Cbor("a map has no definite length".to_owned()))?;
    for _ in 0..entries {
        let key = decoder.str().map_err(cbor)?;
        entry(key, decoder)?;
    }
    Ok(())
}

fn bytes_48(name: &'static str, decoder: &mut Decoder<'_>) -> Result<Digest384, DocumentError> {
    let bytes = decoder.bytes().map_err(cbor)?;
    bytes
        .try_into()
        .map_err(|_| field(name, format!("has {} bytes; 48 are expected", bytes.len())))
}

fn once<T>(name: &'static str, place: &mut Option<T>, value: T) -> Result<(), DocumentError> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(DocumentError::DuplicateKey(name)),
    }
}

fn needed<T>(name: &'static str, value: Option<T>) -> Result<T, DocumentError> {
    value.ok_or(DocumentError::MissingKey(name))
}

fn unknown(key: &str) -> DocumentError {
    DocumentError::UnknownKey(short(key))
}

fn field(field: &'static str, problem: String) -> DocumentError {
    DocumentError::Field { field, problem }
}

/// At most 64 characters of a text that nobody vouches for.
fn short(text: &str) -> String {
    text.chars().take(64).collect()
}

#[expect(clippy::needless_pass_by_value, reason = "used in map_err")]
fn cbor(error: minicbor::decode::Error) -> DocumentError {
    DocumentError::Cbor(error.to_string())
}

#[cfg(test)]
#[path = "measurement_document_tests.rs"]
mod tests;
