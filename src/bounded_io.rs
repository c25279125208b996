//! Reading and writing that ends: what lies under a name that a user gave may be a pipe that nobody writes to or reads from, or a
//! device that has nothing to say.

use std::cell::Cell;
use std::fs::File;
use std::io::{Error, ErrorKind, Read as _, Result, Write as _};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use crate::watchdog::Waiting;

/// How long what is not a plain file may take to be read: 30 seconds. What stands behind a pipe, as `<(…)` of a shell makes it, may
/// ask a server first.
const READ_WITHIN: Duration = Duration::from_secs(30);
/// How long what is not a plain file may take what is written to it: 10 seconds.
const WRITE_WITHIN: Duration = Duration::from_secs(10);

/// How long all named files of a command together may take, if it has no deadline: 2 minutes.
const ALL_READ_WITHIN: Duration = Duration::from_secs(120);

/// How often it is looked whether a signal ends the wait.
const LOOKED_EACH: Duration = Duration::from_millis(100);

/// The least time that a plain file has: the system's own files say that they are empty, and are read as a pipe is.
const PLAIN_FILE_WITHIN: Duration = Duration::from_secs(1);

/// After how long a person is told which file is waited for.
const TOLD_AFTER: Duration = Duration::from_secs(2);

thread_local! {
    /// When the run of this thread is over.
    static RUN_ENDS: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// As long as it lives, nothing that this thread reads is waited for beyond the end of its run.
pub(crate) struct ReadsWithin {
    /// What held before.
    before: Option<Instant>,
}

impl ReadsWithin {
    /// The run ends so long from now.
    pub fn new(left: Duration) -> Self {
        let before = RUN_ENDS.replace(Instant::now().checked_add(left));
        Self { before }
    }

    /// Of a command that has no deadline.
    pub fn of_command() -> Self {
        Self::new(ALL_READ_WITHIN)
    }

    fn left() -> Duration {
        RUN_ENDS
            .get()
            .map_or(Duration::MAX, |end| end.saturating_duration_since(Instant::now()))
    }
}

impl Drop for ReadsWithin {
    fn drop(&mut self) {
        RUN_ENDS.set(self.before);
    }
}

/// The start of a file, pipe or device: at most `limit` bytes.
///
/// # Errors
/// As the system says, and `TimedOut` where a pipe or device gives no end within 30 seconds, or by the end of the run.
pub(crate) fn read(path: &Path, limit: u64) -> Result<Vec<u8>> {
    read_within(path, limit, READ_WITHIN.min(ReadsWithin::left()))
}

fn read_within(path: &Path, limit: u64, time: Duration) -> Result<Vec<u8>> {
    let owned = path.to_owned();
    let reading = move || {
        let mut bytes = Vec::new();
        File::open(&owned)?.take(limit).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    // The system's own files say that they are empty, and some of them wait to be read.
    let found = std::fs::metadata(path)?;
    if found.is_file() && found.len() > 0 {
        return reading();
    }
    let waiting = || {
        let _ = writeln!(std::io::stderr(), "{}", note_of_waiting(path, time));
    };
    let time = match found.is_file() {
        true => time.max(PLAIN_FILE_WITHIN),
        false => time,
    };
    in_time(time, "nothing more came from it", waiting, reading)
}

/// Which file is waited for. The name is quoted as Rust's `Debug` does it: no character of it acts on a terminal or hides there.
fn note_of_waiting(path: &Path, time: Duration) -> String {
    format!(
        "note: waiting for {path:?}: it is a pipe or a device, and has not ended yet (at most {} seconds)",
        time.as_secs()
    )
}

/// Whether there is something that is neither a file nor a folder: a pipe or a device.
pub(crate) fn is_special(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|there| !there.is_file() && !there.is_dir())
}

/// Opens something special for writing, and writes.
///
/// # Errors
/// As the system says, and `TimedOut` where a pipe or device takes it not within 10 seconds.
pub(crate) fn write_special(path: &Path, text: &str) -> Result<()> {
    let (path, text) = (path.to_owned(), text.to_owned());
    in_time(
        WRITE_WITHIN,
        "nobody reads from it",
        || {},
        move || {
            File::options()
                .write(true)
                .open(&path)?
                .write_all(text.as_bytes())
        },
    )
}

/// The thread of work that does not end ends with the process.
fn in_time<T: Send + 'static>(
    time: Duration,
    what: &str,
    waiting: impl FnOnce(),
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let (send, done) = sync_channel(1);
    std::thread::Builder::new().spawn(move || {
        let _ = send.send(work());
    })?;
    let told_after = TOLD_AFTER.min(time);
    let signals = Waiting::new();
    let first = received(&done, told_after, &signals).or_else(|error| match error {
        RecvTimeoutError::Timeout if told_after < time && !signals.is_ended() => {
            waiting();
            received(&done, time.saturating_sub(told_after), &signals)
        }
        error => Err(error),
    });
    match first {
        Ok(result) => result,
        Err(RecvTimeoutError::Timeout) if signals.is_ended() => Err(Error::new(
            ErrorKind::Interrupted,
            "it is a pipe or a device, and a signal ended the run while it was waited for",
        )),
        Err(RecvTimeoutError::Timeout) => Err(Error::new(
            ErrorKind::TimedOut,
            format!(
                "it is a pipe or a device, and {what} within {} seconds",
                time.as_secs()
            ),
        )),
        Err(RecvTimeoutError::Disconnected) => Err(ErrorKind::Other.into()),
    }
}

