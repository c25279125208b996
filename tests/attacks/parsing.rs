//! Documents that two readers could read in two ways: T13.

use cvm_verify_core::report::{CheckId, Status};
use serde_json::{Value, json};
use simulator::{Cvm, EventLogForm, EventVersion, Guest, Lie, Nested, QuoteEncoding, VersionedForm, World};

use crate::judge::{Trial, query};

/// A CVM whose bodies show every member that is read: the log as a list, `tcb_info` as an object, V2 events.
fn talkative() -> Trial {
    let mut cvm = Cvm::healthy(&World::default());
    cvm.event_version = EventVersion::V2;
    cvm.body.event_log = EventLogForm::Array;
    cvm.body.tcb_info = Nested::Object;
    Trial::of(cvm)
}

/// The first `"name":` of a text becomes twice that member; the second has the true value.
fn doubled(text: &str, name: &str) -> String {
    let member = format!("\"{name}\":");
    assert!(text.contains(&member), "{name} is not in the body");
    text.replacen(&member, &format!("{member}null,{member}"), 1)
}

const ATTESTATION: [&str; 10] = [
    "quote",
    "event_log",
    "report_data",
    "imr",
    "event_type",
    "digest",
    "event",
    "event_payload",
    "version",
    "preimage",
];
/// How `evidence` calls an `/info` that cannot be read.
const UNUSABLE: &str = "info-unusable";

const INFO: [&str; 8] = [
    "instance_id",
    "tcb_info",
    "mrtd",
    "rtmr0",
    "rtmr1",
    "rtmr2",
    "event_log",
    "app_compose",
];

#[test]
fn the_healthy_baseline_passes() {
    talkative().judge().passes();
}

#[test]
fn t13_every_shape_of_the_bodies_passes() {
    let quotes = [
        QuoteEncoding::Hex,
        QuoteEncoding::Hex0x,
        QuoteEncoding::HexUpper,
        QuoteEncoding::Base64,
    ];
    let logs = [
        EventLogForm::Text,
        EventLogForm::Array,
        EventLogForm::TextSpeltTogether,
        EventLogForm::ArraySpeltTogether,
        EventLogForm::Absent,
    ];
    for quote in quotes {
        for event_log in logs {
            for tcb_info in [Nested::Text, Nested::Object] {
                let trial = talkative().with(|trial| {
                    trial.cvm.body.quote = quote;
                    trial.cvm.body.event_log = event_log;
                    trial.cvm.body.tcb_info = tcb_info;
                });
                trial.judge().passes();
            }
        }
    }
}

#[test]
fn t13_a_duplicate_of_each_field_of_the_attestation_fails_evidence() {
    let trial = talkative();
    let (attestation, info) = trial.bodies();
    for name in ATTESTATION {
        trial
            .judge_bodies(&doubled(&attestation, name), info.as_deref())
            .fails(CheckId::Evidence, "duplicate-field");
    }
    Trial::lying(|cvm| Lie::DuplicateQuoteKey.apply(cvm))
        .judge()
        .fails(CheckId::Evidence, "duplicate-field");
}

