//! Variables that change what a program is, not only what it is told (docs/threats.md, T39).
//!
//! `allowed_envs` of a compose document lists names only: the deployer, and the host that stores the encrypted values, choose
//! what is in them, and nothing measures it.

use super::ReferenceValues;
use super::row::{Day, ReferenceRow, RowReader, RowWord};
use super::value::Text;

/// A name, or a part of names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RiskyName {
    /// In capitals.
    pub name: Text,
    /// Whether it is the whole name.
    pub matches: RiskyNameMatch,
    /// Who reads a variable of the name.
    pub readers: RiskyNameReaders,
    /// What the value decides.
    pub gains: Text,
    /// Where that is written.
    pub source: Text,
    /// When it was read.
    pub date: Text,
}

/// Which part of a name a row is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RiskyNameMatch {
    /// The whole name.
    Exact,
    /// Its beginning.
    Prefix,
    /// Its end.
    Suffix,
}

/// Who reads a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RiskyNameReaders {
    /// The guest: its shell, its container engine and its tools.
    Guest,
    /// Programs in containers.
    Container,
    /// Both.
    Both,
}

impl ReferenceRow for RiskyName {
    const TABLE: &'static str = "risky_name";

    fn read(row: &mut RowReader<'_, '_>) -> Option<Self> {
        let name = row.required("name");
        let matches = row.required("match");
        let readers = row.optional("where");
        let gains = row.required("gains");
        let source = row.required("source");
        let date: Option<Day> = row.required("date");
        let read = Self {
            name: name?,
            matches: matches?,
            readers: readers?.unwrap_or(RiskyNameReaders::Both),
            gains: gains?,
            source: source?,
            date: date?.text()?,
        };
        row.whole(read, |read| &read.name, Self::problem)
    }
}

impl RowWord for RiskyNameMatch {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("exact", Self::Exact),
        ("prefix", Self::Prefix),
        ("suffix", Self::Suffix),
    ];
}

impl RowWord for RiskyNameReaders {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("guest", Self::Guest),
        ("container", Self::Container),
        ("both", Self::Both),
    ];
}

impl RiskyName {
    /// What is wrong with the row.
    fn problem(&self) -> Option<&'static str> {
        let part = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
        let is_name = self.name.bytes().all(part);
        (!is_name).then_some("`name` is of capitals, digits and `_`")
    }

    fn is_of(&self, name: &str) -> bool {
        match self.matches {
            RiskyNameMatch::Exact => name == self.name.as_str(),
            RiskyNameMatch::Prefix => name.starts_with(self.name.as_str()),
            RiskyNameMatch::Suffix => name.ends_with(self.name.as_str()),
        }
    }
}

impl ReferenceValues {
    /// The row of a variable's name that can change what runs or who may log in. Capitals do not matter.
    #[must_use]
    pub fn risky_name(&self, name: &str) -> Option<&RiskyName> {
        let name = name.trim().to_ascii_uppercase();
        self.risky_names.iter().find(|row| row.is_of(&name))
    }

    /// The row of a name that the guest itself reads.
    #[must_use]
    pub fn risky_name_of_guest(&self, name: &str) -> Option<&RiskyName> {
        let name = name.trim().to_ascii_uppercase();
        let mut of_guest = self.risky_names.iter();
        of_guest.find(|row| row.readers != RiskyNameReaders::Container && row.is_of(&name))
    }

    /// All of them.
    #[must_use]
    pub fn risky_names(&self) -> &[RiskyName] {
        &self.risky_names
    }
}
