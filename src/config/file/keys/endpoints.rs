//! Where an app serves its evidence.

use super::{OptionGroup, PolicyKey};
use crate::config::file::shape::ValueShape;

pub(super) const KEYS: &[PolicyKey] = &[
    PolicyKey::new("attestation-path", ValueShape::Endpoint)
        .says("Path of the app's attestation endpoint; `reportData=<nonce>` is appended.")
        .default("`/attestation`")
        .example(r#""/api/attestation""#)
        .option("--attestation-path", "PATH")
        .group(OptionGroup::Source),
    PolicyKey::new("info-path", ValueShape::Endpoint)
        .says("Path of the app's info endpoint.")
        .default("`/info`")
        .example(r#""/api/info""#)
        .option("--info-path", "PATH")
        .group(OptionGroup::Source),
    PolicyKey::new("gpu-path", ValueShape::Endpoint)
        .says("Path of an endpoint of the app that serves evidence of its GPUs; `nonce=<nonce>` is appended.")
        .default("the attestation's own `nvidia_payload`")
        .example(r#""/api/gpu""#)
        .option("--gpu-path", "PATH")
        .group(OptionGroup::Source),
    PolicyKey::new("nonce-parameter", ValueShape::Name)
        .says("The name of the query parameter that carries the nonce. Private AI gateways call it `nonce`, and answer \
               with `intel_quote` and `info` in one body.")
        .default("`reportData`")
        .example(r#""nonce""#)
        .option("--nonce-parameter", "NAME")
        .group(OptionGroup::Source),
];
