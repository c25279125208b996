//! A file of Sigstore bundles: one, a list, JSON lines, or an answer of GitHub's API.
#![cfg_attr(feature = "libfuzzer", no_main)]

use cvm_verify_core::evidence::{MAX_STATEMENTS, StatementFile};
use cvm_verify_core::verify::provenance::SigstoreRoots;
use cvm_verify_core::verify::verify_statements;

const DIGEST: [u8; 32] = [0x5d; 32];

cvm_verify_fuzz::fuzz_target!(|file: &[u8]| {
    let Ok(read) = StatementFile::parse("bundles.jsonl", file) else {
        return;
    };
    let image = format!("web@sha256:{}", hex::encode(DIGEST));
    let about = read.about(&image, &DIGEST, "2026-10-01T12:00:00Z".to_owned());
    assert!(about.bundles.len() <= MAX_STATEMENTS);
    // A list of the same bundles reads alike.
    let list = serde_json::to_string(&about.bundles).expect("JSON of JSON");
    if !about.bundles.is_empty() {
        let again = StatementFile::parse("bundles.jsonl", list.as_bytes()).expect("a list of bundles");
        let again = again.about(&image, &DIGEST, about.fetched_at.clone());
        let texts = |bundles: &[Box<serde_json::value::RawValue>]| -> Vec<String> {
            bundles.iter().map(|bundle| bundle.get().to_owned()).collect()
        };
        assert_eq!(texts(&again.bundles), texts(&about.bundles));
    }
    // It is not signed under the built-in roots.
    for (_, found) in verify_statements(&[about], &SigstoreRoots::built_in(), 1_800_000_000) {
        let proven = found.bundles.iter().find(|bundle| bundle.proven.is_ok());
        assert!(proven.is_none(), "this was not signed: {proven:?}");
    }
});
