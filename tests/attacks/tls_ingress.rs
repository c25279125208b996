//! T26 and T27 at a dstack ingress: whose key it has, as far as its evidence can say. Each lie has its own reason; none grants
//! anything, and the truth grants `endpoint-replayable` and never `endpoint`.

use cvm_verify_core::evidence::{IngressEvidence, IngressSeen, Probe, Seen, TlsChain, TlsHost, TlsSession};
use cvm_verify_core::policy::TlsBinding;
use cvm_verify_core::report::{AcceptedKind, Assurance, CheckId, SideTier, Status, TlsRoute, Verdict};
use cvm_verify_core::verify::Layout;
use simulator::recorded;
use simulator::server::Ingress;
use simulator::{Cvm, DEFAULT_NOW, Lie, ReportDataLayout, TlsIdentity, TlsMode, World};

use super::judge::{Judged, Trial};
use super::tls_binding::booted_with_another_kms;

const ID: CheckId = CheckId::TlsBinding;
const HOST: &str = "app.example";

/// The healthy CVM, whose endpoint quotes 64 hex digits as text and nothing else, and the key of its ingress.
fn healthy() -> (Cvm, TlsIdentity) {
    let mut cvm = Cvm::healthy(&World::default());
    cvm.report_data = ReportDataLayout::Ascii;
    (cvm, TlsIdentity::new(1, DEFAULT_NOW, TlsMode::TestCa))
}

fn honest() -> Ingress {
    let (cvm, identity) = healthy();
    Ingress::of(&cvm, &identity, HOST)
}

fn evidence(ingress: &Ingress) -> IngressEvidence {
    IngressEvidence {
        host: HOST.to_owned(),
        manifest: ingress.manifest.clone(),
        files: ingress.files.iter().cloned().collect(),
        quote: ingress.quote.clone(),
    }
}

/// A user who asks for `endpoint-replayable` at an address that serves these files, with this key.
fn with_key(ingress: &Ingress, key: &TlsIdentity) -> Trial {
    let (cvm, _) = healthy();
    Trial::of(cvm).with(|trial| {
        trial.tls = Some(TlsSession {
            chain: TlsChain::new(key.chain_der()).unwrap(),
            other_keys: 0,
            has_trusted_ca: true,
            host: TlsHost::Other,
            seen: Seen::Live,
            probe: Probe::NoneSeen,
            ingress: IngressSeen::Evidence(Box::new(evidence(ingress))),
        });
        trial.policy.tls_binding = TlsBinding::Ingress;
        trial.policy.required = "code+endpoint-replayable".parse().unwrap();
    })
}

fn asked(ingress: &Ingress) -> Trial {
    with_key(ingress, &healthy().1)
}

fn tls(trial: &mut Trial) -> &mut TlsSession {
    trial.tls.as_mut().unwrap()
}

fn not_asked(trial: &mut Trial) {
    trial.policy.tls_binding = TlsBinding::Auto;
    trial.policy.required = "code".parse().unwrap();
}

#[track_caller]
fn grants_nothing(judged: &Judged) {
    assert!(
        !judged.0.assurance.sides().includes(SideTier::EndpointReplayable),
        "{judged}"
    );
    assert_eq!(judged.check(ID).grants, None, "{judged}");
}

/// Asked for, it fails for this reason; not asked for, it says so and nothing fails. Neither grants anything.
#[track_caller]
fn never_binds(trial: Trial, reason: &str) {
    grants_nothing(trial.judge().fails(ID, reason));
    informs(trial, Status::Warn, reason);
}

/// What several instances and a renewal look like: it is open, and never binds.
#[track_caller]
fn accuses_nobody(trial: impl Fn() -> Trial, reason: &str) {
    let judged = trial().judge();
    grants_nothing(judged.leaves_open(ID, reason));
    let fix = judged.check(ID).fix.clone().unwrap_or_default();
    assert!(fix.contains("verify each"), "{fix}");
    informs(trial(), Status::Warn, reason);
}

#[track_caller]
fn informs(trial: Trial, status: Status, reason: &str) {
    let judged = trial.with(not_asked).judge();
    grants_nothing(judged.says(ID, status, reason).concludes(Verdict::Pass));
}

