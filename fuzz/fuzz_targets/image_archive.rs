//! A TAR archive of an OS image, plain or compressed: never a panic, and no name of it is used as a path.
#![cfg_attr(feature = "libfuzzer", no_main)]

use cvm_verify::image_source::measure_archive;

cvm_verify_fuzz::fuzz_target!(|bytes: &[u8]| {
    let _ = measure_archive(bytes);
});
