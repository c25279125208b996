//! What commands write into their pipes.

use std::collections::{BTreeMap, BTreeSet};

use super::script::ShellCommand;
use super::shown_environment::WHOLE_ENVIRONMENT;

/// Names that are followed through a pipe. With more of them each variable counts as one of them.
const MAX_NAMES: usize = 256;

/// What the last command wrote, by how deeply the commands stand in substitutions: those inside are read before the one around them.
#[derive(Debug, Default)]
pub(super) struct Pipes {
    written: BTreeMap<usize, BTreeSet<String>>,
}

impl Pipes {
    /// What a command may read from its pipe.
    pub(super) fn read(&mut self, command: &ShellCommand) -> BTreeSet<String> {
        let written = self.written.remove(&command.depth).unwrap_or_default();
        match command.is_piped {
            true => written,
            false => BTreeSet::new(),
        }
    }

    /// Notes what a command may write into its pipe.
    pub(super) fn write(&mut self, command: &ShellCommand, mut names: BTreeSet<String>) {
        if names.len() > MAX_NAMES {
            names.retain(|name| name.len() == 1);
            names.insert(WHOLE_ENVIRONMENT.to_owned());
        }
        self.written.insert(command.depth, names);
    }
}