/// What is received within a time, or until a signal.
fn received<T>(
    done: &Receiver<T>,
    time: Duration,
    signals: &Waiting,
) -> std::result::Result<T, RecvTimeoutError> {
    let mut left = time;
    loop {
        let slice = left.min(LOOKED_EACH);
        left -= slice;
        match done.recv_timeout(slice) {
            Err(RecvTimeoutError::Timeout) if !left.is_zero() && !signals.is_ended() => {}
            received => return received,
        }
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    fn pipe(folder: &Path) -> std::path::PathBuf {
        let path = folder.join("pipe");
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        path
    }

    #[test]
    fn a_pipe_that_nobody_writes_to_is_an_error_and_one_with_a_writer_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = pipe(folder.path());
        let error = read_within(&path, 10, Duration::from_millis(50)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        let said = "it is a pipe or a device, and nothing more came from it within 0 seconds";
        assert_eq!(error.to_string(), said);
        let other = folder.path().join("other");
        assert!(Command::new("mkfifo").arg(&other).status().unwrap().success());
        let writer = {
            let other = other.clone();
            std::thread::spawn(move || write_special(&other, "0123456789ab"))
        };
        assert!(is_special(&other));
        assert_eq!(read(&other, 10).unwrap(), b"0123456789");
        let _ = writer.join().unwrap();
    }

    #[test]
    fn the_note_that_names_what_is_waited_for_holds_nothing_that_acts_on_a_terminal() {
        let path = Path::new("a\u{1b}[2J\n::error::\u{202e}\u{200b}b");
        assert_eq!(
            note_of_waiting(path, Duration::from_secs(30)),
            r#"note: waiting for "a\u{1b}[2J\n::error::\u{202e}\u{200b}b": it is a pipe or a device, and has not ended yet (at most 30 seconds)"#
        );
    }

    #[test]
    fn a_pipe_is_waited_for_no_longer_than_the_run_lasts() {
        let folder = tempfile::tempdir().unwrap();
        let path = pipe(folder.path());
        let run = ReadsWithin::new(Duration::from_millis(50));
        let error = read(&path, 10).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert!(error.to_string().ends_with("within 0 seconds"), "{error}");
        // All files of a run have one end; another run inside it has its own.
        assert_eq!(read(&path, 10).unwrap_err().kind(), ErrorKind::TimedOut);
        let inner = ReadsWithin::new(Duration::from_secs(3600));
        assert!(ReadsWithin::left() > Duration::from_secs(1800));
        drop(inner);
        assert_eq!(ReadsWithin::left(), Duration::ZERO);
        assert_eq!(
            read(Path::new("/proc/self/maps"), 1).ok().map(|text| text.len()),
            Some(1)
        );
        drop(run);
        assert_eq!(ReadsWithin::left(), Duration::MAX);
    }

    #[test]
    fn a_file_is_read_to_the_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "0123456789ab").unwrap();
        assert!(!is_special(&path));
        assert_eq!(read(&path, 10).unwrap(), b"0123456789");
        std::fs::write(&path, "").unwrap();
        assert_eq!(read(&path, 10).unwrap(), b"");
        let gone = read(&folder.path().join("gone"), 10).unwrap_err();
        assert_eq!(gone.kind(), ErrorKind::NotFound);
    }
}
