//! Which OS image a quote's registers are: the built-in table, and [`IdentifiedOs`].
//!
//! RTMR3 alone proves nothing about the OS: any image on genuine TDX can extend it with any event (T30).
//! The JSON's `vm_config` and the `os-image-hash` event are never consulted: the first is the host's claim, the
//! second the KMS's view.

use std::sync::LazyLock;

use serde::Deserialize;

use super::VerifiedQuote;

/// The built-in table, from `os-images.toml`, which explains its columns.
pub static OS_IMAGES: LazyLock<OsImages> = LazyLock::new(|| {
    // A table that cannot be read identifies nothing: every image is then unknown. A test keeps it readable.
    toml::from_str(include_str!("os-images.toml")).unwrap_or_default()
});

/// The built-in table of OS images.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OsImages {
    firmware: Vec<Firmware>,
    image: Vec<OsImageRow>,
    rtmr0: Vec<Rtmr0>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Firmware {
    name: String,
    #[serde(with = "hex::serde")]
    mrtd: [u8; 48],
    #[serde(rename = "note")]
    _note: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rtmr0 {
    #[serde(with = "hex::serde")]
    value: [u8; 48],
    shape: String,
}

/// One OS image of the built-in table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OsImageRow {
    /// Official name, or a description where none is known.
    pub name: String,
    /// Whether it may be accepted.
    pub class: OsClass,
    /// SHA-256 of the image's checksum file, hex of 32 bytes; absent for some observed rows.
    pub os_image_hash: Option<String>,
    firmware: String,
    #[serde(with = "hex::serde")]
    rtmr1: [u8; 48],
    #[serde(with = "hex::serde")]
    rtmr2: [u8; 48],
    /// Where the values were read off.
    pub source: String,
    /// Published vulnerabilities.
    #[serde(default)]
    pub vulnerabilities: Vec<String>,
}

/// Whether an image may be accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OsClass {
    /// Official name and hash known, not a development image.
    Production,
    /// Root login and serial console.
    Development,
    /// Seen in captures under no known name.
    Observed,
}

impl OsImages {
    /// The row of an `os_image_hash`, hex of 32 bytes in lower case.
    #[must_use]
    pub fn by_hash(&self, os_image_hash: &str) -> Option<&OsImageRow> {
        self.image
            .iter()
            .find(|row| row.os_image_hash.as_deref() == Some(os_image_hash))
    }

    /// All rows.
    #[must_use]
    pub fn rows(&self) -> &[OsImageRow] {
        &self.image
    }
}

/// The VM shape that an RTMR0 value was seen with, for a value of the built-in list.
#[must_use]
pub fn listed_rtmr0(rtmr0: &[u8; 48]) -> Option<&'static str> {
    OS_IMAGES
        .rtmr0
        .iter()
        .find(|row| row.value == *rtmr0)
        .map(|row| row.shape.as_str())
}

/// An OS image whose MRTD, RTMR1 and RTMR2 are those of a row of the built-in table. RTMR0 is not part of
/// it: see [`listed_rtmr0`].
#[derive(Debug, Clone, Copy)]
pub struct IdentifiedOs {
    row: &'static OsImageRow,
}

impl IdentifiedOs {
    /// The row.
    #[must_use]
    pub const fn row(self) -> &'static OsImageRow {
        self.row
    }
}

/// Looks the quote's registers up.
pub(super) fn identify(quote: &VerifiedQuote) -> Option<IdentifiedOs> {
    let [_, rtmr1, rtmr2, _] = quote.rtmrs();
    row_of(quote.mrtd(), rtmr1, rtmr2).map(|row| IdentifiedOs { row })
}

/// The row that registers belong to, proven or not.
pub(crate) fn row_of(mrtd: &[u8; 48], rtmr1: &[u8; 48], rtmr2: &[u8; 48]) -> Option<&'static OsImageRow> {
    let table = &*OS_IMAGES;
    let firmware = |row: &OsImageRow| {
        table
            .firmware
            .iter()
            .any(|firmware| firmware.name == row.firmware && firmware.mrtd == *mrtd)
    };
    table
        .image
        .iter()
        .find(|row| row.rtmr1 == *rtmr1 && row.rtmr2 == *rtmr2 && firmware(row))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_table_reads_and_its_rows_are_distinct_and_named() {
        let table: OsImages = toml::from_str(include_str!("os-images.toml")).unwrap();
        let mut seen = HashSet::new();
        for row in &table.image {
            assert!(seen.insert((row.rtmr1, row.rtmr2)), "{} occurs twice", row.name);
            assert!(
                table
                    .firmware
                    .iter()
                    .any(|firmware| firmware.name == row.firmware),
                "{}",
                row.name
            );
            assert!(!row.source.is_empty());
            if row.class != OsClass::Observed {
                assert!(
                    row.os_image_hash.as_ref().is_some_and(|hash| hash.len() == 64),
                    "{}",
                    row.name
                );
                assert_eq!(
                    row.name.contains("dev"),
                    row.class == OsClass::Development,
                    "{}",
                    row.name
                );
            }
        }
        assert_eq!(table.rtmr0.len(), 6);
    }

    #[test]
    fn images_before_0_5_4_are_marked_vulnerable() {
        for row in OS_IMAGES.rows() {
            let old = row.name.ends_with("0.5.3") || row.name.contains("0.4.0");
            assert_eq!(row.vulnerabilities == ["CVE-2025-59054"], old, "{}", row.name);
        }
    }
}
