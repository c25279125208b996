//! What a service that does not approve says, and how long its word counts.

use std::sync::Arc;

use serde_json::Value;
use simulator::nras::JsonEdit;
use simulator::{DEFAULT_NOW, Gpus, Nras};

use super::tests::{devices, judged, verdict_word};

/// An appraiser that cannot ask about revocation does not approve: the tokens of the devices say why.
#[test]
fn a_refusal_overall_says_of_the_devices_what_their_own_tokens_say() {
    type Claims = fn(&mut Value);
    let ocsp: Claims = |claims| {
        claims["x-nvidia-gpu-attestation-report-cert-chain"]["x-nvidia-cert-ocsp-status"] = "unknown".into();
    };
    let not_run: Claims = |claims| claims["measres"] = "not-run".into();
    let unsafe_boot: Claims = |claims| claims["secboot"] = false.into();
    let refused: Claims =
        |claims| claims["x-nvidia-error-details"] = serde_json::json!({"code": 1, "message": "BAD"});
    // The first device and the others, and the word under an approval and under a refusal.
    type Case<'a> = (Option<Claims>, Option<Claims>, &'a str, &'a str, &'a str);
    let cases: [Case<'_>; 8] = [
        (
            None,
            None,
            "approved",
            "refused",
            "the overall result is not true",
        ),
        (Some(ocsp), Some(ocsp), "unknown claim", "open refusal", "ocsp"),
        (None, Some(not_run), "unknown claim", "open refusal", "measres"),
        (
            Some(ocsp),
            Some(unsafe_boot),
            "claim",
            "claim",
            "GPU-1: the claim `secboot`",
        ),
        (
            Some(unsafe_boot),
            Some(ocsp),
            "claim",
            "claim",
            "GPU-0: the claim `secboot`",
        ),
        (Some(ocsp), Some(refused), "refused", "refused", "GPU-1: 1 BAD"),
        (
            Some(unsafe_boot),
            Some(refused),
            "refused",
            "refused",
            "GPU-1: 1 BAD",
        ),
        (Some(refused), None, "refused", "refused", "GPU-0: 1 BAD"),
    ];
    for (first, others, approved, not_approved, says) in cases {
        for (overall, expected) in [(true, approved), (false, not_approved)] {
            let mut service = Nras::approving(1);
            service.overall_edits.push(Arc::new(move |claims| {
                claims["x-nvidia-overall-att-result"] = overall.into();
            }));
            let ueid = first_ueid();
            service.device_edits.push(Arc::new(move |claims| {
                let change = if claims["ueid"] == ueid { first } else { others };
                if let Some(change) = change {
                    change(claims);
                }
            }));
            let verdict = judged(&service, DEFAULT_NOW);
            let (word, sentence) = verdict_word(&verdict);
            assert_eq!(word, expected, "{overall} {says}: {sentence}");
            assert!(
                word == "approved" || sentence.contains(says),
                "{overall} {says}: {sentence}"
            );
        }
    }
}

/// A result of a form that is not known leaves open what the tokens of the devices do not.
#[test]
fn an_unknown_result_overall_hides_no_device_that_is_refused() {
    for (member, value, expected) in [
        ("secboot", Value::from(true), "unknown claim"),
        ("secboot", Value::from(false), "claim"),
        ("measres", Value::from("not-run"), "unknown claim"),
        (
            "x-nvidia-error-details",
            serde_json::json!({"code": 1}),
            "refused",
        ),
    ] {
        let mut service = Nras::approving(1);
        service.overall_edits.push(Arc::new(|claims| {
            claims["x-nvidia-overall-att-result"] = "later".into();
        }));
        let said = value.clone();
        service
            .device_edits
            .push(Arc::new(move |claims| claims[member] = said.clone()));
        let verdict = judged(&service, DEFAULT_NOW);
        let (word, sentence) = verdict_word(&verdict);
        assert_eq!(word, expected, "{member} {value}: {sentence}");
    }
}

/// The identity of the first GPU.
fn first_ueid() -> String {
    devices(&Gpus::protected_pcie(1)).gpus()[0].ueid().to_owned()
}

#[test]
fn tokens_of_a_refusal_that_are_not_nvidias_take_nothing_from_it() {
    for change in [
        (|nras: &mut Nras| {
            nras.tokens_edits
                .push(Arc::new(|tokens| drop(tokens.remove("GPU-3"))));
        }) as fn(&mut Nras),
        |nras| {
            nras.overall_edits
                .push(Arc::new(|claims| claims["submods"] = Value::Null));
        },
        |nras| {
            nras.device_edits
                .push(Arc::new(|claims| claims["iss"] = "x".into()))
        },
    ] {
        let mut service = Nras::approving(1);
        service.overall_edits.push(Arc::new(|claims| {
            claims["x-nvidia-overall-att-result"] = false.into();
        }));
        change(&mut service);
        let verdict = judged(&service, DEFAULT_NOW);
        assert_eq!(verdict_word(&verdict).0, "refused", "{verdict:?}");
    }
}

/// The certificate of a key is judged at the time that its token names: only a token of this run may name it.
#[test]
fn a_token_counts_for_an_hour_whatever_end_it_names() {
    let mut service = Nras::approving(1);
    let far = DEFAULT_NOW + 4 * 365 * 86_400;
    let lasting: JsonEdit = Arc::new(move |claims| claims["exp"] = far.into());
    service.overall_edits.push(lasting.clone());
    service.device_edits.push(lasting);
    for (later, expected) in [(3599, "approved"), (3600, "token"), (90 * 86_400, "token")] {
        let verdict = judged(&service, DEFAULT_NOW + later);
        let (word, sentence) = verdict_word(&verdict);
        assert_eq!(word, expected, "{later}: {sentence}");
    }
    // Nor does one count before it was issued.
    let mut service = Nras::approving(1);
    let ahead: JsonEdit = Arc::new(|claims| {
        claims["iat"] = (DEFAULT_NOW + 61).into();
        claims["exp"] = (DEFAULT_NOW + 3600).into();
    });
    service.overall_edits.push(ahead);
    assert_eq!(verdict_word(&judged(&service, DEFAULT_NOW)).0, "token");
    assert_eq!(verdict_word(&judged(&service, DEFAULT_NOW + 1)).0, "approved");
}
