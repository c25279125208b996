//! The page of metrics.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::render::samples;
use crate::watch::watch_status_tests::report;
use cvm_verify_core::report::{AcceptedKind, CheckId};

fn tool() -> Tool {
    Tool {
        name: "cvm-verify".to_owned(),
        version: "1.2.3".to_owned(),
        git: "abc".to_owned(),
    }
}

fn watch_status() -> WatchStatus {
    let minute = Duration::from_secs(60);
    let mut watch_status = WatchStatus::default();
    watch_status.watch(
        [("api".to_owned(), minute), ("db".to_owned(), minute)],
        Duration::from_secs(1000),
    );
    let mut good = report("api", Verdict::Pass);
    good.tcb.status = Some("UpToDate".to_owned());
    samples::accept(
        &mut good,
        CheckId::ImagePins,
        AcceptedKind::ReviewedPlace,
        "cvm.lock:12",
    );
    good.tcb.expires_at = Some("2026-09-12T10:45:38Z".to_owned());
    watch_status.record(
        "api",
        &[good],
        Duration::from_millis(812),
        1005,
        Duration::from_secs(1005),
    );
    let report = report("db", Verdict::Inconclusive);
    watch_status.record(
        "db",
        &[report],
        Duration::from_secs(30),
        1030,
        Duration::from_secs(1030),
    );
    watch_status.longest_wait = Duration::from_millis(40);
    watch_status.alerts.insert("slack".to_owned(), [3, 1]);
    watch_status
}

#[test]
fn the_page_of_two_targets() {
    insta::assert_snapshot!(metrics(&watch_status(), None, &tool(), Duration::from_secs(1040)));
}

#[test]
fn a_custom_root_is_named_first() {
    let page = metrics(
        &watch_status(),
        Some("SIMULATED: not NVIDIA's root"),
        &tool(),
        Duration::from_secs(1040),
    );
    assert!(page.starts_with("# SIMULATED: not NVIDIA's root\n# HELP"));
    assert!(page.contains("\ncvm_verify_simulated 1\n"), "{page}");
}

proptest! {
    /// Read back with the grammar of the format: a stranger's name makes no line and no label of its own.
    #[test]
    fn no_name_breaks_a_line(name in any::<String>()) {
        let mut watch_status = watch_status();
        watch_status.record("db", &[report(&name, Verdict::Fail)], Duration::ZERO, 1030, Duration::from_secs(1030));
        let page = metrics(&watch_status, None, &tool(), Duration::from_secs(1040));
        prop_assert!(page.ends_with('\n'));
        for line in page.lines().filter(|line| !line.starts_with("# ")) {
            let (series, value) = line.rsplit_once(' ').expect("a value");
            prop_assert!(value.parse::<f64>().is_ok(), "{line}");
            prop_assert!(series.starts_with("cvm_verify_"), "{line}");
            let labels = series.split_once('{').map_or("", |(_, labels)| labels);
            prop_assert!(labels.is_empty() || labels.ends_with("\"}"), "{line}");
            let mut quotes = 0;
            let mut escape = false;
            for c in labels.chars() {
                prop_assert!(!c.is_control());
                match c {
                    _ if escape => escape = false,
                    '\\' => escape = true,
                    '"' => quotes += 1,
                    _ => {}
                }
            }
            prop_assert!(matches!(quotes, 0 | 2 | 4), "{line}");
        }
    }
}
