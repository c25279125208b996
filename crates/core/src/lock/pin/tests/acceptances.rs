//! What is out of the ordinary is pinned only if it is accepted.

use super::*;

#[test]
fn what_speaks_against_a_pin_is_listed() {
    let with = |warning| vec![warning, PinWarning::UnknownImage];
    assert_eq!(
        reservations_of(&lying(&[Lie::NoKeyProvider])),
        with(PinWarning::KeyProvider("none".to_owned()))
    );
    assert_eq!(
        reservations_of(&lying(&[Lie::ForeignKms])),
        [PinWarning::UnknownImage]
    );
    assert!(matches!(
        &reservations_of(&lying(&[Lie::OutOfDatePlatform]))[..],
        [
            PinWarning::Tcb {
                status: TcbStatus::OutOfDate,
                ..
            },
            PinWarning::UnknownImage
        ]
    ));
    let mut with_pks = lying(&[]);
    with_pks.report.td_attributes = [0, 0, 0, 0x50, 0, 0, 0, 0];
    assert_eq!(
        reservations_of(&with_pks),
        with(PinWarning::TdAttributes([0, 0, 0, 0x50, 0, 0, 0, 0]))
    );
    let healthy = lying(&[]);
    let of = |claims: &Claims, fresh| pin(claims, fresh, TrustRootKind::Intel).unwrap().warnings;
    assert_eq!(
        of(&facts_of(&healthy, true, None), false),
        with(PinWarning::NoNonce)
    );
    assert_eq!(
        of(&facts_of(&healthy, true, Some([1; 32])), false),
        with(PinWarning::NonceMismatch)
    );
    let other = facts_of(&lying(&[Lie::NonceInSecondHalf]), true, Some(NONCE));
    let PinWarning::OtherLayout(layout) = of(&other, false).swap_remove(0) else {
        panic!("{:?}", of(&other, false));
    };
    assert_eq!(layout.as_str(), "left-padded");
    assert_eq!(PinWarning::OtherLayout(layout).name(), AcceptName::NoNonce);
    assert_eq!(
        of(&facts_of(&healthy, false, Some(NONCE)), true),
        [PinWarning::UnknownImage, PinWarning::NoComposeDocument]
    );
}

#[test]
fn each_accepted_reservation_leaves_a_line_in_the_file() {
    let mut claims = facts_of(&lying(&[Lie::NoKeyProvider, Lie::OutOfDatePlatform]), false, None);
    claims.nonce = None;
    let pinned = pin(&claims, false, TrustRootKind::Intel).unwrap();
    let text = pinned
        .clone()
        .accept(&Accepting::everything(), None)
        .unwrap()
        .text;
    assert_eq!(pinned.warnings().len(), 5);
    for warning in pinned.warnings() {
        let line = format!("\n{} = \"{warning}\"\n", warning.name());
        assert!(text.contains(&line), "{line}\n{text}");
    }
    let read = Lock::parse(&text, "cvm.lock").unwrap();
    assert_eq!(read.accepted.len(), 5);
    assert!(!text.contains("SIMULATED") && !text.contains("[images]\n") && !text.contains("[compose]\n"));
}

