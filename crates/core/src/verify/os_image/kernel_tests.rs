//! What QEMU writes into a kernel's header, and what of a PE file is hashed, worked out by hand.

use super::*;

const GIB: u64 = 1 << 30;

/// A header of the Linux x86 boot protocol.
#[derive(Clone, Copy)]
struct Header {
    protocol: u16,
    load_flags: u8,
    xload_flags: u16,
    initrd_max: u32,
}

const NEW: Header = Header {
    protocol: 0x20c,
    load_flags: 1,
    xload_flags: 0x41,
    initrd_max: 0x2fff_ffff,
};

fn kernel(header: Header) -> Vec<u8> {
    let mut bytes = vec![0xee; 0x1000];
    write(&mut bytes, 0x202, b"HdrS");
    write(&mut bytes, 0x206, &header.protocol.to_le_bytes());
    write(&mut bytes, 0x211, &[header.load_flags]);
    write(&mut bytes, 0x236, &header.xload_flags.to_le_bytes());
    write(&mut bytes, 0x22c, &header.initrd_max.to_le_bytes());
    bytes
}

/// Bytes by their places.
type Written = Vec<(usize, Vec<u8>)>;

/// What is written where.
fn written(header: Header, initrd: u32, memory: u64) -> Result<Written, KernelError> {
    let before = kernel(header);
    let mut after = before.clone();
    patch(&mut after, initrd, memory)?;
    let fields = [
        (0x20, 2),
        (0x22, 2),
        (0x210, 1),
        (0x211, 1),
        (0x218, 4),
        (0x21c, 4),
        (0x224, 4),
        (0x228, 4),
    ];
    let mut rest = after.clone();
    for (at, length) in fields {
        rest[at..at + length].copy_from_slice(&before[at..at + length]);
    }
    assert_eq!(rest, before, "nothing else is written");
    let changed = fields
        .into_iter()
        .filter(|(at, length)| after[*at..at + length] != before[*at..at + length]);
    Ok(changed
        .map(|(at, length)| (at, after[at..at + length].to_vec()))
        .collect())
}

fn word(value: u32) -> Vec<u8> {
    value.to_le_bytes().to_vec()
}

#[test]
fn each_protocol_has_the_fields_that_qemu_writes() {
    let of = |protocol, load_flags| Header {
        protocol,
        load_flags,
        ..NEW
    };
    let (old_magic, loader) = ((0x20, vec![0x3f, 0xa3]), (0x210, vec![0xb0]));
    let high = [(0x224, word(0xfe00)), (0x228, word(0x2_0000))];
    let low = [(0x224, word(0x9e00)), (0x228, word(0x9_a000))];
    let rows: [(Header, Written); 7] = [
        (of(0x1ff, 1), vec![old_magic.clone(), (0x22, vec![0, 0xa0])]),
        (
            of(0x200, 1),
            vec![old_magic.clone(), (0x22, vec![0, 0]), loader.clone()],
        ),
        (
            of(0x201, 1),
            vec![
                old_magic,
                (0x22, vec![0, 0]),
                loader.clone(),
                (0x211, vec![0x81]),
                (0x224, word(0xfe00)),
            ],
        ),
        (
            of(0x202, 1),
            [vec![loader.clone(), (0x211, vec![0x81])], high.to_vec()].concat(),
        ),
        (of(0x20c, 0x81), [vec![loader.clone()], high.to_vec()].concat()),
        (
            of(0x20c, 0),
            [vec![loader.clone(), (0x211, vec![0x80])], low.to_vec()].concat(),
        ),
        (
            of(0x20c, 2),
            [vec![loader, (0x211, vec![0x82])], low.to_vec()].concat(),
        ),
    ];
    for (header, expected) in rows {
        let found = written(header, 0, 2 * GIB).unwrap();
        assert_eq!(found, expected, "{:x} {:x}", header.protocol, header.load_flags);
    }
}

#[test]
fn the_initrd_is_placed_as_high_as_header_and_memory_allow() {
    let address = |header, initrd, memory| {
        let found = written(header, initrd, memory)?;
        let field = |at| {
            let (_, bytes) = found.iter().find(|(place, _)| *place == at).unwrap();
            u32::from_le_bytes(bytes.clone().try_into().unwrap())
        };
        assert_eq!(field(0x21c), initrd);
        Ok(field(0x218))
    };
    let with = |protocol, xload_flags, initrd_max| Header {
        protocol,
        xload_flags,
        initrd_max,
        ..NEW
    };
    for (header, memory, expected) in [
        (NEW, 2 * GIB, 0x7ffd_6000),
        (with(0x20c, 0x40, 0), 2 * GIB, 0x7ffd_6000),
        (with(0x20d, 0x40, 0), 2 * GIB, 0x7ffd_6000),
        (with(0x20c, 0x01, 0), 2 * GIB, 0x37ff_e000),
        (with(0x20b, 0x41, 0x2fff_ffff), 2 * GIB, 0x2fff_e000),
        (with(0x203, 0x41, 0x2fff_ffff), 2 * GIB, 0x2fff_e000),
        (with(0x203, 0x41, 0), 2 * GIB, 0x37ff_e000),
        (with(0x202, 0x41, 0x2fff_ffff), 2 * GIB, 0x37ff_e000),
        // From 2816 MiB on, 2 GiB of it are below 4 GiB.
        (NEW, 0xafff_f000, 0xaffd_5000),
        (NEW, 0xb000_0000, 0x7ffd_6000),
        (NEW, 64 * GIB, 0x7ffd_6000),
        (NEW, 0x2_8000 + 0x2000, 0),
    ] {
        assert_eq!(
            address(header, 0x1000, memory),
            Ok(expected),
            "{:x} {memory:x}",
            header.protocol
        );
    }
    for memory in [0, 0x2_8000 - 1, 0x2_8000, 0x2_8001, 0x2_8000 + 0x1000] {
        let no_room = KernelError::NoRoom {
            initrd: 0x1000,
            memory,
        };
        assert_eq!(address(NEW, 0x1000, memory), Err(no_room), "{memory:x}");
    }
}

