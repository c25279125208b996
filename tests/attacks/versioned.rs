//! Versioned attestations (pitfalls P9, P19, P20): the form is another, what is believed is not.

use cvm_verify_core::report::CheckId;
use serde_json::{Value, json};
use simulator::versioned::Versioned;
use simulator::{Cvm, Echo, Event, EventVersion, Lie, QuoteEncoding, VersionedForm, World};

use crate::judge::{Judged, Trial, query};

const FORMS: [VersionedForm; 2] = [VersionedForm::Scale, VersionedForm::Msgpack];

/// A CVM that answers as `Attest` does, in a form.
fn attesting(form: VersionedForm) -> Trial {
    Trial::lying(|cvm| cvm.body.attest(form))
}

/// Judges a body whose versioned attestation was changed before it was written.
fn changed(form: VersionedForm, change: impl FnOnce(&mut Versioned)) -> Judged {
    let trial = attesting(form);
    let mut versioned = Versioned::of(&trial.cvm.evidence(&query()));
    change(&mut versioned);
    let bytes = match form {
        VersionedForm::Scale => versioned.scale(),
        _ => versioned.msgpack(),
    };
    let body = json!({ "attestation": hex::encode(bytes) });
    trial.judge_bodies(&body.to_string(), Some(&trial.cvm.info_body()))
}

#[test]
fn an_honest_one_passes_alone_and_beside_its_quote() {
    for form in FORMS {
        attesting(form).judge().passes();
        let judged = Trial::lying(|cvm| cvm.body.versioned = form).judge();
        judged.passes();
        // Beside the quote the log has its boot events.
        assert!(judged.detail(CheckId::EventLog).contains("all four RTMRs"));
    }
    let v2 = Trial::of({
        let mut cvm = Cvm::healthy(&World::default());
        cvm.event_version = EventVersion::V2;
        cvm.body.attest(VersionedForm::Msgpack);
        cvm
    });
    v2.judge().passes();
}

#[test]
fn t6_a_swapped_payload_of_the_stacks_events_fails_event_log() {
    for form in FORMS {
        changed(form, |versioned| {
            let event = versioned
                .runtime_events
                .iter_mut()
                .find(|event| event.event == "compose-hash")
                .unwrap();
            event.payload = vec![0; 32];
        })
        .fails(CheckId::EventLog, "rtmr-mismatch");
    }
}

/// The platform's copy of the events is not believed, whatever it says.
#[test]
fn t12_the_platforms_runtime_events_are_not_read() {
    for form in FORMS {
        changed(form, |versioned| {
            versioned.platform_events.retain(|event| event.imr != 3);
            versioned
                .platform_events
                .push(Event::runtime("compose-hash", &[0; 32]));
        })
        .passes();
    }
}

#[test]
fn t1_report_data_beside_the_quote_that_differs_fails_report_data() {
    for form in FORMS {
        changed(form, |versioned| versioned.report_data = vec![7; 64])
            .fails(CheckId::ReportData, "echo-mismatch");
    }
}

#[test]
fn t7_a_whole_log_that_does_not_replay_fails_although_one_may_be_left_out() {
    for form in FORMS {
        changed(form, |versioned| {
            versioned
                .platform_events
                .push(Event::boot(1, 0x8000_0003, [7; 48], b"kernel"));
        })
        .fails(CheckId::EventLog, "rtmr-mismatch");
    }
}

/// A gateway that answers each part from another instance, or a host that shows each reader another document.
#[test]
fn p11_a_versioned_attestation_that_differs_from_the_quote_beside_it_is_refused() {
    let other = Cvm::healthy(&World::default()).evidence("00");
    for form in FORMS {
        let bytes = |change: &dyn Fn(&mut Versioned)| {
            let mut versioned = Versioned::of(&Trial::healthy().cvm.evidence(&query()));
            change(&mut versioned);
            match form {
                VersionedForm::Scale => versioned.scale(),
                _ => versioned.msgpack(),
            }
        };
        for (bytes, field) in [
            (bytes(&|versioned| versioned.quote = other.quote.clone()), "quote"),
            (
                bytes(&|versioned| versioned.runtime_events[1].payload[0] ^= 1),
                "event_log",
            ),
            (bytes(&|versioned| versioned.report_data[0] ^= 1), "report_data"),
        ] {
            let judged = Trial::lying(|cvm| {
                let text = hex::encode(bytes);
                cvm.body
                    .edit_attestation(move |body| body["attestation"] = Value::from(text.as_str()));
            })
            .judge();
            judged.fails(CheckId::Evidence, "malformed-field");
            let detail = judged.detail(CheckId::Evidence);
            assert!(
                detail.contains(&format!("differs from the `{field}` beside it")),
                "{detail}"
            );
        }
    }
}