#[test]
fn a_vulnerable_image_is_pinned_for_30_days() {
    let vulnerable = || {
        let mut pinned = pin_of(&lying(&[])).unwrap();
        pinned.warnings = vec![PinWarning::VulnerableImage {
            name: "dstack-0.5.3".to_owned(),
            vulnerabilities: ReferenceValues::built_in().advisories()[..1].to_vec(),
        }];
        pinned
    };
    let pinned = vulnerable();
    assert!(pinned.clone().accept(&Accepting::nothing(), None).is_err());
    let accepted = pinned.accept(&Accepting::everything(), None).unwrap();
    // 2026-10-01 and 30 days.
    assert!(
        accepted
            .text
            .contains("\nvulnerable_until = 2026-10-31 # accepted\n")
    );
    // While that holds nobody is asked again, and the day stays.
    let day = |year, month, day| NaiveDate::from_ymd_opt(year, month, day);
    let until = |lock: &Lock| lock.os_image.as_ref().and_then(|os| os.vulnerable_until);
    let mut before = accepted.lock.clone();
    before.os_image.as_mut().unwrap().vulnerable_until = day(2026, 10, 2);
    let again = vulnerable().accept(&naming(""), Some(&before)).unwrap();
    assert_eq!(until(&again.lock), day(2026, 10, 2));
    // Whoever accepts it by its name accepts it anew, before it ends.
    let renewed = vulnerable()
        .accept(&naming("vulnerable-image"), Some(&before))
        .unwrap();
    assert_eq!(
        (until(&renewed.lock), renewed.needless),
        (day(2026, 10, 31), Vec::new())
    );
    // What nobody accepted by name is not held by the day.
    let mut unnamed = before.clone();
    unnamed.accepted.clear();
    assert_eq!(asked(&vulnerable(), "", Some(&unnamed)), "vulnerable-image");
    let other = "It has a published vulnerability: CVE-2030-1.".to_owned();
    unnamed.accepted.insert(AcceptName::VulnerableImage, other);
    assert_eq!(asked(&vulnerable(), "", Some(&unnamed)), "vulnerable-image");
    let mut more = vulnerable();
    more.warnings = vec![PinWarning::VulnerableImage {
        name: "dstack-0.5.3".to_owned(),
        vulnerabilities: ReferenceValues::built_in().advisories()[..2].to_vec(),
    }];
    assert_eq!(asked(&more, "", Some(&before)), "vulnerable-image");
    // When it has ended it is new.
    before.os_image.as_mut().unwrap().vulnerable_until = day(2026, 9, 30);
    assert_eq!(asked(&vulnerable(), "", Some(&before)), "vulnerable-image");
    let renewed = vulnerable()
        .accept(&naming("vulnerable-image"), Some(&before))
        .unwrap();
    assert_eq!(until(&renewed.lock), day(2026, 10, 31));
    let policy = accepted.lock.apply(
        &crate::policy::LockOrigin::from("cvm.lock"),
        None,
        crate::policy::Policy::default(),
    );
    assert_eq!(policy.unwrap().late_ends(simulator::DEFAULT_NOW), []);
}

/// The names that are asked for.
fn asked(pinned: &Pinned, names: &str, before: Option<&Lock>) -> String {
    match pinned.clone().accept(&naming(names), before) {
        Ok(_) => String::new(),
        Err(unaccepted) => unaccepted.names(),
    }
}

#[test]
fn what_is_out_of_the_ordinary_is_asked_for_by_name_and_only_if_it_is_new() {
    let out = lying(&[Lie::NoKeyProvider, Lie::OutOfDatePlatform]);
    let pinned = pin(&facts_of(&out, true, None), false, TrustRootKind::Custom).unwrap();
    let all = "unknown-image,tcb,key-provider,no-nonce";
    assert_eq!(asked(&pinned, "", None), all);
    // Each name accepts its own.
    assert_eq!(asked(&pinned, "tcb,no-nonce", None), "unknown-image,key-provider");
    assert_eq!(asked(&pinned, "development-image,unread-compose", None), all);
    let first = pinned.clone().accept(&naming(all), None).unwrap();
    assert!(first.needless.is_empty());
    // The lock that is there holds all of it: nobody is asked again, and a name is needless.
    let lock = Lock::parse(&first.text, "cvm.lock").unwrap();
    let again = pinned.clone().accept(&naming("tcb"), Some(&lock)).unwrap();
    assert_eq!(again.needless, [AcceptName::Tcb]);
    assert_eq!(again.lock, lock);
    // The values alone accept nothing.
    let values_alone = Lock {
        accepted: std::collections::BTreeMap::new(),
        ..lock.clone()
    };
    assert_eq!(asked(&pinned, "", Some(&values_alone)), all);
    // What gets worse is new.
    let worse = lying(&[Lie::NoKeyProvider, Lie::ConfigurationNeeded]);
    let worse = pin(&facts_of(&worse, true, None), false, TrustRootKind::Custom).unwrap();
    assert_eq!(asked(&worse, "", Some(&lock)), "tcb");
    // The lock of another app holds nothing of this one.
    let other = Lock {
        app_id: Some([9; 20]),
        ..lock
    };
    assert_eq!(
        asked(&pinned, "", Some(&other)),
        "unknown-image,tcb,key-provider,no-nonce,other-app"
    );
}

