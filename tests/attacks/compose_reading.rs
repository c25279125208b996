//! One reading of the compose file with Docker's: T88. What Docker reads is judged as Docker reads it, and what it could
//! read in another way than this program is refused with line, column and what to change.

use cvm_verify_core::report::{CheckId, Status};
use simulator::app_compose::app_compose;
use simulator::{Cvm, World};

use crate::judge::{Judged, Trial};

const PINNED: &str = "nginx@sha256:5618a93a78c9ac9173e7ebf7c8af173bd675be6832a2f8c2a9a7149ac2678f54";

/// A CVM that really runs this compose file, as expected. `IMAGE` in it is a pinned image.
fn running(yaml: &str) -> Judged {
    let mut cvm = Cvm::healthy(&World::default());
    cvm.app_compose = app_compose(&yaml.replace("IMAGE", PINNED));
    Trial::of(cvm).judge()
}

#[test]
fn t88_what_docker_reads_is_judged_as_docker_reads_it() {
    for yaml in [
        "{services: {web: {image: IMAGE}}}",
        "{\"services\":{\"web\":{\"image\":\"IMAGE\"}}}",
        "services:\n  ? web\n  : image: IMAGE\n",
        "services:\n  web:\n    image: IMAGE\n    command: [\n      a\n    ]\n",
        "services:\n  web:\n    image:\tIMAGE\n",
        "services:\n  web:\n    image: IMAGE\n---\n",
        "services:\n  web:\n    image: IMAGE\n    labels:\n      a: \"one\n    two\n  three\"\n",
        "\u{feff}services:\r\n  web:\r\n    image: IMAGE\r\n",
        "services:\n  web:\n    image: IMAGE\n    command: |\n      a",
    ] {
        let judged = running(yaml);
        judged.passes().proves(CheckId::ImagePins);
    }
}

#[test]
fn t88_a_key_behind_a_question_mark_is_a_key() {
    for key in ["?build: .", "? build: .", "?build : .", "?\nbuild: ."] {
        let judged = running(&format!("{{services: {{web: {{image: IMAGE, {key}}}}}}}"));
        judged.says(CheckId::ImagePins, Status::Warn, "unpinned-image");
    }
}

#[test]
fn t88_what_docker_could_read_differently_is_refused_with_its_place() {
    for (yaml, says) in [
        (
            "x: &x {tty: true}\nservices:\n  web:\n    <<: *x\n    <<: *x\n    image: IMAGE\n",
            "line 5, column 5: the key `<<` is given twice, first in line 4; merge several mappings with one key",
        ),
        (
            "services:\n  web:\n    image: IMAGE\n    build: !reset null\n",
            "line 4, column 12: a tag that changes what a value is; remove the tag",
        ),
        (
            "services:\n  web: !override {image: IMAGE}\n",
            "line 2, column 8: a tag that changes what a value is; remove the tag",
        ),
        (
            "services:\n  web:\n    image: IMAGE\n---\nservices:\n  web:\n    build: .\n",
            "line 5, column 1: a second document; keep one document in the file",
        ),
        (
            "services:\n  web:\n    image: IMAGE\n    ? [build]\n    : .\n",
            "line 4, column 7: a key that is not text",
        ),
        (
            "services:\n  web:\n    image: IMAGE\n   build: .\n",
            "line 4, column 4: did not find expected key",
        ),
        (
            "services:\n  web:\n    image: IMAGE\n    \u{feff}build: .\n",
            "line 4, column 5: a byte order mark (U+FEFF) inside the text",
        ),
    ] {
        let judged = running(yaml);
        judged.leaves_open(CheckId::ImagePins, "unreadable-compose");
        let detail = &judged.0.check(CheckId::ImagePins).unwrap().detail;
        assert!(detail.contains(says), "{yaml:?}: {detail}");
    }
}
