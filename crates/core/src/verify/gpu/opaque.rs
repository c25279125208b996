//! What an NVIDIA device says of itself in the opaque data of its SPDM report (NVIDIA, "Opaque data format",
//! docs.nvidia.com/attestation).
//!
//! The report's signature covers it. Fields are `u16 type, u16 size, data`, little endian.

use std::collections::BTreeMap;

/// How the data of the newer, structured format begins (NVIDIA's opaque data format, version 2.0.0).
const STRUCTURED: &[u8] = b"NVDAOD";
/// What the device writes for "on".
const ON: u8 = 0xaa;
/// The most fields. Real ones have about 30.
const MAX_FIELDS: usize = 256;

/// Field types.
mod kind {
    pub(super) const DRIVER: u16 = 3;
    pub(super) const VBIOS: u16 = 6;
    pub(super) const NVDEC0: u16 = 11;
    pub(super) const CHIP_SKU: u16 = 15;
    pub(super) const PROJECT: u16 = 17;
    pub(super) const PROJECT_SKU: u16 = 18;
    pub(super) const FWID: u16 = 20;
    pub(super) const PROTECTED_PCIE: u16 = 21;
    pub(super) const SWITCH_PDIS: u16 = 22;
    pub(super) const FEATURE_FLAG: u16 = 36;
}

/// Names of field types, for people.
const NAMES: [(u16, &str); 31] = [
    (1, "certificate issuer name"),
    (2, "authority key id"),
    (kind::DRIVER, "driver version"),
    (4, "GPU info"),
    (5, "SKU"),
    (kind::VBIOS, "vBIOS version"),
    (7, "manufacturer id"),
    (8, "tamper detection"),
    (9, "SMC"),
    (10, "VPR"),
    (kind::NVDEC0, "NVDEC0 status"),
    (12, "MSR count"),
    (13, "CPR info"),
    (14, "board id"),
    (kind::CHIP_SKU, "chip SKU"),
    (16, "chip SKU modification"),
    (kind::PROJECT, "project"),
    (kind::PROJECT_SKU, "project SKU"),
    (19, "project SKU modification"),
    (kind::FWID, "firmware id"),
    (kind::PROTECTED_PCIE, "protected-PCIe status"),
    (kind::SWITCH_PDIS, "switch ids"),
    (23, "floorswept ports"),
    (24, "position"),
    (25, "lock status"),
    (26, "GPU ids"),
    (27, "ports"),
    (32, "link"),
    (33, "sys enable"),
    (34, "opaque data version"),
    (kind::FEATURE_FLAG, "feature flag"),
];

/// The opaque data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opaque {
    /// The format that is read.
    Fields(OpaqueFields),
    /// A newer format, `NVDAOD`, which this version does not read: nothing is known of the device's modes.
    Unread,
}

/// The fields, by their type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpaqueFields(BTreeMap<u16, Vec<u8>>);

/// Why opaque data is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpaqueError {
    /// A field that does not end inside the data. From 1.
    #[error("field {0} of its opaque data ends outside the data")]
    CutOff(usize),
    /// A type that occurs twice.
    #[error("its opaque data has the field type {0} twice")]
    Twice(u16),
    /// More fields than accepted.
    #[error("its opaque data has more than {MAX_FIELDS} fields")]
    TooMany,
}

impl Opaque {
    /// Reads opaque data.
    ///
    /// # Errors
    /// [`OpaqueError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, OpaqueError> {
        if bytes.starts_with(STRUCTURED) {
            return Ok(Self::Unread);
        }
        let mut rest = bytes;
        let mut fields = BTreeMap::new();
        while !rest.is_empty() {
            if fields.len() >= MAX_FIELDS {
                return Err(OpaqueError::TooMany);
            }
            let cut = || OpaqueError::CutOff(fields.len() + 1);
            let (kind, behind) = rest.split_first_chunk::<2>().ok_or_else(cut)?;
            let (size, behind) = behind.split_first_chunk::<2>().ok_or_else(cut)?;
            let size = usize::from(u16::from_le_bytes(*size));
            let (data, behind) = behind.split_at_checked(size).ok_or_else(cut)?;
            rest = behind;
            let kind = u16::from_le_bytes(*kind);
            if fields.insert(kind, data.to_vec()).is_some() {
                return Err(OpaqueError::Twice(kind));
            }
        }
        Ok(Self::Fields(OpaqueFields(fields)))
    }

    /// The fields, if the format is read.
    #[must_use]
    pub const fn fields(&self) -> Option<&OpaqueFields> {
        match self {
            Self::Fields(fields) => Some(fields),
            Self::Unread => None,
        }
    }
}

