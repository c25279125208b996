//! `app_cert` of `/info`: the chain from an application certificate to the KMS root CA (spec §1.g).

use crate::{
    asn1,
    keys::Key,
    pki::Window,
    world::{DAY, World},
    x509::{self, Contents, Party, USAGE_CA, USAGE_SIGNER},
};

/// The key whose SubjectPublicKeyInfo is the key provider id of the healthy CVM.
pub(crate) fn kms_root_key(seed: u64) -> Key {
    Key::derive(seed, "kms root")
}

/// Leaf, "Dstack App CA", "Dstack KMS CA", PEM, leaf first. hex(SPKI of the last) is the `id` of a healthy `key-provider`.
pub(crate) fn app_cert_chain(world: &World) -> String {
    let kms = Party::with_key("Dstack KMS CA", kms_root_key(world.seed));
    let app = Party::new(world.seed, "Dstack App CA");
    let leaf = Party::new(world.seed, "Simulated app certificate");
    let window = Window {
        from: -DAY,
        to: 3650 * DAY,
    };
    [(&app, &leaf, None), (&kms, &app, Some(0)), (&kms, &kms, Some(1))]
        .map(|(issuer, subject, ca)| {
            let (not_before, not_after) = window.around(world.now);
            let usage = if ca.is_some() { USAGE_CA } else { USAGE_SIGNER };
            let contents = Contents {
                not_before,
                not_after,
                ca,
                usage,
                crl_url: None,
                more: vec![],
            };
            asn1::pem("CERTIFICATE", &x509::certificate(issuer, subject, &contents))
        })
        .concat()
}
