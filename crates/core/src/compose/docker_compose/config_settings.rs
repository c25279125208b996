//! The settings of a config by their names, whatever the language of the config: `command: a`, `command = a`, `command => a`,
//! `{"command": ["a"]}`, `lua-load a`, with the list, the mapping or the block behind them.

use super::unquoted::split_unquoted;

/// How many settings of a name that counts are read. In a config with more of them nothing is known.
const MAX_SETTINGS: usize = 1000;
/// How many bytes a value may have that goes over several lines. What is behind is a value of its own, of the same setting.
const MAX_VALUE: usize = 4096;

/// What stands between a name and its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Separator {
    /// White space, or `=` with none, as scripts of shells have them as well.
    OfShells,
    /// `:`, `=>`, or `=` with white space before it: no script of a shell has it.
    OfSettings,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SettingValue<'t> {
    Text(&'t str),
    /// Its items, without quotes.
    List(Vec<&'t str>),
    /// Settings of their own.
    Mapping(&'t str),
}

/// A setting, with the name in small letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Setting<'t> {
    pub(super) name: String,
    /// The name as words in small letters: `start_command` for `startCommand`.
    pub(super) words: String,
    pub(super) separator: Separator,
    pub(super) value: SettingValue<'t>,
}

impl Setting<'_> {
    /// Whether the name, or its last word, is one of these. `country_code` is not a `code`, `db_init` not an `init`.
    pub(super) fn is_named(&self, names: &[&str]) -> bool {
        const WHOLE: [&str; 3] = ["code", "init", "require"];
        if self.words.ends_with("web_hook") || self.words.ends_with("web_hooks") {
            return false;
        }
        let last = self.words.rsplit(|c: char| !c.is_ascii_alphanumeric()).next();
        let last = last.filter(|last| !WHOLE.contains(last));
        names.contains(&last.unwrap_or_default())
            || names.contains(&self.name.as_str())
            || names.contains(&self.words.as_str())
    }
}

/// The settings whose names count; nothing if there are too many.
pub(super) fn settings<'t>(text: &'t str, counts: &dyn Fn(&str) -> bool) -> Option<Vec<Setting<'t>>> {
    let mut found = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if !is_comment(line) {
            for (at, name, end) in names_of_line(line) {
                if !counts(name) {
                    continue;
                }
                let behind = text.get(start + end..).unwrap_or_default();
                let before = line.get(..at).unwrap_or_default();
                if let Some((separator, value)) = value_behind(before, behind) {
                    found.push(Setting {
                        name: name.to_ascii_lowercase(),
                        words: words_of(name),
                        separator,
                        value,
                    });
                }
                if found.len() > MAX_SETTINGS {
                    return None;
                }
            }
        }
        start += line.len();
    }
    Some(found)
}

/// A name in small letters, its words apart: `startCommand` is `start_command`.
pub(super) fn words_of(name: &str) -> String {
    let mut words = String::new();
    let mut was_small = false;
    for c in name.chars() {
        if was_small && c.is_ascii_uppercase() {
            words.push('_');
        }
        was_small = c.is_ascii_lowercase();
        words.push(c.to_ascii_lowercase());
    }
    words
}

fn is_comment(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with(['#', ';']) && !line.starts_with("#{") || line.starts_with("//")
}

fn is_part(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')
}

