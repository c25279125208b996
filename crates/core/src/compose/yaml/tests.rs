use proptest::prelude::*;
use serde_json::json;

use super::*;

fn problem(text: &str) -> String {
    parse(text).unwrap_err().to_string()
}

#[test]
fn plain_documents_become_plain_values() {
    let text = "a: 1\nb: [x, 'true', true, ~]\nc:\n  d: \"e\\n\"\n  f: |\n    g\n    h\n";
    assert_eq!(
        parse(text).unwrap(),
        json!({"a": "1", "b": ["x", "true", true, null], "c": {"d": "e\n", "f": "g\nh\n"}})
    );
    for nothing in ["", "# nothing\n", "\n", "---\n", "~", "\u{feff}"] {
        assert_eq!(parse(nothing).unwrap(), Value::Null, "{nothing:?}");
    }
}

#[test]
fn aliases_and_merges_stand_for_what_they_name() {
    let text = "x: &x {image: old, tty: true}\ny: &y {image: older, user: me}\na: {<<: [*x, *y], tty: false}\nb: *x\n";
    let value = parse(text).unwrap();
    assert_eq!(value["a"], json!({"image": "old", "tty": false, "user": "me"}));
    assert_eq!(value["b"], json!({"image": "old", "tty": true}));
}

#[test]
fn a_mapping_with_a_merge_is_merged_with_what_it_merges() {
    let text = "a: &a {x: 1, y: 1}\nb: &b {<<: *a, y: 2}\nc: {z: 3, <<: *b}\n";
    assert_eq!(parse(text).unwrap()["c"], json!({"x": "1", "y": "2", "z": "3"}));
}

/// go-yaml: an anchor's name means the node that begins last, also when an outer one ends later.
#[test]
fn an_alias_means_the_anchor_that_begins_last() {
    let text = "a: &n {b: &n 1, c: *n}\nd: *n\ne: &n 2\nf: *n\n";
    let value = parse(text).unwrap();
    assert_eq!(value["a"], json!({"b": "1", "c": "1"}));
    assert_eq!(value["d"], json!("1"));
    assert_eq!(value["f"], json!("2"));
}

#[test]
fn what_docker_reads_is_read_like_docker() {
    let service = |text: &str| parse(text).unwrap()["services"]["web"].clone();
    assert_eq!(
        service("{services: {web: {image: a, ?build: b, ?privileged: true}}}"),
        json!({"image": "a", "build": "b", "privileged": true})
    );
    for text in [
        "services:\n  web:\n    command: [\n      a\n    ]\n",
        "services:\n  web:\n    command:\t[a]\n",
        "services:\n  web:\n    command: [a]\n---\n",
        "services:\n  web:\n    command: [a]\n---\n# nothing\n...\n",
        "services:\n  ? web\n  : command: [a]\n",
        "{\"services\":{\"web\":{\"command\":[\"a\"]}}}",
        "\u{feff}services:\r\n  web:\r\n    command: [a]\r\n",
        "services:\n  web:\n    command: [a]\n  ",
        "%YAML 1.1\n---\nservices:\n  web:\n    command: !!seq [!!str a]\n",
    ] {
        assert_eq!(service(text), json!({"command": ["a"]}), "{text:?}");
    }
    assert_eq!(
        service("services:\n  web:\n    note: \"one\n  two\n\nthree\"\n"),
        json!({"note": "one two\nthree"})
    );
}

