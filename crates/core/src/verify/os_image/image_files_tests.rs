//! A synthetic image is measured as another implementation measures it (`tests/os_image/synthetic_image.py`).

use std::fs;
use std::path::Path;

use serde_json::Value;
use sha2::{Digest as _, Sha256, Sha384};

use super::*;

struct Folder(Vec<(&'static str, Vec<u8>)>);

impl Folder {
    fn read() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/os-image");
        let names = [
            name::CHECKSUM_FILE,
            name::DIGEST,
            name::METADATA,
            name::FIRMWARE,
            name::KERNEL,
            name::INITRD,
        ];
        Self(
            names
                .map(|name| (name, fs::read(folder.join(name)).unwrap()))
                .into(),
        )
    }

    fn file(&mut self, name: &str) -> &mut Vec<u8> {
        &mut self.0.iter_mut().find(|(other, _)| *other == name).unwrap().1
    }

    /// Makes the checksum file and `digest.txt` those of the files as they are now.
    fn relisted(mut self) -> Self {
        let lines: String = self
            .0
            .iter()
            .filter(|(file, _)| *file != name::CHECKSUM_FILE && *file != name::DIGEST)
            .map(|(file, bytes)| format!("{}  {file}\n", hex::encode(Sha256::digest(bytes))))
            .collect();
        *self.file(name::DIGEST) = hex::encode(Sha256::digest(&lines)).into_bytes();
        *self.file(name::CHECKSUM_FILE) = lines.into_bytes();
        self
    }

    fn measure(&mut self) -> Result<MeasuredImage, ImageError> {
        let initrd = self.file(name::INITRD).clone();
        let [checksum_file, digest, metadata, firmware, kernel] = [
            name::CHECKSUM_FILE,
            name::DIGEST,
            name::METADATA,
            name::FIRMWARE,
            name::KERNEL,
        ]
        .map(|name| self.file(name).clone());
        MeasuredImage::measure(&ImageFiles {
            checksum_file: &checksum_file,
            digest: &digest,
            metadata: &metadata,
            firmware: &firmware,
            kernel: &kernel,
            initrd: Initrd {
                sha256: Sha256::digest(&initrd).into(),
                sha384: Sha384::digest(&initrd).into(),
                size: initrd.len() as u64,
            },
        })
    }
}

fn expected() -> Value {
    serde_json::from_str(include_str!("../../../../../fixtures/os-image/expected.json")).unwrap()
}

#[test]
fn a_synthetic_image_has_the_registers_that_another_implementation_computes() {
    let image = Folder::read().measure().unwrap();
    let expected = expected();
    let hex = |value: &[u8]| Value::from(hex::encode(value));
    assert_eq!(hex(&image.os_image_hash), expected["os_image_hash"]);
    assert_eq!(hex(&image.mrtd.single_pass), expected["mrtd"]["single_pass"]);
    assert_eq!(hex(&image.mrtd.two_pass), expected["mrtd"]["two_pass"]);
    assert_eq!(hex(&image.rtmr1.plain), expected["rtmr1"]["plain"]);
    assert_eq!(hex(&image.rtmr1.patched.unwrap()), expected["rtmr1"]["patched"]);
    assert_eq!(hex(&image.rtmr2), expected["rtmr2"]);
    let digest = |value: &Value| <[u8; 48]>::try_from(hex::decode(value.as_str().unwrap()).unwrap()).unwrap();
    let acpi = AcpiDigests([0, 1, 2].map(|index| digest(&expected["acpi"][index])));
    for (memory, rtmr0) in expected["rtmr0"].as_object().unwrap() {
        let computed = image.rtmr0(memory.parse().unwrap(), &acpi).unwrap();
        assert_eq!(hex(&computed), *rtmr0, "{memory}");
    }
}

#[test]
fn a_file_that_is_not_the_listed_one_is_named() {
    for file in [name::METADATA, name::FIRMWARE, name::KERNEL, name::INITRD] {
        let mut folder = Folder::read();
        folder.file(file)[100] ^= 1;
        assert!(matches!(folder.measure(), Err(ImageError::OtherFile { file: named, .. }) if named == file));
    }
    let mut folder = Folder::read();
    folder.file(name::CHECKSUM_FILE).push(b'\n');
    assert!(matches!(
        folder.measure(),
        Err(ImageError::OtherChecksumFile { .. })
    ));
    folder = Folder::read();
    *folder.file(name::DIGEST) = b"abc".to_vec();
    assert_eq!(folder.measure(), Err(ImageError::Digest));
}

#[test]
fn a_changed_part_changes_its_own_register() {
    let honest = Folder::read().measure().unwrap();
    let changed = |file: &'static str, at: usize| {
        let mut folder = Folder::read();
        folder.file(file)[at] ^= 1;
        folder.relisted().measure().unwrap()
    };
    let firmware = changed(name::FIRMWARE, 4096 + 100);
    assert_ne!(firmware.mrtd.single_pass, honest.mrtd.single_pass);
    assert_eq!((firmware.rtmr1, firmware.rtmr2), (honest.rtmr1, honest.rtmr2));
    let kernel = changed(name::KERNEL, 5000);
    assert_ne!(kernel.rtmr1.plain, honest.rtmr1.plain);
    assert_eq!((kernel.mrtd, kernel.rtmr2), (honest.mrtd, honest.rtmr2));
    let initrd = changed(name::INITRD, 1);
    assert_ne!(initrd.rtmr2, honest.rtmr2);
    // The checksum of a PE file is not part of its digest.
    let checksum = changed(name::KERNEL, 0x280 + 24 + 64);
    assert_eq!(checksum.rtmr1.plain, honest.rtmr1.plain);
}