/// The host chooses which app answers, and which KMS: neither takes the place of what the lock holds without a person.
#[test]
fn another_app_and_another_kms_are_accepted_by_name() {
    let pinned = pin_of(&lying(&[])).unwrap();
    let first = pinned
        .clone()
        .accept(&naming("unknown-image"), None)
        .unwrap()
        .lock;
    let locked = Lock {
        governance: crate::lock::arbitrary::example().governance,
        app_id: Some([9; 20]),
        ..first.clone()
    };
    assert_eq!(asked(&pinned, "unknown-image", Some(&locked)), "other-app");
    let names = naming("unknown-image,other-app");
    let replaced = pinned.clone().accept(&names, Some(&locked)).unwrap();
    assert!(replaced.needless.is_empty());
    let sentence = &replaced.lock.accepted[&AcceptName::OtherApp];
    assert!(
        sentence.starts_with(&format!("The lock was of the app {}", "09".repeat(20))),
        "{sentence}"
    );
    assert_eq!(Lock::parse(&replaced.text, "cvm.lock").unwrap(), replaced.lock);
    // Pinned once more, nothing is asked and nothing changes.
    let again = pinned.clone().accept(&naming(""), Some(&replaced.lock)).unwrap();
    assert_eq!(again.lock, replaced.lock);

    let foreign = pin_of(&lying(&[Lie::ForeignKms])).unwrap();
    assert_eq!(asked(&foreign, "", Some(&first)), "other-kms");
    // A first pin, a lock that accepts any KMS and one that names both roots are asked nothing.
    assert_eq!(asked(&foreign, "unknown-image", None), "");
    let with = |providers: String| Lock {
        key_provider: Some(providers.parse().unwrap()),
        ..first.clone()
    };
    let of = |lock: &Lock| lock.key_provider.as_ref().unwrap().to_string();
    assert_eq!(asked(&foreign, "", Some(&with("kms".to_owned()))), "");
    let both = format!("{},{}", of(&first), of(foreign.observed()));
    assert_eq!(asked(&foreign, "", Some(&with(both))), "");
    let replaced = foreign
        .clone()
        .accept(&naming("other-kms"), Some(&first))
        .unwrap();
    let sentence = &replaced.lock.accepted[&AcceptName::OtherKms];
    assert!(
        sentence.contains(&of(&first)) && sentence.contains(&of(foreign.observed())),
        "{sentence}"
    );
    assert_eq!(Lock::parse(&replaced.text, "cvm.lock").unwrap(), replaced.lock);
    assert_eq!(
        foreign.accept(&naming(""), Some(&replaced.lock)).unwrap().lock,
        replaced.lock
    );
    // Back: a root in no table again.
    assert_eq!(asked(&pinned, "", Some(&replaced.lock)), "other-kms");
}

/// Who wrote the KMS into reference values of their own has named it.
#[test]
fn another_kms_that_own_reference_values_name_is_no_stranger() {
    let first = pin_of(&lying(&[])).unwrap();
    let first = first.accept(&naming("unknown-image"), None).unwrap().lock;
    let claims = facts_of(&lying(&[Lie::ForeignKms]), true, Some(NONCE));
    let id = claims.boot.as_ref().unwrap().key_provider().id.clone();
    let of = |id: &str| {
        let rows = format!(
            "updated = \"2026-10-01\"\n[[kms]]\nname = \"ours\"\nwhat = \"our own KMS\"\nid = \"{id}\"\nsource = \"ours\"\ndate = \
             \"2026-10-01\"\n"
        );
        let own = ReferenceValues::built_in().with_file("ref.toml", rows.as_bytes());
        let pinned = super::super::pin(&claims, true, TrustRootKind::Custom, &own.unwrap(), None);
        asked(&pinned.unwrap(), "", Some(&first))
    };
    assert_eq!(of(&id), "");
    let other = id.replacen("3059", "3058", 1);
    assert_eq!(of(&other), "other-kms");
}

