//! What a registry answers: a challenge, a list of referrers, manifests, an index, BuildKit's attestation.
#![cfg_attr(feature = "libfuzzer", no_main)]

use cvm_verify::source::registry::{RegistryCredentials, challenge::Challenge, referrers};
use cvm_verify_core::verify::oci::{Index, parse_digest, provenance_layer};

cvm_verify_fuzz::fuzz_target!(|bytes: &[u8]| {
    let _ = referrers::candidates(bytes);
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let _ = referrers::named(text, &[1; 32]);
    let _ = (Index::read(text), provenance_layer(text), parse_digest(text));
    let registry = url::Url::parse("https://ghcr.io/").expect("an address");
    if let Ok(Challenge::Token(service)) = Challenge::read(&[text], &registry, None) {
        assert_eq!(service.realm.scheme(), "https", "no token in the clear");
        assert!(
            !service.takes_credentials || service.realm.origin() == registry.origin(),
            "no password for anyone else"
        );
    }
    let _ = RegistryCredentials::read(text);
});
