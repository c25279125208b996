//! Values of a lock that are hex, in any case, with or without `0x`.

use super::LockMistake;
use crate::evidence::parse_user_hex;
use crate::toml_text::{TomlEntry, TomlTable};

/// The value as hex of `N` bytes.
pub(super) fn hex<const N: usize>(entry: &TomlEntry<'_>) -> Result<[u8; N], LockMistake> {
    parse_user_hex(entry.string()?).map_err(|problem| entry.error(problem.into()))
}

/// Takes the value of a key as hex of `N` bytes.
pub(super) fn take_hex<const N: usize>(
    section: &mut TomlTable<'_>,
    key: &str,
) -> Result<Option<[u8; N]>, LockMistake> {
    section.take(key).map(|entry| hex(&entry)).transpose()
}
