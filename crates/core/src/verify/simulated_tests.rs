//! What simulated evidence proves, where only the reason of a result or its details would tell a fault.

use simulator::{Cvm, Gpus, ReportDataLayout, TlsIdentity, TlsMode, World, server::Ingress};

use super::early_tcb::early_of;
use super::gpu::{DeviceRoot, GpuNonce};
use super::ingress::may_be_renewing;
use super::{
    BindingMode, BootRefusal, Claims, EarlyTcb, InfoOrigin, Inputs, Issuer, Layout, NotProven,
    SignatureCache, TrustRoot, UnusableCollateral, prove,
};
use crate::evidence::{
    Evidence, IngressEvidence, IngressSeen, Probe, QuoteBytes, Seen, TlsChain, TlsHost, TlsSession,
};

const NONCE: [u8; 32] = [7; 32];
const HOST: &str = "app.example";

fn root_of(cvm: &Cvm) -> TrustRoot {
    TrustRoot::custom(cvm.world.root_pem().as_bytes()).unwrap()
}

fn evidence_of(cvm: &Cvm, info: Option<&str>) -> Evidence {
    let attestation = cvm.attestation_body(&hex::encode(NONCE));
    let info = info.map(str::as_bytes);
    Evidence::parse(attestation.as_bytes(), info, None, Some(NONCE)).unwrap()
}

fn claims_with(cvm: &Cvm, info: Option<&str>) -> Claims {
    prove_of(cvm, &evidence_of(cvm, info))
}

fn prove_of(cvm: &Cvm, evidence: &Evidence) -> Claims {
    prove(
        evidence,
        &Inputs {
            collateral: Ok(&cvm.world.collateral()),
            collateral_fetched_at: None,
            signatures: &SignatureCache::default(),
            root: &root_of(cvm),
            at: cvm.world.now,
            clock_floor: 0,
        },
    )
}

fn claims_of(cvm: &Cvm) -> Claims {
    claims_with(cvm, None)
}

fn healthy() -> Cvm {
    Cvm::healthy(&World::default())
}

fn session(identity: &TlsIdentity, ingress: IngressSeen) -> TlsSession {
    TlsSession {
        chain: TlsChain::new(identity.chain_der()).unwrap(),
        other_keys: 0,
        has_trusted_ca: true,
        host: TlsHost::Other,
        seen: Seen::Live,
        probe: Probe::NoneSeen,
        ingress,
    }
}

/// The claims with what is seen at an address of the CVM.
fn seen_at(cvm: &Cvm, session: &TlsSession) -> Claims {
    let (collateral, root) = (cvm.world.collateral(), root_of(cvm));
    let inputs = Inputs {
        collateral: Ok(&collateral),
        collateral_fetched_at: None,
        signatures: &SignatureCache::default(),
        root: &root,
        at: cvm.world.now,
        clock_floor: 0,
    };
    claims_of(cvm)
        .with_tls(session, &inputs)
        .with_ingress(session, &inputs)
}

fn evidence_of_ingress(ingress: Ingress) -> IngressEvidence {
    IngressEvidence {
        host: HOST.to_owned(),
        manifest: ingress.manifest,
        files: ingress.files.into_iter().collect(),
        quote: ingress.quote,
    }
}

/// It writes one file after the other. What it never lists, it does not write later.
#[test]
fn an_ingress_may_be_renewing_where_its_files_do_not_belong_together() {
    let cvm = healthy();
    let [own, other] = [1, 2].map(|seed| TlsIdentity::new(seed, cvm.world.now, TlsMode::TestCa));
    let of = |key: &TlsIdentity, change: fn(&mut IngressEvidence)| {
        let mut files = evidence_of_ingress(Ingress::of(&cvm, &own, HOST));
        change(&mut files);
        let chain = key.chain_der();
        may_be_renewing(&files, &chain[0])
    };
    assert!(!of(&own, |_| ()));
    assert!(of(&other, |_| ()));
    assert!(of(&own, |files| files.quote.clear()));
    let quoted_before = |files: &mut IngressEvidence| {
        let before = Ingress::of(
            &healthy(),
            &TlsIdentity::new(2, simulator::DEFAULT_NOW, TlsMode::TestCa),
            HOST,
        );
        files.quote = before.quote;
    };
    assert!(of(&own, quoted_before));
    assert!(!of(&own, |files| files.host = "other.example".to_owned()));
}

