//! A deployment that measured what the input says, honestly signed by the simulator: compose document, key provider, and
//! events of the app. Boot claims, compose file and lock are reached only that way.
#![cfg_attr(feature = "libfuzzer", no_main)]

use std::cell::LazyCell;

use cvm_verify_core::compose::launch_script;
use cvm_verify_core::evidence::Evidence;
use cvm_verify_core::lock::{Accepting, Lock, pin};
use cvm_verify_core::reference::ReferenceValues;
use cvm_verify_core::report::TrustRootKind;
use cvm_verify_core::verify::{Claims, Inputs, NotProven, SignatureCache, TrustRoot, prove};
use cvm_verify_fuzz::input::parts;
use dcap_qvl::QuoteCollateralV3;
use simulator::{Cvm, World};

const NONCE: [u8; 32] = *b"a nonce of this run: 32 bytes...";

struct Known {
    cvm: Cvm,
    collateral: QuoteCollateralV3,
    root: TrustRoot,
}

thread_local! {
    static KNOWN: LazyCell<Known> = LazyCell::new(|| {
        let world = World::default();
        Known {
            cvm: Cvm::healthy(&world),
            collateral: world.collateral(),
            root: TrustRoot::Custom(world.root_der()),
        }
    });
}

cvm_verify_fuzz::fuzz_target!(|data: &[u8]| {
    let [document, yaml, provider, events] = parts(data).map(String::from_utf8_lossy);
    KNOWN.with(|known| {
        let mut cvm = known.cvm.clone();
        let mut renames = false;
        if !document.is_empty() {
            cvm.app_compose = document.into_owned();
        } else {
            let members = serde_json::json!({ "runner": "docker-compose", "docker_compose_file": yaml });
            cvm.app_compose = members.to_string();
        }
        if !provider.is_empty() {
            cvm.key_provider = provider.into_owned();
            renames = true;
        }
        for line in events.lines().take(8) {
            cvm.app_events.push((line.to_owned(), line.as_bytes().to_vec()));
        }
        let (attestation, info) = (cvm.attestation_body(&hex::encode(NONCE)), cvm.info_body());
        let compose = Some(cvm.app_compose.as_bytes());
        let evidence = Evidence::parse(
            attestation.as_bytes(),
            Some(info.as_bytes()),
            compose,
            Some(NONCE),
        );
        // Only what is too long is refused here; the bodies are the simulator's.
        let Ok(evidence) = evidence else { return };
        let claims = prove(
            &evidence,
            &Inputs {
                collateral: Ok(&known.collateral),
                collateral_fetched_at: None,
                signatures: &SignatureCache::default(),
                root: &known.root,
                at: cvm.world.now,
                clock_floor: 0,
            },
        );
        assert!(claims.quote.is_ok(), "{:?}", claims.quote);
        check(&cvm, &claims, renames);
    });
});

fn check(cvm: &Cvm, claims: &Claims, has_own_provider: bool) {
    let Ok(boot) = &claims.boot else {
        let by_log = matches!(claims.log, Err(NotProven::Refused(_)));
        assert!(
            by_log || has_own_provider || !cvm.app_events.is_empty(),
            "{:?}",
            claims.boot
        );
        return;
    };
    assert_eq!(*boot.compose_hash(), cvm.compose_hash());
    let provider: serde_json::Value = serde_json::from_str(&cvm.key_provider).expect("it was read");
    assert_eq!(
        provider["name"],
        boot.key_provider().name.as_str(),
        "two readers agree"
    );
    let compose = claims
        .compose
        .as_ref()
        .expect("the measured text itself was handed over");
    assert_eq!(compose.text(), cvm.app_compose);
    match compose.members() {
        Err(_) => {
            assert!(
                compose.compose_file(launch_script(compose)).is_err() && compose.compose_settings().is_err()
            )
        }
        Ok(members) => {
            let again: serde_json::Value = serde_json::from_str(compose.text()).expect("it is JSON");
            assert_eq!(again.as_object(), Some(members));
            let compose_settings = compose.compose_settings().expect("its members were read");
            assert!(!compose_settings.contains_key("docker_compose_file"));
            let others = members
                .keys()
                .filter(|name| *name != "docker_compose_file")
                .count();
            assert_eq!(compose_settings.len(), others, "nothing else is left out");
        }
    }
    if let Ok(Some(file)) = compose.compose_file(launch_script(compose)) {
        assert_eq!(
            compose
                .compose_file(launch_script(compose))
                .ok()
                .flatten()
                .as_ref(),
            Some(&file),
            "it reads the same twice"
        );
        for (service, image) in &file.images {
            let digest = image.split_once("@sha256:").map_or("", |(_, digest)| digest);
            let pinned = digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
            let named = file
                .unpinned
                .iter()
                .any(|place| place.path.contains(service.as_str()));
            assert!(pinned || named, "{service:?} has {image:?} and nobody is told");
        }
    }
    if let Ok(pinned) = pin(
        claims,
        true,
        TrustRootKind::Custom,
        ReferenceValues::built_in(),
        None,
    ) {
        let everything = Accepting {
            all: true,
            ..Accepting::nothing()
        };
        let accepted = pinned.accept(&everything, None).expect("all is accepted");
        let read = Lock::parse(&accepted.text, "cvm.lock").expect("what was written can be read");
        assert_eq!(read, accepted.lock);
        assert_eq!(read.compose_hash, Some(cvm.compose_hash()));
    }
}
