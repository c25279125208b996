//! Values of a lock that are hex, in any case, with or without `0x`.

use super::LockMistake;
use crate::evidence::parse_user_hex;
use crate::toml_text::TomlEntry;

/// The value as hex of `N` bytes.
pub(super) fn hex<const N: usize>(entry: &TomlEntry<'_>) -> Result<[u8; N], LockMistake> {
    parse_user_hex(entry.string()?).map_err(|problem| entry.error(problem.into()))
}