#[test]
fn a_bound_key_is_that_of_the_connection_in_each_way() {
    let mut cvm = healthy();
    let identity = TlsIdentity::ra_tls(1, cvm.world.now, &cvm);
    let tls = seen_at(&cvm, &session(&identity, IngressSeen::NotAsked))
        .tls
        .unwrap();
    let channel = tls.ra_tls.unwrap();
    assert_eq!(channel.spki_sha256(), &identity.key_hash());
    assert_eq!(channel.mode(), BindingMode::RaTls(Issuer::Kms));

    let identity = TlsIdentity::new(2, cvm.world.now, TlsMode::TestCa);
    cvm.report_data = ReportDataLayout::KeyThenNonce(identity.key_hash());
    let tls = seen_at(&cvm, &session(&identity, IngressSeen::NotAsked))
        .tls
        .unwrap();
    let channel = tls.app_key.unwrap();
    assert_eq!(channel.spki_sha256(), &identity.key_hash());
    assert_eq!(channel.mode(), BindingMode::AppKey(Layout::KeyThenNonce));

    cvm.report_data = ReportDataLayout::Ascii;
    let files = evidence_of_ingress(Ingress::of(&cvm, &identity, HOST));
    let files = IngressSeen::Evidence(Box::new(files));
    let tls = seen_at(&cvm, &session(&identity, files)).tls.unwrap();
    assert_eq!(tls.ingress.unwrap().spki_sha256(), &identity.key_hash());
}

#[test]
fn an_info_that_names_no_instance_is_of_an_unknown_one() {
    let cvm = healthy();
    assert_eq!(claims_with(&cvm, Some(&cvm.info_body())).info, InfoOrigin::Same);
    for silent in ["{}", r#"{"tcb_info": "", "instance_id": ""}"#] {
        let found = claims_with(&cvm, Some(silent)).info;
        assert_eq!(found, InfoOrigin::Unknown, "{silent}");
    }
}

/// Intel's early set convicts by levels and revocations alone; a quote that it cannot judge for another reason is not judged.
#[test]
fn the_early_set_refuses_by_its_levels_alone() {
    let mut world = World::default();
    world.below_every_tcb_level();
    let of = |world: &World, change: &dyn Fn(&mut Vec<u8>)| {
        let cvm = Cvm::healthy(world);
        let mut bytes = cvm.quote_bytes(&hex::encode(NONCE));
        change(&mut bytes);
        let bytes = QuoteBytes::new(bytes).unwrap();
        early_of(&bytes, Ok(&world.collateral()), &root_of(&cvm), world.now)
    };
    let judged = of(&World::default(), &|_| ());
    assert!(matches!(judged, EarlyTcb::Judged(_)), "{judged:?}");
    let below = of(&world, &|_| ());
    assert!(matches!(below, EarlyTcb::Refused(_)), "{below:?}");
    let cut = of(&World::default(), &|bytes| bytes.truncate(100));
    assert!(matches!(cut, EarlyTcb::Unavailable(_)), "{cut:?}");
}