#[test]
fn t26_an_ingress_whose_files_the_vm_quoted_has_the_key_and_never_reaches_endpoint() {
    let binds = |trial: Trial| {
        let judged = trial.judge();
        judged.passes().proves(ID);
        assert_eq!(
            judged.0.assurance,
            "code+endpoint-replayable".parse::<Assurance>().unwrap(),
            "{judged}"
        );
        assert_eq!(judged.check(ID).grants, Some(SideTier::EndpointReplayable));
        assert_eq!(judged.0.tls_route, Some(TlsRoute::Ingress));
    };
    binds(asked(&honest()));
    binds(asked(&honest()).with(|trial| trial.policy.tls_binding = TlsBinding::Auto));
    binds(asked(&honest()).with(not_asked));
    // More is not to be had, whoever asks for it.
    for mode in [TlsBinding::Auto, TlsBinding::Ingress] {
        let judged = asked(&honest())
            .with(|trial| {
                trial.policy.tls_binding = mode;
                trial.policy.required = "code+endpoint".parse().unwrap();
            })
            .judge();
        judged.proves(ID).concludes(Verdict::Inconclusive);
        // Nothing else in the report says why.
        let check = judged.check(ID);
        assert!(
            check
                .detail
                .ends_with("This does not reach `endpoint`, which is required."),
            "{judged}"
        );
        let fix = check.fix.as_deref().unwrap_or_default();
        assert!(
            fix.contains("`code+endpoint-replayable`") && fix.contains("end TLS in the app"),
            "{fix}"
        );
        assert!(
            !judged.0.assurance.sides().includes(SideTier::Endpoint),
            "{judged}"
        );
    }
}

#[test]
fn t26_the_certificate_of_a_wildcard_and_that_of_older_releases_are_found() {
    let (cvm, identity) = healthy();
    for name in ["cert-*.example.pem", "cert.pem", "cert-APP.example.pem"] {
        let mut ingress = honest();
        ingress.files[1].0 = name.to_owned();
        let ingress = ingress.summed().quoted_by(&cvm);
        with_key(&ingress, &identity).judge().passes().proves(ID);
    }
}

#[test]
fn t26_a_relay_of_an_ingress_never_binds() {
    let relay = TlsIdentity::new(7, DEFAULT_NOW, TlsMode::TestCa);
    // It hands on the files of the ingress, or shows files of its own beside the ingress's quote.
    never_binds(with_key(&honest(), &relay), "ingress-key-differs");
    let (cvm, _) = healthy();
    let mut own = Ingress::of(&cvm, &relay, HOST);
    own.quote = honest().quote;
    never_binds(with_key(&own, &relay), "ingress-not-bound");
    // The quote for a nonce is not that of a manifest.
    let mut nonce = honest();
    nonce.quote = cvm.attestation_body(&super::judge::query()).into_bytes();
    never_binds(asked(&nonce), "ingress-not-bound");
}

/// The 32 bytes of a caller, then zeros: whoever can have that quoted can make the evidence of an ingress.
#[test]
fn t26_the_evidence_of_an_ingress_that_an_oracle_can_make_does_not_bind() {
    let raw = asked(&honest()).with(|trial| trial.cvm.report_data = ReportDataLayout::Raw);
    grants_nothing(raw.judge().fails(ID, "oracle-32"));
    // Most apps quote so, and nobody asked: that is not worth a warning.
    informs(raw, Status::Skip, "oracle-32");
    for (probe, reason) in [(Probe::Quotes32, "oracle-32"), (Probe::Quotes64, "oracle-64")] {
        let trial = asked(&honest()).with(|trial| tls(trial).probe = probe);
        grants_nothing(trial.judge().fails(ID, reason));
    }
    let unknown = Probe::Unknown("the probe was answered with status 503.".to_owned());
    let unknown = asked(&honest()).with(|trial| tls(trial).probe = unknown);
    grants_nothing(unknown.judge().leaves_open(ID, "probe-undetermined"));
    let unasked = asked(&honest()).with(|trial| tls(trial).probe = Probe::NotSent);
    grants_nothing(unasked.judge().leaves_open(ID, "probe-undetermined"));
    let left_out = unasked.with(|trial| trial.policy.endpoint_probe = false).judge();
    left_out.passes().proves(ID);
    assert_eq!(left_out.0.assurance, Assurance::CODE, "{left_out}");
    let accepted: Vec<_> = left_out
        .0
        .accepted
        .iter()
        .map(|one| (one.check, one.what))
        .collect();
    assert_eq!(accepted, [(ID, AcceptedKind::NoEndpointProbe)], "{left_out}");
    let none = asked(&honest()).with(|trial| tls(trial).probe = Probe::NoneSeen);
    none.judge().passes();
    // A hash of what was sent has the same form. Whether the app hashes anything but a nonce is not known: it is not accused.
    for (quoted, layout) in [
        (ReportDataLayout::Sha256, Layout::Sha256Raw),
        (ReportDataLayout::Sha256OfText, Layout::Sha256Ascii),
    ] {
        let hashed = asked(&honest()).with(|trial| {
            trial.cvm.report_data = quoted;
            trial.policy.report_data.layout = Some(layout);
            tls(trial).probe = Probe::NoneSeen;
        });
        grants_nothing(hashed.judge().leaves_open(ID, "oracle-32"));
        informs(hashed, Status::Skip, "oracle-32");
    }
}

