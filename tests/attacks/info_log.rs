//! The event log of `/info`, which any instance may have answered, and the log that holds no event: they prove or are not taken,
//! and convict nobody (T5, T8, T12).

use cvm_verify_core::report::{CheckId, Status};
use serde_json::{Value, json};
use simulator::{EventLogForm, Lie};

use crate::judge::{Judged, Trial};

/// An attestation without a log; `/info` shows that of the CVM, changed.
fn only_in_info(change: impl Fn(&mut Vec<Value>) + Send + Sync + 'static) -> Judged {
    Trial::lying(|cvm| {
        cvm.body.event_log = EventLogForm::Absent;
        cvm.body.edit_info(move |info| change(log_of(info)));
    })
    .judge()
}

fn log_of(info: &mut Value) -> &mut Vec<Value> {
    let mut tcb_info = info["tcb_info"].take();
    if let Some(text) = tcb_info.as_str() {
        tcb_info = serde_json::from_str(text).unwrap();
    }
    if let Some(text) = tcb_info["event_log"].as_str() {
        tcb_info["event_log"] = serde_json::from_str(text).unwrap();
    }
    info["tcb_info"] = tcb_info;
    info["tcb_info"]["event_log"].as_array_mut().unwrap()
}

fn at<'l>(log: &'l mut [Value], name: &str) -> &'l mut Value {
    log.iter_mut().find(|event| event["event"] == name).unwrap()
}

#[test]
fn the_log_of_info_proves_where_the_attestation_has_none() {
    only_in_info(|_| ()).passes();
}

/// Each refusal of a log, by what is wrong with it.
#[test]
fn t05_a_log_of_info_convicts_nobody_whatever_is_wrong_with_it() {
    type Change = fn(&mut Vec<Value>);
    let wrong: [(Change, &str); 8] = [
        (
            |log| at(log, "compose-hash")["digest"] = json!("00".repeat(48)),
            "supplied digest",
        ),
        (|log| drop(log.pop()), "do not replay to RTMR3"),
        (|log| drop(log.remove(0)), "do not replay to RTMR0"),
        (|log| log[0]["digest"] = json!(""), "has no digest"),
        (|log| log[0]["event"] = json!("compose-hash"), "reserved name"),
        (
            |log| log[0]["event_type"] = json!(0x0800_0001),
            "does not belong into IMR",
        ),
        (|log| at(log, "app-id")["event"] = json!("app id"), "has the name"),
        (
            |log| at(log, "app-id")["preimage"] = json!("7b7d"),
            "supplied preimage",
        ),
    ];
    for (change, why) in wrong {
        let judged = only_in_info(change);
        judged
            .leaves_open(CheckId::Evidence, "two-instances")
            .says(CheckId::EventLog, Status::Error, "no-event-log")
            .accuses_no_deployment(&why);
        let detail = judged.detail(CheckId::Evidence);
        assert!(detail.contains(why), "{why}: {detail}");
    }
}

/// A log that came with the quote is refused as before.
#[test]
fn t05_the_same_log_beside_the_quote_convicts() {
    Trial::lying(|cvm| Lie::DeletedEvent.apply(cvm))
        .judge()
        .fails(CheckId::EventLog, "rtmr-mismatch");
}

#[test]
fn t05_a_log_without_events_is_absent() {
    let empty = || {
        Trial::lying(|cvm| {
            cvm.body.event_log = EventLogForm::Array;
            cvm.body.edit_attestation(|body| body["event_log"] = json!([]));
        })
    };
    // That of /info is taken then.
    empty().judge().passes();
    let mut text = empty();
    text.cvm
        .body
        .edit_attestation(|body| body["event_log"] = json!(" [ ] "));
    text.judge().passes();
    // Without one there is none, which proves nothing and accuses nobody.
    let mut both = empty();
    both.cvm.body.edit_info(|info| log_of(info).clear());
    both.judge()
        .leaves_open(CheckId::EventLog, "no-event-log")
        .proves(CheckId::Evidence)
        .accuses_no_deployment(&"an empty log");
    // An empty log in /info alone: the answer is not another instance's.
    only_in_info(Vec::clear)
        .leaves_open(CheckId::EventLog, "no-event-log")
        .proves(CheckId::Evidence);
}

/// What is signed stands: an empty log hides no release.
#[test]
fn t05_an_empty_log_takes_nothing_back() {
    let mut trial = Trial::lying(|cvm| Lie::SwappedImage.apply(cvm));
    trial
        .cvm
        .body
        .edit_attestation(|body| body["event_log"] = json!([]));
    trial.judge().fails(CheckId::ComposeHash, "compose-hash-mismatch");
    let mut trial = Trial::lying(|cvm| Lie::ReplayedQuote.apply(cvm));
    trial
        .cvm
        .body
        .edit_attestation(|body| body["event_log"] = json!([]));
    let judged = trial.judge();
    assert_eq!(judged.status(CheckId::Freshness), Status::Fail, "{judged}");
}

/// The app's own words in members that nothing signs are no forgery; what is a byte string and another one is.
#[test]
fn t13_an_unsigned_member_in_another_form_accuses_nobody() {
    let edited = |edit: fn(&mut Value)| Trial::lying(|cvm| cvm.body.edit_attestation(edit)).judge();
    let forms: [fn(&mut Value); 5] = [
        |body| body["report_data"] = json!("hello"),
        |body| body["report_data"] = json!("WlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlo="),
        |body| body["attestation"] = json!("n/a"),
        |body| body["event_log"] = json!([{ "imr": 3, "eventType": 134_217_729, "event": "app-id" }]),
        |body| body["event_log"] = json!([{ "imr": "3", "event_type": 134_217_729, "event": "app-id" }]),
    ];
    for form in forms {
        edited(form)
            .leaves_open(CheckId::Evidence, "other-type")
            .accuses_no_deployment(&"another form");
    }
    let judged = edited(|body| body["report_data"] = json!("ff".repeat(64)));
    assert_eq!(judged.status(CheckId::ReportData), Status::Fail, "{judged}");
}
