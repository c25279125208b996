//! Locks of recorded deployments.

use super::*;
use crate::evidence::Evidence;
use crate::verify::{Inputs, SignatureCache, TrustRoot, prove};

/// Facts of a recorded capture, where it is present.
fn recorded(name: &str, at: u64) -> Option<Claims> {
    let folder = simulator::recorded::folder()?;
    let read = |file: &str| std::fs::read(folder.join(name).join(file)).ok();
    let evidence = Evidence::parse(
        &read("attestation.json")?,
        read("info.json").as_deref(),
        None,
        None,
    )
    .unwrap();
    let collateral = serde_json::from_slice(&read("collateral.json")?).unwrap();
    Some(prove(
        &evidence,
        &Inputs {
            collateral: Ok(&collateral),
            collateral_fetched_at: None,
            signatures: &SignatureCache::default(),
            root: &TrustRoot::Intel,
            at,
            clock_floor: 0,
        },
    ))
}

/// What a recorded capture is pinned with, and what must be accepted for it.
fn recorded_pin(name: &str, at: u64) -> Option<(Vec<PinWarning>, String)> {
    let Some(claims) = recorded(name, at) else {
        eprintln!("skipped: {name} is not here");
        return None;
    };
    let pinned = pin(&claims, false, TrustRootKind::Intel).unwrap();
    let warnings = pinned.warnings().to_vec();
    let accepted = pinned.accept(&Accepting::everything(), None).unwrap();
    let lock = Lock::parse(&accepted.text, "cvm.lock").unwrap();
    assert_eq!(lock, accepted.lock);
    for (id, status, reason) in judged(&claims, &lock) {
        let other = matches!(
            id,
            CheckId::Freshness | CheckId::MrConfigId | CheckId::ImagePins | CheckId::LaunchInputs
        );
        assert!(
            matches!(status, Status::Pass | Status::Warn) || not_judged_by_a_lock(id) || other,
            "{name}: {id} {status:?} {reason:?}"
        );
    }
    Some((warnings, accepted.text))
}

#[test]
fn recorded_deployments_are_pinned_and_their_locks_agree() {
    // 2026-08-13T12:00:00Z
    if let Some((warnings, text)) = recorded_pin("near-mpc-0.5.8", 1_786_622_400) {
        assert_eq!(
            warnings,
            [
                PinWarning::NoNonce,
                PinWarning::KeyProvider("local-sgx".to_owned()),
                PinWarning::DevelopmentImage("dstack-dev-0.5.8".to_owned()),
            ]
        );
        assert!(text.contains("# known: dstack-dev-0.5.8\n"), "{text}");
        assert!(text.contains("td_attributes = \"0000001000000000\" # known: the default of dstack\n"));
    }
    // 2026-02-19T12:00:00Z
    if let Some((warnings, text)) = recorded_pin("dstack-0.5-lium", 1_771_502_400) {
        assert!(
            matches!(
                &warnings[..],
                [
                    PinWarning::NoNonce,
                    PinWarning::KeyProvider(_),
                    PinWarning::ObservedImage(_),
                    PinWarning::NoComposeDocument,
                ]
            ),
            "{warnings:?}"
        );
        // A row that was only observed is not a reference.
        let rtmr1 = text.lines().find(|line| line.starts_with("rtmr1 = "));
        assert!(
            rtmr1.is_some_and(|line| line.ends_with("\" # observed")),
            "{text}"
        );
        assert!(!text.contains("[compose]\n"));
    }
    // 2026-06-10T01:46:30Z
    if let Some((warnings, text)) = recorded_pin("dstack-0.6-lite", 1_781_055_990) {
        assert!(warnings.contains(&PinWarning::NoComposeDocument), "{text}");
        assert!(
            matches!(
                warnings[..],
                [
                    ..,
                    PinWarning::ObservedImage(_),
                    PinWarning::VulnerableImage { .. },
                    _
                ]
            ),
            "{warnings:?}"
        );
    }
}
