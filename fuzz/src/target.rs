//! What makes a program of a fuzz target: with the feature `libfuzzer` the fuzzer, else a program that gives it the files
//! that it is called with; and a function in tests.

use std::path::{Path, PathBuf};

use peak_alloc::PeakAlloc;

/// Most bytes that Rust code may take for one input, at one time: 256 MiB. The fuzzer's own limit of one allocation needs a
/// sanitizer, and counts what the fuzzer takes itself. `tests/memory` has narrower bounds for each reader.
const MAX_INPUT_MEMORY: usize = 256 << 20;

// Tests run in threads of one program, and count nothing.
#[cfg_attr(not(test), global_allocator)]
static MEMORY: PeakAlloc = PeakAlloc;

/// Gives a target its input. Panics where it takes too much memory.
pub fn bounded(target: impl FnOnce()) {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    target();
    let taken = MEMORY.peak_usage().saturating_sub(before);
    assert!(taken <= MAX_INPUT_MEMORY, "an input takes {} MiB", taken >> 20);
}

#[cfg(feature = "libfuzzer")]
pub use libfuzzer_sys::fuzz_target as libfuzzer_target;

/// A fuzz target: `fuzz_target!(|bytes: &[u8]| { … });`, or of a `&str` or `(&str, &str)`.
#[macro_export]
macro_rules! fuzz_target {
    (|$input:ident: $kind:ty| $body:block) => {
        #[cfg(all(feature = "libfuzzer", not(test)))]
        $crate::target::libfuzzer_target!(|$input: $kind| $crate::target::bounded(|| $body));

        #[cfg(not(any(feature = "libfuzzer", test)))]
        fn main() -> std::process::ExitCode {
            $crate::target::replay(target)
        }

        /// Takes one input, unless it is none of the target's kind.
        #[cfg(any(not(feature = "libfuzzer"), test))]
        #[cfg_attr(
            test,
            allow(unreachable_pub, reason = "a module of the tests, or a program")
        )]
        pub fn target(bytes: &[u8]) {
            if let Some($input) = <$kind as $crate::target::Input>::of(bytes) {
                $body
            }
        }
    };
}

/// What a target can take. The fuzzer makes the same of the same bytes.
pub trait Input<'a>: Sized {
    /// The input that these bytes are; `None` where they are none, and the fuzzer skips them.
    fn of(bytes: &'a [u8]) -> Option<Self>;
}

impl<'a> Input<'a> for &'a [u8] {
    fn of(bytes: &'a [u8]) -> Option<Self> {
        Some(bytes)
    }
}

impl<'a> Input<'a> for &'a str {
    fn of(bytes: &'a [u8]) -> Option<Self> {
        made_of(bytes)
    }
}

impl<'a> Input<'a> for (&'a str, &'a str) {
    fn of(bytes: &'a [u8]) -> Option<Self> {
        made_of(bytes)
    }
}

fn made_of<'a, T: arbitrary::Arbitrary<'a>>(bytes: &'a [u8]) -> Option<T> {
    T::arbitrary_take_rest(arbitrary::Unstructured::new(bytes)).ok()
}

/// Gives `target` every file that the program was called with, and every file of every folder. A finding panics; what was
/// given last is named before that.
#[must_use]
pub fn replay(target: impl Fn(&[u8])) -> std::process::ExitCode {
    let mut waiting: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    if waiting.is_empty() {
        eprintln!("usage: TARGET FILE-OR-FOLDER…");
        return std::process::ExitCode::from(2);
    }
    let mut count = 0_usize;
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            waiting.extend(inside(&path));
            continue;
        }
        let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let named = Named(&path);
        bounded(|| target(&bytes));
        drop(named);
        count += 1;
    }
    println!("{count} inputs");
    std::process::ExitCode::SUCCESS
}

fn inside(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries
        .map(|entry| entry.expect("an entry of a folder").path())
        .collect()
}

/// Names the input where a target panics.
struct Named<'a>(&'a Path);

impl Drop for Named<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("found by {}", self.0.display());
        }
    }
}
