//! The fields of a measurement document: CBOR with definite lengths, of versions 3 and 4.

use minicbor::Decoder;
use minicbor::data::Type;

use super::document_error::DocumentError;
use super::mrtd::Mrtd;
use super::registers::{Digest384, command_line_digest};

/// The most bytes that a kernel command line may have (dstack 0.6, `measurement.tdx.cbor` of an image).
const MAX_COMMAND_LINE: usize = 2048;
/// The token that binds the root file system to the command line.
const ROOT_HASH: &str = "dstack.rootfs_hash=";
/// What QEMU adds to the command line, so that the document must not have it.
const ADDED_BY_QEMU: &str = " initrd=initrd";
/// The firmware family whose RTMR0 events are known.
const FIRMWARE: &str = "pre202505";

/// The fields of a document.
pub(super) struct MeasurementFields {
    pub(super) version: u64,
    pub(super) command_line: Digest384,
    pub(super) kernel: Digest384,
    pub(super) is_header_normalized: bool,
    pub(super) initrd: Digest384,
    pub(super) mrtd: Mrtd,
    pub(super) td_hob: Vec<u8>,
}

impl MeasurementFields {
    /// Reads the CBOR of a document: every key is known, and none occurs twice.
    ///
    /// # Errors
    /// [`DocumentError`].
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, DocumentError> {
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
            is_header_normalized: image.is_header_normalized,
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
    is_header_normalized: bool,
    initrd: Digest384,
}

impl Image {
    fn parse(decoder: &mut Decoder<'_>) -> Result<Self, DocumentError> {
        let (mut text, mut digest, mut kernel, mut initrd, mut normalized) = (None, None, None, None, None);
        map(decoder, |key, decoder| match key {
            "cmdline" => once("image.cmdline", &mut text, command_line(decoder)?),
            "cmdline_sha384" => once_48("image.cmdline_sha384", &mut digest, decoder),
            "kernel_authenticode" => once_48("image.kernel_authenticode", &mut kernel, decoder),
            "initrd_sha384" => once_48("image.initrd_sha384", &mut initrd, decoder),
            // The digest above is that of the file. QEMU up to 10.1 edits a header that is not normalized, and measures another.
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
            is_header_normalized: normalized == Some(true),
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
        "single_pass" => once_48("tdvf.mrtd.single_pass", &mut single, decoder),
        "two_pass" => once_48("tdvf.mrtd.two_pass", &mut two, decoder),
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

fn once_48(
    field: &'static str,
    slot: &mut Option<Digest384>,
    decoder: &mut Decoder<'_>,
) -> Result<(), DocumentError> {
    once(field, slot, bytes_48(field, decoder)?)
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
