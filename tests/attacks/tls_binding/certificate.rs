//! Certificates with the evidence of a VM (RA-TLS): what they must agree on, and who issued them.

use super::*;

#[test]
fn t26_evidence_that_was_copied_into_another_certificate_does_not_bind() {
    let (cvm, identity) = healthy();
    let relay = TlsIdentity::new(7, DEFAULT_NOW, TlsMode::SelfSigned).with_extensions_of(&identity);
    never_binds(asked(cvm, &relay, TlsBinding::RaTls), "ratls-not-bound");
}

#[test]
fn t26_a_certificate_of_an_older_release_does_not_bind() {
    let (cvm, _) = healthy();
    let mut older = cvm.clone();
    older.app_compose = older.app_compose.replace("8080:8080", "8081:8080");
    assert_ne!(
        older.compose_hash(),
        cvm.compose_hash(),
        "the test changes the document"
    );
    let identity = TlsIdentity::ra_tls(1, DEFAULT_NOW, &older);
    never_binds(asked(cvm, &identity, TlsBinding::RaTls), "ratls-other-compose");
}

#[test]
fn t26_a_certificate_of_another_instance_does_not_bind() {
    let (cvm, _) = healthy();
    let mut other = cvm.clone();
    other.instance_id = vec![0x77; 20];
    let identity = TlsIdentity::ra_tls(1, DEFAULT_NOW, &other);
    never_binds(
        asked(cvm.clone(), &identity, TlsBinding::RaTls),
        "ratls-other-instance",
    );
    // Another firmware under the same boot events is another TD, too.
    let mut other = cvm.clone();
    other.forced.mr_td = Some([0x55; 48]);
    let identity = TlsIdentity::ra_tls(1, DEFAULT_NOW, &other);
    never_binds(asked(cvm, &identity, TlsBinding::RaTls), "ratls-other-instance");
}

/// A certificate that the app keeps on its disk is older than an upgrade of the host or a resize: the cause is named, and what to do.
#[test]
fn t26_a_certificate_from_before_an_upgrade_or_a_resize_says_what_changed() {
    let (cvm, _) = healthy();
    let mut upgraded = cvm.clone();
    upgraded.report.mr_seam = [0x66; 48];
    let mut resized = cvm.clone();
    Lie::AlteredAcpiTables.apply(&mut resized);
    let mut both = upgraded.clone();
    Lie::AlteredAcpiTables.apply(&mut both);
    // A KMS that was upgraded answers at the next boot.
    let mut rebooted = cvm.clone();
    booted_with_another_kms(&mut rebooted);
    for (earlier, changed) in [
        (rebooted, "on the same machine: mr-kms changed"),
        (upgraded, "on the same machine: MRSEAM changed"),
        (resized, "on the same machine: RTMR0 changed"),
        (both, "on the same machine: RTMR0, MRSEAM changed"),
    ] {
        let identity = TlsIdentity::ra_tls(1, DEFAULT_NOW, &earlier);
        let trial = asked(cvm.clone(), &identity, TlsBinding::RaTls);
        let judged = trial.judge();
        let check = judged.check(CheckId::TlsBinding);
        assert_eq!(check.reason.as_deref(), Some("ratls-other-instance"), "{judged}");
        assert!(check.detail.contains(changed), "{judged}");
        let fix = check.fix.as_deref().unwrap_or_default();
        assert!(fix.contains("have the app fetch a new certificate"), "{fix}");
        never_binds(trial, "ratls-other-instance");
    }
}

/// An app that has its certificates renewed left old keys behind. Whoever copied one of them has an expired certificate.
#[test]
fn t26_a_certificate_outside_its_validity_does_not_bind() {
    let (cvm, identity) = healthy();
    let old = TlsIdentity::ra_tls(1, DEFAULT_NOW - 366 * 86_400, &cvm);
    let leaf = asked(cvm.clone(), &old, TlsBinding::RaTls);
    never_binds(leaf, "ratls-outside-validity");
    // The keys are the same: the app's CA of last year signed the leaf of today.
    let mut chain = old.chain_der();
    chain[0] = identity.leaf_der();
    let authority = asked(cvm, &identity, TlsBinding::RaTls).with(|trial| trial.tls = Some(session(chain)));
    never_binds(authority, "ratls-outside-validity");
}

