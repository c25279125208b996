//! All mistakes of a TOML file, not only the first.

use std::fmt;

use super::{Position, TomlProblem};

/// How many mistakes of a file are kept, the first ones of the file. Of the others it is known how many they are.
const MAX_KEPT: usize = 200;

/// What can be wrong with one kind of file. Where it is about a key, the text goes on after the key's name.
pub trait FileMistake: fmt::Display + From<TomlProblem> {
    /// How many mistakes an error names. A file that holds more is the wrong file.
    const NAMED: usize;

    /// What to do, in sentences; empty where the text says it.
    fn fix(&self) -> String;

    /// Whether it may only seem so because another line cannot be read.
    fn may_follow_from_another(&self) -> bool;
}

/// One mistake in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake<P> {
    /// The file's path.
    pub path: String,
    /// Where in it, where that is known.
    pub place: Option<Position>,
    /// The key with its section, where it is about one and the problem does not name it.
    pub key: Option<String>,
    /// What is wrong.
    pub problem: P,
}

impl<P> Mistake<P> {
    /// About the file as a whole.
    pub fn of_file(path: &str, problem: P) -> Self {
        Self {
            path: path.to_owned(),
            place: None,
            key: None,
            problem,
        }
    }

    /// About a key, wherever it stands.
    #[must_use]
    pub fn about(self, key: &str) -> Self {
        Self {
            key: Some(key.to_owned()),
            ..self
        }
    }
}

impl<P: FileMistake> fmt::Display for Mistake<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        if let Some(Position { line, column }) = self.place {
            write!(f, ":{line}:{column}")?;
        }
        match &self.key {
            Some(key) => write!(f, ": `{key}` {}", self.problem)?,
            None => write!(f, ": {}", self.problem)?,
        }
        match self.problem.fix() {
            fix if fix.is_empty() => Ok(()),
            fix => write!(f, ". {fix}"),
        }
    }
}

/// Everything that is wrong with a file, in the order of the file. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistakes<P> {
    all: Vec<Mistake<P>>,
    uncounted: usize,
}

impl<P> Mistakes<P> {
    /// The first mistakes of the file, at least one.
    #[must_use]
    pub fn all(&self) -> &[Mistake<P>] {
        &self.all
    }
}

impl<P: PartialEq> Mistakes<P> {
    /// Nothing, if there is no mistake. Repeated ones are named once.
    #[must_use]
    pub fn of(mistakes: Vec<Mistake<P>>) -> Option<Self> {
        let mut all: Vec<Mistake<P>> = Vec::new();
        for mistake in mistakes {
            if !all.contains(&mistake) {
                all.push(mistake);
            }
        }
        all.sort_by_key(|mistake| mistake.place);
        (!all.is_empty()).then_some(Self { all, uncounted: 0 })
    }
}

impl<P> From<Mistake<P>> for Mistakes<P> {
    fn from(mistake: Mistake<P>) -> Self {
        Self {
            all: vec![mistake],
            uncounted: 0,
        }
    }
}

impl<P: FileMistake> fmt::Display for Mistakes<P> {
    /// One line each.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, mistake) in self.all.iter().take(P::NAMED).enumerate() {
            let line_end = if index == 0 { "" } else { "\n" };
            write!(f, "{line_end}{mistake}")?;
        }
        match self.all.len().saturating_sub(P::NAMED) + self.uncounted {
            0 => Ok(()),
            1 => f.write_str("\n… and one more mistake"),
            more => write!(f, "\n… and {more} more mistakes"),
        }
    }
}

impl<P: FileMistake + fmt::Debug> std::error::Error for Mistakes<P> {}

/// The mistakes that were found while a file is read.
#[derive(Debug)]
pub struct FoundMistakes<P> {
    mistakes: Vec<Mistake<P>>,
    dropped: usize,
}

impl<P> Default for FoundMistakes<P> {
    fn default() -> Self {
        Self {
            mistakes: Vec::new(),
            dropped: 0,
        }
    }
}

impl<P> FoundMistakes<P> {
    /// The value, or none and what is wrong with it noted.
    pub fn keep<T>(&mut self, read: Result<T, Mistake<P>>) -> Option<T> {
        read.map_err(|mistake| self.note(mistake)).ok()
    }

    /// Notes one.
    pub fn note(&mut self, mistake: Mistake<P>) {
        self.mistakes.push(mistake);
        // What is read is no longer than the file, and a mistake takes more memory than its line.
        if self.mistakes.len() == 2 * MAX_KEPT {
            self.cut();
        }
    }

    /// Notes more of them.
    pub fn add(&mut self, mistakes: impl IntoIterator<Item = Mistake<P>>) {
        mistakes.into_iter().for_each(|mistake| self.note(mistake));
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.mistakes.len() + self.dropped
    }

    /// Leaves out those that do not hold.
    pub fn retain(&mut self, holds: impl FnMut(&Mistake<P>) -> bool) {
        self.mistakes.retain(holds);
    }

    /// An error, if there is any.
    #[must_use]
    pub fn error(mut self) -> Option<Mistakes<P>> {
        self.cut();
        (!self.mistakes.is_empty()).then_some(Mistakes {
            all: self.mistakes,
            uncounted: self.dropped,
        })
    }

    /// The first ones, in the order of the file.
    fn cut(&mut self) {
        self.mistakes.sort_by_key(|mistake| mistake.place);
        self.dropped += self.mistakes.len().saturating_sub(MAX_KEPT);
        self.mistakes.truncate(MAX_KEPT);
    }
}

impl<P> From<FoundMistakes<P>> for Vec<Mistake<P>> {
    /// The first ones, in the order of the file.
    fn from(mut found: FoundMistakes<P>) -> Self {
        found.cut();
        found.mistakes
    }
}
