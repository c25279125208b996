//! Standard output that nobody waits for: a reader that stands still holds up neither verification nor alerts. What is lost is
//! noticed.

use std::collections::VecDeque;
use std::io::{Error, ErrorKind, Result, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::usage_error::WriteError;

/// Bytes that wait for the reader, at most: 16 MiB. What is printed beyond them is lost.
const MOST: usize = 16 * 1024 * 1024;
/// Bytes that are handed to the reader at a time: what it takes of a large report is known while it reads.
const PIECE: usize = 64 * 1024;
/// How long a line waits until it is read, so that lines here and on standard error keep their order. Not waited for again until the
/// reader goes on.
const IN_ORDER: Duration = Duration::from_secs(1);
/// How long the reader has after a signal to stop.
const AFTER_SIGNAL: Duration = Duration::from_secs(1);
/// Between two looks at whether there was a signal.
const LOOK: Duration = Duration::from_millis(100);

/// Takes what is printed.
pub(super) struct StandardOutput(Arc<OutputState>);

/// The other end: what waits for the reader.
pub(super) struct OutputReader(Arc<OutputState>);

#[derive(Default)]
struct OutputState {
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Vec<u8>>,
    /// Bytes that wait, what is being written included.
    bytes: usize,
    /// Whether the reader went away or cannot take more.
    ended: bool,
    /// Whether the reader stands still.
    is_stalled: bool,
    /// Whether nothing more is printed.
    finished: bool,
    /// The first problem.
    lost: Option<String>,
}

impl StandardOutput {
    pub fn new(inner: Box<dyn Write + Send>) -> (Self, OutputReader) {
        let shared = Arc::<OutputState>::default();
        let of_thread = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("output".to_owned());
        if let Err(error) = thread.spawn(move || of_thread.hand_on(inner)) {
            shared.locked().end(&error);
        }
        (Self(Arc::clone(&shared)), OutputReader(shared))
    }
}

impl OutputState {
    fn locked(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes what is printed, until nothing more is.
    fn hand_on(&self, mut inner: Box<dyn Write + Send>) {
        let mut queue = self.locked();
        loop {
            if let Some(chunk) = queue.waiting.pop_front() {
                for piece in chunk.chunks(PIECE) {
                    drop(queue);
                    let written = inner.write_all(piece).and_then(|()| inner.flush());
                    queue = self.locked();
                    queue.bytes = queue.bytes.saturating_sub(piece.len());
                    queue.is_stalled &= queue.bytes > 0;
                    if let Err(error) = written {
                        queue.end(&error);
                    }
                    self.changed.notify_all();
                    if queue.ended {
                        break;
                    }
                }
            } else if queue.finished || queue.ended {
                return;
            } else {
                queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }
}

impl Queue {
    /// A reader that went away (`| head`) has what it wanted.
    fn end(&mut self, error: &Error) {
        if !matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::Interrupted) {
            self.lost.get_or_insert(error.to_string());
        }
        self.ended = true;
        self.waiting.clear();
        self.bytes = 0;
    }
}

impl Write for StandardOutput {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        let mut queue = self.0.locked();
        // One text may be larger, as the report on ten thousand targets is: it is there already.
        if queue.bytes > 0 && queue.bytes.saturating_add(bytes.len()) > MOST {
            let said = "its reader does not read, and later output is lost";
            queue.lost.get_or_insert(said.to_owned());
        } else if !queue.ended {
            queue.bytes += bytes.len();
            queue.waiting.push_back(bytes.to_vec());
            self.0.changed.notify_all();
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<()> {
        let queue = self.0.locked();
        if queue.is_stalled {
            return Ok(());
        }
        let waits = |queue: &mut Queue| queue.bytes > 0;
        let waited = self.0.changed.wait_timeout_while(queue, IN_ORDER, waits);
        let (mut queue, _) = waited.unwrap_or_else(PoisonError::into_inner);
        queue.is_stalled = queue.bytes > 0;
        Ok(())
    }
}

impl OutputReader {
    /// Waits until all is read; after a signal, until the reader has stood still for a second in all. The first problem.
    pub fn finish(self, asked_to_end: impl Fn() -> bool) -> Option<WriteError> {
        let mut queue = self.0.locked();
        queue.finished = true;
        self.0.changed.notify_all();
        let mut since_signal = Duration::ZERO;
        while queue.bytes > 0 && since_signal < AFTER_SIGNAL {
            let (back, timed) = self
                .0
                .changed
                .wait_timeout(queue, LOOK)
                .unwrap_or_else(PoisonError::into_inner);
            queue = back;
            if timed.timed_out() && asked_to_end() {
                since_signal += LOOK;
            }
        }
        if queue.bytes > 0 {
            let said = format!(
                "a signal ended the run while its reader did not read: the last {} bytes are lost",
                queue.bytes
            );
            queue.lost.get_or_insert(said);
        }
        let said = queue.lost.take()?;
        Some(WriteError::new("standard output", said))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Receiver, Sender, channel};

    struct Failing(ErrorKind);

    impl Write for Failing {
        fn write(&mut self, _: &[u8]) -> Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> Result<()> {
            Err(self.0.into())
        }
    }

    #[test]
    fn what_is_lost_is_noticed_and_a_reader_that_went_away_is_none_of_it() {
        for (kind, lost) in [(ErrorKind::StorageFull, true), (ErrorKind::BrokenPipe, false)] {
            let (mut output, reader) = StandardOutput::new(Box::new(Failing(kind)));
            assert!(output.write_all(b"PASS").is_ok() && output.flush().is_ok());
            assert_eq!(reader.finish(|| false).is_some(), lost, "{kind}");
        }
    }

    /// A reader that reads nothing until it is let go.
    struct Standing(Receiver<()>, Sender<Vec<u8>>);

    impl Write for Standing {
        fn write(&mut self, bytes: &[u8]) -> Result<usize> {
            let _ = self.0.recv();
            let _ = self.1.send(bytes.to_vec());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_stands_still_holds_up_nobody_and_reads_all_when_it_goes_on() {
        let (go_on, held) = channel();
        let (read, lines) = channel();
        let (mut output, reader) = StandardOutput::new(Box::new(Standing(held, read)));
        for line in ["one\n", "two\n", "three\n"] {
            output.write_all(line.as_bytes()).unwrap();
            output.flush().unwrap();
        }
        assert!(lines.try_recv().is_err(), "nothing is read yet");
        drop(go_on);
        assert!(reader.finish(|| false).is_none());
        assert_eq!(lines.iter().collect::<Vec<_>>().concat(), b"one\ntwo\nthree\n");
    }

    /// A report that is larger than what is handed on at a time: what the reader did not take is said.
    #[test]
    fn after_a_signal_a_reader_that_stands_still_is_left_and_the_cut_is_said() {
        let (go_on, held) = channel();
        let (read, pieces) = channel();
        let (mut output, reader) = StandardOutput::new(Box::new(Standing(held, read)));
        let report = vec![b'a'; 2 * PIECE + 1];
        output.write_all(&report).unwrap();
        go_on.send(()).unwrap();
        assert_eq!(pieces.recv().unwrap().len(), PIECE);
        let lost = reader.finish(|| true).unwrap().to_string();
        let left = format!("the last {} bytes are lost", PIECE + 1);
        assert!(lost.contains(&left), "{lost}");
    }

    #[test]
    fn a_slow_reader_takes_a_large_report_in_pieces() {
        let (go_on, held) = channel();
        let (read, pieces) = channel();
        let (mut output, reader) = StandardOutput::new(Box::new(Standing(held, read)));
        let report: Vec<u8> = (0..=250).cycle().take(5 * PIECE / 2).collect();
        output.write_all(&report).unwrap();
        drop(go_on);
        assert!(reader.finish(|| true).is_none());
        let pieces: Vec<Vec<u8>> = pieces.iter().collect();
        assert!(pieces.iter().all(|piece| piece.len() <= PIECE));
        assert_eq!(pieces.concat(), report);
    }

    #[test]
    fn after_a_signal_a_reader_that_stands_still_is_left_and_beyond_the_limit_it_is_said() {
        let (_go_on, held) = channel();
        let (read, _lines) = channel();
        let (mut output, reader) = StandardOutput::new(Box::new(Standing(held, read)));
        output.write_all(&vec![b'a'; MOST]).unwrap();
        output.write_all(b"one more").unwrap();
        let lost = reader.finish(|| true).unwrap().to_string();
        assert!(lost.contains("its reader does not read"), "{lost}");
    }
}
