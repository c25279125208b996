//! The clock of this machine, and a time that it must be past.

use std::time::{SystemTime, UNIX_EPOCH};

use chrono::{NaiveDate, NaiveTime};
use cvm_verify_core::reference::ReferenceValues;

/// When the commit that this program was built from was made, Unix seconds; 0 where the build did not know. An honest clock is
/// past it.
pub const COMMIT_TIME: u64 = parse_decimal(env!("CVM_VERIFY_COMMIT_TIME"));

/// A time that an honest clock is past, Unix seconds: that of the commit, or, if the build did not know it, the day of the oldest
/// built-in table. Old revocation lists and TCB information are in date by a clock that was set back.
#[must_use]
pub fn clock_floor() -> u64 {
    floor_of(COMMIT_TIME, || ReferenceValues::built_in().updated())
}

fn floor_of(commit_time: u64, tables: impl FnOnce() -> NaiveDate) -> u64 {
    match commit_time {
        0 => u64::try_from(tables().and_time(NaiveTime::MIN).and_utc().timestamp()).unwrap_or_default(),
        time => time,
    }
}

/// The clock of this machine, Unix seconds; 0 for a time before 1970.
#[must_use]
pub fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |time| time.as_secs())
}

const fn parse_decimal(text: &str) -> u64 {
    let mut rest = text.as_bytes();
    let mut number = 0;
    while let [digit, tail @ ..] = rest {
        number = number * 10 + (*digit - b'0') as u64;
        rest = tail;
    }
    number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_that_does_not_know_its_commit_has_a_floor_too() {
        let day = || NaiveDate::from_ymd_opt(2026, 11, 25).unwrap();
        assert_eq!(floor_of(0, day), 1_795_564_800);
        assert_eq!(floor_of(1_700_000_000, day), 1_700_000_000);
        assert!(floor_of(0, || ReferenceValues::built_in().updated()) >= 1_790_000_000);
        assert!(clock_floor() > 0);
    }
}
