//! T26 and T27: who holds the TLS key of the address. Each lie has its own reason; none ever reaches `endpoint`.

mod certificate;
mod policy;

use cvm_verify_core::evidence::{IngressSeen, Probe, Seen, TlsChain, TlsHost, TlsSession};
use cvm_verify_core::policy::TlsBinding;
use cvm_verify_core::reference::ReferenceValues;
use cvm_verify_core::report::{AcceptedKind, Assurance, CheckId, SideTier, Status, TlsRoute, Verdict};
use cvm_verify_core::verify::Layout;
use simulator::server::{RA_TLS_APP_ID, RA_TLS_ATTESTATION, RA_TLS_EVENT_LOG, RA_TLS_QUOTE, RA_TLS_USAGE};
use simulator::versioned::Versioned;
use simulator::{Cvm, DEFAULT_NOW, Event, Lie, QuoteFormat, ReportDataLayout, TlsIdentity, TlsMode, World};

use super::judge::{Judged, Trial};

const ID: CheckId = CheckId::TlsBinding;

/// The healthy CVM with an RA-TLS certificate of its own.
fn healthy() -> (Cvm, TlsIdentity) {
    let cvm = Cvm::healthy(&World::default());
    let identity = TlsIdentity::ra_tls(1, DEFAULT_NOW, &cvm);
    (cvm, identity)
}

/// The KMS that gives the keys is of another build.
pub fn booted_with_another_kms(cvm: &mut Cvm) {
    cvm.edit_log_before_quote(|log| {
        let at = log.iter().position(|event| event.event == "mr-kms").unwrap();
        log[at] = Event::runtime("mr-kms", &[0x55; 32]);
    });
}

fn session(chain: Vec<Vec<u8>>) -> TlsSession {
    TlsSession {
        chain: TlsChain::new(chain).unwrap(),
        other_keys: 0,
        has_trusted_ca: false,
        host: TlsHost::Other,
        seen: Seen::Live,
        probe: Probe::NoneSeen,
        ingress: IngressSeen::NotAsked,
    }
}

/// A CVM at an address that presents this identity.
fn served(cvm: Cvm, identity: &TlsIdentity) -> Trial {
    Trial::of(cvm).with(|trial| trial.tls = Some(session(identity.chain_der())))
}

/// The same, by a user who asks for `endpoint` in a mode.
fn asked(cvm: Cvm, identity: &TlsIdentity, mode: TlsBinding) -> Trial {
    served(cvm, identity).with(|trial| {
        trial.policy.tls_binding = mode;
        trial.policy.required = "code+endpoint".parse().unwrap();
    })
}

fn tls(trial: &mut Trial) -> &mut TlsSession {
    trial.tls.as_mut().unwrap()
}

/// Asked for, it fails for this reason; not asked for, it is named and nothing fails. Neither grants anything.
#[track_caller]
fn never_binds(trial: Trial, reason: &str) {
    grants_nothing(trial.judge().fails(ID, reason));
    informs(trial, Status::Warn, reason);
}

#[track_caller]
fn informs(mut trial: Trial, status: Status, reason: &str) {
    trial.policy.tls_binding = TlsBinding::Auto;
    trial.policy.required = "code".parse().unwrap();
    let judged = trial.judge();
    grants_nothing(judged.says(ID, status, reason).concludes(Verdict::Pass));
}

#[track_caller]
fn grants_nothing(judged: &Judged) {
    assert!(
        !judged.0.assurance.sides().includes(SideTier::EndpointReplayable),
        "{judged}"
    );
    assert_eq!(judged.check(ID).grants, None, "{judged}");
}

#[track_caller]
fn binds(trial: &Trial, route: TlsRoute) {
    let judged = trial.judge();
    judged.passes().proves(ID);
    assert_eq!(
        judged.0.assurance,
        "code+endpoint".parse::<Assurance>().unwrap(),
        "{judged}"
    );
    assert_eq!(judged.0.tls_route, Some(route));
    assert_eq!(judged.check(ID).grants, Some(SideTier::Endpoint));
}