impl OpaqueFields {
    /// Type, name and value of each field, in the order of the types.
    pub fn named(&self) -> impl Iterator<Item = (u16, &'static str, &[u8])> {
        self.0.iter().map(|(kind, value)| {
            let name = NAMES.iter().find(|(known, _)| known == kind);
            (*kind, name.map_or("unknown", |(_, name)| *name), value.as_slice())
        })
    }

    /// The driver's version.
    #[must_use]
    pub fn driver(&self) -> Option<String> {
        self.text(kind::DRIVER)
    }

    /// The vBIOS version, as NVIDIA writes it (`96.00.D9.00.02`).
    #[must_use]
    pub fn vbios(&self) -> Option<String> {
        let mut bytes = self.0.get(&kind::VBIOS)?.clone();
        bytes.reverse();
        // The second half, then the byte before the middle.
        let (first, second) = bytes.split_at_checked(bytes.len() / 2)?;
        let parts: Vec<String> = second
            .iter()
            .chain(first.last())
            .map(|byte| format!("{byte:02X}"))
            .collect();
        (!parts.is_empty()).then(|| parts.join("."))
    }

    /// Project, project SKU and chip SKU.
    #[must_use]
    pub fn board(&self) -> [Option<String>; 3] {
        [kind::PROJECT, kind::PROJECT_SKU, kind::CHIP_SKU].map(|kind| self.text(kind))
    }

    /// Whether the video decoder 0 is on, which changes one measurement.
    #[must_use]
    pub(crate) fn decoder_is_on(&self) -> Option<bool> {
        self.is_on(kind::NVDEC0)
    }

    /// Whether the device works in protected-PCIe mode: NVLink is in clear and the switches are part of the trusted base.
    #[must_use]
    pub fn is_protected_pcie(&self) -> bool {
        self.is_on(kind::PROTECTED_PCIE) == Some(true) || self.feature_flag() == Some(2)
    }

    /// 0: multi-pass-through, 1: single-pass-through, 2: protected PCIe.
    #[must_use]
    pub fn feature_flag(&self) -> Option<u32> {
        let bytes = self.0.get(&kind::FEATURE_FLAG)?;
        let mut padded = [0; 4];
        padded.get_mut(..bytes.len())?.copy_from_slice(bytes);
        Some(u32::from_le_bytes(padded))
    }

    /// The firmware's id, which the leaf certificate names too.
    #[must_use]
    pub fn fwid(&self) -> Option<&[u8]> {
        self.0.get(&kind::FWID).map(Vec::as_slice)
    }

    /// Of a GPU: the ids of the switches that it sees. Of a switch: its own id. 8 bytes each, in the order of a switch.
    #[must_use]
    pub fn switch_ids(&self, is_switch: bool) -> Vec<[u8; 8]> {
        let bytes = self
            .0
            .get(&kind::SWITCH_PDIS)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let (ids, _) = bytes.as_chunks::<8>();
        ids.iter()
            .filter(|id| id.iter().any(|byte| *byte != 0))
            .map(|id| {
                let mut id = *id;
                if !is_switch {
                    id.reverse();
                }
                id
            })
            .collect()
    }

    fn is_on(&self, kind: u16) -> Option<bool> {
        self.0.get(&kind)?.first().map(|byte| *byte == ON)
    }