#[test]
fn a_block_scalar_at_the_end_has_no_line_break_that_is_not_there() {
    let last = |text: &str| parse(text).unwrap()["a"].clone();
    for (text, value) in [
        ("a: |\n  b", "b"),
        ("a: |\n  b\n", "b\n"),
        ("a: |+\n  b\n\n", "b\n\n"),
        ("a: |+\n  b\n  c", "b\nc"),
        ("a: |-\n  b", "b"),
        ("a: >\n  b\n  c", "b c"),
        ("a: >\n  b\n\n  c", "b\nc"),
        ("a: |\n  b\n# comment", "b\n"),
        ("a: |\n  b\n  ", "b\n"),
        ("a: |\r\n  b\r\n  c", "b\nc"),
        ("a: |1\n \tb", "\tb"),
        ("a: |\n  b\\", "b\\"),
    ] {
        assert_eq!(last(text), json!(value), "{text:?}");
    }
    for text in ["a: |+\n  b\n  ", "a: |\n  b\n    "] {
        assert_eq!(
            problem(text),
            "line 3, column 1: the document ends with spaces that may belong to the text before them; end the document with a line break"
        );
    }
}

#[test]
fn what_two_readers_could_read_differently_is_refused() {
    for (text, says) in [
        (
            "a: 1\na: 2\n",
            "line 2, column 1: the key `a` is given twice, first in line 1; keep one",
        ),
        ("a: 1\n'a': 2\n", "the key `a` is given twice"),
        (
            "x: &x {a: 1}\nb: {<<: *x, <<: *x}\n",
            "line 2, column 13: the key `<<` is given twice, first in line 2; merge several mappings with one key",
        ),
        ("a: !reset null\n", "line 1, column 4: a tag"),
        ("a: !override [b]\n", "line 1, column 4: a tag"),
        ("a: !!binary YQ==\n", "a tag"),
        ("a: !!null b\n", "a tag"),
        ("a: ! b\n", "a tag"),
        ("!!int 1: b\n", "a tag"),
        ("%TAG !! tag:x,2000:\n---\na: !!str b\n", "a tag"),
        ("a: [!!str, b]\n", "line 1, column 5: a tag without a value"),
        ("? [a]\n: b\n", "line 1, column 3: a key that is not text"),
        ("? {a: b}\n: b\n", "a key that is not text"),
        ("~: b\n", "a key that is not text"),
        ("? \n: b\n", "a key that is not text"),
        (
            "x: &x a\n*x : b\n",
            "line 2, column 1: an alias in the place of a key",
        ),
        ("a: 1\n---\nb: 2\n", "line 3, column 1: a second document"),
        ("---\n---\nb: 2\n", "a second document"),
        (
            "a: {<<: b}\n",
            "line 1, column 9: `<<` merges something that is not a mapping",
        ),
        ("a: {<<: [{b: c}, d]}\n", "not a mapping"),
        ("a: {'<<': {b: c}}\n", "not every reader merges"),
        ("a: 1 # \u{2028}b: 2\n", "line 1, column 8: a line break"),
        ("a: 1\nb: \u{feff}2\n", "line 2, column 4: a byte order mark"),
        (
            "a: *nothing\n",
            "line 1, column 4: the alias `*nothing` refers to nothing",
        ),
        (
            "a: &a [*a]\n",
            "the alias `*a` refers to nothing that is complete",
        ),
        ("a: &a 1\n---\n", ""),
        ("a: [\n", "close the `[`"),
        ("a:\n\tb: c\n", "indent with spaces"),
        ("a: b: c\n", "line 1, column 5: mapping values are not allowed"),
        ("a: \"b\n", "close the quotation mark"),
        ("a: \u{7}\n", "control characters are not allowed"),
    ] {
        if says.is_empty() {
            assert!(parse(text).is_ok(), "{text:?}");
            continue;
        }
        let problem = problem(text);
        assert!(problem.contains(says), "{text:?}: {problem}");
        assert!(problem.contains("; "), "it says what to change: {problem}");
    }
}

