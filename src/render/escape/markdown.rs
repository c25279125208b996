//! The rule for Markdown as GitHub and GitLab read it: job summaries, comments.

use super::visible::{push, shorten};
use crate::render::marks;

/// Longest text of an untrusted party, in characters (threat T53).
const MAX: usize = 200;

/// Longest sentence of ours, in characters. It may hold values of others, each of which is bounded where it comes from.
const MAX_PROSE: usize = 1_000;

/// Splits a word if nobody sees it: no mention, address or emoji spans two text nodes. Unlike a zero-width
/// character it is not copied. An entity would not do: cmark-gfm looks for e-mail addresses, and GitHub for mentions,
/// after entities are decoded.
const SPLIT: &str = "<wbr>";

/// What Markdown, its dialects or HTML read as more than text.
const SYNTAX: &str = "&<>\"\\`*_~[]{}|^=+";

/// What begins a word that GitHub or GitLab make something of: `@org`, `#123`, `:emoji:`, `://`, and GitLab's `!123`,
/// `%1.0`, `&1`, `~label`, `[+`, `{-`. Split behind it, neither `::error::` nor `##[` is left.
const SIGILS: &str = "@#:!%&~[{";

/// `text` for a paragraph, a list item, a table cell or the content of an HTML element: one line, at most 200
/// characters, and what is seen is the text itself.
///
/// What could act or deceive elsewhere becomes a visible escape (see [`terminal`](super::terminal)); what Markdown or
/// HTML would read becomes an entity; and the words that the forge looks for in the finished page are split. What is
/// in here cannot become an image or a link, mention anybody, or end the table (threat T53).
#[must_use]
pub fn markdown(text: &str) -> String {
    within(text, MAX)
}

/// The same for a sentence of this program, at most 1,000 characters: what to do is not cut where it matters.
#[must_use]
pub fn prose(text: &str) -> String {
    within(text, MAX_PROSE)
}

fn within(text: &str, max: usize) -> String {
    let shown = visible(text, max);
    let mut safe = String::with_capacity(shown.len() + 16);
    for (position, c) in shown.char_indices() {
        let (before, rest) = shown.split_at(position);
        // Where a block begins: lists, headings, rules, indented code.
        let begins_block = before.is_empty() && c.is_ascii() && !c.is_ascii_alphabetic();
        if c == '.' && ends_with(before, "www") {
            safe.push_str(SPLIT);
        }
        if c == '$' {
            // In an element of its own, as GitHub's manual says, and an entity: it begins no formula.
            safe.push_str("<span>&#36;</span>");
        } else if begins_block || SYNTAX.contains(c) {
            safe.extend(["&#", u32::from(c).to_string().as_str(), ";"]);
        } else {
            safe.push(c);
        }
        let begins_word = SIGILS.contains(c) && rest.chars().nth(1) != Some(' ');
        if begins_word || (c == '-' && is_issue(before, rest)) {
            safe.push_str(SPLIT);
        }
    }
    safe
}

/// A value as code, by the same rule: a code span if nothing in it needs an escape, else an HTML element.
#[must_use]
pub fn code(text: &str) -> String {
    code_within(text, MAX)
}

/// The same for a command of this program, at most 1,000 characters.
#[must_use]
pub fn command(text: &str) -> String {
    code_within(text, MAX_PROSE)
}

fn code_within(text: &str, max: usize) -> String {
    let is_literal = |c: char| matches!(c, ' '..='~' | '…') && !"`|\\<>&$#[]!*".contains(c);
    if !text.is_empty() && text.trim() == text && text.chars().all(is_literal) {
        format!("`{}`", shorten(text, max))
    } else {
        format!("<code>{}</code>", within(text, max))
    }
}

fn visible(text: &str, max: usize) -> String {
    let mut shown = String::with_capacity(text.len().min(max * 4));
    for c in shorten(text, max).chars() {
        // A stranger's text can hold no result of ours.
        if marks::ALL.contains(&c) {
            shown.extend(c.escape_unicode());
        } else {
            push(&mut shown, c);
        }
    }
    shown
}

/// Whether a word is before, and a number behind, the hyphen that `rest` begins with: `GH-1`, and what connected
/// trackers such as Jira make links of, `ABC-1`.
fn is_issue(before: &str, rest: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let name = before.rsplit(|c| !is_word(c)).next().unwrap_or_default();
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && rest.chars().nth(1).is_some_and(|c| c.is_ascii_digit())
}

fn ends_with(text: &str, word: &str) -> bool {
    text.len()
        .checked_sub(word.len())
        .and_then(|start| text.get(start..))
        .is_some_and(|end| end.eq_ignore_ascii_case(word))
}

#[cfg(test)]
#[path = "markdown_tests.rs"]
mod tests;
