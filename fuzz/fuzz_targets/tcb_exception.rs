//! A value of `--accept-tcb`.
#![cfg_attr(feature = "libfuzzer", no_main)]

use cvm_verify_core::policy::{MAX_EXCEPTION_DAYS, TcbException};
use cvm_verify_core::report::rfc3339;

const DAY: u64 = 86_400;

cvm_verify_fuzz::fuzz_target!(|text: &str| {
    let Ok(exception) = text.parse::<TcbException>() else {
        return;
    };
    let status = exception.status.to_string();
    assert!(!["UpToDate", "Revoked"].contains(&status.as_str()), "{status}");
    assert_eq!(exception.ends % DAY, 0, "it ends with a day");
    assert!(exception.advisories.as_ref().is_none_or(|list| !list.is_empty()));
    assert!(exception.check_end(exception.ends).is_ok());
    if let Some(early) = exception.ends.checked_sub((MAX_EXCEPTION_DAYS + 1) * DAY + 1) {
        assert!(
            exception.check_end(early).is_err(),
            "it ends too far ahead of {early}"
        );
    }
    let last = rfc3339(exception.ends - 1);
    // Years of more than four digits are written with a sign.
    if let Some(day) = last
        .get(..10)
        .filter(|_| last.len() == 20 && last.starts_with(|c: char| c.is_ascii_digit()))
    {
        let mut written = format!("{status}:until={day}");
        if let Some(list) = &exception.advisories {
            written.push_str(&format!(":advisories={}", list.join(",")));
        }
        if exception.ends < 253_402_300_800 {
            assert_eq!(written.parse(), Ok(exception), "what is shown can be given");
        }
    }
});
