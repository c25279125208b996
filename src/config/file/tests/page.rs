//! The table of keys in the documentation.

use super::keys::{KeyScope, PolicyKey, keys};
use super::shape::ValueShape;

/// The page in the repository.
pub(super) const PATH: &str = "docs/policy-file.md";

const BEGIN: &str =
    "<!-- Keys: made from src/config/file/keys/ by `UPDATE_GENERATED=1 cargo test --lib config::file`. -->\n";
const END: &str = "<!-- End of the keys. -->\n";

fn row(key: &PolicyKey) -> String {
    let place = match key.scope {
        KeyScope::Target => "target",
        KeyScope::Defaults => "defaults",
        KeyScope::Both => "both",
    };
    let cell = |text: &str| text.replace('|', "\\|");
    format!(
        "| `{}` | {place} | {} | {} | `{}` |\n",
        key.name,
        cell(&explained(key)),
        cell(key.default),
        cell(key.example)
    )
}

/// What a key means, and what each word of a choice does.
pub(super) fn explained(key: &PolicyKey) -> String {
    let mut text = key.says.to_owned();
    let meanings = key.option.iter().flat_map(|option| option.values);
    if let ValueShape::Choice(words) = key.shape {
        for (word, meaning) in words.iter().zip(meanings) {
            text += &format!(" `{word}`: {meaning}.");
        }
    }
    text
}

/// The page with its table renewed.
pub(super) fn renewed(page: &str) -> String {
    let (before, rest) = page.split_once(BEGIN).expect("the page has the keys");
    let (_, after) = rest.split_once(END).expect("the keys end");
    let rows: String = keys().map(row).collect();
    let head = "\n| key | in | what it says | default | example |\n|---|---|---|---|---|\n";
    format!("{before}{BEGIN}{head}{rows}\n{END}{after}")
}
