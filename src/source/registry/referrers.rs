//! Lists of what refers to a digest, and the manifests that they name. Both are hints: what counts is the bundle behind them.

use serde::Deserialize;
use serde_json::Value;

use cvm_verify_core::evidence::has_more_values_than;
use cvm_verify_core::verify::oci::parse_digest;
use cvm_verify_core::verify::provenance::{COSIGN_SIGNATURE, PROVENANCE};

/// The type of a Sigstore bundle, without its version.
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle";
/// The type that some tools write instead.
const EMPTY: &str = "application/vnd.oci.empty.v1+json";
/// What the statement of a bundle is, as its annotation says.
const PREDICATE: &str = "dev.sigstore.bundle.predicateType";
/// Values of a list or a manifest in JSON.
const MAX_VALUES: usize = 50_000;

#[derive(Deserialize)]
struct ReferrerList {
    manifests: Vec<Descriptor>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    digest: String,
    artifact_type: Option<String>,
    media_type: Option<String>,
    #[serde(default)]
    annotations: serde_json::Map<String, Value>,
}

#[derive(Deserialize)]
struct ImageManifest {
    subject: Option<Descriptor>,
    layers: Vec<Descriptor>,
}

/// The digests in a list whose type does not rule out that they are bundles, those first that say what is looked for. `None`
/// if it is not a list.
pub fn candidates(list: &[u8]) -> Option<Vec<[u8; 32]>> {
    if has_more_values_than(list, MAX_VALUES) {
        return None;
    }
    let listed: ReferrerList = serde_json::from_slice(list).ok()?;
    let may_be = |descriptor: &&Descriptor| match descriptor.artifact_type.as_deref() {
        None | Some("" | EMPTY) => true,
        Some(kind) => kind.starts_with(BUNDLE),
    };
    let mut found: Vec<&Descriptor> = listed.manifests.iter().filter(may_be).collect();
    found.sort_by_key(|descriptor| {
        let predicate = descriptor.annotations.get(PREDICATE).and_then(Value::as_str);
        !predicate.is_some_and(|predicate| [PROVENANCE, COSIGN_SIGNATURE].contains(&predicate))
    });
    let digests = found
        .into_iter()
        .map(|descriptor| parse_digest(&descriptor.digest));
    // Digests of other algorithms cannot be checked.
    Some(digests.flatten().collect())
}

/// What a manifest that a list names is.
#[derive(Debug, PartialEq, Eq)]
pub enum NamedManifest {
    /// The manifest of a bundle, with the bundle's digest.
    Bundle([u8; 32]),
    /// Of something else.
    Other,
    /// It is about another digest than the list is.
    OtherSubject,
}

/// Reads a manifest that a list about `subject` names. `None` if it is not a manifest.
pub fn named(manifest: &str, subject: &[u8; 32]) -> Option<NamedManifest> {
    if has_more_values_than(manifest.as_bytes(), MAX_VALUES) {
        return None;
    }
    let manifest: ImageManifest = serde_json::from_str(manifest).ok()?;
    let about = manifest.subject.and_then(|about| parse_digest(&about.digest));
    if about.as_ref() != Some(subject) {
        return Some(NamedManifest::OtherSubject);
    }
    let is_bundle = |layer: &Descriptor| {
        layer
            .media_type
            .as_deref()
            .is_some_and(|kind| kind.starts_with(BUNDLE))
    };
    match manifest.layers.as_slice() {
        [layer] if is_bundle(layer) => parse_digest(&layer.digest).map(NamedManifest::Bundle),
        _ => Some(NamedManifest::Other),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn digest(byte: u8) -> String {
        format!("sha256:{}", hex::encode([byte; 32]))
    }

    #[test]
    fn candidates_are_not_chosen_by_a_type_that_lies() {
        let list = json!({ "manifests": [
            { "digest": digest(1), "artifactType": EMPTY },
            { "digest": digest(2), "artifactType": "application/spdx+json" },
            { "digest": digest(3) },
            { "digest": "sha512:00" },
            { "digest": digest(4), "artifactType": "application/vnd.dev.sigstore.bundle.v0.3+json",
              "annotations": { PREDICATE: PROVENANCE } },
        ]});
        let found = candidates(list.to_string().as_bytes()).unwrap();
        assert_eq!(found, [[4; 32], [1; 32], [3; 32]]);
        assert_eq!(candidates(b"{\"manifests\":[]}"), Some(vec![]));
        assert_eq!(candidates(b"{\"errors\":[]}"), None);
    }

    #[test]
    fn a_manifest_is_of_a_bundle_about_the_digest_or_it_is_not() {
        let manifest = |subject: u8, layers: Value| {
            let manifest = json!({ "subject": { "digest": digest(subject) }, "layers": layers });
            named(&manifest.to_string(), &[1; 32])
        };
        let layer =
            json!({ "digest": digest(2), "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json" });
        assert_eq!(manifest(1, json!([layer])), Some(NamedManifest::Bundle([2; 32])));
        assert_eq!(manifest(9, json!([layer])), Some(NamedManifest::OtherSubject));
        assert_eq!(manifest(1, json!([layer, layer])), Some(NamedManifest::Other));
        assert_eq!(
            manifest(1, json!([{ "digest": digest(2), "mediaType": "text/plain" }])),
            Some(NamedManifest::Other)
        );
        assert_eq!(named("{}", &[1; 32]), None);
        assert_eq!(
            named("{\"layers\":[]}", &[1; 32]),
            Some(NamedManifest::OtherSubject)
        );
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,200}") {
            let _ = candidates(text.as_bytes());
            let _ = named(&text, &[1; 32]);
        }
    }
}
