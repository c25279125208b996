//! Measurement material of the `lite` variant (guests from 0.6, spec §5.6): a CBOR document and its checksum file.

use sha2::{Digest as _, Sha256};

use crate::{boot_events::BootMaterial, td_hob::TD_HOB_WITNESS};

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
        let measurement = map(&[
            ("version", vec![3]),
            (
                "image",
                map(&[
                    ("cmdline_sha384", bytes(&boot.image_digest("cmdline"))),
                    ("kernel_authenticode", bytes(&boot.image_digest("kernel"))),
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
                            ("two_pass", bytes(&boot.mr_td())),
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

/// A text of fewer than 24 bytes.
fn text(text: &str) -> Vec<u8> {
    [&[0x60 | text.len() as u8], text.as_bytes()].concat()
}

/// A byte string of fewer than 256 bytes.
fn bytes(bytes: &[u8]) -> Vec<u8> {
    let length = bytes.len() as u8;
    let head = if length < 24 {
        vec![0x40 | length]
    } else {
        vec![0x58, length]
    };
    [&head[..], bytes].concat()
}
