//! The compose document is the text whose SHA-256 is the measured hash, wherever it comes from (T14, T15): a copy of the user's
//! is no less read because `/info` shows something else, and what `/info` shows hides nothing that is signed.

use cvm_verify_core::evidence::Evidence;
use cvm_verify_core::report::{CheckId, Status};
use simulator::{Cvm, Lie, World};

use crate::judge::{Judged, NONCE, Trial, expected};

/// What `/info` may hold of the compose document.
const BLANKS: usize = 4 << 20;

/// Evidence of a trial, with a copy of the user's.
fn with_copy(trial: &Trial, copy: Option<&str>) -> Judged {
    let (attestation, info) = trial.bodies();
    trial.judge_evidence(Evidence::parse(
        attestation.as_bytes(),
        info.as_ref().map(String::as_bytes),
        copy.map(str::as_bytes),
        Some(NONCE),
    ))
}

/// `/info` shows this text.
fn showing(show: impl Fn(&str) -> String) -> (Trial, String) {
    let text = Cvm::healthy(&World::default()).app_compose;
    let shown = show(&text);
    let trial = Trial::lying(move |cvm| cvm.body.show_app_compose = Some(shown.clone()));
    (trial, text)
}

#[test]
fn t15_the_measured_copy_is_read_beside_another_document_in_info() {
    let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    let shows: [fn(&str) -> String; 3] = [
        |text| format!("{text} "),
        |_| "{}".to_owned(),
        |text| format!("{text}\n"),
    ];
    for show in shows {
        let (trial, text) = showing(show);
        let judged = with_copy(&trial, Some(&text));
        judged
            .passes()
            .proves(CheckId::ImagePins)
            .says(CheckId::Evidence, Status::Warn, "info-unusable");
        let detail = judged.detail(CheckId::Evidence);
        assert!(detail.contains("it is another one (SHA-256 "), "{judged}");
        assert!(
            detail.contains("The file that you gave is the measured document"),
            "{judged}"
        );
    }
    // Written again, as by an app: the same members.
    let (trial, text) = showing(|text| {
        let value: serde_json::Value = serde_json::from_str(text).unwrap();
        serde_json::to_string_pretty(&value).unwrap()
    });
    assert_eq!(value(&text)["runner"], "docker-compose");
    with_copy(&trial, Some(&text)).passes();
}

#[test]
fn t15_the_document_in_info_is_read_beside_another_copy() {
    let (trial, text) = showing(str::to_owned);
    let other = format!("{text}\n");
    let judged = with_copy(&trial, Some(&other));
    judged
        .passes()
        .proves(CheckId::ImagePins)
        .proves(CheckId::Evidence);
}

#[test]
fn t15_neither_of_two_other_documents_is_read() {
    let (mut trial, text) = showing(|text| format!("{text} "));
    let other = format!("{text}\n");
    with_copy(&trial, Some(&other))
        .leaves_open(CheckId::ImagePins, "compose-not-proven")
        .says(CheckId::Evidence, Status::Warn, "info-unusable");
    // Without an expected hash the copy is what was expected, and a document in /info takes nothing of that back.
    trial.policy.compose_hash = None;
    with_copy(&trial, Some(&other)).fails(CheckId::ComposeHash, "text-mismatch");
    with_copy(&trial, None).leaves_open(CheckId::ComposeHash, "text-mismatch");
}

#[test]
fn t80_a_document_in_info_that_is_too_large_is_as_if_absent() {
    let (trial, text) = showing(|text| format!("{text}{}", " ".repeat(BLANKS)));
    let judged = with_copy(&trial, None);
    judged
        .leaves_open(CheckId::ImagePins, "no-compose-document")
        .says(CheckId::Evidence, Status::Warn, "info-unusable")
        .proves(CheckId::ComposeHash)
        .proves(CheckId::EventLog)
        .proves(CheckId::QuoteSignature);
    assert!(
        judged
            .detail(CheckId::Evidence)
            .contains("--app-compose-file FILE"),
        "{judged}"
    );
    // What is advised works, and nothing is missing then.
    with_copy(&trial, Some(&text)).passes().proves(CheckId::Evidence);
}

/// What nothing signs must not take back what a signed quote convicts of.
#[test]
fn t80_a_document_in_info_that_is_too_large_hides_no_other_release() {
    let (mut trial, text) = showing(|text| format!("{text}{}", " ".repeat(BLANKS)));
    trial.policy.compose_hash = Some(expected("--compose-hash", [0xab; 32]));
    for copy in [None, Some(text.as_str())] {
        with_copy(&trial, copy).fails(CheckId::ComposeHash, "compose-hash-mismatch");
    }
    let mut trial = Trial::lying(|cvm| {
        cvm.body.show_app_compose = Some(" ".repeat(BLANKS + 1));
        Lie::ReplayedQuote.apply(cvm);
    });
    trial.policy.compose_hash = None;
    let judged = with_copy(&trial, None);
    assert_eq!(judged.status(CheckId::Freshness), Status::Fail, "{judged}");
}

/// The document of an honest deployment of this size, measured as it is.
#[test]
fn an_honest_document_that_is_larger_than_info_may_show_passes_with_its_file() {
    let mut cvm = Cvm::healthy(&World::default());
    cvm.app_compose.push_str(&" ".repeat(BLANKS));
    let text = cvm.app_compose.clone();
    let trial = Trial::of(cvm);
    with_copy(&trial, None).leaves_open(CheckId::ImagePins, "no-compose-document");
    with_copy(&trial, Some(&text)).passes().proves(CheckId::Evidence);
}
