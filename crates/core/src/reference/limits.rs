//! How much of a file of reference values is read.

/// Bytes of a user's file, at most: 1 MiB.
pub const MAX_FILE_BYTES: usize = 1024 * 1024;

/// Rows of a file, at most, over all its tables.
pub(crate) const MAX_ROWS: usize = 4096;
