//! The limits of a firmware's metadata, on the synthetic firmware of the fixtures.

use std::path::Path;

use super::*;

fn firmware() -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/os-image");
    std::fs::read(folder.join("ovmf.fd")).unwrap()
}

/// Where its descriptor is.
fn descriptor(bytes: &[u8]) -> usize {
    bytes.len() - metadata_offset(bytes).unwrap()
}

/// Bytes of a descriptor before its sections, and of a section.
const HEAD: usize = 16;
const SECTION: usize = 32;
/// Places in a section.
const OFFSET: usize = 0;
const SIZE: usize = 4;
const ADDRESS: usize = 8;
const MEMORY: usize = 16;
const ATTRIBUTES: usize = 28;

/// The problem with one section after changes of it, or none.
fn problem(index: usize, changes: &[(usize, &[u8])]) -> Option<&'static str> {
    let mut bytes = firmware();
    let start = descriptor(&bytes) + HEAD + index * SECTION;
    for (at, value) in changes {
        bytes[start + at..start + at + value.len()].copy_from_slice(value);
    }
    match Firmware::parse(&bytes) {
        Ok(_) => None,
        Err(FirmwareError::Section {
            index: named,
            problem,
        }) => {
            assert_eq!(named, index);
            Some(problem)
        }
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn a_section_that_does_not_describe_memory_is_named() {
    let bytes = firmware();
    let sections = Firmware::parse(&bytes).unwrap().sections;
    let is_measured = |section: &&FirmwareSection| section.attributes & EXTEND != 0;
    let measured = sections.iter().position(|section| is_measured(&section)).unwrap();
    let plain = sections
        .iter()
        .position(|section| !is_measured(&section))
        .unwrap();
    let word = |value: u64| value.to_le_bytes();
    let pages = Some("is not a whole number of pages");
    let much = Some("covers more memory than a firmware does");
    let unknown = Some("has an attribute that is not known");
    let content = Some("is measured, but its content is not in the file");

    let at = sections[plain].address;
    assert_eq!(problem(plain, &[(ADDRESS, &word(at + 1))]), pages);
    assert_eq!(
        problem(plain, &[(MEMORY, &word(sections[plain].memory + 1))]),
        pages
    );
    let before: u64 = sections[..=plain].iter().map(|section| section.memory).sum();
    let room = MAX_COVERED - (before - sections[plain].memory);
    assert_eq!(problem(plain, &[(MEMORY, &word(room + PAGE))]), much);
    let behind: u64 = sections[plain + 1..].iter().map(|section| section.memory).sum();
    assert_eq!(problem(plain, &[(MEMORY, &word(room - behind))]), None);
    let last = u64::MAX - (PAGE - 1);
    assert_eq!(
        problem(plain, &[(ADDRESS, &word(last)), (MEMORY, &word(PAGE))]),
        much
    );
    for attributes in [4_u32, 5, 0x8000_0000] {
        assert_eq!(
            problem(plain, &[(ATTRIBUTES, &attributes.to_le_bytes())]),
            unknown
        );
    }
    assert_eq!(problem(plain, &[(ATTRIBUTES, &AUGMENTED.to_le_bytes())]), None);

    let size = sections[measured].size;
    assert_eq!(
        problem(measured, &[(SIZE, &(size - 4096).to_le_bytes())]),
        content
    );
    let length = u32::try_from(bytes.len()).unwrap();
    assert_eq!(
        problem(measured, &[(OFFSET, &(length - size + 1).to_le_bytes())]),
        content
    );
    assert_eq!(
        problem(measured, &[(OFFSET, &(length - size).to_le_bytes())]),
        None
    );
}

#[test]
fn a_descriptor_has_sections_and_not_too_many() {
    let said = |at: usize, value: u32| {
        let mut bytes = firmware();
        let start = descriptor(&bytes) + at;
        bytes[start..start + 4].copy_from_slice(&value.to_le_bytes());
        Firmware::parse(&bytes)
            .map(|_| ())
            .map_err(|error| error.to_string())
    };
    for count in [0, MAX_SECTIONS + 1, u32::MAX] {
        assert!(
            said(12, count)
                .unwrap_err()
                .contains("no sections, or more than 64"),
            "{count}"
        );
    }
    let at_limit = said(12, MAX_SECTIONS).err().unwrap_or_default();
    assert!(!at_limit.contains("more than 64"), "{at_limit}");
    assert!(said(8, 2).unwrap_err().contains("another version than 1"));
    assert!(said(0, 0).unwrap_err().contains("another signature"));
}

#[test]
fn a_firmware_has_a_limit() {
    let refused = |size: usize| Firmware::parse(&vec![0; size]).map(|_| ()).unwrap_err();
    assert!(matches!(refused(MAX_FIRMWARE), FirmwareError::NoMetadata(_)));
    assert_eq!(
        refused(MAX_FIRMWARE + 1),
        FirmwareError::TooLarge(MAX_FIRMWARE + 1)
    );
}
