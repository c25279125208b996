//! The event log, as a list and as a string that holds a list, and what `inspect` says of it.
#![cfg_attr(feature = "libfuzzer", no_main)]

use cvm_verify::inspect::{Inspected, inspect};
use cvm_verify_core::evidence::{Attestation, Evidence};
use cvm_verify_fuzz::printed::{assert_harmless, assert_no_command};

cvm_verify_fuzz::fuzz_target!(|list: &str| {
    let list = list.trim();
    // A brace of the input's own could end the body's object and begin another member.
    if serde_json::from_str::<&serde_json::value::RawValue>(list).is_err() || !list.starts_with('[') {
        return;
    }
    let body = format!(r#"{{"quote":"00","event_log":{list}}}"#);
    let quoted = serde_json::to_string(list).expect("a string");
    let quoted = format!(r#"{{"quote":"00","event_log":{quoted}}}"#);
    let (plain, quoted) = (
        Attestation::parse(body.as_bytes()),
        Attestation::parse(quoted.as_bytes()),
    );
    assert_eq!(plain.is_ok(), quoted.is_ok(), "both forms are read alike");
    let (Ok(plain), Ok(quoted)) = (plain, quoted) else {
        return;
    };
    assert!(plain.event_log.is_some());
    assert_eq!(plain.event_log, quoted.event_log);
    let evidence = Evidence::of_quote(plain, None, None, None).expect("nothing more is read");
    let text = inspect(
        &Inspected {
            evidence: &evidence,
            collateral: None,
            bundle: None,
            simulated: false,
        },
        110,
    );
    assert_harmless(&text);
    assert_no_command(&text);
});
