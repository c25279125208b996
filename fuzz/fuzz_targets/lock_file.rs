//! A lock file of one target or of several.
#![cfg_attr(feature = "libfuzzer", no_main)]

use cvm_verify_core::lock::{Lock, LockFile};

cvm_verify_fuzz::fuzz_target!(|file: &[u8]| {
    match Lock::read_file(file, "cvm.lock") {
        Ok(LockFile::One(lock)) => assert_eq!(Lock::read(file, "cvm.lock").expect("the same reader"), *lock),
        Ok(LockFile::Several(targets)) => assert!(!targets.is_empty()),
        Err(error) => assert!(error.to_string().chars().all(|c| !c.is_control()), "{error}"),
    }
});
