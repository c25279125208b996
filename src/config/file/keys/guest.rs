//! What the code may run on: the OS image, the key provider, the measured configuration.

use super::PolicyKey;
use crate::config::file::shape::ValueShape;
use cvm_verify_core::policy::{Freshness, ImagePinsPolicy, MrConfigIdPolicy};

pub(super) const KEYS: &[PolicyKey] = &[
    PolicyKey::new("os-image", ValueShape::OsImage)
        .says("Accepted OS images: `known` (production images of the built-in table), `lock`, the published os_image_hash or the name \
               of an image (`HASH:until=YYYY-MM-DD` accepts a vulnerable image until that day), \
               `mrtd=HEX,rtmr0=HEX,rtmr1=HEX,rtmr2=HEX`, or `unchecked`, a waiver that the verdict names.")
        .default("the lock's, else `known`")
        .example(r#""lock""#)
        .option("--os-image", "IMAGE")
        .expects(),
    PolicyKey::new("os-image-files", ValueShape::Path)
        .says("The published files of the OS image that must have booted: a folder or an archive, as for `cvm-verify \
               os-image`. They are measured in each run.")
        .example(r#""dstack-0.5.16.tar.gz""#)
        .option("--os-image-files", "DIR|TAR")
        .expects(),
    PolicyKey::new("reference-values", ValueShape::Path)
        .says("A file of reference values (TOML): OS images, VM shapes, KMSs, scripts and advisories in addition to the \
               built-in ones. It adds rows to the built-in ones and changes none of them.")
        .example(r#""reference-values.toml""#)
        .option("--reference-values", "FILE"),
    PolicyKey::new("mr-config-id", ValueShape::Choice(&MrConfigIdPolicy::WORDS))
        .says("Whether MRCONFIGID may be zero, or the host must have bound the compose hash at launch.")
        .default("`auto`")
        .example(r#""required""#)
        .option("--mr-config-id", "MR_CONFIG_ID")
        .values(&["It may be zero; otherwise it must match", "It must not be zero"]),
    PolicyKey::new("key-provider", ValueShape::KeyProvider)
        .says("The key provider, as `NAME[:HEXID]`, or a known KMS (`phala`, `phala-base`, or one of your reference values); \
               several are separated by commas, since roots rotate. `kms` without an id and `unchecked` are waivers that the \
               verdict names.")
        .default("the lock's")
        .example(r#""phala""#)
        .option("--key-provider", "PROVIDER")
        .expects(),
    PolicyKey::new("freshness", ValueShape::Choice(&Freshness::WORDS))
        .says("Whether this run's nonce must be signed.")
        .default("`required`")
        .example(r#""required""#)
        .option("--freshness", "FRESHNESS")
        .values(&[
            "It must be signed",
            "Not checked. This is a waiver, and the verdict names it",
        ]),
    PolicyKey::new("image-pins", ValueShape::Choice(&ImagePinsPolicy::WORDS))
        .says("Whether every image must be pinned by digest.")
        .default("`required`")
        .example(r#""required""#)
        .option("--image-pins", "IMAGE_PINS")
        .values(&[
            "It must be pinned",
            "Not checked. This is a waiver, and the verdict names it",
        ]),
];