    /// Text that ends with a zero.
    fn text(&self, kind: u16) -> Option<String> {
        let bytes = self.0.get(&kind)?;
        let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
        let text = std::str::from_utf8(bytes.get(..end)?).ok()?;
        let is_word = !text.is_empty() && text.len() <= 64 && text.chars().all(|c| c.is_ascii_graphic());
        is_word.then(|| text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fields(list: &[(u16, &[u8])]) -> Vec<u8> {
        let of = |(kind, data): &(u16, &[u8])| {
            let size = u16::try_from(data.len()).unwrap();
            [&kind.to_le_bytes()[..], &size.to_le_bytes(), data].concat()
        };
        list.iter().flat_map(of).collect()
    }

    fn read(list: &[(u16, &[u8])]) -> OpaqueFields {
        match Opaque::parse(&fields(list)).unwrap() {
            Opaque::Fields(fields) => fields,
            Opaque::Unread => panic!("it is the old format"),
        }
    }

    #[test]
    fn fields_are_read_as_nvidia_writes_them() {
        let read = read(&[
            (3, b"570.172.08\0"),
            (6, &[0, 0xd9, 0, 0x96, 2, 0, 0, 0]),
            (11, &[0x55]),
            (21, &[0xaa]),
            (22, &[1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0]),
            (999, &[]),
        ]);
        assert_eq!(read.driver().as_deref(), Some("570.172.08"));
        assert_eq!(read.vbios().as_deref(), Some("96.00.D9.00.02"));
        assert_eq!(read.decoder_is_on(), Some(false));
        let named: Vec<_> = read.named().map(|(kind, name, _)| (kind, name)).collect();
        assert_eq!(
            named,
            [
                (3, "driver version"),
                (6, "vBIOS version"),
                (11, "NVDEC0 status"),
                (21, "protected-PCIe status"),
                (22, "switch ids"),
                (999, "unknown"),
            ]
        );
        assert!(read.is_protected_pcie());
        assert_eq!(read.switch_ids(false), [[8, 7, 6, 5, 4, 3, 2, 1]]);
        assert_eq!(read.switch_ids(true), [[1, 2, 3, 4, 5, 6, 7, 8]]);
    }

    #[test]
    fn a_decoder_is_on_off_or_not_named() {
        assert_eq!(read(&[(11, &[0xaa])]).decoder_is_on(), Some(true));
        assert_eq!(read(&[(11, &[0x55])]).decoder_is_on(), Some(false));
        assert_eq!(read(&[(12, &[0xaa])]).decoder_is_on(), None);
    }

    #[test]
    fn a_field_twice_or_cut_off_is_refused_and_a_new_format_is_unread() {
        assert_eq!(
            Opaque::parse(&fields(&[(3, b"a"), (3, b"b")])),
            Err(OpaqueError::Twice(3))
        );
        assert_eq!(Opaque::parse(&[3, 0, 9, 0, 1]), Err(OpaqueError::CutOff(1)));
        assert_eq!(Opaque::parse(b"NVDAOD\0\0\x02\0\0\0"), Ok(Opaque::Unread));
        let many: Vec<u8> = (0..=256u16)
            .flat_map(|kind| [&kind.to_le_bytes()[..], &[0, 0]].concat())
            .collect();
        assert_eq!(Opaque::parse(&many), Err(OpaqueError::TooMany));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(Opaque::Fields(fields)) = Opaque::parse(&bytes) {
                let _ = (fields.driver(), fields.vbios(), fields.board(), fields.feature_flag(), fields.switch_ids(false));
                assert!(fields.named().count() <= MAX_FIELDS);
            }
        }
    }

    #[test]
    fn numbers_and_texts_are_those_of_their_fields() {
        let fields = read(&[(20, &[5, 6]), (36, &[2]), (3, b"570\0")]);
        assert_eq!(fields.fwid(), Some(&[5, 6][..]));
        assert_eq!(fields.feature_flag(), Some(2));
        let named: Vec<_> = fields.named().collect();
        assert_eq!(named.first(), Some(&(3, "driver version", &b"570\0"[..])));
        assert_eq!(read(&[(36, &[1, 2, 0, 0])]).feature_flag(), Some(0x201));
        assert_eq!(read(&[(36, &[0; 5])]).feature_flag(), None);
        assert_eq!(read(&[]).feature_flag(), None);
        assert_eq!(read(&[]).fwid(), None);
    }

    #[test]
    fn a_text_is_one_printable_word_of_at_most_64_bytes() {
        let driver = |text: &[u8]| read(&[(3, text)]).driver();
        assert_eq!(driver(&[b'7'; 64]), Some("7".repeat(64)));
        assert_eq!(driver(&[b'7'; 65]), None);
        for refused in [&b"\0"[..], b"", b"5 7\0", b"5\x1b7\0", b"\xff\0"] {
            assert_eq!(driver(refused), None, "{refused:?}");
        }
    }
}
