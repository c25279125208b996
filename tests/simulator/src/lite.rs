//! Measurement material of the `lite` variant (guests from 0.6, spec §5.6): a CBOR document and its checksum file.

use sha2::{Digest as _, Sha256};

use crate::{boot_events::BootMaterial, image_files::CHECKSUM_FILE, td_hob::TD_HOB_WITNESS};

/// `vm_config.tdx_measurement`, decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiteMeasurement {
    /// `sha256sum.txt` with a line for `measurement.tdx.cbor`; its SHA-256 is the os_image_hash.
    pub checksum_file: Vec<u8>,
    /// `measurement.tdx.cbor`.
    pub measurement: Vec<u8>,
}

impl LiteMeasurement {
    pub(crate) fn of(boot: &BootMaterial) -> Self {
        // Final releases have version 4, with the command line as text.
        let (version, command_line) = match &boot.files {
            Some(files) => (4, ("cmdline", text(&files.command_line()))),
            None => (3, ("cmdline_sha384", bytes(&boot.image_digest("cmdline")))),
        };
        // The digest is that of the kernel's file; the header of the synthetic image's is not normalized.
        let (kernel, normalized) = match &boot.files {
            Some(_) => (boot.image_digest("kernel file"), 0xf4),
            None => (boot.image_digest("kernel"), 0xf5),
        };
        let two_pass = match &boot.files {
            Some(_) => boot.image_digest("mrtd two pass"),
            None => boot.mr_td(),
        };
        let measurement = map(&[
            ("version", vec![version]),
            (
                "image",
                map(&[
                    command_line,
                    ("kernel_authenticode", bytes(&kernel)),
                    ("kernel_header_normalized", vec![normalized]),
                    ("initrd_sha384", bytes(&boot.image_digest("initrd"))),
                ]),
            ),
            (
                "tdvf",
                map(&[
                    ("ovmf", text("pre202505")),
                    (
                        "mrtd",
                        map(&[
                            ("single_pass", bytes(&boot.image_digest("mrtd single pass"))),
                            ("two_pass", bytes(&two_pass)),
                        ]),
                    ),
                    ("td_hob", bytes(&TD_HOB_WITNESS)),
                ]),
            ),
        ]);
        let mut checksum_file = format!(
            "{}  measurement.tdx.cbor\n",
            hex::encode(Sha256::digest(&measurement))
        );
        if boot.files.is_some() {
            checksum_file.insert_str(0, CHECKSUM_FILE);
        }
        checksum_file.push_str(&boot.appended_manifest_lines);
        Self {
            checksum_file: checksum_file.into_bytes(),
            measurement,
        }
    }
}

/// A map with fewer than 24 text keys.
fn map(members: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut out = vec![0xa0 | members.len() as u8];
    for (key, value) in members {
        out.extend(text(key));
        out.extend(value);
    }
    out
}

/// A text of fewer than 256 bytes.
fn text(text: &str) -> Vec<u8> {
    [&head(0x60, text.len())[..], text.as_bytes()].concat()
}

/// A byte string of fewer than 256 bytes.
fn bytes(bytes: &[u8]) -> Vec<u8> {
    [&head(0x40, bytes.len())[..], bytes].concat()
}

fn head(kind: u8, length: usize) -> Vec<u8> {
    let length = length as u8;
    if length < 24 {
        vec![kind | length]
    } else {
        vec![kind | 0x18, length]
    }
}
