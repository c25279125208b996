//! Text of a stranger, by each format's rule.
#![cfg_attr(feature = "libfuzzer", no_main)]

use cvm_verify::render::escape::{code, markdown, shorten, terminal, workflow_data, workflow_property, xml};
use cvm_verify_core::evidence::excerpt;
use cvm_verify_fuzz::printed::{assert_harmless, assert_one_safe_line};

cvm_verify_fuzz::fuzz_target!(|text: &str| {
    let shown = terminal(text);
    assert_one_safe_line(&shown);
    assert_eq!(terminal(&shown), shown, "what is safe stays as it is");

    for markdown in [markdown(text), code(text)] {
        assert_one_safe_line(&markdown);
        assert!(
            !markdown.contains("![") && !markdown.contains("]("),
            "{markdown:?}"
        );
        assert!(!markdown.contains('|'), "the end of a table cell in {markdown:?}");
        let ours = ["<wbr>", "<span>", "</span>", "<code>", "</code>"];
        let rest = ours
            .iter()
            .fold(markdown.clone(), |rest, tag| rest.replace(tag, ""));
        assert!(!rest.contains(['<', '>']), "an element in {markdown:?}");
    }

    let data = workflow_data(text);
    assert_one_safe_line(&data);
    assert_eq!(
        data.replace("%25", "%"),
        *shown,
        "the runner reads the shown text"
    );
    let property = workflow_property(text);
    assert_harmless(&property);
    assert!(!property.contains([':', ',', '\n']), "{property:?}");

    let xml = xml(text);
    assert_one_safe_line(&xml);
    assert!(!xml.contains(['<', '>', '"', '\'']), "{xml:?}");
    let read = xml
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&apos;", "'")
        .replace("&amp;", "&");
    assert_eq!(read, *shown, "an XML parser reads the shown text");

    assert!(excerpt(text).chars().count() <= 201);
    assert!(!excerpt(text).chars().any(char::is_control));
    assert!(shorten(text, 10).chars().count() <= 10);
});
