//! Variables that change what a program is, not only what it is told (docs/threats.md, T39).
//!
//! `allowed_envs` of a compose document lists names only: the deployer, and the host that stores the encrypted values, choose
//! what is in them, and nothing measures it.

use std::borrow::Cow;

use super::ReferenceValues;
use super::row::{ReferenceRow, RowReader, read_row};
use super::value::Text;

/// Names, or parts of names, of which one thing is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RiskyName {
    /// In capitals; one at least.
    pub names: Cow<'static, [Text]>,
    /// Whether each is the whole name.
    pub matches: RiskyNameMatch,
    /// Who reads a variable of such a name.
    pub readers: RiskyNameReaders,
    /// What the value decides.
    pub gains: Text,
    /// Where that is written.
    pub source: Text,
    /// When it was read.
    pub date: Text,
}

crate::word_enum! {
    /// Which part of a name a row is about.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum RiskyNameMatch {
        /// The whole name.
        Exact = "exact",
        /// Its beginning.
        Prefix = "prefix",
        /// Its beginning, unless its last word says that it is of a value. Behind `__` stands what a program does not name itself.
        PrefixUnlessData = "prefix-unless-data",
        /// Its end.
        Suffix = "suffix",
        /// Whole words of it, between `_`, unless its last word says that it is of a value.
        Part = "part",
        /// The whole name, which is harmless although a beginning, an end or a part covers it.
        Ordinary = "ordinary",
        /// The beginning of names that are harmless, as those of [`Self::Ordinary`].
        OrdinaryPrefix = "ordinary-prefix",
        /// The end of such names.
        OrdinarySuffix = "ordinary-suffix",
        /// A last word of names of values: no part of such a name counts, nor a [`Self::PrefixUnlessData`].
        Data = "data",
    }
}

crate::word_enum! {
    /// Who reads a variable.
    #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
    pub enum RiskyNameReaders {
        /// The guest: its shell, its container engine and its tools.
        Guest = "guest",
        /// Programs in containers.
        Container = "container",
        /// Both.
        #[default]
        Both = "both",
        /// The start scripts of images, and no other program: a script may have a variable of its own of that name.
        ImageStart = "image-start",
    }
}

impl ReferenceRow for RiskyName {
    const TABLE: &'static str = "risky_name";

    fn read(row: &mut RowReader<'_, '_>) -> Option<Self> {
        let read = read_row!(row:
            names = required("names"),
            matches = required("match"),
            readers = or_default("where"),
            gains = required("gains")
        );
        row.whole(read, Self::first, Self::problem)
    }
}

impl RiskyNameMatch {
    /// Whether a row says what is harmless.
    #[must_use]
    pub(crate) fn excepts(self) -> bool {
        matches!(
            self,
            Self::Ordinary | Self::OrdinaryPrefix | Self::OrdinarySuffix | Self::Data
        )
    }
}

/// What other rows except a name from.
#[derive(Default)]
struct Exceptions<'a> {
    /// Sections stand in it, between `__`: without, no name stands behind one.
    has_sections: bool,
    /// It is harmless as a whole.
    is_ordinary: bool,
    /// Its last word is one of values.
    is_of_data: bool,
    /// The ends of it that are harmless: from rows that mean such an end, and from no other.
    ends: Vec<&'a str>,
}

impl Exceptions<'_> {
    /// Whether a harmless end is what a row of this end means.
    fn end_in(&self, own: &str) -> bool {
        let is_it = |end: &&str| end.ends_with(own) || own.strip_prefix('_') == Some(end);
        self.ends.iter().any(is_it)
    }

    /// Whether a harmless end holds the words that a row means.
    fn hold(&self, words: &str) -> bool {
        self.ends.iter().any(|end| has_words(end, words))
    }
}

impl RiskyName {
    /// What messages call the row.
    fn first(&self) -> &Text {
        static NO_NAME: Text = Text::fixed("(no name)");
        self.names.first().unwrap_or(&NO_NAME)
    }

