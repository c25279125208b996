//! Inputs that take more memory than others of their size.

use crate::MIB;

/// JSON texts of about `size` bytes: much structure in few bytes.
pub fn json(size: usize) -> Vec<(&'static str, String)> {
    let list = |item: &str| format!("[{}0]", item.repeat(size / item.len()));
    let inside = |text: String| format!("{{\"quote\":\"00\",\"event_log\":{text}}}");
    let members: String = (0..(size / 14).min(300_000))
        .map(|index| format!("\"{index:08}\":0,"))
        .collect();
    vec![
        ("numbers in JSON", list("0,")),
        ("empty lists in JSON", list("[],")),
        ("empty objects in JSON", list("{},")),
        ("small objects in JSON", list("{\"a\":0},")),
        ("empty strings in JSON", list("\"\",")),
        ("members in JSON", format!("{{{members}\"z\":0}}")),
        (
            "one member again and again in JSON",
            format!("{{{}\"z\":0}}", "\"a\":0,".repeat(size / 6)),
        ),
        ("nested lists in JSON", "[".repeat(size)),
        ("nested objects in JSON", "{\"a\":".repeat(size / 5)),
        ("escapes in JSON", format!("\"{}\"", "\\u0000".repeat(size / 6))),
        ("a long string in JSON", format!("\"{}\"", "x".repeat(size))),
        ("numbers in an event log", inside(list("0,"))),
        ("empty objects in an event log", inside(list("{},"))),
        ("small events", inside(list("{\"imr\":3,\"event\":\"\"},"))),
        (
            "members of an event",
            inside(format!("[{{{}\"z\":0}}]", "\"a\":0,".repeat(size / 6))),
        ),
        (
            "an event log in a string",
            inside(serde_json::to_string(&"[{},{}]".repeat(size.min(MIB) / 8)).unwrap()),
        ),
    ]
}

/// YAML texts of about `size` bytes: much structure in few bytes, and aliases.
pub fn yaml(size: usize) -> Vec<(&'static str, String)> {
    let service = "services:\n  web:\n    image: a\n";
    let mut bomb = "x0: &x0 [y,y,y,y,y,y,y,y,y]\n".to_owned();
    for level in 1..30 {
        let aliases = vec![format!("*x{}", level - 1); 9].join(",");
        bomb.push_str(&format!("x{level}: &x{level} [{aliases}]\n"));
    }
    let mut merges = "x0: &x0 {a: 1, b: 2, c: 3, d: 4}\n".to_owned();
    for level in 1..size / 40 {
        merges.push_str(&format!(
            "x{level}: &x{level} {{<<: *x{}, k{level}: 1}}\n",
            level - 1
        ));
    }
    let long = "x".repeat(size / 2);
    vec![
        (
            "a long text in YAML",
            format!("{service}    command: {}\n", "x".repeat(size - 100)),
        ),
        (
            "a long block in YAML",
            format!(
                "{service}    command: |\n{}",
                "      line of text\n".repeat(size / 19)
            ),
        ),
        (
            "a long script in YAML",
            format!(
                "{service}    entrypoint: [sh, -c]\n    command:\n      - |\n{}",
                "        echo $$A $$B | sh\n".repeat(size / 28)
            ),
        ),
        (
            "line ends in a block",
            format!("{service}    command: |+\n      x\n{}", "\n".repeat(size - 100)),
        ),
        (
            "a long quotation in YAML",
            format!("{service}    command: \"{}\"\n", "\\u0041 ".repeat(size / 7 - 20)),
        ),
        (
            "comments in YAML",
            format!("{service}{}", "#\n".repeat(size / 2 - 20)),
        ),
        (
            "an open quotation in YAML",
            format!("{service}    command: \"{}", "x ".repeat(size / 2 - 20)),
        ),
        (
            "empty lists in YAML",
            format!("x: [{}]\n{service}", "[],".repeat(size / 3 - 20)),
        ),
        (
            "small mappings in YAML",
            format!("x: [{}]\n{service}", "{a: b},".repeat(size / 7 - 20)),
        ),
        (
            "small mappings below the budget",
            format!("x: [{}]\n{service}", "{a: b},".repeat(12_000)),
        ),
        (
            "mappings in mappings below the budget",
            format!("x: [{}]\n{service}", "{a: {b: {c: {d: e}}}},".repeat(4_500)),
        ),
        (
            "null items in YAML",
            format!("x:\n{}{service}", "-\n".repeat(size / 2 - 20)),
        ),
        (
            "members in YAML",
            format!(
                "{service}{}",
                (0..size / 12)
                    .map(|index| format!("x-{index:06}: 0\n"))
                    .collect::<String>()
            ),
        ),
        ("nested lists in YAML", "[".repeat(size)),
        ("nested mappings in YAML", "{a: ".repeat(size / 4)),
        ("keys with question marks", "? ".repeat(size / 2)),
        ("dashes", "- ".repeat(size / 2)),
        (
            "anchors in YAML",
            format!("x: [{}]\n{service}", "&a b,".repeat(size / 5 - 20)),
        ),
        (
            "tags before commas",
            format!("x: '{}'\n{service}", "(!a,".repeat(size / 4 - 20)),
        ),
        ("aliases of aliases", format!("{bomb}{service}")),
        ("merges of merges", format!("{merges}{service}")),
        (
            "aliases of a long text",
            format!("x: &x {long}\ny: [{}*x]\n{service}", "*x,".repeat(1000)),
        ),
        (
            "two aliases of a long text",
            format!("x: &x {}\ny: [*x, *x]\n{service}", "x".repeat(size / 4)),
        ),
        (
            "spaces at the end",
            format!(
                "{service}    command: |\n      {}\n      ",
                "x ".repeat(size / 2 - 60)
            ),
        ),
    ]
}
