//! Firmware and kernel of an OS image, bound by checksums of their own: never a panic, and the same bytes give the same registers.
#![cfg_attr(feature = "libfuzzer", no_main)]

use cvm_verify_core::verify::{ImageFiles, Initrd, MeasuredImage, image_file};
use sha2::{Digest as _, Sha256};

/// Takes as many bytes from the front as the first two say.
fn part<'a>(rest: &mut &'a [u8]) -> &'a [u8] {
    let Some((length, behind)) = rest.split_first_chunk::<2>() else {
        return &[];
    };
    let length = usize::from(u16::from_le_bytes(*length)).min(behind.len());
    let (part, behind) = behind.split_at(length);
    *rest = behind;
    part
}

cvm_verify_fuzz::fuzz_target!(|input: &[u8]| {
    let mut rest = input;
    let (firmware, metadata) = (part(&mut rest), part(&mut rest));
    let kernel = rest;
    let initrd = Initrd {
        sha256: [0; 32],
        sha384: [0; 48],
        size: 4096,
    };
    let line = |hash: &[u8], name: &str| format!("{}  {name}\n", hex::encode(hash));
    let checksums = [
        line(&Sha256::digest(firmware), image_file::FIRMWARE),
        line(&Sha256::digest(kernel), image_file::KERNEL),
        line(&Sha256::digest(metadata), image_file::METADATA),
        line(&initrd.sha256, image_file::INITRD),
    ]
    .concat();
    let digest = hex::encode(Sha256::digest(&checksums));
    let measure = || {
        MeasuredImage::measure(&ImageFiles {
            checksum_file: checksums.as_bytes(),
            digest: digest.as_bytes(),
            metadata,
            firmware,
            kernel,
            initrd,
        })
    };
    let first = measure();
    assert_eq!(first, measure());
    if let Ok(image) = first {
        let rtmr1 = image.rtmr1.plain;
        assert_eq!(
            image.other_register(&image.mrtd.two_pass, &rtmr1, &image.rtmr2),
            None
        );
    }
});
