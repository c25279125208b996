//! No input decides how much memory is taken: the peak of every reader of outside bytes, for the inputs that take the most
//! (T80 to T87). The bounds are those of the table in docs/threats.md.

#[allow(dead_code, reason = "shared with the attacks")]
#[path = "../attacks/judge.rs"]
mod judge;

mod compose;
mod readers;
mod shapes;
mod statements;

use std::sync::{Mutex, MutexGuard, PoisonError};

use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// Peaks are of the whole process: one test at a time.
static ALONE: Mutex<()> = Mutex::new(());

const MIB: usize = 1024 * 1024;

/// Keeps every other measurement away until it is dropped: the allocator counts for the whole process.
fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Asserts that no input takes more than `mib` MiB beyond itself while `read` works on it.
#[track_caller]
fn takes_at_most<T>(mib: usize, inputs: impl IntoIterator<Item = (&'static str, T)>, read: impl Fn(&T)) {
    for (name, input) in inputs {
        let before = ALLOCATOR.current_usage();
        ALLOCATOR.reset_peak_usage();
        read(&input);
        let taken = ALLOCATOR.peak_usage().saturating_sub(before);
        assert!(
            taken <= mib * MIB,
            "{name} takes {} KiB; at most {mib} MiB",
            taken / 1024
        );
    }
}