/// Whose clock is wrong is not known, so that nobody is accused.
#[test]
fn t26_a_certificate_that_is_not_valid_yet_does_not_bind_and_accuses_nobody() {
    let (cvm, _) = healthy();
    let early = TlsIdentity::ra_tls(1, DEFAULT_NOW, &cvm).valid_from(DEFAULT_NOW + 120);
    let trial = asked(cvm, &early, TlsBinding::RaTls);
    let judged = trial.judge();
    grants_nothing(judged.leaves_open(ID, "ratls-outside-validity"));
    assert!(
        judged.detail(ID).contains("the clock of this machine says"),
        "{judged}"
    );
    informs(trial, Status::Warn, "ratls-outside-validity");
}

/// The key that the app quotes is compared with a key only where it is bound in this run.
#[test]
fn t26_a_key_that_is_not_bound_in_this_run_is_not_the_expected_one() {
    let identity = TlsIdentity::new(1, DEFAULT_NOW, TlsMode::TestCa);
    let quoting = |change: fn(&mut TlsSession)| {
        let mut cvm = Cvm::healthy(&World::default());
        cvm.report_data = ReportDataLayout::KeyThenNonce(identity.key_hash());
        let trial = asked(cvm, &identity, TlsBinding::AppKey).with(|trial| {
            trial.policy.required = "code".parse().unwrap();
            trial.policy.report_data.layout = Some(Layout::KeyThenNonce);
            tls(trial).has_trusted_ca = true;
            change(tls(trial));
        });
        trial.judge()
    };
    let judged = quoting(|_| ());
    judged.proves(CheckId::ReportData);
    judged.detail_says(
        CheckId::ReportData,
        "The key of this connection is signed with the nonce.",
    );
    for change in [
        (|session| session.other_keys = 1) as fn(&mut TlsSession),
        |session| session.probe = Probe::Quotes64,
        |session| session.seen = Seen::Recorded,
    ] {
        quoting(change).says(CheckId::ReportData, Status::Warn, "key-not-compared");
    }
}

/// A copy of a VM on another machine measures the same. Its certificate was quoted there.
#[test]
fn t26_a_certificate_that_was_quoted_on_another_machine_does_not_bind() {
    let (cvm, identity) = healthy();
    let mut elsewhere = cvm.clone();
    elsewhere.world.platform.ppid = [0x77; 16];
    let copied = TlsIdentity::ra_tls(1, DEFAULT_NOW, &elsewhere);
    never_binds(
        asked(cvm.clone(), &copied, TlsBinding::RaTls),
        "ratls-other-machine",
    );
    // The machine that the user trusts is that of both quotes.
    let trial = asked(cvm, &identity, TlsBinding::RaTls);
    let machine = trial.judge().check(CheckId::PlatformId).actual.clone().unwrap();
    assert!(machine.starts_with("SHA-256(PPID) "), "{machine}");
    binds(&trial, TlsRoute::AppRatls);
}

#[test]
fn t26_two_readers_never_read_two_things_in_a_certificate() {
    let (cvm, identity) = healthy();
    let versioned = TlsIdentity::ra_tls_versioned(1, DEFAULT_NOW, &cvm, |versioned| versioned.scale());
    let attestation = Versioned::of(&cvm.evidence("")).scale();
    let twice = versioned
        .clone()
        .with_ra_tls_extension(RA_TLS_ATTESTATION, &attestation);
    never_binds(
        asked(cvm.clone(), &twice, TlsBinding::RaTls),
        "ratls-duplicate-extension",
    );
    let beside = versioned.with_ra_tls_extension(RA_TLS_QUOTE, &cvm.quote_bytes(""));
    never_binds(asked(cvm.clone(), &beside, TlsBinding::RaTls), "ratls-two-quotes");
    // The same quote in both places is one.
    let mut quote = Vec::new();
    let both = TlsIdentity::ra_tls_versioned(1, DEFAULT_NOW, &cvm, |versioned| {
        quote.clone_from(&versioned.quote);
        versioned.scale()
    });
    let both = both.with_ra_tls_extension(RA_TLS_QUOTE, &quote);
    binds(&asked(cvm.clone(), &both, TlsBinding::RaTls), TlsRoute::AppRatls);
    // So is the same log, and another one is not, with the quote and without it.
    let log = |events: &[simulator::Event]| simulator::event_log::to_json(events).to_string();
    let events = cvm.evidence("").event_log;
    let mut swapped = events.clone();
    swapped.last_mut().unwrap().payload.push(0);
    for identity in [&both, &both.clone().without_ra_tls_extension(RA_TLS_QUOTE)] {
        let with = |log: &str| {
            identity
                .clone()
                .with_ra_tls_extension(RA_TLS_EVENT_LOG, log.as_bytes())
        };
        for honest in ["".to_owned(), log(&events)] {
            binds(
                &asked(cvm.clone(), &with(&honest), TlsBinding::RaTls),
                TlsRoute::AppRatls,
            );
        }
        never_binds(
            asked(cvm.clone(), &with(&log(&swapped)), TlsBinding::RaTls),
            "ratls-malformed",
        );
    }
    let without = identity.without_ra_tls_extension(RA_TLS_QUOTE);
    never_binds(asked(cvm, &without, TlsBinding::RaTls), "ratls-no-evidence");
}