#[test]
fn t26_a_certificate_with_the_vms_quote_of_its_key_binds_in_each_form() {
    let (cvm, old) = healthy();
    let scale = TlsIdentity::ra_tls_versioned(1, DEFAULT_NOW, &cvm, |versioned| versioned.scale());
    let numbers = TlsIdentity::ra_tls_versioned(1, DEFAULT_NOW, &cvm, |versioned| versioned.msgpack());
    let bytes = TlsIdentity::ra_tls_versioned(1, DEFAULT_NOW, &cvm, |versioned| {
        Versioned {
            bin: true,
            ..versioned
        }
        .msgpack()
    });
    for identity in [&old, &scale, &numbers, &bytes] {
        binds(
            &asked(cvm.clone(), identity, TlsBinding::RaTls),
            TlsRoute::AppRatls,
        );
        binds(
            &asked(cvm.clone(), identity, TlsBinding::Auto),
            TlsRoute::AppRatls,
        );
        binds(&served(cvm.clone(), identity), TlsRoute::AppRatls);
    }
}

#[test]
fn t26_a_key_that_the_app_quotes_beside_the_nonce_binds() {
    let identity = TlsIdentity::new(1, DEFAULT_NOW, TlsMode::TestCa);
    for layout in [
        ReportDataLayout::KeyThenNonce(identity.key_hash()),
        ReportDataLayout::NonceThenKey(identity.key_hash()),
    ] {
        let mut cvm = Cvm::healthy(&World::default());
        cvm.report_data = layout;
        for mode in [TlsBinding::AppKey, TlsBinding::Auto] {
            let trial = asked(cvm.clone(), &identity, mode).with(|trial| tls(trial).has_trusted_ca = true);
            binds(&trial, TlsRoute::AppKey);
            trial
                .judge()
                .proves(CheckId::Freshness)
                .proves(CheckId::ReportData);
            // The key beside the nonce was compared: with that of the connection.
            let layout = match cvm.report_data {
                ReportDataLayout::NonceThenKey(_) => Layout::NonceThenKey,
                _ => Layout::KeyThenNonce,
            };
            let named = trial.with(|trial| trial.policy.report_data.layout = Some(layout));
            binds(&named, TlsRoute::AppKey);
            named.judge().proves(CheckId::ReportData);
            let trial = named;
            // Over a certificate that no CA vouches for, it does not count.
            let untrusted = trial.with(|trial| tls(trial).has_trusted_ca = false);
            grants_nothing(untrusted.judge().concludes(Verdict::Fail));
        }
    }
}

#[test]
fn t26_a_relay_with_a_certificate_of_its_own_never_binds() {
    let own = TlsIdentity::new(7, DEFAULT_NOW, TlsMode::TestCa);
    let trusted = |trial: &mut Trial| tls(trial).has_trusted_ca = true;
    // An app that ends TLS itself, in either mode, behind a relay with a genuine certificate for the name.
    let (cvm, _) = healthy();
    never_binds_by_mode(
        asked(cvm.clone(), &own, TlsBinding::RaTls).with(trusted),
        "ratls-no-evidence",
    );
    never_binds_by_mode(
        asked(cvm.clone(), &own, TlsBinding::AppKey).with(trusted),
        "no-app-key",
    );
    let open = asked(cvm, &own, TlsBinding::Auto).with(trusted);
    let judged = open.judge();
    grants_nothing(judged.leaves_open(ID, "unbound"));
    assert_eq!(judged.check(ID).actual, Some(hex::encode(own.key_hash())));
    informs(open, Status::Skip, "unbound");

    let mut cvm = Cvm::healthy(&World::default());
    let genuine = TlsIdentity::new(1, DEFAULT_NOW, TlsMode::TestCa);
    cvm.report_data = ReportDataLayout::KeyThenNonce(genuine.key_hash());
    for mode in [TlsBinding::AppKey, TlsBinding::Auto] {
        let judged = asked(cvm.clone(), &own, mode).with(trusted).judge();
        grants_nothing(judged.fails(ID, "key-mismatch"));
    }
}

