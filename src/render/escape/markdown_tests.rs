use comrak::nodes::{AstNode, NodeValue};
use comrak::{Arena, Options, parse_document};
use proptest::prelude::*;

use super::*;
use crate::render::hostile::{hostile, is_dangerous};

/// Everything that GitHub's and GitLab's Markdown can, and more.
fn options() -> Options<'static> {
    let mut options = Options::default();
    let extension = &mut options.extension;
    extension.table = true;
    extension.autolink = true;
    extension.strikethrough = true;
    extension.tasklist = true;
    extension.superscript = true;
    extension.subscript = true;
    extension.footnotes = true;
    extension.inline_footnotes = true;
    extension.description_lists = true;
    extension.multiline_block_quotes = true;
    extension.alerts = true;
    extension.math_dollars = true;
    extension.math_code = true;
    extension.wikilinks_title_after_pipe = true;
    extension.underline = true;
    extension.spoiler = true;
    extension.highlight = true;
    extension.insert = true;
    options.parse.relaxed_autolinks = true;
    options
}

/// The text nodes that a browser would be given. Anything but plain text and our own splits is an error.
fn text_nodes<'a>(node: &'a AstNode<'a>, texts: &mut Vec<String>) -> Result<(), String> {
    for node in node.descendants() {
        match &node.data.borrow().value {
            NodeValue::Document
            | NodeValue::Table(_)
            | NodeValue::TableRow(_)
            | NodeValue::List(_)
            | NodeValue::Item(_) => {}
            NodeValue::Paragraph | NodeValue::TableCell => texts.push(String::new()),
            NodeValue::Text(text) => match texts.last_mut() {
                Some(last) => last.push_str(text),
                None => texts.push(text.to_string()),
            },
            NodeValue::HtmlInline(html) if ["<wbr>", "<span>", "</span>"].contains(&html.as_str()) => {
                texts.push(String::new());
            }
            other => return Err(format!("{other:?}")),
        }
    }
    Ok(())
}

/// Whether a forge would make something of a text node: a mention, an issue, an address, an emoji.
fn is_word_of_a_forge(text: &str) -> bool {
    let follows = |mark: &str, test: fn(char) -> bool| {
        let mut parts = text.split(mark).skip(1);
        parts.any(|rest| rest.chars().next().is_some_and(test))
    };
    let lower = text.to_ascii_lowercase();
    follows("@", |c| c.is_ascii_alphanumeric())
        || "#!%~&"
            .chars()
            .any(|sigil| follows(&String::from(sigil), |c| c.is_ascii_alphanumeric()))
        || ["{+", "{-", "[+", "[-"]
            .iter()
            .any(|opening| text.contains(opening))
        || follows(":", |c| c != ' ')
        || lower.contains("www.")
        || is_a_trackers_issue(text)
}

/// `GH-1` of GitHub, `ABC-1` of Jira and YouTrack.
fn is_a_trackers_issue(text: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.match_indices('-').any(|(position, _)| {
        let (before, rest) = text.split_at(position);
        let start = before.rfind(|c| !is_word(c)).map_or(0, |at| at + 1);
        let name = before.get(start..).unwrap_or("");
        name.starts_with(|c: char| c.is_ascii_alphabetic())
            && rest[1..].starts_with(|c: char| c.is_ascii_digit())
    })
}

/// The references of GitLab's manual ("GitLab-specific references"), and those of issue trackers that are connected.
#[test]
fn no_reference_of_gitlab_or_of_a_tracker_is_left() {
    for reference in [
        "#1",
        "!1",
        "@user",
        "@all",
        "&1",
        "~label",
        "~\"a label\"",
        "%milestone",
        "%v1.0",
        "$1",
        "$snippet",
        "ABC-1",
        "AB_C2-77",
        "abc-1",
        "GH-1",
        "GL-1",
        "group/project#1",
        "group/project!1",
        "group/project$1",
        "group/project&1",
        "group/project~bug",
        "group/project%v1",
        "project@9ba12248",
        "^alert#1",
        "*iteration:1",
        "[vulnerability:1]",
        "[issue:g/p/1]",
        "[feature_flag:1]",
        "[cadence:1]",
        "[contact:a@x.example]",
        "[wiki_page:home]",
        "[[home]]",
        "https://gitlab.example/g/p/-/issues/1",
        "/close",
        "/assign @user",
    ] {
        for text in [
            reference.to_owned(),
            format!("see {reference}."),
            format!("({reference})"),
            format!("é{reference}"),
        ] {
            for before in ["", "- ", "said: ", "| a |\n|---|\n| "] {
                let nodes = read(before, &markdown(&text), "").expect(reference);
                assert!(!nodes.iter().any(|node| is_word_of_a_forge(node)), "{nodes:?}");
                assert!(
                    !nodes
                        .iter()
                        .any(|node| node.contains("$1") || node.contains("$s")),
                    "{nodes:?}"
                );
            }
            let first = markdown(&text);
            assert!(!first.starts_with('/'), "a quick action: {first}");
        }
    }
}