#[test]
fn t13_an_info_with_a_duplicate_of_any_field_is_as_if_absent() {
    let trial = talkative();
    let (attestation, info) = trial.bodies();
    for name in INFO {
        trial
            .judge_bodies(&attestation, Some(&doubled(info.as_ref().unwrap(), name)))
            .says(CheckId::Evidence, Status::Warn, UNUSABLE);
    }
    // The same inside a string that holds JSON.
    let trial = talkative().with(|trial| trial.cvm.body.tcb_info = Nested::Text);
    let info = trial.cvm.info_body();
    let doubled = info.replacen(r#"\"mrtd\":"#, r#"\"mrtd\":null,\"mrtd\":"#, 1);
    assert_ne!(info, doubled);
    trial
        .judge_bodies(&attestation, Some(&doubled))
        .says(CheckId::Evidence, Status::Warn, UNUSABLE);
}

#[test]
fn t13_two_spellings_and_an_escaped_name_are_duplicates() {
    for member in [
        r#""eventlog":[]"#,
        r#""event\u005flog":[]"#,
        r#""\u0071uote":"00""#,
    ] {
        let first =
            talkative().with(|trial| trial.cvm.body.attestation_members_first.push(member.to_owned()));
        first.judge().fails(CheckId::Evidence, "duplicate-field");
        let last = talkative().with(|trial| trial.cvm.body.attestation_members_last.push(member.to_owned()));
        last.judge().fails(CheckId::Evidence, "duplicate-field");
    }
}

#[test]
fn t13_an_info_with_two_compose_documents_that_differ_is_as_if_absent() {
    talkative()
        .with(|trial| trial.cvm.body.edit_info(|info| info["app_compose"] = json!("{}")))
        .judge()
        .says(CheckId::Evidence, Status::Warn, UNUSABLE);
}

#[test]
fn t13_odd_hex_fails_evidence_in_every_field() {
    let odd = |value: &mut Value| {
        let text = value.as_str().unwrap();
        *value = json!(&text[..text.len() - 1]);
    };
    for name in ["digest", "event_payload", "preimage"] {
        talkative()
            .with(|trial| {
                trial.cvm.body.edit_attestation(move |body| {
                    let log = body["event_log"].as_array_mut().unwrap();
                    odd(&mut log.last_mut().unwrap()[name]);
                });
                // The last event has no payload; an app's has one.
                trial.cvm.app_events.push(("mine".to_owned(), vec![1, 2]));
            })
            .judge()
            .fails(CheckId::Evidence, "malformed-field");
    }
    for name in ["quote", "report_data"] {
        talkative()
            .with(|trial| trial.cvm.body.edit_attestation(move |body| odd(&mut body[name])))
            .judge()
            .fails(CheckId::Evidence, "malformed-field");
    }
    for name in ["mrtd", "rtmr0", "rtmr1", "rtmr2"] {
        talkative()
            .with(|trial| {
                trial
                    .cvm
                    .body
                    .edit_info(move |body| odd(&mut body["tcb_info"][name]))
            })
            .judge()
            .says(CheckId::Evidence, Status::Warn, UNUSABLE);
    }
    talkative()
        .with(|trial| {
            trial
                .cvm
                .body
                .edit_info(move |body| odd(&mut body["instance_id"]))
        })
        .judge()
        .says(CheckId::Evidence, Status::Warn, UNUSABLE);
}

#[test]
fn t13_numbers_of_other_forms_fail_evidence() {
    let trial = talkative();
    let (attestation, info) = trial.bodies();
    let cases = [
        (
            "\"imr\":3",
            "\"imr\":",
            vec![
                "4",
                "-1",
                "3.0",
                "3e0",
                "259",
                "18446744073709551619",
                "\"3\"",
                "[3]",
                "true",
            ],
        ),
        (
            "\"event_type\":134217729",
            "\"event_type\":",
            vec![
                "134217729.0",
                "4429185025",
                "18446744073843769345",
                "\"134217729\"",
                "1.34217729e8",
                "-0",
            ],
        ),
        (
            "\"version\":2",
            "\"version\":",
            vec!["2.0", "3", "\"2\"", "4294967298", "[2]", "true"],
        ),
    ];
    for (whole, name, values) in cases {
        assert!(attestation.contains(whole));
        for value in values {
            let body = attestation.replacen(whole, &format!("{name}{value}"), 1);
            let judged = trial.judge_bodies(&body, info.as_deref());
            // What is no number is an app's own form; a version has two forms, and any other value of it is refused.
            match value.starts_with(|c: char| "\"[t".contains(c)) && name != "\"version\":" {
                true => judged.leaves_open(CheckId::Evidence, "other-type"),
                false => judged.fails(CheckId::Evidence, "malformed-field"),
            };
        }
    }
}

#[test]
fn t13_a_log_of_another_type_is_never_read() {
    let with = |log: serde_json::Value| {
        talkative()
            .with(|trial| {
                trial
                    .cvm
                    .body
                    .edit_attestation(move |body| body["event_log"] = log.clone())
            })
            .judge()
    };
    // What holds no list of objects is an app's own form.
    for log in [
        json!("[1]"),
        json!([[]]),
        json!("[{"),
        json!({}),
        json!(1),
        json!(true),
        json!("{}"),
        json!("null"),
        json!(" 1"),
        json!("none"),
    ] {
        with(log).leaves_open(CheckId::Evidence, "other-type");
    }
}

/// An app's own form around what the SDK returns is no forgery, and its quote is not looked for: the message says where it is.
#[test]
fn t13_a_wrapper_of_the_apps_accuses_nobody_and_says_where_the_quote_is() {
    let trial = talkative();
    let body: serde_json::Value = serde_json::from_str(&trial.cvm.attestation_body(&query())).unwrap();
    for (wrapped, reason, says) in [
        (
            json!({ "success": true, "quote": body }),
            "other-type",
            "`quote.quote` looks like a quote",
        ),
        (
            json!({ "success": true, "data": body }),
            "no-quote",
            "`data.quote` looks like a quote",
        ),
        (json!({ "quote": 1 }), "other-type", "`quote` is a number"),
        (
            json!({ "quote": "00", "report_data": {} }),
            "other-type",
            "`report_data` is an object",
        ),
        (
            json!({ "attestation": {} }),
            "other-type",
            "`attestation` is an object",
        ),
        (json!([body]), "other-type", "is a list; an object expected"),
        (json!({ "data": { "data": body } }), "no-quote", "has no `quote`"),
    ] {
        let judged = trial.judge_bodies(&wrapped.to_string(), None);
        judged.leaves_open(CheckId::Evidence, reason);
        let detail = judged.detail(CheckId::Evidence);
        assert!(detail.contains(says), "{says}: {detail}");
    }
}

#[test]
fn t13_a_log_of_too_many_events_is_read_no_further() {
    for count in [4097, 40_000] {
        let judged = talkative()
            .with(|trial| {
                trial.cvm.body.edit_attestation(move |body| {
                    let event = body["event_log"][0].clone();
                    body["event_log"] = vec![event; count].into();
                })
            })
            .judge();
        judged.leaves_open(CheckId::Evidence, "too-large");
        judged.accuses_no_deployment(&count);
    }
}

/// An app may emit as many events as it likes, of any size: a limit of this program accuses nobody, in either form.
#[test]
fn an_honest_log_that_is_larger_than_is_read_accuses_nobody() {
    let event = |name: usize, payload: usize| ("x".repeat(name), vec![b'x'; payload]);
    for (events, says) in [
        (vec![event(3, 1); 4100], "events; at most 4096 are read"),
        (vec![event(3, 70_000)], "is 70000 bytes; at most 65536 are read"),
        (vec![event(300, 1)], "is 300 bytes; at most 256 are read"),
    ] {
        for form in [None, Some(VersionedForm::Scale), Some(VersionedForm::Msgpack)] {
            let judged = Trial::lying(|cvm| {
                cvm.app_events.extend(events.clone());
                if let Some(form) = form {
                    cvm.body.attest(form);
                }
            })
            .judge();
            judged.leaves_open(CheckId::Evidence, "too-large");
            judged.accuses_no_deployment(&says);
            judged.detail_says(CheckId::Evidence, says);
        }
    }
    Trial::lying(|cvm| cvm.app_events.push(event(256, 65_536)))
        .judge()
        .passes();
}

#[test]
fn t13_text_behind_the_body_is_refused() {
    let trial = talkative();
    let (attestation, info) = trial.bodies();
    for tail in ["{}", ",", "\0", "x"] {
        trial
            .judge_bodies(&format!("{attestation}{tail}"), info.as_deref())
            .leaves_open(CheckId::Evidence, "not-json");
    }
}

#[test]
fn t13_a_duplicate_in_the_measured_key_provider_fails_boot_order() {
    for payload in [
        r#"{"name":"none","name":"kms","id":"00"}"#,
        r#"{"name":"kms","id":"","id":"00"}"#,
        r#"{"name":"kms"}"#,
        r#"{"name":"kms","id":1}"#,
        r#"["kms","00"]"#,
        r#"{"name":"kms","id":"xyz"}"#,
        r#"{"name":"k m s","id":""}"#,
    ] {
        Trial::lying(|cvm| {
            let payload = payload.to_owned();
            cvm.edit_log_before_quote(move |log| {
                let event = log
                    .iter_mut()
                    .find(|event| event.event == "key-provider")
                    .unwrap();
                *event = simulator::Event::runtime("key-provider", payload.as_bytes());
            });
        })
        .judge()
        .fails(CheckId::BootOrder, "bad-payload");
    }
}

#[test]
fn t13_a_duplicate_in_the_measured_compose_document_is_not_read() {
    let mut cvm = Cvm::healthy(&World::default());
    cvm.app_compose = doubled(&cvm.app_compose, "docker_compose_file");
    Trial::of(cvm)
        .judge()
        .leaves_open(CheckId::ImagePins, "unreadable-compose");
}

#[test]
fn t13_every_guest_generation_is_read() {
    for guest in Guest::ALL {
        Trial::of(Cvm::of_generation(&World::default(), guest))
            .judge()
            .passes();
    }
}
