//! A lock file of one target or of several.
#![cfg_attr(feature = "libfuzzer", no_main)]

use cvm_verify_core::lock::{Lock, LockFile};
use cvm_verify_fuzz::printed::assert_harmless;

cvm_verify_fuzz::fuzz_target!(|file: &[u8]| {
    match Lock::read_file(file, "cvm.lock") {
        Ok(LockFile::One(lock)) => assert_eq!(Lock::read(file, "cvm.lock").expect("the same reader"), *lock),
        Ok(LockFile::Several(targets)) => assert!(!targets.is_empty()),
        // A line for each mistake.
        Err(error) => assert_harmless(&error.to_string()),
    }
});
