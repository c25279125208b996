//! The policy file `cvm-verify.toml`.
#![cfg_attr(feature = "libfuzzer", no_main)]

use cvm_verify::config::file::PolicyFile;

cvm_verify_fuzz::fuzz_target!(|file: &[u8]| {
    let (policy, mistakes) = PolicyFile::read(file, "cvm-verify.toml");
    for mistake in &mistakes {
        let text = mistake.to_string();
        assert!(text.starts_with("cvm-verify.toml"), "{text:?}");
        assert!(text.chars().all(|c| !c.is_control()), "{text:?}");
    }
    // What has no mistake names every target, once.
    if mistakes.is_empty() {
        assert!(!policy.targets.is_empty());
        let mut names: Vec<&str> = policy.targets.iter().map(|target| target.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), policy.targets.len());
    }
});
