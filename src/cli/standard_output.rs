//! Standard output that notices when what is printed is lost.

use std::io::{ErrorKind, Result, Write};
use std::sync::{Arc, OnceLock};

use crate::usage_error::WriteError;

/// Hands on what is printed.
pub(super) struct Noticing {
    inner: Box<dyn Write + Send>,
    lost: Lost,
}

/// Whether anything was lost.
#[derive(Clone, Default)]
pub(super) struct Lost(Arc<OnceLock<String>>);

impl Noticing {
    pub fn new(inner: Box<dyn Write + Send>) -> (Self, Lost) {
        let lost = Lost::default();
        (
            Self {
                inner,
                lost: lost.clone(),
            },
            lost,
        )
    }

    /// A reader that went away (`| head`) has what it wanted.
    fn notice<T>(&self, result: Result<T>) -> Result<T> {
        if let Err(error) = &result
            && !matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::Interrupted)
        {
            let _ = self.lost.0.set(error.to_string());
        }
        result
    }
}

impl Lost {
    /// The first problem.
    pub fn problem(&self) -> Option<WriteError> {
        let said = self.0.get()?;
        Some(WriteError::new("standard output", said))
    }
}

impl Write for Noticing {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        let written = self.inner.write(bytes);
        self.notice(written)
    }

    fn flush(&mut self) -> Result<()> {
        let flushed = self.inner.flush();
        self.notice(flushed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            let (mut output, noticed) = Noticing::new(Box::new(Failing(kind)));
            assert!(noticed.problem().is_none());
            assert!(output.write_all(b"PASS").is_err() && output.flush().is_err());
            assert_eq!(noticed.problem().is_some(), lost, "{kind}");
        }
    }
}