/// Behind a proxy whose certificate is of a trusted CA, an app that quotes its own TLS key is fresh, and another key answered.
#[test]
fn t26_a_key_of_the_apps_behind_a_proxy_is_no_replay_and_binds_nothing() {
    let own = TlsIdentity::new(7, DEFAULT_NOW, TlsMode::TestCa);
    let genuine = TlsIdentity::new(1, DEFAULT_NOW, TlsMode::TestCa);
    let behind = |report_data: ReportDataLayout| {
        let mut cvm = Cvm::healthy(&World::default());
        cvm.report_data = report_data;
        served(cvm, &own).with(|trial| tls(trial).has_trusted_ca = true)
    };
    let quoting = || behind(ReportDataLayout::KeyThenNonce(genuine.key_hash()));
    let judged = quoting().judge();
    judged.passes().proves(CheckId::Freshness);
    grants_nothing(judged.says(ID, Status::Warn, "key-mismatch"));
    assert!(
        judged.detail(CheckId::Freshness).contains("`key-then-nonce`"),
        "{judged}"
    );
    assert!(judged.detail(ID).contains("another TLS key answered"), "{judged}");
    // Where the address is to be proven, it fails.
    let asked = quoting().with(|trial| trial.policy.required = "code+endpoint".parse().unwrap());
    grants_nothing(asked.judge().fails(ID, "key-mismatch").proves(CheckId::Freshness));
    // The right key and an old nonce are a replay.
    let old = Layout::KeyThenNonce.expected(&[9; 32], &genuine.key_hash());
    behind(ReportDataLayout::Fixed(old))
        .judge()
        .fails(CheckId::Freshness, "nonce-mismatch");
    // An unknown rest in another place, a rest of zeros and a signing address are nobody's TLS key.
    let mut address = [7; 32];
    address[20..].fill(0);
    for unknown in [
        ReportDataLayout::NonceThenKey(genuine.key_hash()),
        ReportDataLayout::KeyThenNonce([0; 32]),
        ReportDataLayout::KeyThenNonce(address),
    ] {
        behind(unknown)
            .judge()
            .leaves_open(CheckId::Freshness, "other-layout");
    }
    // Without a CA that vouches for the server, nobody says which key answered at this name.
    quoting()
        .with(|trial| tls(trial).has_trusted_ca = false)
        .judge()
        .leaves_open(CheckId::Freshness, "other-layout");
    // A layout that the user named stays the one that is accepted.
    quoting()
        .with(|trial| trial.policy.report_data.layout = Some(Layout::Raw))
        .judge()
        .leaves_open(CheckId::Freshness, "other-layout");
}

/// Asked for by its mode, it fails for this reason; without a mode, another one is said.
#[track_caller]
fn never_binds_by_mode(trial: Trial, reason: &str) {
    grants_nothing(trial.judge().fails(ID, reason));
    let without_tier = trial.with(|trial| trial.policy.required = "code".parse().unwrap());
    grants_nothing(without_tier.judge().fails(ID, reason));
}

#[test]
fn t26_more_than_one_key_in_a_run_does_not_bind() {
    let (cvm, identity) = healthy();
    let ratls = asked(cvm, &identity, TlsBinding::RaTls).with(|trial| tls(trial).other_keys = 1);
    never_binds(ratls, "tls-key-changed");
    let identity = TlsIdentity::new(1, DEFAULT_NOW, TlsMode::TestCa);
    let mut cvm = Cvm::healthy(&World::default());
    cvm.report_data = ReportDataLayout::KeyThenNonce(identity.key_hash());
    let app_key = asked(cvm, &identity, TlsBinding::AppKey).with(|trial| {
        tls(trial).other_keys = 1;
        tls(trial).has_trusted_ca = true;
    });
    never_binds(app_key, "tls-key-changed");
}

#[test]
fn t26_an_endpoint_that_quotes_what_it_is_sent_binds_nothing() {
    let (cvm, identity) = healthy();
    let probed = |probe: Probe| {
        asked(cvm.clone(), &identity, TlsBinding::RaTls).with(|trial| tls(trial).probe = probe)
    };
    never_binds(probed(Probe::Quotes64), "oracle-64");
    // A quote of 64 bytes cannot be made with 32 of one's own.
    for probe in [Probe::NoneSeen, Probe::Quotes32] {
        binds(&probed(probe), TlsRoute::AppRatls);
    }
    let unknown = probed(Probe::Unknown(
        "the probe was answered with status 503.".to_owned(),
    ));
    grants_nothing(unknown.judge().leaves_open(ID, "probe-undetermined"));
    // Who names a mode and no tier is not stopped by a handler that answers badly; nothing is granted, either.
    informs_by_mode(unknown, "probe-undetermined");
}