/// Behind these the port of libyaml stops the program.
#[test]
fn the_parser_is_never_given_what_it_cannot_read() {
    for text in [
        "[!,",
        "[!!str,a]",
        "{!a,}",
        "[\"a\"!b,c]",
        "[[]!b,c]",
        "a: ''|\n 0",
        "\"\\",
        "\"\\\r",
        "a: |",
        "a: >-",
        "a: |\n  ",
        "%",
        "%YAML",
        "%YAML 1.",
        "%TAG ! ",
        "!<a",
        "!<a>,",
        "[!<a>,",
        "[!<a,b>,",
        "&",
        "*",
        "[&a,",
        "!%",
        "!%e2%82,",
        "[!%41,",
        "'",
        "''",
        "\"\\x",
        "\"\\u12",
        "\"\\U00110000\"",
        "---",
        "...",
        "- ",
        "? ",
        ": ",
        "\u{feff}",
        "!a!b,",
        "[!a!b,",
        "[a !b, c]",
        "a: b\n[!x,",
        "[a !b,\n\t!c,",
        "[!a!b!c,",
        "[!<a>^,",
        "[!x,!y,",
        "{a: [!b,",
        "- - [!x,\n- [",
        "!x,",
        "[a !b, !c,",
        "[(!b, c]",
        "x: &a !b, c",
    ] {
        let _ = parse(text);
        let _ = parse(&format!("a: {text}"));
        let _ = parse(&format!("[{text}"));
    }
}

#[test]
fn an_exclamation_mark_before_a_comma_in_a_text_is_text() {
    for (text, value) in [
        ("a: ['!x', b]", json!(["!x", "b"])),
        ("a: [\"(!x, y)\", b]", json!(["(!x, y)", "b"])),
        ("a: [c !x, b]", json!(["c !x", "b"])),
        ("a: (!x, y)", json!("(!x, y)")),
        ("a: |\n  !x, y\n", json!("!x, y\n")),
        ("a: b # !x, y", json!("b")),
    ] {
        assert_eq!(parse(text).unwrap()["a"], value, "{text:?}");
    }
    let many = format!("a: '{}'\n", "(!x, ".repeat(100_000));
    assert!(parse(&many).is_ok());
    let brackets = format!("a: [{}]\n", "c !x, ".repeat(100_000));
    assert!(
        problem(&brackets).contains("line 1, column 5: a `!` in a text between brackets"),
        "{}",
        problem(&brackets)
    );
    for text in [
        "a: [c !b, !c, d]",
        "a: [c !b, d, {e: !f,}]",
        "{a: (!b, !c,}",
        "[c !b,!c,",
    ] {
        assert!(
            problem(text).contains("a tag without a value"),
            "{text}: {}",
            problem(text)
        );
    }
}

#[test]
fn depth_is_bounded_aliases_included() {
    assert!(parse(&format!("a: {}{}", "[".repeat(31), "]".repeat(31))).is_ok());
    assert!(problem(&format!("a: {}{}", "[".repeat(32), "]".repeat(32))).contains("nests more than 32 deep"));
    let mut chain = "a0: &a0 [x]\n".to_owned();
    for level in 1..31 {
        chain.push_str(&format!("a{level}: &a{level} [*a{}]\n", level - 1));
    }
    assert!(parse(&chain).is_ok());
    chain.push_str("a31: [*a30]\n");
    assert!(problem(&chain).contains("line 32, column 7: it nests more than 32 deep"));
}

#[test]
fn aliases_count_as_what_they_stand_for() {
    let mut bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned();
    for level in 1..12 {
        let aliases = vec![format!("*a{}", level - 1); 9].join(",");
        bomb.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    assert!(problem(&bomb).contains("more than 50000 keys, values"));
    let text = "x".repeat(MAX_BYTES / 4);
    let three = format!("a: &a {text}\nb: [*a, *a]\n");
    assert!(parse(&three).is_ok());
    let four = format!("a: &a {text}\nb: [*a, *a, *a]\n");
    let problem = problem(&four);
    assert!(
        problem.contains("line 2, column 13: more than 4194304 bytes of text"),
        "{problem}"
    );
}

proptest! {
    #[test]
    fn no_text_panics(text in ".{0,200}") {
        let _ = parse(&text);
    }

    #[test]
    fn no_yaml_like_text_panics(text in "[-a:&*<>!?|{}\\[\\], \n'\"#~%\\\\]{0,80}") {
        let _ = parse(&text);
    }
}
