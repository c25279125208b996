//! Where an app serves its evidence.

use super::{OptionGroup, PolicyKey, Typed};
use crate::config::file::shape::Shape;

pub(super) const KEYS: &[PolicyKey] = &[
    PolicyKey {
        name: "attestation-path",
        shape: Shape::Endpoint,
        says: "Path of the app's attestation endpoint.",
        default: "`/attestation`",
        example: r#""/api/attestation""#,
        option: Some(Typed {
            flag: "--attestation-path",
            group: OptionGroup::Source,
            value: "PATH",
            help: "Path of the app's attestation endpoint, by default /attestation; `reportData=<nonce>` is appended",
            ..Typed::BASE
        }),
        ..PolicyKey::BASE
    },
    PolicyKey {
        name: "info-path",
        shape: Shape::Endpoint,
        says: "Path of the app's info endpoint.",
        default: "`/info`",
        example: r#""/api/info""#,
        option: Some(Typed {
            flag: "--info-path",
            group: OptionGroup::Source,
            value: "PATH",
            help: "Path of the app's info endpoint, by default /info",
            ..Typed::BASE
        }),
        ..PolicyKey::BASE
    },
    PolicyKey {
        name: "gpu-path",
        shape: Shape::Endpoint,
        says: "Path of an endpoint of the app that serves [evidence of its GPUs](gpu.md).",
        default: "the attestation's own `nvidia_payload`",
        example: r#""/api/gpu""#,
        option: Some(Typed {
            flag: "--gpu-path",
            group: OptionGroup::Source,
            value: "PATH",
            help: "Path of an endpoint of the app that serves evidence of its GPUs; `nonce=<nonce>` is appended. By default \
                   the evidence is taken from the attestation (`nvidia_payload`)",
            ..Typed::BASE
        }),
        ..PolicyKey::BASE
    },
    PolicyKey {
        name: "nonce-parameter",
        shape: Shape::Name,
        says: "The name of the query parameter that carries the nonce: `nonce` for private AI gateways.",
        default: "`reportData`",
        example: r#""nonce""#,
        option: Some(Typed {
            flag: "--nonce-parameter",
            group: OptionGroup::Source,
            value: "NAME",
            help: "The name of the query parameter that carries the nonce, by default reportData. Private AI gateways call it \
                   nonce, and answer with `intel_quote` and `info` in one body",
            ..Typed::BASE
        }),
        ..PolicyKey::BASE
    },
];