#[test]
fn t26_what_a_certificate_claims_beside_its_evidence_must_agree() {
    let (cvm, identity) = healthy();
    let replaced = |oid: &str, content: &[u8]| {
        let identity = identity.clone().without_ra_tls_extension(oid);
        asked(
            cvm.clone(),
            &identity.with_ra_tls_extension(oid, content),
            TlsBinding::RaTls,
        )
    };
    never_binds(replaced(RA_TLS_APP_ID, &[9; 20]), "ratls-app-id");
    never_binds(replaced(RA_TLS_USAGE, b"app:ca"), "ratls-usage");
    never_binds(replaced(RA_TLS_EVENT_LOG, b"no list"), "ratls-malformed");
    // A log without events is absent: nothing is proven by the certificate, and nothing binds.
    let empty = replaced(RA_TLS_EVENT_LOG, b"[]");
    grants_nothing(empty.judge().leaves_open(ID, "ratls-quote-undetermined"));
    informs(empty, Status::Skip, "ratls-quote-undetermined");
    let lying = TlsIdentity::ra_tls_versioned(1, DEFAULT_NOW, &cvm, |versioned| {
        Versioned {
            report_data: vec![1; 64],
            ..versioned
        }
        .scale()
    });
    never_binds(
        asked(cvm.clone(), &lying, TlsBinding::RaTls),
        "ratls-stack-report-data",
    );
    // A number over 255 in a list of bytes: the first byte of the quote, which stands behind the head of the list.
    let odd = TlsIdentity::ra_tls_versioned(1, DEFAULT_NOW, &cvm, |versioned| {
        let mut bytes = versioned.msgpack();
        let place = bytes
            .windows(4)
            .position(|window| window == [4, 0, 2, 0])
            .unwrap();
        bytes.splice(place..=place, [0xcd, 0x01, 0x00]);
        bytes
    });
    never_binds(asked(cvm, &odd, TlsBinding::RaTls), "ratls-malformed");
}

#[test]
fn t26_a_forged_quote_in_a_certificate_does_not_bind() {
    let (cvm, _) = healthy();
    let mut forged = cvm.clone();
    forged.edit_quote(|quote| quote[60] ^= 1);
    let identity = TlsIdentity::ra_tls(1, DEFAULT_NOW, &forged);
    never_binds(asked(cvm, &identity, TlsBinding::RaTls), "ratls-quote");
}

#[test]
fn t26_a_certificate_of_another_kms_or_without_its_chain_does_not_bind() {
    let (cvm, identity) = healthy();
    let other = identity.clone().of_another_kms(99);
    never_binds(asked(cvm.clone(), &other, TlsBinding::RaTls), "ratls-other-kms");
    let alone = asked(cvm, &identity, TlsBinding::RaTls)
        .with(|trial| trial.tls = Some(session(vec![identity.leaf_der()])));
    never_binds(alone, "ratls-chain");
}

