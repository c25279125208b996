//! A lock file.
#![cfg_attr(feature = "libfuzzer", no_main)]

use cvm_verify_core::lock::{Lock, MAX_LOCK_BYTES, Notes, difference, difference_text};
use cvm_verify_core::policy::Policy;

/// Printable ASCII and line ends: what a review shows is what stands there.
fn assert_plain(text: &str) {
    let is_plain = |c: char| matches!(c, ' '..='~' | '\n');
    assert!(text.chars().all(is_plain), "{text:?}");
}

cvm_verify_fuzz::fuzz_target!(|file: &[u8]| {
    let lock = match Lock::read(file, "cvm.lock") {
        Ok(lock) => lock,
        Err(error) => {
            // The last line may say how many more there are, after an ellipsis.
            let text = error.to_string();
            assert_plain(text.split("\n…").next().unwrap_or_default());
            assert!(!error.all().is_empty());
            for mistake in error.all() {
                assert_plain(&mistake.to_string());
            }
            return;
        }
    };
    assert!(!lock.is_empty(), "a lock that expects nothing is refused");
    let text = lock.to_toml(&Notes::default());
    assert_plain(&text);
    // Escapes and comments make it longer.
    if text.len() <= MAX_LOCK_BYTES {
        let again = Lock::parse(&text, "cvm.lock").expect("what was written can be read");
        assert_eq!(again, lock);
        assert_eq!(again.to_toml(&Notes::default()), text, "writing is stable");
        assert_eq!(difference(&lock, &again), []);
    }
    let other = Lock::default();
    assert!(
        !difference(&lock, &other).is_empty(),
        "it expects something that the empty one does not"
    );
    assert_plain(&difference_text(&difference(&lock, &other)));
    assert_plain(&difference_text(&difference(&other, &lock)));

    let policy = lock
        .apply(&"cvm.lock".into(), None, Policy::default())
        .expect("no option to contradict");
    assert_eq!(
        policy.compose_hash.map(|expected| expected.value),
        lock.compose_hash
    );
    assert_eq!(policy.app_id.map(|expected| expected.value), lock.app_id);
    assert_eq!(
        policy.key_provider.map(|expected| expected.value),
        lock.key_provider
    );
});
