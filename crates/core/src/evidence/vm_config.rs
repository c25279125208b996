//! The VM's configuration as the host writes it down (`vm_config`; dstack, `dstack-types/src/lib.rs`, `VmConfig`): a claim, every
//! part of it.

use super::error::within;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::json::Object;
use super::limits::MAX_VM_CONFIG_BYTES;
use super::{EvidenceError, Unproven};

/// How messages call this document.
const DOCUMENT: &str = "the VM configuration";
/// Base64 characters of a checksum file or a measurement document that are read. Real ones have about 2,000.
const MAX_MATERIAL: usize = 128 * 1024;

/// The parts of `vm_config` that say what to compare the quote's registers with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VmConfig {
    /// Bytes of memory.
    pub memory_size: Option<u64>,
    /// SHA-256 of the image's checksum file, 32 bytes.
    pub os_image_hash: Option<[u8; 32]>,
    /// The image's measurement document with its checksum file (guests of dstack 0.6).
    pub measurement: Option<MeasurementMaterial>,
}

/// `tdx_measurement`: bytes of two files of the image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeasurementMaterial {
    /// The checksum file.
    pub checksum_file: Vec<u8>,
    /// `measurement.tdx.cbor`.
    pub document: Vec<u8>,
}

impl VmConfig {
    /// Parses the text. Members that are not needed may hold anything.
    ///
    /// # Errors
    /// An [`EvidenceError`] that names the member.
    pub(crate) fn parse(text: &str) -> Result<Self, EvidenceError> {
        within(DOCUMENT, text, MAX_VM_CONFIG_BYTES)?;
        let object = Object::document(DOCUMENT, text)?;
        let measurement = object
            .get("tdx_measurement")?
            .map(|value| material(&Object::at(DOCUMENT, "tdx_measurement".to_owned(), value.get())?))
            .transpose()?;
        if measurement.is_none() {
            // Without a document, nothing else here is needed: a mistake in it is nobody's fault.
            return Ok(Self {
                memory_size: None,
                os_image_hash: object.hex_or_empty("os_image_hash").ok().flatten(),
                measurement,
            });
        }
        let memory_size = object
            .get("memory_size")?
            .map(|value| {
                value
                    .get()
                    .parse()
                    .map_err(|_| object.malformed("memory_size", "is not a number of bytes"))
            })
            .transpose()?;
        Ok(Self {
            memory_size,
            os_image_hash: object.hex_or_empty("os_image_hash")?,
            measurement,
        })
    }
}

/// The member `vm_config` of an object: a text that holds JSON, or the object itself. An empty text is none.
pub(super) fn member(object: &Object<'_>) -> Result<Option<Unproven<String>>, EvidenceError> {
    let Some(value) = object.get("vm_config")? else {
        return Ok(None);
    };
    let text = match value.get().starts_with('"') {
        true => object.as_string("vm_config", value)?,
        false => value.get().to_owned(),
    };
    Ok((!text.is_empty()).then(|| Unproven::new(text)))
}

fn material(object: &Object<'_>) -> Result<MeasurementMaterial, EvidenceError> {
    let member = |name: &str| {
        let text = object
            .text(name)?
            .ok_or_else(|| object.malformed(name, "is missing"))?;
        if text.len() > MAX_MATERIAL {
            return Err(object.malformed(
                name,
                format!("has {} characters; at most {MAX_MATERIAL} are read", text.len()),
            ));
        }
        STANDARD
            .decode(text.as_bytes())
            .map_err(|_| object.malformed(name, "is not base64"))
    };
    Ok(MeasurementMaterial {
        checksum_file: member("checksum_file")?,
        document: member("measurement")?,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_needed_is_read_and_the_rest_may_be_anything() {
        let config = VmConfig::parse(
            r#"{"memory_size":2147483648,"os_image_hash":"","cpu_count":[{}],
                "tdx_measurement":{"checksum_file":"YQ==","measurement":"Yg==","more":1}}"#,
        )
        .unwrap();
        assert_eq!(config.memory_size, Some(1 << 31));
        assert_eq!(config.os_image_hash, None);
        let material = config.measurement.unwrap();
        assert_eq!(
            (material.checksum_file, material.document),
            (b"a".to_vec(), b"b".to_vec())
        );
        assert_eq!(VmConfig::parse("{}").unwrap().measurement, None);
    }

    /// A document that may hold anything.
    const MATERIAL: &str = r#""tdx_measurement":{"checksum_file":"YQ==","measurement":"Yg=="}"#;

    #[test]
    fn each_mistake_names_its_member() {
        for (text, member) in [
            (r#"{"memory_size":"1",DOCUMENT}"#, "memory_size"),
            (r#"{"memory_size":-1,DOCUMENT}"#, "memory_size"),
            (r#"{"memory_size":1,"memory_size":1,DOCUMENT}"#, "memory_size"),
            (r#"{"os_image_hash":"00",DOCUMENT}"#, "os_image_hash"),
            (r#"{"tdx_measurement":[]}"#, "tdx_measurement"),
            (
                r#"{"tdx_measurement":{"measurement":""}}"#,
                "tdx_measurement.checksum_file",
            ),
            (
                r#"{"tdx_measurement":{"checksum_file":"YQ==","measurement":"*"}}"#,
                "tdx_measurement.measurement",
            ),
        ] {
            let text = text.replace("DOCUMENT", MATERIAL);
            let error = VmConfig::parse(&text).unwrap_err().to_string();
            assert!(error.contains(member), "{text}: {error}");
        }
        // Without a document they say nothing.
        let config = VmConfig::parse(r#"{"memory_size":"1","os_image_hash":"00"}"#).unwrap();
        assert_eq!((config.memory_size, config.os_image_hash), (None, None));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,200}") {
            let _ = VmConfig::parse(&text);
        }
    }
}