/// The same for whatever part of the loose form is there, under any of its names, and whatever else is not.
#[test]
fn t13_each_member_beside_a_versioned_attestation_is_compared_with_it() {
    for form in FORMS {
        let trial = Trial::lying(|cvm| cvm.body.versioned = form);
        let honest: Value = serde_json::from_str(&trial.cvm.attestation_body(&query())).unwrap();
        let log: Value = serde_json::from_str(honest["event_log"].as_str().unwrap()).unwrap();
        let mut other_log = log.clone();
        for event in other_log.as_array_mut().unwrap() {
            if event["event"] == "compose-hash" {
                event["event_payload"] = "00".repeat(32).into();
            }
        }
        let other_quote = hex::encode(Cvm::healthy(&World::default()).evidence("00").quote);
        // The members that are there, each as the guest wrote it or as a host would have it.
        let judge = |members: &[(&str, Value)]| {
            let mut body = json!({ "attestation": honest["attestation"] });
            for (name, value) in members {
                body[name] = value.clone();
            }
            trial.judge_bodies(&body.to_string(), Some(&trial.cvm.info_body()))
        };
        let (quote, echo) = (honest["quote"].clone(), honest["report_data"].clone());
        for others in [
            vec![],
            vec![("quote", quote.clone())],
            vec![("intel_quote", quote.clone())],
            vec![("event_log", honest["event_log"].clone())],
            vec![("eventlog", log.clone()), ("report_data", echo.clone())],
            vec![("quote", quote.clone()), ("report_data", echo.clone())],
        ] {
            judge(&others).passes();
            for (name, lie, field) in [
                ("quote", Value::from(other_quote.as_str()), "quote"),
                ("intel_quote", other_quote.as_str().into(), "quote"),
                ("report_data", "ff".repeat(64).into(), "report_data"),
                ("event_log", other_log.clone(), "event_log"),
                ("eventlog", other_log.to_string().into(), "event_log"),
            ] {
                if others
                    .iter()
                    .any(|(other, _)| other.replace('_', "").contains(&name.replace('_', "")))
                {
                    continue;
                }
                let judged = judge(&[&others[..], &[(name, lie)]].concat());
                judged.fails(CheckId::Evidence, "malformed-field");
                let detail = judged.detail(CheckId::Evidence);
                let words = format!("differs from the `{field}` beside it");
                assert!(detail.contains(&words), "{others:?} {name}: {detail}");
            }
        }
    }
}

#[test]
fn t13_vm_config_beside_a_versioned_attestation_is_the_one_within() {
    for form in FORMS {
        let trial = attesting(form);
        let mut versioned = Versioned::of(&trial.cvm.evidence(&query()));
        versioned.config = trial.cvm.vm_config().to_string();
        let bytes = match form {
            VersionedForm::Scale => versioned.scale(),
            _ => versioned.msgpack(),
        };
        let judge = |config: Value| {
            let body = json!({ "attestation": hex::encode(&bytes), "vm_config": config });
            trial.judge_bodies(&body.to_string(), Some(&trial.cvm.info_body()))
        };
        judge(trial.cvm.vm_config()).passes();
        judge(versioned.config.as_str().into()).passes();
        let mut other = trial.cvm.vm_config();
        other["image"] = "another".into();
        for lie in [other.clone(), other.to_string().into()] {
            let judged = judge(lie);
            judged.fails(CheckId::Evidence, "malformed-field");
            let detail = judged.detail(CheckId::Evidence);
            assert!(
                detail.contains("differs from the `vm_config` beside it"),
                "{detail}"
            );
        }
    }
}

/// What a guest or a proxy leaves out says nothing else.
#[test]
fn a_log_beside_a_versioned_attestation_may_be_empty_or_stripped() {
    for form in FORMS {
        let trial = Trial::lying(|cvm| cvm.body.versioned = form);
        let honest: Value = serde_json::from_str(&trial.cvm.attestation_body(&query())).unwrap();
        let log: Vec<Value> = serde_json::from_str(honest["event_log"].as_str().unwrap()).unwrap();
        let acpi = hex::encode("ACPI DATA");
        let stripped = log
            .iter()
            .filter(|event| event["imr"] == 3 || event["event_payload"] == acpi);
        let runtime = log.iter().filter(|event| event["imr"] == 3).map(|event| {
            let mut event = event.clone();
            event["digest"] = "".into();
            event
        });
        for log in [
            json!(""),
            json!([]),
            stripped.cloned().collect(),
            runtime.collect(),
        ] {
            for quote in [Value::Null, honest["quote"].clone()] {
                let body = json!({
                    "attestation": honest["attestation"], "quote": quote, "event_log": log,
                });
                let judged = trial.judge_bodies(&body.to_string(), Some(&trial.cvm.info_body()));
                judged.passes();
            }
        }
    }
}

