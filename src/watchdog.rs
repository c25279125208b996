//! Ends the process after a signal that the program does not act on: while it waits for a file, for the reader of its output, or
//! while it computes.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How long the program may take to notice a signal.
const NOTICED_WITHIN: Duration = Duration::from_secs(5);

/// The exit code: nothing more can be said of the deployment.
#[cfg(unix)]
const INCONCLUSIVE: i32 = 3;

/// Whether this process is the program's own. A test that runs a command must not be ended with it.
static OWNS_PROCESS: AtomicBool = AtomicBool::new(false);
/// Whether the program has noticed a signal.
static NOTICED: AtomicBool = AtomicBool::new(false);
/// Whether there was a signal.
static ASKED: AtomicBool = AtomicBool::new(false);

/// This process runs one command, and ends with it.
pub(crate) fn own_process() {
    OWNS_PROCESS.store(true, Ordering::Relaxed);
}

/// The program acts on a signal.
pub(crate) fn noticed() {
    NOTICED.store(true, Ordering::Relaxed);
    ASKED.store(true, Ordering::Relaxed);
}

/// Whether a signal asked this process to end.
pub(crate) fn asked_to_end() -> bool {
    OWNS_PROCESS.load(Ordering::Relaxed) && ASKED.load(Ordering::Relaxed)
}

/// From now on a signal that is not noticed ends the process after 5 seconds, and one that is noticed ends it after `longest` more.
/// To be called where the program begins to handle signals itself.
#[cfg(unix)]
pub(crate) fn watch(longest: Duration) {
    if !OWNS_PROCESS.load(Ordering::Relaxed) {
        return;
    }
    let thread = std::thread::Builder::new().name("watchdog".to_owned());
    // Without a thread signals are handled as far as the program comes to it.
    let _ = thread.spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let _ = runtime.map(|runtime| runtime.block_on(wait(longest)));
    });
}

/// Signals end a process there by the system's own means.
#[cfg(not(unix))]
pub(crate) fn watch(_longest: Duration) {
    let _ = NOTICED_WITHIN;
}

#[cfg(unix)]
async fn wait(longest: Duration) -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut signal = async || {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    signal().await;
    ASKED.store(true, Ordering::Relaxed);
    tokio::time::sleep(NOTICED_WITHIN).await;
    if NOTICED.swap(false, Ordering::Relaxed) {
        // What follows a signal takes its time, and a second signal ends that.
        tokio::select! {
            () = tokio::time::sleep(longest) => {}
            () = async { signal().await; tokio::time::sleep(NOTICED_WITHIN).await } => {}
        }
    }
    end();
    Ok(())
}

/// Standard error may be what stands still, so nobody waits for the last line.
#[cfg(unix)]
#[allow(
    clippy::exit,
    reason = "the thread that would return an exit code does not run on"
)]
fn end() {
    use std::io::Write as _;
    let _ = std::thread::Builder::new().spawn(|| {
        let _ = writeln!(
            std::io::stderr(),
            "error: ended by a signal while a file, a pipe or a reader of the output blocked the program; there are no later \
             results or alerts"
        );
    });
    std::thread::sleep(Duration::from_millis(200));
    std::process::exit(INCONCLUSIVE);
}