/// What the run that asks for the tier would refuse is granted by none: not asked is not "no".
#[test]
fn t26_an_endpoint_that_was_not_asked_what_it_quotes_is_granted_nothing() {
    let (cvm, identity) = healthy();
    let of_key = TlsIdentity::new(1, DEFAULT_NOW, TlsMode::TestCa);
    let mut quoting = cvm.clone();
    quoting.report_data = ReportDataLayout::KeyThenNonce(of_key.key_hash());
    let ra_tls = asked(cvm, &identity, TlsBinding::RaTls);
    let app_key = asked(quoting, &of_key, TlsBinding::AppKey).with(|trial| tls(trial).has_trusted_ca = true);
    for trial in [ra_tls, app_key] {
        let unasked = trial.with(|trial| tls(trial).probe = Probe::NotSent);
        grants_nothing(unasked.judge().leaves_open(ID, "probe-undetermined"));
        // Left out in writing, it counts for the verdict, is named, and is not in the assurance.
        let left_out = unasked.with(|trial| trial.policy.endpoint_probe = false);
        let judged = left_out.judge();
        judged.passes().proves(ID);
        assert_eq!(judged.check(ID).grants, Some(SideTier::Endpoint), "{judged}");
        let accepted: Vec<_> = judged
            .0
            .accepted
            .iter()
            .map(|one| (one.check, one.what))
            .collect();
        assert_eq!(accepted, [(ID, AcceptedKind::NoEndpointProbe)], "{judged}");
        assert_eq!(judged.0.assurance, Assurance::CODE, "{judged}");
        let mode_alone = left_out.with(|trial| trial.policy.endpoint_probe = true);
        informs_by_mode(mode_alone, "probe-undetermined");
    }
}

/// A mode is named, and no tier: it is named, and nothing fails.
#[track_caller]
fn informs_by_mode(trial: Trial, reason: &str) {
    let mode_alone = trial.with(|trial| trial.policy.required = "code".parse().unwrap());
    grants_nothing(
        mode_alone
            .judge()
            .says(ID, Status::Warn, reason)
            .concludes(Verdict::Pass),
    );
    informs(mode_alone, Status::Warn, reason);
}

/// What a certificate claims with an evidence that is another machine's is not how this address ends TLS.
#[test]
fn t26_the_route_is_not_named_after_evidence_that_does_not_bind() {
    let (cvm, identity) = healthy();
    let relay = TlsIdentity::new(7, DEFAULT_NOW, TlsMode::SelfSigned).with_extensions_of(&identity);
    let judged = served(cvm, &relay).judge();
    assert_ne!(judged.0.tls_route, Some(TlsRoute::AppRatls), "{judged}");
}

/// The address of a signing key has 20 bytes and is filled up with zeros: nobody called it the hash of a TLS key.
#[test]
fn t26_a_signing_address_beside_the_nonce_is_not_called_another_key() {
    let mut cvm = Cvm::healthy(&World::default());
    let mut address = [7; 32];
    address[20..].fill(0);
    cvm.report_data = ReportDataLayout::KeyThenNonce(address);
    let identity = TlsIdentity::new(1, DEFAULT_NOW, TlsMode::TestCa);
    let judged = asked(cvm, &identity, TlsBinding::Auto).judge();
    assert_ne!(judged.check(ID).status, Status::Fail, "{judged}");
    grants_nothing(&judged);
    // An Ed25519 key has 32 bytes. Who names the layout of Private AI says that they are a signing key's.
    let mut cvm = Cvm::healthy(&World::default());
    cvm.report_data = ReportDataLayout::KeyThenNonce([7; 32]);
    let mut private_ai = asked(cvm, &identity, TlsBinding::Auto);
    tls(&mut private_ai).has_trusted_ca = true;
    grants_nothing(private_ai.judge().fails(ID, "key-mismatch"));
    private_ai.policy.report_data.layout = Some(cvm_verify_core::verify::Layout::PrivateAi);
    grants_nothing(private_ai.judge().leaves_open(ID, "unbound"));
}

#[test]
fn t26_a_key_that_no_kms_signs_does_not_bind() {
    use rcgen::{CertificateParams, CustomExtension, KeyPair, PKCS_ECDSA_P384_SHA384};
    let (cvm, _) = healthy();
    let key = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap();
    let mut bound = cvm.clone();
    bound.report_data = ReportDataLayout::ra_tls(&key.public_key_der_of_spki());
    let quote = bound.quote_bytes("");
    let mut octets = vec![0x04, 0x82];
    octets.extend(u16::try_from(quote.len()).unwrap().to_be_bytes());
    octets.extend(&quote);
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.custom_extensions = vec![CustomExtension::from_oid_content(
        &[1, 3, 6, 1, 4, 1, 62397, 1, 1],
        octets,
    )];
    let leaf = params.self_signed(&key).unwrap().der().to_vec();
    let trial = asked(
        cvm,
        &TlsIdentity::new(1, DEFAULT_NOW, TlsMode::SelfSigned),
        TlsBinding::RaTls,
    )
    .with(|trial| trial.tls = Some(session(vec![leaf])));
    never_binds(trial, "ratls-key-type");
}

