//! What changed from a locked compose document to a measured one, where the lock is all that is left of the first.

use super::field_words::field_words;
use super::{Lock, difference};
use crate::compose::{launch_script, visible_part};
use crate::policy::LockedCompose;
use crate::verify::MeasuredCompose;

/// Changes that are named.
const MAX_CHANGES: usize = 8;
/// Longest sentence, in characters.
const MAX_SENTENCE: usize = 240;
/// Lines that show values.
const MAX_LINES: usize = 2 * MAX_CHANGES;

/// What changed from a locked compose document to a measured one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DocumentChanges {
    /// A sentence for each change, the first few of them; may hold an untrusted party's text.
    pub means: Vec<String>,
    /// How many more there are.
    pub more: usize,
    /// Keys and values before (`-`) and now (`+`); printable ASCII.
    pub lines: Vec<String>,
}

/// Compares images and settings. The lock does not hold the docker compose file itself.
///
/// # Errors
/// The measured document cannot be read unambiguously: why.
pub fn document_changes(
    locked: &LockedCompose,
    measured: &MeasuredCompose,
) -> Result<DocumentChanges, crate::evidence::EvidenceError> {
    let mut old = Lock {
        images: locked.images.clone(),
        compose_settings: locked.compose_settings.clone(),
        ..Lock::default()
    };
    let mut new = Lock {
        compose_settings: measured.compose_settings()?.clone(),
        ..Lock::default()
    };
    let mut found = DocumentChanges::default();
    match measured.compose_file(launch_script(measured)) {
        Ok(file) => new.images = file.unwrap_or_default().images,
        Err(error) => {
            old.images.clear();
            let problem = format!("the images of the docker compose file cannot be read: {error}");
            found.means.push(problem.chars().take(MAX_SENTENCE).collect());
        }
    }
    let changes = difference(&old, &new);
    found.more = changes.len().saturating_sub(MAX_CHANGES);
    for change in changes.into_iter().take(MAX_CHANGES) {
        let field = change.key.strip_prefix("compose.");
        let more = field.and_then(|field| {
            field_words(
                field,
                old.compose_settings.get(field),
                new.compose_settings.get(field),
            )
        });
        let means = match more {
            Some(more) => format!("{}: {more}", change.means.trim_end_matches(',')),
            None => match field {
                Some(field) => format!("{} (`{field}`)", change.means),
                None => change.means.clone(),
            },
        };
        found.means.push(means.chars().take(MAX_SENTENCE).collect());
        let values = [('-', &change.old, &change.new), ('+', &change.new, &change.old)];
        for (sign, value, other) in values {
            if let Some(value) = value
                && found.lines.len() < MAX_LINES
            {
                let value = visible_part(value, other.as_deref().unwrap_or_default());
                found.lines.push(format!("{sign} {} = {value}", change.key));
            }
        }
    }
    Ok(found)
}