    /// What is wrong with the row.
    fn problem(&self) -> Option<&'static str> {
        let part = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
        if self.names.is_empty() || !self.names.iter().all(|name| name.bytes().all(part)) {
            Some("`names` is a list of names of capitals, digits and `_`")
        } else if self.matches.excepts() && self.readers != RiskyNameReaders::Both {
            Some("an `ordinary` or `data` name is so for all who read it: remove `where`")
        } else {
            None
        }
    }

    /// Whether the row says that a name is risky, beside what other rows except it from.
    fn is_of(&self, name: &str, excepted: &Exceptions<'_>) -> bool {
        self.names.iter().any(|own| match self.matches {
            RiskyNameMatch::Exact => {
                name == own.as_str() || excepted.has_sections && is_behind_section(name, own)
            }
            RiskyNameMatch::Prefix => !excepted.is_ordinary && name.starts_with(own.as_str()),
            RiskyNameMatch::PrefixUnlessData => {
                let is_of_data = excepted.is_of_data && !excepted.has_sections;
                !excepted.is_ordinary && !is_of_data && name.starts_with(own.as_str())
            }
            RiskyNameMatch::Suffix => {
                !excepted.is_ordinary && name.ends_with(own.as_str()) && !excepted.end_in(own)
            }
            RiskyNameMatch::Part => {
                !excepted.is_ordinary && !excepted.is_of_data && has_words(name, own) && !excepted.hold(own)
            }
            RiskyNameMatch::Ordinary
            | RiskyNameMatch::OrdinaryPrefix
            | RiskyNameMatch::OrdinarySuffix
            | RiskyNameMatch::Data => false,
        })
    }

    /// Adds what the row excepts a name from.
    fn except<'a>(&'a self, name: &str, from: &mut Exceptions<'a>) {
        if !self.matches.excepts() {
            return;
        }
        for own in self.names.iter().map(Text::as_str) {
            match self.matches {
                RiskyNameMatch::Ordinary => from.is_ordinary |= own == name,
                RiskyNameMatch::OrdinaryPrefix => from.is_ordinary |= name.starts_with(own),
                RiskyNameMatch::OrdinarySuffix => from.ends.extend(end_of(name, own)),
                RiskyNameMatch::Data => from.is_of_data |= name.rsplit('_').next() == Some(own),
                _ => {}
            }
        }
    }
}

/// Whether a name is one of several words behind the sections that `__` separates: `GITEA__MAILER__SENDMAIL_PATH`.
fn is_behind_section(name: &str, own: &str) -> bool {
    let section = name
        .strip_suffix(own)
        .and_then(|before| before.strip_suffix("__"));
    own.contains('_') && section.is_some_and(|section| !section.is_empty())
}

/// The words of `own` if they are the last ones of a name; with `_` in front, others must stand before them.
fn end_of<'a>(name: &str, own: &'a str) -> Option<&'a str> {
    let words = own.strip_prefix('_').unwrap_or(own);
    let before = name.strip_suffix(words)?;
    (before.ends_with('_') || before.is_empty() && words == own).then_some(words)
}

/// Whether words stand in a name, each as a whole.
fn has_words(name: &str, words: &str) -> bool {
    name.match_indices(words).any(|(at, _)| {
        let before = name.get(..at).unwrap_or_default();
        let after = name.get(at + words.len()..).unwrap_or_default();
        (before.is_empty() || before.ends_with('_')) && (after.is_empty() || after.starts_with('_'))
    })
}

#[doc(hidden)]
impl ReferenceValues {
    /// The row of a variable's name that can change what runs or who may log in. Capitals do not matter.
    #[must_use]
    pub fn risky_name(&self, name: &str) -> Option<&RiskyName> {
        self.risky_row(name, |_| true)
    }

    /// The row of a name that the guest itself reads.
    #[must_use]
    pub(crate) fn risky_name_of_guest(&self, name: &str) -> Option<&RiskyName> {
        self.risky_row(name, |row| {
            matches!(row.readers, RiskyNameReaders::Guest | RiskyNameReaders::Both)
        })
    }

    /// The row of a name that programs read, those at the start of images aside.
    #[must_use]
    pub(crate) fn risky_name_of_programs(&self, name: &str) -> Option<&RiskyName> {
        self.risky_row(name, |row| row.readers != RiskyNameReaders::ImageStart)
    }

    fn risky_row(&self, name: &str, counts: impl Fn(&RiskyName) -> bool) -> Option<&RiskyName> {
        let name = name.trim().to_ascii_uppercase();
        let mut excepted = Exceptions {
            has_sections: name.contains("__"),
            ..Exceptions::default()
        };
        for row in &self.risky_names {
            row.except(&name, &mut excepted);
        }
        let mut rows = self.risky_names.iter();
        rows.find(|row| counts(row) && row.is_of(&name, &excepted))
    }

    /// Each name with what is said of it.
    #[cfg(test)]
    pub(crate) fn risky_names(&self) -> impl Iterator<Item = (&str, RiskyNameMatch)> {
        self.risky_names
            .iter()
            .flat_map(|row| row.names.iter().map(|name| (name.as_str(), row.matches)))
    }
}