#[test]
fn what_is_not_a_firmware_or_a_kernel_is_named() {
    for (file, bytes, says) in [
        (name::FIRMWARE, vec![0; 8192], "no TDVF metadata"),
        (name::FIRMWARE, vec![], "no TDVF metadata"),
        (name::KERNEL, vec![0; 8192], "does not begin with `MZ`"),
        (name::KERNEL, b"MZ".to_vec(), "cut off"),
        (name::METADATA, b"[]".to_vec(), "metadata.json"),
        (
            name::METADATA,
            b"{\"cmdline\":\" \",\"version\":\"1\"}".to_vec(),
            "`cmdline` is empty",
        ),
    ] {
        let mut folder = Folder::read();
        *folder.file(file) = bytes;
        let error = folder.relisted().measure().unwrap_err().to_string();
        assert!(error.contains(says), "{file}: {error}");
    }
}

#[test]
fn a_register_that_is_not_the_images_is_named() {
    let image = Folder::read().measure().unwrap();
    let (mrtd, rtmr1) = (image.mrtd, image.rtmr1);
    let other = |mrtd: &Digest384, rtmr1: &Digest384, rtmr2: &Digest384| {
        let found = image.other_register(mrtd, rtmr1, rtmr2)?;
        Some((found.name, found.expected))
    };
    for mrtd in [mrtd.single_pass, mrtd.two_pass] {
        for rtmr1 in [rtmr1.plain, rtmr1.patched.unwrap()] {
            assert_eq!(other(&mrtd, &rtmr1, &image.rtmr2), None);
        }
    }
    let zeros = [0; 48];
    assert_eq!(other(&zeros, &zeros, &zeros), Some(("MRTD", mrtd.single_pass)));
    // RTMR1 is named where it alone differs.
    for kernel in [zeros, rtmr1.plain] {
        let found = other(&mrtd.two_pass, &kernel, &zeros);
        assert_eq!(found, Some(("RTMR2", image.rtmr2)));
    }
    let found = other(&mrtd.two_pass, &zeros, &image.rtmr2);
    assert_eq!(found, Some(("RTMR1", rtmr1.plain)));
}

#[test]
fn each_file_has_a_limit() {
    let too_large = |error: ImageError| match error {
        ImageError::TooLarge { file, .. } => Some(file),
        _ => None,
    };
    for (file, limit) in [
        (name::METADATA, MAX_METADATA),
        (name::CHECKSUM_FILE, MAX_CHECKSUM_FILE),
    ] {
        let refused = |size: usize| {
            let mut folder = Folder::read();
            *folder.file(file) = vec![b' '; size];
            too_large(folder.measure().unwrap_err())
        };
        assert_eq!(refused(limit), None, "{file}");
        assert_eq!(refused(limit + 1), Some(file), "{file}");
    }
}