/// An app that quotes what its callers send quotes a relay's key, too, and the relay puts that quote into a certificate of its
/// own. A guest agent's certificate comes with the chain to the KMS that the VM measured, whatever the policy says of key providers.
#[test]
fn t26_a_self_made_certificate_with_the_vms_own_quote_of_its_key_does_not_bind() {
    let (cvm, identity) = healthy();
    let mut in_table = cvm.clone();
    in_table.set_key_provider("kms", &ReferenceValues::built_in().kms()[0].id);
    for (cvm, policies) in [
        (
            cvm.clone(),
            vec![
                Some(format!("kms:{}", simulated_kms_id(&cvm))),
                Some("kms".to_owned()),
                Some("unchecked".to_owned()),
                None,
            ],
        ),
        (
            in_table,
            vec![None, Some("kms".to_owned()), Some("unchecked".to_owned())],
        ),
    ] {
        for policy in policies {
            for mode in [TlsBinding::RaTls, TlsBinding::Auto] {
                let relay = TlsIdentity::ra_tls(7, DEFAULT_NOW, &cvm);
                let by_policy = |chain: Vec<Vec<u8>>| {
                    served(cvm.clone(), &relay).with(|trial| {
                        trial.tls = Some(session(chain));
                        trial.policy.tls_binding = mode;
                        trial.policy.required = "code+endpoint".parse().unwrap();
                        trial.policy.key_provider = policy
                            .as_ref()
                            .map(|text| crate::judge::expected("--key-provider", text.parse().unwrap()));
                    })
                };
                grants_nothing(by_policy(vec![relay.leaf_der()]).judge().fails(ID, "ratls-chain"));
                let foreign = relay.clone().of_another_kms(99).chain_der();
                grants_nothing(by_policy(foreign).judge().fails(ID, "ratls-other-kms"));
                // The chain of the genuine certificate under a leaf that its CA did not sign.
                let mut mixed = identity.chain_der();
                mixed[0] = relay.leaf_der();
                grants_nothing(by_policy(mixed).judge().fails(ID, "ratls-chain"));
            }
        }
    }
}

/// A server may leave out the certificate of the KMS: the VM measured its key.
#[test]
fn t26_a_chain_without_the_certificate_of_the_kms_binds() {
    let (cvm, identity) = healthy();
    let chain = identity.chain_der()[..2].to_vec();
    for mode in [TlsBinding::RaTls, TlsBinding::Auto] {
        let trial =
            asked(cvm.clone(), &identity, mode).with(|trial| trial.tls = Some(session(chain.clone())));
        binds(&trial, TlsRoute::AppRatls);
    }
}

/// A VM that sealed its own key has no KMS that its certificate could chain up to, whatever else the policy names beside it.
#[test]
fn t26_a_kms_that_the_vm_did_not_boot_with_is_not_asked_for_in_its_certificate() {
    let (mut cvm, _) = healthy();
    let either = format!("kms:{},local-sgx:aa55", simulated_kms_id(&cvm));
    cvm.set_key_provider("local-sgx", "aa55");
    let identity = TlsIdentity::ra_tls(1, DEFAULT_NOW, &cvm);
    let alone = asked(cvm.clone(), &identity, TlsBinding::RaTls).with(|trial| {
        trial.policy.key_provider = Some(crate::judge::expected("--key-provider", either.parse().unwrap()));
        trial.tls = Some(session(vec![identity.leaf_der()]));
    });
    let judged = alone.judge();
    // `code` wants a KMS; the binding itself holds by what the policy says of the provider.
    judged.proves(ID);
    assert_eq!(judged.check(ID).grants, Some(SideTier::Endpoint), "{judged}");
    let accepted = judged.0.accepted.iter().find(|one| one.check == ID).unwrap();
    assert_eq!(
        (accepted.what, accepted.by.as_str()),
        (AcceptedKind::SelfMadeCertificate, "--key-provider")
    );
    assert!(
        !judged.0.assurance.sides().includes(SideTier::Endpoint),
        "{judged}"
    );
    // A certificate that no KMS signed is anyone's who had the VM quote a key: without a word of the user's nothing is granted.
    for policy in [None, Some("unchecked"), Some("kms")] {
        let unnamed = asked(cvm.clone(), &identity, TlsBinding::RaTls).with(|trial| {
            trial.policy.key_provider =
                policy.map(|text| crate::judge::expected("--key-provider", text.parse().unwrap()));
        });
        grants_nothing(unnamed.judge().says(ID, Status::Error, "ratls-no-kms"));
    }
}

/// The format of a quote is that of the host's quoting service, which changes under a running TD: a certificate is as old as the start.
#[test]
fn t26_a_certificate_whose_quote_has_another_format_is_of_the_same_launch() {
    for of_app in QuoteFormat::ALL {
        for of_certificate in QuoteFormat::ALL {
            let with = |format| {
                let (mut cvm, _) = healthy();
                cvm.quote.format = format;
                cvm
            };
            let identity = TlsIdentity::ra_tls(1, DEFAULT_NOW, &with(of_certificate));
            let judged = asked(with(of_app), &identity, TlsBinding::RaTls).judge();
            judged.passes().proves(ID);
        }
    }
}