#[test]
fn a_healthy_deployment_needs_no_acceptance_and_says_so() {
    let mut pinned = pin_of(&lying(&[])).unwrap();
    pinned.warnings.clear();
    let accepted = pinned.accept(&naming("development-image,tcb"), None).unwrap();
    assert_eq!(accepted.needless, [AcceptName::DevelopmentImage, AcceptName::Tcb]);
    assert!(accepted.lock.accepted.is_empty() && !accepted.text.contains("[accepted]"));
}

#[test]
fn another_rtmr0_under_the_same_image_is_an_acpi_change_and_stays_written_down() {
    let pinned = pin_of(&lying(&[])).unwrap();
    let first = pinned
        .clone()
        .accept(&naming("unknown-image"), None)
        .unwrap()
        .lock;
    let mut resized = lying(&[]);
    Lie::AlteredAcpiTables.apply(&mut resized);
    let resized = pin_of(&resized).unwrap();
    assert_eq!(asked(&resized, "", Some(&first)), "acpi-change");
    let second = resized
        .clone()
        .accept(&naming("acpi-change"), Some(&first))
        .unwrap();
    assert!(second.needless.is_empty());
    let sentence = &second.lock.accepted[&AcceptName::AcpiChange];
    assert!(sentence.starts_with("RTMR0, which covers"), "{sentence}");
    // Pinned once more, it is the locked one, and what was accepted stays.
    let third = resized.accept(&naming(""), Some(&second.lock)).unwrap();
    assert_eq!(third.lock, second.lock);
    // Back to the first shape: another change.
    assert_eq!(asked(&pinned, "", Some(&second.lock)), "acpi-change");
}

#[test]
fn what_nobody_asked_for_stays_and_what_is_no_longer_shown_is_asked_for() {
    let example = crate::lock::arbitrary::example();
    let cvm = lying(&[]);
    let first = pin_of(&cvm).unwrap();
    let first = first.accept(&naming("unknown-image"), None).unwrap().lock;
    let before = Lock {
        gpus: example.gpus,
        governance: example.governance,
        kms: example.kms,
        tls: example.tls,
        ..first
    };
    // No chain, no KMS and no TLS connection: nobody asked. The nonce went to the GPUs too, and none answers.
    let again = pin_of(&cvm).unwrap();
    assert_eq!(asked(&again, "", Some(&before)), "no-longer-shown");
    let second = again
        .clone()
        .accept(&naming("no-longer-shown"), Some(&before))
        .unwrap();
    assert_eq!(second.unasked, [Unasked::Kms, Unasked::Governance, Unasked::Tls]);
    assert!(second.needless.is_empty() && second.lock.gpus.is_empty());
    let sentence = "The lock held gpus. This run asked for it and did not find it. A lock without it no longer expects it.";
    assert_eq!(second.lock.accepted[&AcceptName::NoLongerShown], sentence);
    assert_eq!(second.lock.governance, before.governance);
    assert_eq!(second.lock.kms, before.kms);
    assert_eq!(second.lock.tls, before.tls);
    assert_eq!(Lock::parse(&second.text, "cvm.lock").unwrap(), second.lock);
    // Pinned once more, nothing is missing any more, and what was accepted stays written down.
    let third = again.accept(&naming(""), Some(&second.lock)).unwrap();
    assert_eq!(third.lock, second.lock);
    // Without a nonce nobody asked the GPUs.
    let unasked = pin(&facts_of(&cvm, true, None), false, TrustRootKind::Custom).unwrap();
    let kept = unasked.accept(&naming("no-nonce"), Some(&before)).unwrap();
    assert_eq!(kept.lock.gpus, before.gpus);
    assert_eq!(kept.unasked.first(), Some(&Unasked::Gpus));
}
