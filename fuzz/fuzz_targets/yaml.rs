//! A docker compose file as YAML: the tree that is read of it.
#![cfg_attr(feature = "libfuzzer", no_main)]

use cvm_verify_core::compose::canonical_yaml;

cvm_verify_fuzz::fuzz_target!(|text: &str| {
    match canonical_yaml(text) {
        Ok(tree) => {
            assert_eq!(
                canonical_yaml(text).as_ref(),
                Ok(&tree),
                "it reads the same twice"
            );
            assert!(tree.len() <= 16 * 1024 * 1024, "aliases are bounded");
            // What follows the end of the document says nothing.
            if text.ends_with('\n') {
                assert_eq!(canonical_yaml(&format!("{text}# comment\n")), Ok(tree));
            }
        }
        Err(problem) => {
            assert!(problem.starts_with("line "), "{problem}");
            assert!(problem.contains("; "), "it says what to change: {problem}");
        }
    }
});
