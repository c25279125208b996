//! Who answers at the address of a KMS, and over which certificate.

use super::*;

#[test]
fn t36_an_answer_of_another_ca_or_none_is_named() {
    let mut other = kms();
    other.meta["ca_cert"] = root_certificate(&World::default(), 7).into();
    fails_alone(&honest(&other), "meta-ca");
    // A KMS that changes to a root that the user named, too.
    let both = format!("kms:{},kms:{}", simulated_kms_id(kms().root), simulated_kms_id(7));
    let both: KeyProviders = both.parse().unwrap();
    let changing = honest(&other).with(|trial| {
        trial.policy.key_provider = Some(expected("--key-provider", both));
    });
    is_open(&changing, "other-epoch");
    let mut unreadable = kms();
    unreadable.meta["ca_cert"] = "0x66666666".into();
    is_open(&honest(&unreadable), "meta");
    for meta in [json!({}), json!([]), json!({ "ca_cert": 1 })] {
        let mut kms = kms();
        kms.meta = meta;
        is_open(&honest(&kms), "meta");
    }
    let silent = honest(&kms()).with(|trial| {
        trial.kms[0].meta = None;
        trial.kms[0].problem = Some("answers with status 503".to_owned());
    });
    let judged = is_open(&silent, "meta");
    assert!(judged.detail(ID).contains("status 503"), "{judged}");
}

#[test]
fn t36_an_answer_over_another_key_is_open() {
    let changed = honest(&kms()).with(|trial| trial.kms[0].other_keys = 1);
    is_open(&changed, "key-changed");
    let unreachable = honest(&kms()).with(|trial| {
        trial.kms[0].chain.clear();
        trial.kms[0].problem = Some("connection refused".to_owned());
    });
    let judged = is_open(&unreachable, "unreachable");
    assert!(judged.detail(ID).contains("connection refused"), "{judged}");
}

#[test]
fn t36_evidence_that_is_not_the_servers_own_convicts_the_server() {
    let kms = kms();
    let copied = TlsIdentity::kms(9, DEFAULT_NOW, &kms.cvm, kms.root)
        .with_extensions_of(&kms.identity(1, DEFAULT_NOW));
    fails_alone(&showing(&kms, &copied), "not-bound");
    let plain = TlsIdentity::new(1, DEFAULT_NOW, TlsMode::TestCa);
    is_open(&showing(&kms, &plain), "other-server");
    // The certificate of an app under the same root.
    let app = TlsIdentity::ra_tls(1, DEFAULT_NOW, &Cvm::healthy(&World::default()));
    is_open(&showing(&kms, &app), "other-server");
    let usage = kms
        .identity(1, DEFAULT_NOW)
        .without_ra_tls_extension(RA_TLS_USAGE)
        .with_ra_tls_extension(RA_TLS_USAGE, b"app:custom");
    is_open(&showing(&kms, &usage), "usage");
    let twice = kms
        .identity(1, DEFAULT_NOW)
        .with_ra_tls_extension(RA_TLS_USAGE, b"kms:rpc");
    is_open(&showing(&kms, &twice), "malformed");
    // That of an app's CA, which the root key signs for every app.
    let app = TlsIdentity::ra_tls(1, DEFAULT_NOW, &Cvm::healthy(&World::default()));
    let ca = app.chain_der().into_iter().skip(1).collect();
    is_open(&showing(&kms, &app.presenting_chain(ca)), "usage");
    let bare = kms
        .identity(1, DEFAULT_NOW)
        .without_ra_tls_extension(RA_TLS_ATTESTATION);
    fails_alone(&showing(&kms, &bare), "no-evidence");
    let bare_of_ca = bare
        .without_ra_tls_extension(RA_TLS_USAGE)
        .with_ra_tls_extension(RA_TLS_USAGE, b"app:ca");
    is_open(&showing(&kms, &bare_of_ca), "usage");
    let other_app = kms
        .identity(1, DEFAULT_NOW)
        .with_ra_tls_extension(RA_TLS_APP_ID, &[7; 20]);
    fails_alone(&showing(&kms, &other_app), "malformed");
    let own_app = kms
        .identity(1, DEFAULT_NOW)
        .with_ra_tls_extension(RA_TLS_APP_ID, &kms.cvm.app_id_bytes());
    showing(&kms, &own_app).judge().passes().proves(ID);
}

#[test]
fn t36_the_dates_of_a_certificate_say_no_more_than_dates_do() {
    let kms = kms();
    let early = showing(&kms, &kms.identity(1, DEFAULT_NOW + 86_400 + 120));
    is_open(&early, "outside-validity");
    let expired = showing(&kms, &kms.identity(1, DEFAULT_NOW - 366 * 86_400));
    fails_alone(&expired, "outside-validity");
}

#[test]
fn t36_a_stranger_at_the_address_convicts_nobody() {
    // What convicts under the app's root says nothing under another one.
    let forged = || {
        let mut forged = kms();
        Lie::ForgedEventLog.apply(&mut forged.cvm);
        forged.cvm
    };
    fails_alone(&honest(&Kms::of(forged(), kms().root)), "quote");
    is_open(&honest(&Kms::of(forged(), 7)), "other-server");
    // It is the app's KMS although the policy names no root.
    let any_kms = honest(&Kms::of(forged(), kms().root)).with(|trial| {
        trial.policy.key_provider = Some(expected("--key-provider", KeyProviders::AnyKms));
    });
    fails_alone(&any_kms, "quote");
    let stranger = Kms::of(kms().cvm, 7);
    let bare = stranger
        .identity(1, DEFAULT_NOW)
        .without_ra_tls_extension(RA_TLS_ATTESTATION);
    is_open(&showing(&kms(), &bare), "other-server");
    let usage = stranger
        .identity(1, DEFAULT_NOW)
        .without_ra_tls_extension(RA_TLS_USAGE)
        .with_ra_tls_extension(RA_TLS_USAGE, b"app:custom");
    is_open(&showing(&kms(), &usage), "other-server");
}

#[test]
fn t36_a_certificate_for_another_host_is_named() {
    let kms = kms();
    let other = honest(&kms).with(|trial| {
        trial.policy.kms.hosts = Some(expected("kms-host", vec!["kms.example".parse().unwrap()]));
        trial.kms[0].host = "kms.example".to_owned();
    });
    fails_alone(&other, "host-name");
}
