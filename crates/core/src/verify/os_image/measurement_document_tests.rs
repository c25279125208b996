//! Measurement documents, honest and damaged in each field.

use minicbor::Encoder;
use proptest::prelude::*;

use super::super::mrtd::PageOrder;
use super::*;

type Write = fn(&mut Encoder<Vec<u8>>);

/// The fields of a final document, by path, and how each is written.
const FIELDS: [(&str, Write); 9] = [
    ("version", |out| done(out.u8(4))),
    ("image.cmdline", |out| {
        done(out.str("console=ttyS0 dstack.rootfs_hash=ab"))
    }),
    ("image.kernel_authenticode", |out| done(out.bytes(&[1; 48]))),
    ("image.kernel_header_normalized", |out| done(out.bool(true))),
    ("image.initrd_sha384", |out| done(out.bytes(&[2; 48]))),
    ("tdvf.ovmf", |out| done(out.str("pre202505"))),
    ("tdvf.mrtd.single_pass", |out| done(out.bytes(&[3; 48]))),
    ("tdvf.mrtd.two_pass", |out| done(out.bytes(&[4; 48]))),
    ("tdvf.td_hob", |out| done(out.bytes(&[0x80, 0x10, 0x09, 0x00]))),
];

fn done<E: std::fmt::Debug>(written: Result<&mut Encoder<Vec<u8>>, E>) {
    written.unwrap();
}

/// A document in which one field is written in another way, or left out.
fn document(other: Option<(&str, Option<Write>)>) -> Vec<u8> {
    let mut out = Encoder::new(Vec::new());
    write(&mut out, "", other);
    out.into_writer()
}

fn write(out: &mut Encoder<Vec<u8>>, path: &str, other: Option<(&str, Option<Write>)>) {
    let mut names: Vec<&str> = FIELDS
        .iter()
        .map(|(name, _)| *name)
        .filter(|name| other.is_none_or(|(changed, value)| changed != *name || value.is_some()))
        .chain(
            other
                .filter(|(name, _)| FIELDS.iter().all(|(known, _)| known != name))
                .map(|(name, _)| name),
        )
        .filter_map(|name| name.strip_prefix(path))
        .map(|rest| rest.split('.').next().unwrap())
        .collect();
    let mut seen = std::collections::HashSet::new();
    names.retain(|name| seen.insert(*name));
    done(out.map(names.len() as u64));
    for name in names {
        done(out.str(name));
        let full = format!("{path}{name}");
        let honest = FIELDS
            .iter()
            .find(|(known, _)| *known == full)
            .map(|(_, write)| *write);
        match (other, honest) {
            (Some((changed, Some(value))), _) if changed == full => value(out),
            (_, Some(value)) => value(out),
            (_, None) => write(out, &format!("{full}."), other),
        }
    }
}

fn read(document: &[u8]) -> Result<MeasurementDocument, DocumentError> {
    let line = format!("{}  measurement.tdx.cbor\n", hex::encode(sha256(document)));
    MeasurementDocument::read(line.as_bytes(), document)
}

#[test]
fn a_final_document_is_read() {
    let read = read(&document(None)).unwrap();
    assert_eq!(
        (read.version(), read.mrtd().order_of(&[4; 48])),
        (4, Some(PageOrder::TwoPass))
    );
    assert_eq!(read.mrtd().order_of(&[3; 48]), Some(PageOrder::SinglePass));
    assert_eq!(read.mrtd().order_of(&[5; 48]), None);
}

#[test]
fn each_field_that_is_left_out_is_named() {
    for (field, _) in FIELDS {
        let read = read(&document(Some((field, None))));
        match field {
            "image.kernel_header_normalized" => assert!(read.is_ok()),
            _ => assert_eq!(read.unwrap_err(), DocumentError::MissingKey(field)),
        }
    }
}

/// A command line of that many bytes.
fn command_line_of(bytes: usize) -> String {
    format!("{:a<bytes$}", "dstack.rootfs_hash=ab ")
}