/// Each word of a line that stands where a name may: where it begins and ends, a quote behind it included. The first two words of a line
/// are such (`external-check command x`), and what follows `{`, `(`, `,` or `;`.
fn names_of_line(line: &str) -> Vec<(usize, &str, usize)> {
    let mut names = Vec::new();
    let mut words = 0;
    let mut at = 0;
    while let Some(begin) = line
        .get(at..)
        .and_then(|rest| rest.find(is_part))
        .map(|found| at + found)
    {
        let end = line
            .get(begin..)
            .and_then(|rest| rest.find(|c| !is_part(c)))
            .map_or(line.len(), |length| begin + length);
        at = end;
        let word = line.get(begin..end).unwrap_or_default();
        let name = word.trim_start_matches("- ").trim_matches('-');
        if name.is_empty() {
            continue;
        }
        let before = line.get(..begin).unwrap_or_default();
        let quote = before.chars().next_back().filter(|c| matches!(c, '"' | '\''));
        let unquoted = match quote {
            Some(quote) => before.trim_end_matches(quote),
            None => before,
        };
        let closes = quote.is_none_or(|quote| line.get(end..).is_some_and(|rest| rest.starts_with(quote)));
        let before = unquoted.trim_end();
        let is_first = before
            .chars()
            .all(|c| matches!(c, '-' | '{' | '[' | '(') || c.is_whitespace());
        let is_second = words == 1 && unquoted.ends_with([' ', '\t']) && quote.is_none();
        words += 1;
        if closes
            && (is_first || is_second || before.ends_with(['{', '(', ',', ';', '[']))
            && !before.ends_with("${")
        {
            names.push((begin, name, end + usize::from(quote.is_some())));
        }
    }
    names
}

/// The value behind a name; nothing where no separator stands there.
fn value_behind<'t>(before: &str, behind: &'t str) -> Option<(Separator, SettingValue<'t>)> {
    // `php_admin_value[auto_prepend_file] = x`
    let behind = behind.strip_prefix(']').unwrap_or(behind);
    let spaced = behind.trim_start_matches([' ', '\t']);
    let has_space = spaced.len() < behind.len();
    let (separator, rest) = if let Some(rest) = spaced.strip_prefix("=>") {
        (Separator::OfSettings, rest)
    } else if let Some(rest) = spaced.strip_prefix(':') {
        (Separator::OfSettings, rest.trim_start_matches(['=', '?', ':']))
    } else if let Some(rest) = spaced
        .strip_prefix(['=', '?'])
        .filter(|rest| !rest.starts_with(['=', '~']))
    {
        let separator = match has_space {
            true => Separator::OfSettings,
            false => Separator::OfShells,
        };
        (separator, rest.trim_start_matches('='))
    } else if has_space && !spaced.starts_with(['{', '\n', '\r']) {
        (Separator::OfShells, spaced)
    } else {
        return None;
    };
    let rest = rest.trim_start_matches([' ', '\t']);
    let line = rest.split('\n').next().unwrap_or_default();
    let value = match rest.chars().next() {
        Some('[')
            if separator == Separator::OfSettings || !rest.starts_with("[[") && !rest.starts_with("[ ") =>
        {
            SettingValue::List(items(bracketed(rest, '[', ']')))
        }
        Some('{') if !rest.starts_with("{{") && !rest.starts_with("{$") && !rest.starts_with("{env") => {
            SettingValue::Mapping(bracketed(rest, '{', '}'))
        }
        _ if separator == Separator::OfSettings && is_block(line) => {
            block(indent(before), rest.get(line.len()..).unwrap_or_default())
        }
        _ => SettingValue::Text(quoted(line).unwrap_or(line.trim())),
    };
    Some((separator, value))
}

/// A text in quotes, where what follows does not go on with it: `"a", b: c` and `"a" b => c`, and not `"a" + b`.
fn quoted(line: &str) -> Option<&str> {
    let quote = line.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let mut is_escaped = false;
    let mut is_end = |(_, c): &(usize, char)| {
        let ends = *c == quote && !is_escaped;
        is_escaped = *c == '\\' && !is_escaped;
        ends
    };
    let (end, _) = line.char_indices().skip(1).find(|each| is_end(each))?;
    let rest = line.get(end + 1..)?.trim_start();
    let ends = |c: char| matches!(c, ',' | '}' | ']' | ')' | ';' | '#') || c.is_ascii_alphabetic();
    let is_whole = rest.is_empty() || rest.starts_with(ends);
    is_whole.then(|| line.get(..=end)).flatten()
}

/// Whether a line says nothing but that the value stands below.
fn is_block(line: &str) -> bool {
    let line = line.trim();
    line.is_empty()
        || line.starts_with(['|', '>']) && line.len() <= 3
        || line.starts_with("\"\"\"") && line.len() == 3
}

