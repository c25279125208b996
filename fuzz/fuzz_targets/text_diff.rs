//! The difference of two texts, as a person sees it.
#![cfg_attr(feature = "libfuzzer", no_main)]

use cvm_verify_core::compose::{MAX_DIFF_LINES, TextDiff, compose_forms};
use cvm_verify_core::report::Shard;

cvm_verify_fuzz::fuzz_target!(|texts: (&str, &str)| {
    let (old, new) = texts;
    let diff = TextDiff::of(old, new);
    if old == new {
        assert_eq!(diff.changed_lines(), 0);
    }
    assert!(diff.lines.len() <= MAX_DIFF_LINES + 1, "bounded, whatever comes");
    for line in &diff.lines {
        assert!(line.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{line:?}");
    }
    if let Ok((forms, _)) = compose_forms(old) {
        assert!(!forms.is_empty());
    }
    if let Ok(shard) = old.parse::<Shard>() {
        assert_eq!(shard.to_string().parse::<Shard>(), Ok(shard));
        assert!((1..=shard.count()).contains(&shard.index()));
    }
});
