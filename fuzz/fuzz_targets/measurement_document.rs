//! The measurement document of an OS image, with a checksum file that lists it: never a panic, and what is read has bounds.
#![cfg_attr(feature = "libfuzzer", no_main)]

use cvm_verify_core::verify::{AcpiDigests, MeasurementDocument};
use sha2::{Digest as _, Sha256};

cvm_verify_fuzz::fuzz_target!(|document: &[u8]| {
    let line = format!(
        "{}  measurement.tdx.cbor\n",
        hex::encode(Sha256::digest(document))
    );
    let Ok(read) = MeasurementDocument::read(line.as_bytes(), document) else {
        return;
    };
    assert!(matches!(read.version(), 3 | 4));
    assert_eq!(read.os_image_hash()[..], Sha256::digest(&line)[..]);
    for memory in [0, 1 << 31, 3 << 30, u64::MAX] {
        let _ = read.rtmr0(memory, &AcpiDigests([[0; 48]; 3]));
    }
    // Another document under the same checksum file is refused.
    let mut other = document.to_vec();
    other.push(0);
    assert!(MeasurementDocument::read(line.as_bytes(), &other).is_err());
});
