//! Randomness for pauses.

use rand::TryRng as _;
use rand::rngs::SysRng;

/// A random number for the pauses. If there is none, pauses do not vary.
pub(crate) fn jitter() -> u32 {
    SysRng.try_next_u32().unwrap_or(u32::MAX)
}
