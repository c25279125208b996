//! A place of a compose document: where it is, what is said of it, and the hash of its text.

use crate::verify::digest::sha256;

/// How many places of one kind are kept. What is beyond is counted.
pub const MAX_PLACES: usize = 1000;

/// How many characters of a text a sentence shows.
const MAX_SHOWN: usize = 80;
/// How many characters a step of a path may have.
const MAX_STEP: usize = 80;

/// A place of a compose document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComposePlace {
    /// Its keys joined by dots, with the index of an item of a list: `services.web.healthcheck.test[1]`.
    pub path: String,
    /// What is said of it: what it holds, who can set it, what to write instead. No full stop.
    pub says: String,
    /// SHA-256 of the text that stands there; of the compact JSON of what is no text.
    pub sha256: [u8; 32],
}

impl ComposePlace {
    pub(super) fn new(path: &str, text: &str, says: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            says: says.into(),
            sha256: sha256(text.as_bytes()),
        }
    }
}

/// Places of one kind, at most `MAX_PLACES` of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ComposePlaces {
    kept: Vec<ComposePlace>,
    more: usize,
}

impl ComposePlaces {
    /// Adds a place; one that is there already with the same text gains the sentence.
    pub(super) fn add(&mut self, place: ComposePlace) {
        let is_same = |last: &&mut ComposePlace| last.path == place.path && last.sha256 == place.sha256;
        if let Some(last) = self.kept.last_mut().filter(is_same) {
            if !last.says.contains(&place.says) && last.says.len() < 1024 {
                last.says.push_str("; ");
                last.says.push_str(&place.says);
            }
            return;
        }
        if self.kept.len() < MAX_PLACES {
            self.kept.push(place);
        } else {
            self.more = self.more.saturating_add(1);
        }
    }

    /// The places that were kept.
    pub fn iter(&self) -> impl Iterator<Item = &ComposePlace> {
        self.kept.iter()
    }

    /// How many there are, those that were not kept included.
    #[must_use]
    pub fn count(&self) -> usize {
        self.kept.len().saturating_add(self.more)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }
}

/// A path with one more key.
pub(super) fn step(path: &str, key: &str) -> String {
    let key = if key.chars().count() > MAX_STEP {
        let start: String = key.chars().take(MAX_STEP).collect();
        let hash = hex::encode(sha256(key.as_bytes()));
        format!("{start}…{}", hash.get(..16).unwrap_or_default())
    } else {
        key.to_owned()
    };
    if path.is_empty() {
        key
    } else {
        format!("{path}.{key}")
    }
}

/// A path with the index of an item.
pub(super) fn item(path: &str, index: usize) -> String {
    format!("{path}[{index}]")
}

/// The beginning of a text in one line.
pub(super) fn shown(text: &str) -> String {
    let line = text.trim();
    let mut shown: String = line
        .chars()
        .take(MAX_SHOWN)
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .collect();
    if line.chars().nth(MAX_SHOWN).is_some() {
        shown.push('…');
    }
    shown
}