/// A log without `system-ready` is that of dstack 0.3 if it has both of that generation's events and none of the next one.
#[test]
fn only_a_whole_boot_of_the_generation_before_is_called_unsupported() {
    let boot = |kept: &'static [&'static str]| {
        let mut cvm = healthy();
        cvm.edit_log_before_quote(move |events| {
            events.retain(|event| event.imr != 3);
            for name in kept {
                let mut added = simulator::Event::runtime(name, b"");
                added.imr = 3;
                events.push(added);
            }
        });
        claims_of(&cvm).boot.err()
    };
    let unsupported = Some(NotProven::Refused(BootRefusal::UnsupportedGeneration));
    let none = Some(NotProven::Refused(BootRefusal::NoSystemReady));
    for (kept, expected) in [
        (&["rootfs-hash", "ca-cert-hash"][..], unsupported),
        (&["rootfs-hash"], none.clone()),
        (&["ca-cert-hash"], none.clone()),
        (&["rootfs-hash", "ca-cert-hash", "system-preparing"], none),
    ] {
        assert_eq!(boot(kept), expected, "{kept:?}");
    }
}

/// The service is shown reports of this run alone.
#[test]
fn reports_that_signed_another_nonce_are_not_sent_to_nvidia() {
    let facts = |signed: simulator::SignedNonce| {
        let mut cvm = healthy();
        let mut gpus = Gpus::alone(1, 2);
        gpus.nonce = signed;
        cvm.gpus = Some(gpus);
        let root = DeviceRoot::Custom(simulator::gpu::device_root_der(1));
        claims_of(&cvm)
            .with_device_root(&evidence_of(&cvm, None), &root)
            .gpu
    };
    for (signed, expected, is_sent) in [
        (simulator::SignedNonce::Asked, GpuNonce::ThisRun, true),
        (simulator::SignedNonce::Derived, GpuNonce::Derived, true),
        (
            simulator::SignedNonce::Fixed([9; 32]),
            GpuNonce::Other([9; 32]),
            false,
        ),
    ] {
        let facts = facts(signed);
        assert_eq!(facts.nonce, expected);
        let counts = facts
            .for_nras()
            .map(|(_, lists)| lists.iter().map(|(_, reports)| reports.len()).collect::<Vec<_>>());
        assert_eq!(counts, is_sent.then(|| vec![2, 0]), "{expected:?}");
    }
}

#[test]
fn a_document_of_the_users_is_none_of_the_answer() {
    let mut cvm = healthy();
    simulator::Lie::WrongComposeText.apply(&mut cvm);
    let (attestation, info) = (cvm.attestation_body(&hex::encode(NONCE)), cvm.info_body());
    let shown = claims_with(&cvm, Some(&info));
    assert!(shown.other_document_in_info().is_some());
    let file = healthy().app_compose + " ";
    let evidence = Evidence::parse(
        attestation.as_bytes(),
        Some(info.as_bytes()),
        Some(file.as_bytes()),
        Some(NONCE),
    );
    let claims = prove_of(&cvm, &evidence.unwrap());
    assert!(claims.is_refused());
    // The file is the one that is refused, and what /info shows is told apart from it.
    assert!(!claims.compose_is_of_info);
    assert_eq!(claims.other_document_in_info(), shown.other_document_in_info());
}

#[test]
fn a_clock_is_good_from_its_floor_on() {
    let (cvm, collateral) = (healthy(), World::default().collateral());
    let at = cvm.world.now;
    for (clock_floor, is_good) in [(at - 1, true), (at, true), (at + 1, false)] {
        let inputs = Inputs {
            collateral: Ok(&collateral),
            collateral_fetched_at: None,
            signatures: &SignatureCache::default(),
            root: &root_of(&cvm),
            at,
            clock_floor,
        };
        let claims = prove(&evidence_of(&cvm, None), &inputs);
        let clock = UnusableCollateral::Clock { now: at };
        assert_eq!(
            claims.collateral.err(),
            (!is_good).then_some(clock),
            "{clock_floor}"
        );
    }
}

#[test]
fn an_answer_of_info_is_one_whether_it_can_be_read_or_not() {
    let cvm = healthy();
    let info = cvm.info_body();
    for (info, has_info) in [
        (None, false),
        (Some(info.as_str()), true),
        (Some("no JSON"), true),
    ] {
        assert_eq!(claims_with(&cvm, info).has_info, has_info, "{info:?}");
    }
}
