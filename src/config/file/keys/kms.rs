//! The KMS that gives the app its keys.

use super::PolicyKey;
use crate::config::file::shape::ValueShape;
use cvm_verify_core::policy::KmsMode;

pub(super) const KEYS: &[PolicyKey] = &[
    PolicyKey::new("kms", ValueShape::Choice(&KmsMode::WRITTEN))
        .says("How to treat an app whose [KMS](governance.md#the-kms) cannot be checked: `required` (`--require-kms`) makes \
               the verdict inconclusive or fail, `unchecked` is a waiver.")
        .default("a KMS that the lock or this file names is checked")
        .example(r#""required""#),
    PolicyKey::new("kms-host", ValueShape::KmsHosts)
        .says("The host of the KMS that gives the app its keys, with a port if it is not 443; several replicas as a list of \
               at most 4. Take the host from your own deployment, not from the app that answers.")
        .default("the lock's")
        .example(r#"["kms.example:12001"]"#),
    PolicyKey::new("kms-compose-hash", ValueShape::Hashes)
        .says("SHA-256 of the compose documents that the KMS may run.")
        .default("the lock's")
        .example(r#"["5070b43503b10a3b061ca1c1e73a0565d424cdbcff368d40a8ba30747066efd2"]"#),
    PolicyKey::new("kms-compose-file", ValueShape::Paths)
        .says("Files of the compose documents that the KMS may run: their exact bytes count. They are checked like the app's \
               document: which images they pin, which releases of dstack's KMS these images are, and which values can be set \
               from outside.")
        .example(r#"["kms-app-compose.json"]"#),
    PolicyKey::new("kms-build", ValueShape::Hashes)
        .says("The builds that the KMS may run, by `mr_aggregated`, as the KMS contract lists them. Compared with the KMS \
               that answers, and with `mr-kms` in the app's event log (dstack 0.4.2 to 0.5).")
        .example(r#"["2e6aeb6a3318ee37eb226207ad3077ad55b8e3b78cf41b98b5aadf80366c3c6d"]"#),
    PolicyKey::new("kms-os-image", ValueShape::OsImage)
        .says("The OS image that the KMS may run on. The values are those of `os-image`, without `lock` and `unchecked`.")
        .default("`known`")
        .example(r#""known""#),
    PolicyKey::new("kms-key-provider", ValueShape::KeyProvider)
        .says("The key provider that may give the KMS's own VM its keys. The values are those of `key-provider`.")
        .default("dstack's local key provider")
        .example(r#""local-sgx:1b7a49378403249b6986a907844cab0921eca32dd47e657f3c10311ccaeccf8b""#),
    PolicyKey::new("kms-bootstrap-file", ValueShape::Path)
        .says("Evidence of how the root keys of the KMS were made, which must verify: a JSON file with `ca_pubkey`, \
               `k256_pubkey`, and `attestation` or `quote` and `eventlog`, all hex, as `bootstrap_info` in the KMS's answer \
               to GetMeta.")
        .default("what the KMS and its contract show")
        .example(r#""kms-bootstrap.json""#),
];
