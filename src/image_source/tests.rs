//! Folders and archives, honest and not.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use tar::{Builder, EntryType, Header};

use super::*;

/// The files of the synthetic image.
fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/os-image")
}

fn files() -> Vec<(String, Vec<u8>)> {
    WHOLE
        .iter()
        .map(|(file, _)| *file)
        .chain([name::INITRD])
        .map(|file| (file.to_owned(), std::fs::read(fixture().join(file)).unwrap()))
        .collect()
}

fn entry(archive: &mut Builder<Vec<u8>>, kind: EntryType, path: &str, content: &[u8]) {
    let mut header = Header::new_ustar();
    header.set_entry_type(kind);
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    // `set_path` would refuse what an attacker writes.
    header.as_ustar_mut().unwrap().name[..path.len()].copy_from_slice(path.as_bytes());
    header.set_cksum();
    archive.append(&header, content).unwrap();
}

/// An archive of the image in a folder, with more entries behind it.
fn archive(folder: &str, more: &[(EntryType, &str, &[u8])]) -> Vec<u8> {
    let mut archive = Builder::new(Vec::new());
    entry(&mut archive, EntryType::Directory, &format!("{folder}/"), &[]);
    for (file, content) in files() {
        entry(
            &mut archive,
            EntryType::Regular,
            &format!("{folder}/{file}"),
            &content,
        );
    }
    entry(
        &mut archive,
        EntryType::Regular,
        &format!("{folder}/rootfs.img.verity"),
        b"not read",
    );
    for (kind, path, content) in more {
        entry(&mut archive, *kind, path, content);
    }
    archive.into_inner().unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

fn refused(archive: &[u8]) -> String {
    measure_archive(archive).unwrap_err().to_string()
}

#[test]
fn a_folder_an_archive_and_a_compressed_archive_are_measured_alike() {
    let folder = measure(&fixture()).unwrap();
    for plain in [archive(".", &[]), archive("dstack-0.9.0", &[])] {
        assert_eq!(measure_archive(plain.as_slice()).unwrap(), folder);
        assert_eq!(measure_archive(gzip(&plain).as_slice()).unwrap(), folder);
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), gzip(&archive("x", &[]))).unwrap();
    assert_eq!(measure(file.path()).unwrap(), folder);
}

#[test]
fn an_archive_that_can_be_read_in_two_ways_is_refused_whatever_it_is_about() {
    for (kind, path, says) in [
        (EntryType::Symlink, "x/rootfs", "not a regular file"),
        (EntryType::Link, "x/rootfs", "not a regular file"),
        (EntryType::Fifo, "x/pipe", "not a regular file"),
        (EntryType::Block, "x/disk", "not a regular file"),
        (EntryType::Regular, "x/../../etc/passwd", "leaves its folder"),
        (EntryType::Regular, "/etc/passwd", "leaves its folder"),
        (EntryType::Directory, "../", "leaves its folder"),
        (EntryType::Regular, "x/ovmf.fd", "x/ovmf.fd twice"),
        (EntryType::Regular, "./x//ovmf.fd", "x/ovmf.fd twice"),
        (
            EntryType::Regular,
            "x/rootfs.img.verity",
            "x/rootfs.img.verity twice",
        ),
        (EntryType::Regular, "y/ovmf.fd", "ovmf.fd twice"),
        (
            EntryType::Regular,
            "y/initramfs.cpio.gz",
            "initramfs.cpio.gz twice",
        ),
        (EntryType::GNULongName, "././@LongLink", "extended header"),
        (EntryType::GNUSparse, "x/sparse", "extended header"),
    ] {
        let said = refused(&archive("x", &[(kind, path, b"content")]));
        assert!(said.contains(says), "{kind:?} {path}: {said}");
    }
}

#[test]
fn extended_headers_may_say_when_a_file_was_made_and_not_how_it_is_called() {
    let pax = |text: &str| {
        let mut length = text.len() + 2;
        while format!("{length} {text}\n").len() != length {
            length += 1;
        }
        format!("{length} {text}\n").into_bytes()
    };
    for kind in [EntryType::XHeader, EntryType::XGlobalHeader] {
        let time = pax("mtime=1.5");
        measure_archive(archive("x", &[(kind, "x/h", &time)]).as_slice()).unwrap();
        for other in ["path=x/ovmf.fd", "size=3", "linkpath=y", "GNU.sparse.major=1"] {
            let said = refused(&archive("x", &[(kind, "x/h", &pax(other))]));
            assert!(said.contains("extended header"), "{other}: {said}");
        }
    }
}

