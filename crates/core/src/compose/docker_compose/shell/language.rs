//! Languages of scripts that are not those of shells.

use super::paths::base_name;

/// A language that is not that of a shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::compose::docker_compose) enum Language {
    Node,
    Perl,
    Php,
    Python,
    Ruby,
}

impl Language {
    /// The language of an interpreter of this name.
    pub(in crate::compose::docker_compose) fn of_interpreter(name: &str) -> Option<Self> {
        match name {
            "node" | "nodejs" | "ts-node" | "tsx" => Some(Self::Node),
            "perl" => Some(Self::Perl),
            "php" => Some(Self::Php),
            "irb" | "ruby" => Some(Self::Ruby),
            name if name.starts_with("python") || name.starts_with("pypy") => Some(Self::Python),
            _ => None,
        }
    }

    /// The language of a file of this name.
    pub(in crate::compose::docker_compose) fn of_file(path: &str) -> Option<Self> {
        let (_, extension) = base_name(path).rsplit_once('.')?;
        match extension {
            "cjs" | "js" | "mjs" | "ts" => Some(Self::Node),
            "pl" | "pm" => Some(Self::Perl),
            "php" => Some(Self::Php),
            "py" => Some(Self::Python),
            "rb" => Some(Self::Ruby),
            _ => None,
        }
    }
}
