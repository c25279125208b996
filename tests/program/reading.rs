//! Compose files that Docker reads, or refuses, in ways of its own: each folder `y-…` of `vectors/cases` ends as its README
//! says.

use cvm_verify_core::report::CheckId::ImagePins;
use cvm_verify_core::report::Status::{Error, Pass};

use super::run::{Ran, run};
use simulator::recorded;

/// Replays a case as its README says.
fn case(name: &str) -> Option<Ran> {
    let folder = recorded::folder()?.join("cases").join(name);
    let path = |file: &str| folder.join(file).display().to_string();
    let text = |file: &str| {
        std::fs::read_to_string(folder.join(file))
            .unwrap()
            .trim()
            .to_owned()
    };
    let mut args = vec![
        "replay".to_owned(),
        "--format=json".to_owned(),
        "--at=2026-10-01T12:00:00Z".to_owned(),
        format!("--insecure-trust-root={}", path("root.pem")),
        format!("--key-provider=kms:{}", text("kms")),
    ];
    for file in ["attestation", "info", "collateral"] {
        args.push(format!("--{file}={}", path(&format!("{file}.json"))));
    }
    for value in ["nonce", "os-image", "compose-hash"] {
        args.push(format!("--{value}={}", text(value)));
    }
    Some(run(&args))
}

#[track_caller]
fn passes(name: &str) {
    let Some(ran) = case(name) else { return };
    ran.assert(ImagePins, Pass, None);
    assert_eq!(ran.code, 0);
}

#[test]
fn y_flow_close_at_parent_indent_is_read() {
    passes("y-flow-close-at-parent-indent");
}

#[test]
fn y_json_compose_is_read() {
    passes("y-json-compose");
}

#[test]
fn y_question_key_is_read() {
    passes("y-question-key");
}

/// go-yaml: mapping key "<<" already defined.
#[test]
fn y_merge_two_keys_is_refused_with_its_place() {
    let Some(ran) = case("y-merge-two-keys") else {
        return;
    };
    ran.assert(ImagePins, Error, Some("unreadable-compose"));
    assert_eq!(ran.code, 3);
    let detail = &ran.check(ImagePins).detail;
    let says =
        "line 8, column 5: the key `<<` is given twice, first in line 7; merge several mappings with one key";
    assert!(detail.contains(says), "{detail}");
}