#[test]
fn what_is_not_a_linux_kernel_is_not_edited() {
    let mut short = kernel(NEW);
    short.truncate(0xfff);
    assert!(matches!(patch(&mut short, 0, GIB), Err(KernelError::NotLinux(_))));
    let mut unsigned = kernel(NEW);
    unsigned[0x205] = b's';
    assert!(matches!(
        patch(&mut unsigned, 0, GIB),
        Err(KernelError::NotLinux(_))
    ));
}

#[test]
fn a_kernel_has_a_limit() {
    let at = vec![0; MAX_KERNEL];
    let above = vec![0; MAX_KERNEL + 1];
    let too_large = Err(KernelError::TooLarge(MAX_KERNEL + 1));
    assert!(matches!(plain_digest(&at), Err(KernelError::NotPe(_))));
    assert_eq!(plain_digest(&above), too_large);
    assert!(matches!(
        patched_digest(&at, 0, GIB),
        Err(KernelError::NotLinux(_))
    ));
    assert_eq!(patched_digest(&above, 0, GIB), too_large);
}

const PE: usize = 0x80;
const OPTIONAL: usize = PE + 24;
const CHECKSUM: usize = OPTIONAL + 64;
const HEADERS: usize = 0x200;

/// A PE file of a length, and where its entry for certificates is.
fn pe(magic: u16, sections: &[(u32, u32)], certificates: u32, length: usize) -> (Vec<u8>, usize) {
    let mut bytes: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
    let directories = OPTIONAL + if magic == 0x20b { 112 } else { 96 };
    let table = directories + 5 * 8;
    write(&mut bytes, 0, b"MZ");
    write(&mut bytes, 0x3c, &(PE as u32).to_le_bytes());
    write(&mut bytes, PE, b"PE\0\0");
    write(&mut bytes, PE + 6, &(sections.len() as u16).to_le_bytes());
    write(&mut bytes, PE + 20, &((table - OPTIONAL) as u16).to_le_bytes());
    write(&mut bytes, OPTIONAL, &magic.to_le_bytes());
    write(&mut bytes, OPTIONAL + 60, &(HEADERS as u32).to_le_bytes());
    write(&mut bytes, directories - 4, &5_u32.to_le_bytes());
    write(&mut bytes, directories + 32 + 4, &certificates.to_le_bytes());
    for (index, (start, size)) in sections.iter().enumerate() {
        write(&mut bytes, table + 40 * index + 16, &size.to_le_bytes());
        write(&mut bytes, table + 40 * index + 20, &start.to_le_bytes());
    }
    (bytes, directories + 32)
}

#[test]
fn of_a_pe_file_headers_sections_and_what_follows_them_are_hashed() {
    // Sections by their places, whatever their order in the table; an empty one has no place.
    let sections = [(0x300, 0x100), (0, 0), (0x200, 0x100)];
    for magic in [0x20b, 0x10b] {
        for (certificates, length, end) in [
            (0, 0x400, 0x400),
            // Without certificates nothing behind the sections counts but the length.
            (0, 0x401, 0x400),
            (0, 0x407, 0x400),
            (8, 0x408, 0x400),
            (4, 0x408, 0x404),
            (8, 0x40b, 0x403),
        ] {
            let (bytes, entry) = pe(magic, &sections, certificates, length);
            let padding = vec![0; (8 - length % 8) % 8];
            let hashed = [
                &bytes[..CHECKSUM],
                &bytes[CHECKSUM + 4..entry],
                &bytes[entry + 8..end],
                padding.as_slice(),
            ]
            .concat();
            let expected: Digest384 = Sha384::digest(&hashed).into();
            assert_eq!(
                authenticode(&bytes),
                Ok(expected),
                "{magic:x} {certificates} {length:x}"
            );
        }
    }
}

#[test]
fn a_pe_file_that_can_be_read_in_two_ways_is_refused() {
    let problem = |bytes: &[u8]| match authenticode(bytes) {
        Err(KernelError::NotPe(problem)) => problem,
        other => panic!("{other:?}"),
    };
    let both = [(0x200, 0x100), (0x300, 0x100)];
    let changed = |at: usize, value: &[u8]| {
        let (mut bytes, _) = pe(0x20b, &both, 0, 0x400);
        write(&mut bytes, at, value);
        problem(&bytes)
    };
    assert!(changed(0, b"ZM").contains("`MZ`"));
    assert!(changed(PE, b"PE\0\x01").contains("no PE signature"));
    assert!(changed(OPTIONAL, &[0x0c, 2]).contains("unknown magic number"));
    assert!(changed(OPTIONAL + 108, &[4]).contains("no entry for certificates"));
    assert!(
        changed(0x3c, &[0xff; 4]).contains("PE signature") || changed(0x3c, &[0xff; 4]).contains("cut off")
    );
    assert!(problem(&pe(0x20b, &[(0x1ff, 0x100)], 0, 0x400).0).contains("overlap"));
    assert!(problem(&pe(0x20b, &[(0x200, 0x101), (0x300, 0x100)], 0, 0x400).0).contains("overlap"));
    assert!(problem(&pe(0x20b, &[(0x200, 0x201)], 0, 0x400).0).contains("cut off"));
    assert!(problem(&pe(0x20b, &both, 9, 0x408).0).contains("larger than what follows"));
    assert!(problem(&pe(0x20b, &both, 0x409, 0x408).0).contains("larger than what follows"));
}