/// The text nodes of `before + text + after`.
fn read(before: &str, text: &str, after: &str) -> Result<Vec<String>, String> {
    let arena = Arena::new();
    let page = format!("{before}{text}{after}");
    let mut texts = Vec::new();
    text_nodes(parse_document(&arena, &page, &options()), &mut texts)?;
    Ok(texts)
}

#[test]
fn what_markdown_would_read_is_shown_instead() {
    for (raw, safe) in [
        ("| PASS |", "&#124; PASS &#124;"),
        ("`x`", "&#96;x&#96;"),
        ("<img src=x>", "&#60;img src&#61;x&#62;"),
        ("a ![](http://x)", "a !<wbr>&#91;<wbr>&#93;(http:<wbr>//x)"),
        ("</details>", "&#60;/details&#62;"),
        ("@org/team", "&#64;<wbr>org/team"),
        ("me@x.example", "me@<wbr>x.example"),
        ("fixes #123, gh-1", "fixes #<wbr>123, gh-<wbr>1"),
        (
            "see ABC-1, Gh-12x, A_1-2",
            "see ABC-<wbr>1, Gh-<wbr>12x, A&#95;1-<wbr>2",
        ),
        ("2026-08-13, a-b, ABC - 1", "&#50;026-08-13, a-b, ABC - 1"),
        ("see WWW.x.example", "see WWW<wbr>.x.example"),
        (":tada:", "&#58;<wbr>tada:<wbr>"),
        ("x\n::error::y", "x&#92;n:<wbr>:<wbr>error:<wbr>:<wbr>y"),
        ("##[error]", "&#35;<wbr>#<wbr>&#91;<wbr>error&#93;"),
        ("# item", "&#35; item"),
        ("see !12 {+ x +}", "see !<wbr>12 &#123;<wbr>&#43; x &#43;&#125;"),
        ("- item", "&#45; item"),
        ("1. item", "&#49;. item"),
        ("    code", "&#32;   code"),
        ("&amp;", "&#38;<wbr>amp;"),
        ("$x$", "<span>&#36;</span>x<span>&#36;</span>"),
        ("\u{2705} pass", "&#92;u&#123;<wbr>2705&#125; pass"),
        ("a: b", "a: b"),
    ] {
        assert_eq!(markdown(raw), safe);
    }
}

#[test]
fn long_text_is_cut_before_it_is_escaped() {
    let safe = markdown(&"<".repeat(10_000));
    assert_eq!(safe, format!("{}…", "&#60;".repeat(199)));
    assert_eq!(code(&"a".repeat(10_000)), format!("`{}…`", "a".repeat(199)));
}

#[test]
fn values_are_code() {
    assert_eq!(code("image@sha256:01ab"), "`image@sha256:01ab`");
    assert_eq!(code("0001 (raw)"), "`0001 (raw)`");
    assert_eq!(code(" a"), "<code>&#32;a</code>");
    assert_eq!(code("a`b"), "<code>a&#96;b</code>");
    assert_eq!(code(""), "<code></code>");
}

proptest! {
    #[test]
    fn a_reader_sees_the_text_and_nothing_else(text in hostile()) {
        let safe = markdown(&text);
        let seen = visible(&text, MAX);
        prop_assert!(!safe.chars().any(is_dangerous), "{safe:?}");
        prop_assert!(!safe.contains("::") && !safe.contains("##"), "{safe:?}");
        for (before, after) in [
            ("", ""),
            ("said: ", "."),
            ("- ", "\n- x"),
            ("| a | b |\n|---|---|\n| ", " | x |\n"),
        ] {
            let texts = read(before, &safe, after);
            prop_assert!(texts.is_ok(), "{texts:?} of {safe:?}");
            let texts = texts.unwrap_or_default();
            prop_assert!(!texts.iter().any(|text| is_word_of_a_forge(text)), "{texts:?} of {safe:?}");
            let all = texts.concat();
            prop_assert!(all.contains(seen.trim_end()), "{all:?} should hold {seen:?}");
        }
    }

    #[test]
    fn any_character_is_harmless(c in any::<char>()) {
        let safe = markdown(&String::from(c));
        prop_assert!(!safe.chars().any(is_dangerous));
        prop_assert!(read("", &safe, "").is_ok(), "{safe:?}");
    }

    #[test]
    fn code_holds_nothing_that_ends_it(text in hostile()) {
        let code = code(&text);
        let inner = code.strip_prefix('`').and_then(|rest| rest.strip_suffix('`'));
        let element = code.strip_prefix("<code>").and_then(|rest| rest.strip_suffix("</code>"));
        prop_assert!(match (inner, element) {
            (Some(inner), None) => !inner.contains(['`', '|', '\\', '<', '\n']) && !inner.contains("##"),
            (None, Some(element)) => read("", element, "").is_ok(),
            _ => false,
        }, "{code:?}");
    }
}
