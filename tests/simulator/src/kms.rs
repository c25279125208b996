//! A KMS: a CVM of its own, its root key, and what it answers to GetMeta (dstack, `kms/src/{main,onboard_service}.rs`; dstack,
//! `kms/rpc/proto/kms_rpc.proto`).

use serde_json::{Value, json};
use sha3::{Digest as _, Keccak256};

use crate::{
    app_cert::kms_root_key,
    app_compose::app_compose,
    asn1,
    cvm::Cvm,
    event_log,
    keys::derive_bytes,
    report_data::ReportDataLayout,
    server::{KMS_CONTRACT, TlsIdentity},
    world::{DAY, World},
    x509::{self, Contents, Party, USAGE_CA},
};

/// The measurement of dstack's local key provider.
pub const LOCAL_KEY_PROVIDER: &str = "1b7a49378403249b6986a907844cab0921eca32dd47e657f3c10311ccaeccf8b";

/// The docker compose file of a KMS.
pub const DOCKER_COMPOSE: &str = "\
services:
  kms:
    image: ghcr.io/dstack-tee/dstack-kms@sha256:7f33e55f403efe53aca9ed74ccbe0114d23091c46c6f683a781dcedafb0499b5
    volumes:
      - /var/run/dstack.sock:/var/run/dstack.sock
";

/// A KMS with a knob for every way it can lie.
#[derive(Clone)]
pub struct Kms {
    /// The VM that it runs in.
    pub cvm: Cvm,
    /// Which root key it has: that of the simulated CVMs is their world's seed.
    pub root: u64,
    /// What it answers to GetMeta.
    pub meta: Value,
}

impl Kms {
    /// The KMS that gives a healthy CVM of this world its keys, governed on chain.
    pub fn healthy(world: &World) -> Self {
        Self::on(Cvm::healthy(world))
    }

    /// The same on a VM of any generation.
    pub fn on(mut cvm: Cvm) -> Self {
        cvm.app_compose = app_compose(DOCKER_COMPOSE);
        cvm.instance_id = vec![];
        cvm.set_key_provider("local-sgx", LOCAL_KEY_PROVIDER);
        let root = cvm.world.seed;
        Self::of(cvm, root)
    }

    /// A KMS in this VM with this root key.
    pub fn of(cvm: Cvm, root: u64) -> Self {
        let key = kms_root_key(root);
        let spki = key.spki_der();
        let mut k256 = vec![2];
        k256.extend(derive_bytes::<32>(root, "k256 root"));
        let meta = json!({
            "ca_cert": root_certificate(&cvm.world, root),
            "allow_any_upgrade": false,
            "k256_pubkey": hex::encode(&k256),
            "bootstrap_info": bootstrap(&cvm, &spki, &k256),
            "is_dev": false,
            "gateway_app_id": "",
            "kms_contract_address": format!("0x{}", hex::encode(KMS_CONTRACT)),
            "chain_id": 8453,
            "app_auth_implementation": format!("0x{}", "1a".repeat(20)),
            "os_image_verification": true,
        });
        Self { cvm, root, meta }
    }

    /// Its TLS identity at a time, Unix seconds; another `seed`, another key.
    pub fn identity(&self, seed: u64, now: u64) -> TlsIdentity {
        TlsIdentity::kms(seed, now, &self.cvm, self.root)
    }
}

/// The certificate of the root CA, PEM.
pub fn root_certificate(world: &World, root: u64) -> String {
    let ca = Party::with_key("Dstack KMS CA", kms_root_key(root));
    let contents = Contents {
        not_before: world.now.saturating_sub(DAY.unsigned_abs()),
        not_after: world.now.saturating_add(3650 * DAY.unsigned_abs()),
        ca: Some(1),
        usage: USAGE_CA,
        crl_url: None,
        more: vec![],
    };
    asn1::pem("CERTIFICATE", &x509::certificate(&ca, &ca, &contents))
}

/// Evidence that a VM made these two keys.
pub fn bootstrap(cvm: &Cvm, ca: &[u8], k256: &[u8]) -> Value {
    let digest = Keccak256::new()
        .chain_update(b"dstack-kms-genereted-keys-v1:")
        .chain_update(hex::encode(ca))
        .chain_update(b";")
        .chain_update(hex::encode(k256))
        .chain_update(b";")
        .finalize();
    let mut report_data = [0; 64];
    report_data[..32].copy_from_slice(&digest);
    let mut cvm = cvm.clone();
    cvm.report_data = ReportDataLayout::Fixed(report_data);
    let evidence = cvm.evidence("");
    json!({
        "ca_pubkey": hex::encode(ca),
        "k256_pubkey": hex::encode(k256),
        "quote": hex::encode(&evidence.quote),
        "eventlog": hex::encode(event_log::to_json(&evidence.event_log).to_string()),
    })
}
