//! Ends the process after a signal that the program does not act on: while it waits for a file, for the reader of its output, or
//! while it computes.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
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
/// Whether the command handles signals itself.
static HANDLES: AtomicBool = AtomicBool::new(false);
/// How many threads are [`Waiting`].
static WAITING: AtomicUsize = AtomicUsize::new(0);
/// How long a signal that is noticed may take, milliseconds: as long as the last alerts, if the command handles none itself.
static LONGEST: AtomicU64 = AtomicU64::new(60_000);

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
pub(crate) fn watch(longest: Duration) {
    let longest = u64::try_from(longest.as_millis()).unwrap_or(u64::MAX);
    LONGEST.store(longest, Ordering::Relaxed);
    HANDLES.store(true, Ordering::Relaxed);
    listen();
}

/// From now on a signal ends the process, as it did before; but where a thread is [`Waiting`], it has the time to end that.
#[cfg(unix)]
fn listen() {
    if !OWNS_PROCESS.load(Ordering::Relaxed) {
        return;
    }
    static STARTED: std::sync::Once = std::sync::Once::new();
    STARTED.call_once(|| {
        let thread = std::thread::Builder::new().name("watchdog".to_owned());
        let (send, listens) = std::sync::mpsc::channel();
        // Without a thread signals are handled as far as the program comes to it.
        let started = thread.spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let _ = runtime.map(|runtime| runtime.block_on(wait(&send)));
        });
        if started.is_ok() {
            let _ = listens.recv();
        }
    });
}

/// Signals end a process there by the system's own means.
#[cfg(not(unix))]
fn listen() {
    let _ = (NOTICED_WITHIN, &LONGEST, &HANDLES, &WAITING);
}

/// A thread waits for what may never come. A signal ends the wait, so that the command says what came of it.
pub(crate) struct Waiting {
    was_asked: bool,
}

impl Waiting {
    /// From now on, as long as it lives.
    pub fn new() -> Self {
        listen();
        WAITING.fetch_add(1, Ordering::Relaxed);
        Self {
            was_asked: asked_to_end(),
        }
    }

    /// Whether a signal came since. Then the program acts on it.
    pub fn is_ended(&self) -> bool {
        let is_ended = !self.was_asked && asked_to_end();
        if is_ended {
            noticed();
        }
        is_ended
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        WAITING.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(unix)]
async fn wait(listens: &std::sync::mpsc::Sender<()>) -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let _ = listens.send(());
    let mut signal = async || {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    signal().await;
    let is_acted_on = HANDLES.load(Ordering::Relaxed) || WAITING.load(Ordering::Relaxed) > 0;
    ASKED.store(true, Ordering::Relaxed);
    if !is_acted_on {
        end("Interrupted: there is no verdict.");
    }
    tokio::time::sleep(NOTICED_WITHIN).await;
    if NOTICED.swap(false, Ordering::Relaxed) {
        // What follows a signal takes its time, and a second signal ends that.
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(LONGEST.load(Ordering::Relaxed))) => {}
            () = async { signal().await; tokio::time::sleep(NOTICED_WITHIN).await } => {}
        }
    }
    end(BLOCKED);
    Ok(())
}

#[cfg(unix)]
const BLOCKED: &str = "error: ended by a signal while a file, a pipe or a reader of the output blocked the program; there are no later \
                       results or alerts";

/// Standard error may be what stands still, so nobody waits for the last line.
#[cfg(unix)]
#[allow(
    clippy::exit,
    reason = "the thread that would return an exit code does not run on"
)]
fn end(words: &'static str) {
    use std::io::Write as _;
    let _ = std::thread::Builder::new().spawn(move || {
        let _ = writeln!(std::io::stderr(), "{words}");
    });
    std::thread::sleep(Duration::from_millis(200));
    std::process::exit(INCONCLUSIVE);
}