#[test]
fn what_is_too_much_is_refused_before_it_is_read() {
    // The header says 2 GiB; none of it follows.
    let mut header = Header::new_ustar();
    header.set_entry_type(EntryType::Regular);
    header.set_path("x/initramfs.cpio.gz").unwrap();
    header.set_size(2 << 30);
    header.set_cksum();
    let said = refused(header.as_bytes());
    assert!(
        said.contains("initramfs.cpio.gz has more than 268435456 bytes"),
        "{said}"
    );
    let mut many = Builder::new(Vec::new());
    for index in 0..=MAX_ENTRIES {
        entry(&mut many, EntryType::Regular, &format!("x/{index}"), b"");
    }
    assert!(refused(&many.into_inner().unwrap()).contains("4096 entries"));
    let metadata = vec![b' '; 64 * 1024 + 1];
    let mut large = Builder::new(Vec::new());
    entry(&mut large, EntryType::Regular, "metadata.json", &metadata);
    assert!(refused(&large.into_inner().unwrap()).contains("metadata.json has more than 65536 bytes"));
}

#[test]
fn more_than_the_limit_comes_out_of_no_compression() {
    let mut limited = archive::Limited::with(std::io::repeat(0), 100_000);
    let mut out = Vec::new();
    let error = limited.read_to_end(&mut out).unwrap_err().to_string();
    assert!(error.contains("once it is decompressed"), "{error}");
    assert!(out.len() <= 100_000);
}

#[test]
fn what_is_missing_or_of_another_format_is_named() {
    let mut none = Builder::new(Vec::new());
    entry(&mut none, EntryType::Regular, "a/b/ovmf.fd", b"too deep");
    assert!(refused(&none.into_inner().unwrap()).contains("sha256sum.txt is not among the files"));
    for (magic, says) in [
        (&[0x28, 0xb5, 0x2f, 0xfd, 0, 0][..], "zstd"),
        (&[0xfd, b'7', b'z', b'X', b'Z', 0], "xz"),
        (b"BZh91A", "bzip2"),
    ] {
        assert!(refused(magic).contains(says), "{says}");
    }
    assert!(refused(b"").contains("sha256sum.txt is not among the files"));
    let mut cut = gzip(&archive("x", &[]));
    cut.truncate(cut.len() / 2);
    // Where it ends, the archive or a file of it is being read.
    let said = refused(&cut);
    assert!(said.contains("cannot be read"), "{said}");
}

/// Callers put the path before it.
#[test]
fn an_archive_that_is_not_there_is_not_named_twice() {
    let said = measure(Path::new("/nowhere/image.tar.gz"))
        .unwrap_err()
        .to_string();
    assert!(said.starts_with("the archive cannot be read: "), "{said}");
}

#[test]
fn a_folder_with_a_link_or_without_a_file_is_refused() {
    for file in WHOLE.iter().map(|(file, _)| *file).chain([name::INITRD]) {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files() {
            std::fs::write(folder.path().join(name), content).unwrap();
        }
        measure(folder.path()).unwrap();
        let path = folder.path().join(file);
        std::fs::remove_file(&path).unwrap();
        let said = measure(folder.path()).unwrap_err().to_string();
        assert!(said.contains(&format!("{file} is not among the files")), "{said}");
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(fixture().join(file), &path).unwrap();
            let said = measure(folder.path()).unwrap_err().to_string();
            assert!(said.contains(&format!("{file} is not a regular file")), "{said}");
        }
        let _ = std::fs::remove_file(&path);
        std::fs::write(&path, b"another file").unwrap();
        let error = measure(folder.path()).unwrap_err();
        assert!(error.is_contradiction(), "{file}: {error}");
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2048), compressed: bool) {
        let bytes = if compressed { gzip(&bytes) } else { bytes };
        let _ = measure_archive(bytes.as_slice());
    }

    #[test]
    fn a_flipped_byte_of_an_archive_is_refused_or_changes_nothing(at in 0..30_000_usize, bit in 0..8_u32) {
        let mut bytes = archive("x", &[]);
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        if let Ok(measured) = measure_archive(bytes.as_slice()) {
            prop_assert_eq!(measured, measure(&fixture()).unwrap());
        }
    }
}
