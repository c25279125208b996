//! Published vulnerabilities of OS images, in two grades.

use std::borrow::Cow;

use super::row::{ReferenceRow, RowReader, RowValue, read_row};
use super::value::Text;
use super::{ReferenceProblem, ReferenceValues, ReleaseVersion};
use crate::toml_text::{FoundMistakes, TomlEntry};

/// A published vulnerability of OS images.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advisory {
    /// Its name.
    pub id: Text,
    /// Its other names.
    pub aliases: Cow<'static, [Text]>,
    /// Who gains what by it alone.
    pub grade: Grade,
    /// What is wrong.
    pub what: Text,
    /// What an attacker gains.
    pub gain: Text,
    /// Which versions have it.
    pub affected: Cow<'static, [Affected]>,
    /// What the check `key-provider` says of it.
    pub key_provider: Option<Text>,
    /// Where it was read.
    pub source: Text,
    /// When.
    pub date: Text,
}

crate::word_enum! {
    /// Who gains what by a vulnerability.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Grade {
        /// The host alone gains secrets or code.
        HostAlone = "host-alone",
        /// An attacker needs something more than the host.
        NeedsMore = "needs-more",
    }
}

/// A range of versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Affected {
    /// The line that it is about; absent for every version.
    pub line: Option<ReleaseVersion>,
    /// The first version that has the fix.
    pub before: ReleaseVersion,
}

impl ReferenceRow for Advisory {
    const TABLE: &'static str = "advisory";

    fn read(row: &mut RowReader<'_, '_>) -> Option<Self> {
        let read = read_row!(row:
            id = required("id"),
            aliases = or_default("aliases"),
            grade = required("grade"),
            what = required("what"),
            gain = required("gain"),
            affected = required("affected"),
            key_provider = optional("key_provider")
        );
        row.whole(
            read,
            |read| &read.id,
            |read| {
                let problem = "`affected` is empty, so that it concerns no image";
                read.affected.is_empty().then_some(problem)
            },
        )
    }
}

impl RowValue for Affected {
    fn read(entry: TomlEntry<'_>, mistakes: &mut FoundMistakes<ReferenceProblem>) -> Option<Self> {
        let table = entry.into_table().map_err(|entry| entry.type_error("a table"));
        let mut row = RowReader::new(mistakes.keep(table)?, mistakes);
        let line = row.optional("line");
        let before = row.required("before");
        row.finish(&[]);
        Some(Self {
            line: line?,
            before: before?,
        })
    }
}

impl Affected {
    fn contains(&self, version: &ReleaseVersion) -> bool {
        *version < self.before && self.line.as_ref().is_none_or(|line| version.is_of_line(line))
    }
}

impl Advisory {
    /// Whether a sentence names it, by its id or another name of it.
    pub(crate) fn is_named_in(&self, sentence: &str) -> bool {
        let is_within = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        let sentence = sentence.to_ascii_lowercase();
        let names = std::iter::once(&self.id).chain(self.aliases.iter());
        names.map(|name| name.as_str().to_ascii_lowercase()).any(|name| {
            sentence.match_indices(&name).any(|(at, _)| {
                let (before, after) = (sentence.get(..at), sentence.get(at.saturating_add(name.len())..));
                let is_free = |beside: Option<char>| !beside.is_some_and(is_within);
                is_free(before.and_then(|before| before.chars().next_back()))
                    && is_free(after.and_then(|after| after.chars().next()))
            })
        })
    }

    fn concerns(&self, version: Option<&ReleaseVersion>) -> bool {
        version.is_some_and(|version| self.fixed_for(version).is_some())
    }

    /// Those of a list from which the host alone gains secrets or code, in an image of this version.
    pub(crate) fn host_alone<'a>(
        list: &'a [Self],
        version: Option<&ReleaseVersion>,
    ) -> impl Iterator<Item = &'a Self> {
        list.iter()
            .filter(move |advisory| advisory.grade == Grade::HostAlone && advisory.concerns(version))
    }

    /// The first version that has the fix, for a version that has the vulnerability.
    fn fixed_for(&self, version: &ReleaseVersion) -> Option<&ReleaseVersion> {
        let range = self.affected.iter().find(|range| range.contains(version))?;
        Some(&range.before)
    }
}

#[doc(hidden)]
impl ReferenceValues {
    /// The vulnerabilities of an image of a version, in the order of the table; none where the version is not known.
    pub fn advisories_of(&self, version: Option<&ReleaseVersion>) -> Vec<&Advisory> {
        self.advisories
            .iter()
            .filter(|advisory| advisory.concerns(version))
            .collect()
    }

    /// The vulnerabilities of an image from which the host alone gains secrets or code.
    #[must_use]
    pub fn host_alone(&self, version: Option<&ReleaseVersion>) -> Vec<&Advisory> {
        Advisory::host_alone(&self.advisories, version).collect()
    }

    /// The lowest version to upgrade to: that of the image's line, or of the next one, which no listed advisory concerns.
    #[must_use]
    pub fn lowest_fixed(&self, version: Option<&ReleaseVersion>) -> Option<ReleaseVersion> {
        let mut version = version.cloned()?;
        // Each step goes up, so that it ends after as many steps as there are ranges.
        while let Some(next) = self
            .advisories
            .iter()
            .find_map(|advisory| advisory.fixed_for(&version))
        {
            version = next.clone();
        }
        Some(version)
    }

    /// All advisories.
    #[must_use]
    pub fn advisories(&self) -> &[Advisory] {
        &self.advisories
    }
}
