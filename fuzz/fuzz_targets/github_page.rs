//! The body of an issue of the GitHub channel, which its readers may have edited: a mark, and a memory.
#![cfg_attr(feature = "libfuzzer", no_main)]

use cvm_verify::alert::github_page::{hidden, remembered};
use cvm_verify::alert::incident::TargetId;

cvm_verify_fuzz::fuzz_target!(|body: &str| {
    let Some((target, memory)) = remembered(body) else {
        return;
    };
    // Only the first two lines count.
    let head: Vec<&str> = body.lines().take(2).collect();
    let same = Some((target, memory.clone()));
    assert_eq!(remembered(&head.join("\n")), same);
    assert_eq!(
        remembered(&head.join("\r\n")),
        same,
        "as GitHub's editor stores it"
    );
    let behind = format!("{}\n\n<!-- cvm-verify:target=00 -->\n{body}", head.join("\n"));
    assert_eq!(remembered(&behind), same);
    for before in ["\n", " ", "> ", "\u{feff}"] {
        assert_eq!(remembered(&format!("{before}{body}")), None);
    }
    let Some(state) = memory else {
        return;
    };
    let written = hidden(target, &state);
    assert_eq!(written.lines().count(), 2);
    assert_eq!(
        written.matches("-->").count(),
        2,
        "no memory ends its own comment"
    );
    assert!(
        !written.replace('\n', "").chars().any(char::is_control),
        "{written:?}"
    );
    match remembered(&written) {
        Some((again, Some(read))) => {
            assert_eq!((again, &read), (target, &state), "what was written can be read");
            assert_eq!(hidden(again, &read), written, "writing is stable");
        }
        // A memory that does not fit a comment of HTML is left out.
        Some((again, None)) => assert!(again == target && written.ends_with("state= -->"), "{written}"),
        None => panic!("{written}"),
    }
    let other = TargetId::of("another target");
    if other != target {
        let moved = written.replacen(&target.to_string(), &other.to_string(), 1);
        assert_eq!(
            remembered(&moved),
            Some((other, None)),
            "a memory is of one target"
        );
    }
});