fn indent(before: &str) -> usize {
    before.len() - before.trim_start().len()
}

/// The lines below that stand deeper, and the items of a list that stand as deep.
fn block(indent: usize, below: &str) -> SettingValue<'_> {
    let below = below.strip_prefix('\n').unwrap_or(below);
    let mut length = 0;
    let mut items = Vec::new();
    let mut is_list = true;
    for line in below.split_inclusive('\n') {
        let text = line.trim();
        let own = line.len() - line.trim_start().len();
        let is_item = text == "-" || text.starts_with("- ");
        if !text.is_empty() && own <= indent && !(is_item && own == indent) || length > MAX_VALUE {
            break;
        }
        length += line.len();
        if is_item {
            items.push(unquoted(text.trim_start_matches('-').trim()));
        } else {
            is_list &= text.is_empty() || is_comment(line);
        }
    }
    match is_list && !items.is_empty() {
        true => SettingValue::List(items),
        false => SettingValue::Mapping(below.get(..length).unwrap_or_default()),
    }
}

/// What stands from a bracket to the one that closes it, or as far as a value is read.
fn bracketed(text: &str, open: char, close: char) -> &str {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        if c == open {
            depth += 1;
        } else if c == close {
            depth = depth.saturating_sub(1);
            if depth == 0 {
                return text.get(1..at).unwrap_or_default();
            }
        }
        if at > MAX_VALUE {
            return text.get(1..at).unwrap_or_default();
        }
    }
    text.get(1..).unwrap_or_default()
}

/// The items of a list, without quotes and without the brackets of lists in it.
fn items(list: &str) -> Vec<&str> {
    let items = split_unquoted(list, &['"', '\'', '`'], &[',', '\n'])
        .into_iter()
        .map(|item| unquoted(item.trim().trim_start_matches(['[', ' '])));
    items.filter(|item| !item.is_empty()).collect()
}

fn unquoted(text: &str) -> &str {
    match text.chars().next() {
        Some(quote @ ('"' | '\'' | '`')) => text
            .strip_prefix(quote)
            .map_or(text, |rest| rest.strip_suffix(quote).unwrap_or(rest)),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_found_in_each_form() {
        fn of(text: &str) -> Vec<SettingValue<'_>> {
            let found = settings(text, &|name| name.ends_with("command")).unwrap();
            found.into_iter().map(|setting| setting.value).collect()
        }
        let text = |text| vec![SettingValue::Text(text)];
        for (given, value) in [
            ("command=a b", text("a b")),
            ("  external-check command \"a\"", text("\"a\"")),
            ("exec { command => \"a\"", text("\"a\"")),
            ("- command: a", text("a")),
            ("{\"command\": \"a\", x: b}", text("\"a\"")),
            (
                "command: [sh, -c, \"a,b\"]",
                vec![SettingValue::List(vec!["sh", "-c", "a,b"])],
            ),
            (
                "command = [\n  \"a\",\n  \"b\"\n]",
                vec![SettingValue::List(vec!["a", "b"])],
            ),
            (
                "x:\n  command:\n  - a\n  - 'b'\n  y: 1",
                vec![SettingValue::List(vec!["a", "b"])],
            ),
            ("command: {a: b}", vec![SettingValue::Mapping("a: b")]),
            (
                "command: |\n  a\n  b\nc: d",
                vec![SettingValue::Mapping("  a\n  b\n")],
            ),
            ("command: \"{{ x }}\"", text("\"{{ x }}\"")),
        ] {
            assert_eq!(of(given), value, "{given}");
        }
        for given in [
            "# command: a",
            "echo \"command: a\"",
            "[ \"$command\" = a ]",
            "x: command",
            "my_commander: a",
        ] {
            assert_eq!(of(given), Vec::new(), "{given}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "(command|exec|- |=>|[-=: \\[\\]{}\"'|>,\n$é]){0,40}") {
            let _ = settings(&text, &|_| true);
        }
    }
}
