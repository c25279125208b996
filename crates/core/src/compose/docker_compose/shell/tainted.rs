//! What a script holds from outside.

use std::collections::{BTreeMap, BTreeSet};

/// What a script's own variable, or a file that it writes, holds from outside.
pub(super) type Tainted = BTreeMap<String, BTreeSet<String>>;