#[test]
fn the_longest_command_line_is_read() {
    let longest: Write = |out| done(out.str(&command_line_of(2048)));
    assert!(read(&document(Some(("image.cmdline", Some(longest))))).is_ok());
}

#[test]
fn each_field_with_another_value_is_refused_for_its_own_reason() {
    let cases: [(&str, Write, &str); 14] = [
        ("version", |out| done(out.u8(5)), "has version 5"),
        ("version", |out| done(out.str("4")), "not CBOR"),
        ("image.cmdline", |out| done(out.str("")), "has 0 bytes"),
        (
            "image.cmdline",
            |out| done(out.str(&command_line_of(2049))),
            "has 2049 bytes",
        ),
        (
            "image.cmdline",
            |out| done(out.str("a dstack.rootfs_hash=b initrd=initrd")),
            "which QEMU adds",
        ),
        (
            "image.cmdline",
            |out| done(out.str("console=ttyS0")),
            "lacks `dstack.rootfs_hash=`",
        ),
        (
            "image.cmdline",
            |out| done(out.str("dstack.rootfs_hash=a\n")),
            "control character",
        ),
        (
            "image.kernel_authenticode",
            |out| done(out.bytes(&[1; 47])),
            "has 47 bytes",
        ),
        ("tdvf.ovmf", |out| done(out.str("stable202505")), "stable202505"),
        ("tdvf.td_hob", |out| done(out.bytes(&[])), "incomplete"),
        ("tdvf.mrtd.single_pass", |out| done(out.begin_bytes()), "not CBOR"),
        ("image", |out| done(out.begin_map()), "definite"),
        ("more", |out| done(out.u8(1)), "unknown key `more`"),
        (
            "image.cmdline_sha384",
            |out| done(out.bytes(&[1; 48])),
            "unknown key `image.cmdline_sha384`",
        ),
    ];
    for (field, value, says) in cases {
        let error = read(&document(Some((field, Some(value)))))
            .unwrap_err()
            .to_string();
        assert!(error.contains(says), "{field}: {error}");
    }
    let mut trailing = document(None);
    trailing.push(0);
    assert_eq!(read(&trailing).unwrap_err(), DocumentError::TrailingBytes(1));
    assert!(
        matches!(read(&[0x9f; 1000]), Err(DocumentError::Cbor(_))),
        "depth does not matter"
    );
}

#[test]
fn a_checksum_file_must_list_the_document_once_and_be_readable_to_its_end() {
    let document = document(None);
    let line = format!("{}  measurement.tdx.cbor\n", hex::encode(sha256(&document)));
    let with = |file: &str| MeasurementDocument::read(file.as_bytes(), &document).unwrap_err();
    assert_eq!(with(&format!("{line}{line}")), DocumentError::ListedTwice);
    assert_eq!(with(&format!("{line}\n")), DocumentError::ChecksumLine(2));
    assert_eq!(with(&line.replace("  ", " ")), DocumentError::ChecksumLine(1));
    assert_eq!(with(&line.replace("tdx", "gcp")), DocumentError::NotListed);
    assert_eq!(with(&line.to_uppercase()), DocumentError::ChecksumLine(1));
    let other = format!("{}  measurement.tdx.cbor\n", "00".repeat(32));
    assert!(matches!(with(&other), DocumentError::OtherDocument { .. }));
    let at_the_limit = "a".repeat(MAX_CHECKSUM_FILE);
    assert_eq!(with(&at_the_limit), DocumentError::ChecksumLine(1));
    let long = "a".repeat(MAX_CHECKSUM_FILE + 1);
    assert!(matches!(with(&long), DocumentError::TooLarge { .. }));
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes: Vec<u8>) {
        let _ = read(&bytes);
    }

    #[test]
    fn no_changed_byte_panics(at: prop::sample::Index, to: u8) {
        let mut bytes = document(None);
        let at = at.index(bytes.len());
        bytes[at] = to;
        let _ = read(&bytes);
    }
}