#[test]
fn t26_a_manifest_that_two_readers_read_in_two_ways_does_not_bind() {
    let (cvm, _) = healthy();
    let manifest = |change: &dyn Fn(&str) -> String| {
        let mut ingress = honest();
        let text = String::from_utf8(ingress.manifest).unwrap();
        ingress.manifest = change(&text).into_bytes();
        assert_ne!(
            ingress.manifest,
            text.into_bytes(),
            "the test changes the manifest"
        );
        asked(&ingress.quoted_by(&cvm))
    };
    never_binds(
        manifest(&|text| text.replace('\n', "\r\n")),
        "ingress-manifest-line-end",
    );
    never_binds(
        manifest(&|text| text.replace("cert-", "../cert-")),
        "ingress-manifest-name",
    );
    never_binds(
        manifest(&|text| text.replace("acme-account.json", "quote.json")),
        "ingress-manifest-name",
    );
    never_binds(manifest(&|text| text.repeat(2)), "ingress-manifest-twice");
    never_binds(manifest(&|text| format!("{text}\n")), "ingress-manifest");
    // What is no manifest at all is an ingress for nobody who does not ask for one.
    for page in [
        manifest(&|_| "<!doctype html>".to_owned()),
        manifest(&|_| String::new()),
    ] {
        grants_nothing(page.judge().fails(ID, "ingress-manifest"));
        informs(page, Status::Skip, "unbound");
    }
}

#[test]
fn t26_files_that_are_not_those_of_the_manifest_do_not_bind() {
    let (cvm, identity) = healthy();
    let mut changed = honest();
    changed.files[0].1.push(b' ');
    never_binds(asked(&changed), "ingress-file-hash");
    let mut missing = honest();
    missing.files.remove(1);
    never_binds(asked(&missing), "ingress-file-hash");
    for index in [0, 1] {
        let mut unlisted = honest();
        unlisted.files.remove(index);
        never_binds(asked(&unlisted.summed().quoted_by(&cvm)), "ingress-not-listed");
    }
    let other = Ingress::of(&cvm, &identity, "other.example");
    never_binds(asked(&other), "ingress-not-listed");
    let mut unreadable = honest();
    unreadable.files[1].1 = b"no certificate".to_vec();
    never_binds(asked(&unreadable.summed().quoted_by(&cvm)), "ingress-malformed");
}

#[test]
fn t26_an_ingress_without_a_good_quote_does_not_bind() {
    let (cvm, _) = healthy();
    let quote = |bytes: &[u8]| {
        let mut ingress = honest();
        ingress.quote = bytes.to_vec();
        asked(&ingress)
    };
    never_binds(quote(b""), "ingress-quote-empty");
    never_binds(quote(b"\n"), "ingress-quote-empty");
    never_binds(quote(b"{}"), "ingress-malformed");
    let mut forged = cvm.clone();
    forged.edit_quote(|quote| quote[60] ^= 1);
    never_binds(asked(&honest().quoted_by(&forged)), "ingress-quote");
    // Older than anything that Intel rates is not forged.
    let mut unrated = cvm.clone();
    unrated.report.tee_tcb_svn = [0; 16];
    never_binds(asked(&honest().quoted_by(&unrated)), "ingress-platform");
    // The event log of another boot.
    let mut other_boot = cvm;
    other_boot.instance_id = vec![0x77; 20];
    let mut document: serde_json::Value = serde_json::from_slice(&honest().quote).unwrap();
    let other: serde_json::Value = serde_json::from_slice(&honest().quoted_by(&other_boot).quote).unwrap();
    document["event_log"] = other["event_log"].clone();
    never_binds(quote(document.to_string().as_bytes()), "ingress-quote");
    // A log without the events of the boot is incomplete, and nobody forged anything.
    let mut document: serde_json::Value = serde_json::from_slice(&honest().quote).unwrap();
    let log = document["event_log"].as_str().unwrap();
    let mut events: Vec<serde_json::Value> = serde_json::from_str(log).unwrap();
    events.retain(|event| event["imr"] == 3);
    document["event_log"] = serde_json::to_string(&events).unwrap().into();
    let judged = quote(document.to_string().as_bytes()).judge();
    grants_nothing(judged.leaves_open(ID, "ingress-quote-undetermined"));
}

