//! Bytes read from the front, never past the end.

/// Why a value cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum ReadProblem {
    /// The bytes end within it.
    #[error("ends too early")]
    Ends,
    /// Bytes follow the last value.
    #[error("is followed by {0} bytes that belong to nothing")]
    Trailing(usize),
    /// A length that was written in more bytes than it needs, or in the form for numbers of 2^30 and more.
    #[error("has a length in a form that is never used for it")]
    Length,
    /// More bytes than the part may have.
    #[error("is {actual} bytes; at most {limit} are read")]
    TooLong {
        /// How many.
        actual: usize,
        /// The limit.
        limit: usize,
    },
    /// Text that is not UTF-8.
    #[error("is not UTF-8")]
    NotUtf8,
    /// A value of another type.
    #[error("is {found}; {expected} expected")]
    Type {
        /// What should be there.
        expected: &'static str,
        /// What is there.
        found: &'static str,
    },
    /// More members or elements than there are bytes, or than are ever needed.
    #[error("has too many members")]
    Members,
    /// A member that occurs twice.
    #[error("has a member that occurs more than once")]
    Duplicate,
}

/// What is left to read.
#[derive(Clone, Copy)]
pub(super) struct ByteReader<'a> {
    rest: &'a [u8],
}

impl<'a> ByteReader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(super) const fn left(&self) -> usize {
        self.rest.len()
    }

    /// The bytes that are left.
    pub(super) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], ReadProblem> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(ReadProblem::Ends)?;
        self.rest = rest;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], ReadProblem> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(ReadProblem::Ends)?;
        self.rest = rest;
        Ok(*taken)
    }

    pub(super) fn byte(&mut self) -> Result<u8, ReadProblem> {
        self.array().map(|[byte]| byte)
    }

    pub(super) fn end(self) -> Result<(), ReadProblem> {
        match self.rest.len() {
            0 => Ok(()),
            left => Err(ReadProblem::Trailing(left)),
        }
    }
}