#[test]
fn another_platform_is_unsupported_and_not_a_pass() {
    for form in FORMS {
        for platform in ["gcp-tdx", "nitro-enclave", "sev-snp", "aws-nitro-tpm"] {
            changed(form, |versioned| versioned.platform = platform.to_owned())
                .leaves_open(CheckId::Evidence, "unsupported-platform");
        }
    }
}

#[test]
fn p9_a_quote_with_trailing_bytes_is_judged_as_in_the_loose_form() {
    for form in FORMS {
        attesting(form)
            .with(|trial| Lie::TrailingBytes.apply(&mut trial.cvm))
            .judge()
            .fails(CheckId::QuoteSignature, "trailing-bytes");
    }
}

#[test]
fn p19_report_data_that_is_not_64_bytes_is_refused_and_never_cut() {
    for length in [0, 32, 63, 65, 128] {
        changed(VersionedForm::Msgpack, |versioned| {
            versioned.report_data = vec![0; length]
        })
        .fails(CheckId::Evidence, "malformed-field");
        // V0 has no length: all that follows is read askew.
        changed(VersionedForm::Scale, |versioned| {
            versioned.report_data = vec![0xff; length]
        })
        .fails(CheckId::Evidence, "malformed-field");
    }
    for echo in ["0".repeat(127), "0".repeat(130)] {
        let trial = Trial::lying(|cvm| cvm.echo = Echo::Text(echo));
        trial.judge().fails(CheckId::Evidence, "malformed-field");
    }
    let trial = Trial::lying(|cvm| cvm.echo = Echo::Text("zz".repeat(64)));
    trial.judge().leaves_open(CheckId::Evidence, "other-type");
}

#[test]
fn p20_bombs_end_where_they_begin() {
    let bombs: [Vec<u8>; 5] = [
        // Lists of 2^30 - 1, lists of 2^32 - 1, and lists in lists in lists.
        vec![0x00, 0x00, 0xfe, 0xff, 0xff, 0xff],
        vec![0x00, 0x00, 0x04, 0x07, 0xfe, 0xff, 0xff, 0xff],
        vec![0xdf, 0xff, 0xff, 0xff, 0xff],
        vec![0x81, 0xa1, b'x', 0xdd, 0xff, 0xff, 0xff, 0xff],
        [&[0x81, 0xa1, b'x'][..], &vec![0x91; 1_000_000]].concat(),
    ];
    for bomb in bombs {
        let body = json!({ "attestation": hex::encode(bomb) }).to_string();
        Trial::healthy()
            .judge_bodies(&body, None)
            .fails(CheckId::Evidence, "malformed-field");
    }
    Trial::healthy()
        .judge_bodies(&json!({ "attestation": {} }).to_string(), None)
        .leaves_open(CheckId::Evidence, "other-type");
    Trial::healthy()
        .judge_bodies(&json!({ "attestation": "zz" }).to_string(), None)
        .leaves_open(CheckId::Evidence, "other-type");
    Trial::healthy()
        .judge_bodies(&json!({ "attestation": "000" }).to_string(), None)
        .fails(CheckId::Evidence, "malformed-field");
    Trial::healthy()
        .judge_bodies(&json!({ "attestation": "" }).to_string(), None)
        .leaves_open(CheckId::Evidence, "no-quote");
}

/// Quotes as they come in the wild: three encodings, buffers that are longer than what is signed.
#[test]
fn p9_encodings_and_zero_padding_change_nothing() {
    for quote in [
        QuoteEncoding::Hex,
        QuoteEncoding::Hex0x,
        QuoteEncoding::HexUpper,
        QuoteEncoding::Base64,
    ] {
        for padding in [0, 70, 307, 3065] {
            let padded = |cvm: &mut Cvm| cvm.quote.trailing = vec![0; padding];
            Trial::lying(|cvm| {
                padded(cvm);
                cvm.body.quote = quote;
            })
            .judge()
            .passes();
            // Beside a versioned attestation too, which has the same bytes.
            Trial::lying(|cvm| {
                padded(cvm);
                cvm.body.quote = quote;
                cvm.body.versioned = VersionedForm::Msgpack;
            })
            .judge()
            .passes();
        }
    }
    for form in FORMS {
        attesting(form)
            .with(|trial| trial.cvm.quote.trailing = vec![0; 3065])
            .judge()
            .passes();
    }
}