/// The id of the KMS that this CVM booted with, hex.
fn simulated_kms_id(cvm: &Cvm) -> String {
    let provider: serde_json::Value = serde_json::from_str(&cvm.key_provider).unwrap();
    provider["id"].as_str().unwrap().to_owned()
}

/// The DER of the SubjectPublicKeyInfo.
trait Spki {
    fn public_key_der_of_spki(&self) -> Vec<u8>;
}

impl Spki for rcgen::KeyPair {
    fn public_key_der_of_spki(&self) -> Vec<u8> {
        rcgen::PublicKeyData::subject_public_key_info(self)
    }
}

#[test]
fn t26_a_recording_never_reaches_endpoint() {
    let (cvm, identity) = healthy();
    let trial = asked(cvm, &identity, TlsBinding::RaTls).with(|trial| tls(trial).seen = Seen::Recorded);
    let judged = trial.judge();
    grants_nothing(
        judged
            .says(ID, Status::Skip, "recorded")
            .concludes(Verdict::Inconclusive),
    );
    // What was wrong is as wrong in a recording.
    let (cvm, identity) = healthy();
    let relay = TlsIdentity::new(7, DEFAULT_NOW, TlsMode::SelfSigned).with_extensions_of(&identity);
    let trial = asked(cvm, &relay, TlsBinding::RaTls).with(|trial| tls(trial).seen = Seen::Recorded);
    grants_nothing(trial.judge().fails(ID, "ratls-not-bound"));
}

#[test]
fn t26_tls_that_ends_in_a_gateway_is_said_and_never_binds() {
    let identity = TlsIdentity::new(1, DEFAULT_NOW, TlsMode::TestCa);
    let trial = asked(Cvm::healthy(&World::default()), &identity, TlsBinding::Auto).with(|trial| {
        tls(trial).host = TlsHost::Gateway;
        tls(trial).has_trusted_ca = true;
    });
    let judged = trial.judge();
    grants_nothing(judged.leaves_open(ID, "gateway-terminated"));
    assert_eq!(judged.0.tls_route, Some(TlsRoute::Gateway));
    assert!(judged.detail(ID).contains("is not proven"));
    informs(trial, Status::Skip, "gateway-terminated");
}

#[test]
fn t26_without_a_connection_there_is_nothing_to_bind() {
    let (cvm, identity) = healthy();
    let trial = asked(cvm, &identity, TlsBinding::Auto).with(|trial| trial.tls = None);
    let judged = trial.judge();
    grants_nothing(judged.leaves_open(ID, "no-connection"));
    assert_eq!(judged.0.tls_route, None);
    informs(trial, Status::Skip, "no-connection");
}

/// What binds the key says nothing about the code: a VM with other code never passes for it.
#[test]
fn t26_a_bound_key_does_not_excuse_other_code() {
    let (mut cvm, _) = healthy();
    let policy = Trial::of(cvm.clone()).policy;
    cvm.app_compose = cvm.app_compose.replace("8080:8080", "8081:8080");
    let identity = TlsIdentity::ra_tls(1, DEFAULT_NOW, &cvm);
    let trial = asked(cvm, &identity, TlsBinding::RaTls).with(|trial| {
        trial.policy.compose_hash = policy.compose_hash;
    });
    let judged = trial.judge();
    judged.fails(CheckId::ComposeHash, "compose-hash-mismatch");
    assert!(
        !judged.0.assurance.sides().includes(SideTier::Endpoint),
        "{judged}"
    );
}

/// A key in a layout that is none of the defaults counts where the key is compared with that of the connection.
#[test]
fn t02_the_nonce_before_another_key_is_fresh_in_the_mode_that_compares_keys_alone() {
    let identity = TlsIdentity::new(1, DEFAULT_NOW, TlsMode::TestCa);
    for (mode, is_fresh) in [(TlsBinding::AppKey, true), (TlsBinding::Auto, false)] {
        let mut cvm = Cvm::healthy(&World::default());
        cvm.report_data = ReportDataLayout::NonceThenKey([9; 32]);
        let judged = asked(cvm, &identity, mode)
            .with(|trial| tls(trial).has_trusted_ca = true)
            .judge();
        match is_fresh {
            true => judged.proves(CheckId::Freshness),
            false => judged.says(CheckId::Freshness, Status::Error, "other-layout"),
        };
    }
}