#[test]
fn t26_the_ingress_of_another_vm_does_not_bind() {
    let (cvm, _) = healthy();
    let mut older = cvm.clone();
    older.app_compose = older.app_compose.replace("8080:8080", "8081:8080");
    never_binds(asked(&honest().quoted_by(&older)), "ingress-other-compose");
    let mut other = cvm;
    other.instance_id = vec![0x77; 20];
    accuses_nobody(|| asked(&honest().quoted_by(&other)), "ingress-other-cvm");
    // The ingress keeps its quote through an upgrade of the host, a resize and a restart.
    type Change = fn(&mut Cvm);
    let earlier: [(Change, &str); 3] = [
        (|cvm| cvm.report.mr_seam = [0x66; 48], "MRSEAM changed"),
        (|cvm| Lie::AlteredAcpiTables.apply(cvm), "RTMR0 changed"),
        (booted_with_another_kms, "mr-kms changed"),
    ];
    for (change, changed) in earlier {
        let (mut earlier, _) = healthy();
        change(&mut earlier);
        let trial = || asked(&honest().quoted_by(&earlier));
        informs(trial(), Status::Warn, "ingress-other-cvm");
        let judged = trial().judge();
        grants_nothing(judged.leaves_open(ID, "ingress-other-cvm"));
        judged.detail_says(ID, "The ingress quoted in this instance");
        judged.detail_says(ID, changed);
        let fix = judged.check(ID).fix.as_deref().unwrap_or_default();
        assert!(fix.starts_with("Restart the ingress"), "{fix}");
    }
    // A copy of its disk boots to the same registers elsewhere.
    let (mut copy, _) = healthy();
    copy.world.platform.ppid = [0x77; 16];
    never_binds(asked(&honest().quoted_by(&copy)), "ingress-other-machine");
}

#[test]
fn t26_more_than_one_key_in_a_run_does_not_bind_an_ingress() {
    // A certificate that is renewed between two requests looks like this, too.
    accuses_nobody(
        || asked(&honest()).with(|trial| tls(trial).other_keys = 1),
        "tls-key-changed",
    );
}

#[test]
fn t26_an_ingress_that_is_not_there_is_told_from_one_that_did_not_answer() {
    let seen = |ingress: IngressSeen| asked(&honest()).with(|trial| tls(trial).ingress = ingress);
    let absent = seen(IngressSeen::Absent);
    grants_nothing(absent.judge().fails(ID, "ingress-no-evidence"));
    informs(absent, Status::Skip, "unbound");
    for open in [
        IngressSeen::NotAsked,
        IngressSeen::Unreachable("status 503".to_owned()),
    ] {
        let open = seen(open);
        grants_nothing(open.judge().leaves_open(ID, "ingress-unreachable"));
        informs(open, Status::Skip, "unbound");
    }
    // Without a CA that vouches for the name, the server is not known to be the one that was asked.
    let untrusted = asked(&honest()).with(|trial| tls(trial).has_trusted_ca = false);
    grants_nothing(untrusted.judge().fails(ID, "ingress-no-evidence"));
}

#[test]
fn t26_a_recording_of_an_ingress_reaches_no_endpoint() {
    let trial = asked(&honest()).with(|trial| tls(trial).seen = Seen::Recorded);
    let judged = trial.judge();
    grants_nothing(
        judged
            .says(ID, Status::Skip, "recorded")
            .concludes(Verdict::Inconclusive),
    );
    // What was wrong is as wrong in a recording.
    let relay = TlsIdentity::new(7, DEFAULT_NOW, TlsMode::TestCa);
    let trial = with_key(&honest(), &relay).with(|trial| tls(trial).seen = Seen::Recorded);
    grants_nothing(trial.judge().fails(ID, "ingress-key-differs"));
}

/// The key of another mode is not that of an ingress, and the other way round.
#[test]
fn t26_the_evidence_of_an_ingress_binds_in_no_other_mode() {
    for (mode, reason) in [
        (TlsBinding::RaTls, "ratls-no-evidence"),
        (TlsBinding::AppKey, "no-app-key"),
    ] {
        let trial = asked(&honest()).with(|trial| trial.policy.tls_binding = mode);
        grants_nothing(trial.judge().fails(ID, reason));
    }
}

/// The first 632 bytes of a real quote of an ingress: header and TD report, without a signature.
#[test]
fn a_real_quote_of_an_ingress_has_the_form_that_is_expected_and_is_refused_without_its_signature() {
    let Some(document) = recorded::json("ingress-0g-prefix/quote-prefix.json") else {
        return;
    };
    let expected = recorded::json("ingress-0g-prefix/expected.json").unwrap();
    let digits = document["quote_prefix"].as_str().unwrap();
    let prefix = hex::decode(digits).unwrap();
    // Report data is bytes 520 to 584 of the TD report, behind a header of 48 bytes: a hash, then zeros.
    let report_data = &prefix[48 + 520..48 + 584];
    assert_eq!(
        hex::encode(report_data),
        expected["report_data"].as_str().unwrap()
    );
    assert!(report_data[..32] != [0; 32] && report_data[32..] == [0; 32]);
    let mut ingress = honest();
    ingress.quote = format!(r#"{{"quote":"{digits}","event_log":"[]"}}"#).into_bytes();
    never_binds(asked(&ingress), "ingress-quote");
}
