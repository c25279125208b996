//! What a registry holds beside an image, as far as the image's digest vouches for it: documents whose SHA-256 follows from it.
//!
//! Formats: <https://github.com/opencontainers/image-spec>, and BuildKit's attestations,
//! <https://docs.docker.com/build/metadata/attestations/attestation-storage/>. A container runtime reads the same documents with
//! another parser, which takes names of members without regard to case and images without a platform. Where it could choose
//! another image than this one does, nothing is chosen.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::digest::sha256;
use super::provenance::{PROVENANCE, strict_json};

/// Largest document, in bytes: a manifest, an index, or provenance in a layer.
pub const MAX_DOCUMENT: usize = 4 * 1024 * 1024;
/// Most documents of an image.
pub(crate) const MAX_DOCUMENTS: usize = 8;
/// Values of a document in JSON.
const MAX_VALUES: usize = 50_000;
/// The two types of an index.
const INDEX: [&str; 2] = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
];
/// The two types of a manifest.
const MANIFEST: [&str; 2] = [
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
];
/// Names of members that decide which image runs.
const MEMBERS: [&str; 14] = [
    "schemaVersion",
    "mediaType",
    "artifactType",
    "manifests",
    "config",
    "layers",
    "subject",
    "annotations",
    "digest",
    "size",
    "platform",
    "os",
    "architecture",
    "variant",
];
/// The type of a layer with a statement.
const IN_TOTO: &str = "application/vnd.in-toto+json";

/// Documents by their SHA-256.
#[derive(Debug, Default)]
pub struct OciDocuments<'a>(HashMap<[u8; 32], &'a str>);

impl<'a> OciDocuments<'a> {
    /// Of texts, of which the first [`MAX_DOCUMENTS`] count, and none that is larger than [`MAX_DOCUMENT`].
    #[must_use]
    pub fn of(texts: &'a [String]) -> Self {
        let texts = texts.iter().take(MAX_DOCUMENTS).map(String::as_str);
        let texts = texts.filter(|text| text.len() <= MAX_DOCUMENT);
        Self(texts.map(|text| (sha256(text.as_bytes()), text)).collect())
    }

    /// The document of a digest.
    #[must_use]
    pub fn get(&self, digest: &[u8; 32]) -> Option<&'a str> {
        self.0.get(digest).copied()
    }
}

/// What an index says of the platform that a TDX guest is, linux/amd64.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// The manifest of the image.
    pub image: [u8; 32],
    /// The manifest of what BuildKit attests about it.
    pub attestation: Option<[u8; 32]>,
}

impl Index {
    /// Reads an index. `None` if it is not one, or where a runtime could choose another image.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let value = strict_json::read(text.as_bytes(), MAX_VALUES)?;
        let index = plain(&value)?;
        let is_index = match index.get("mediaType") {
            Some(kind) => INDEX.contains(&kind.as_str()?),
            None => true,
        };
        // Docker's first format has version 1: a registry that serves the index as one lets a runtime run what other members name.
        let is_second = index.get("schemaVersion").and_then(Value::as_u64) == Some(2);
        if !is_index || !is_second || index.contains_key("config") || index.contains_key("layers") {
            return None;
        }
        let mut image = None;
        let mut attestations = Vec::new();
        for entry in index.get("manifests")?.as_array()? {
            let entry = plain(entry)?;
            let platform = plain(entry.get("platform")?)?;
            match choice(platform)? {
                // Another one for the same platform: which of them runs is for the runtime to say.
                Choice::Runs if image.is_some() => return None,
                Choice::Runs if !is_manifest(entry) => return None,
                Choice::Runs => image = Some(digest_of(entry)?),
                Choice::Other => attestations.extend(attestation(entry)),
            }
        }
        let image = image?;
        let mut about = attestations.into_iter().filter(|(_, about)| *about == image);
        let attestation = about.next().map(|(attestation, _)| attestation);
        Some(Self {
            image,
            attestation: attestation.filter(|_| about.next().is_none()),
        })
    }
}

/// Whether an entry of an index runs on linux/amd64.
enum Choice {
    Runs,
    Other,
}

/// `None` where a runtime may take it either way.
fn choice(platform: &Map<String, Value>) -> Option<Choice> {
    let text = |name: &str| match platform.get(name) {
        None => Some(""),
        Some(value) => value.as_str(),
    };
    let (os, architecture, variant) = (text("os")?, text("architecture")?, text("variant")?);
    let is_known = |name: &String| ["os", "architecture", "variant"].contains(&name.as_str());
    match (os, architecture) {
        ("linux", "amd64") if variant.is_empty() && platform.keys().all(is_known) => Some(Choice::Runs),
        ("linux", "arm" | "arm64" | "s390x" | "ppc64le" | "riscv64" | "mips64le" | "mips64" | "loong64")
        | ("unknown", "unknown")
        | ("windows", "amd64" | "arm64") => Some(Choice::Other),
        // linux/386 runs on amd64, too, and a runtime knows other names of the same.
        _ => None,
    }
}

/// An attestation manifest, and the manifest that it is about.
fn attestation(entry: &Map<String, Value>) -> Option<([u8; 32], [u8; 32])> {
    let annotations = entry.get("annotations")?;
    let text = |name: &str| annotations.get(name).and_then(Value::as_str);
    let is_one = text("vnd.docker.reference.type") == Some("attestation-manifest") && is_manifest(entry);
    let about = parse_digest(text("vnd.docker.reference.digest")?)?;
    Some((digest_of(entry)?, about)).filter(|_| is_one)
}

fn is_manifest(entry: &Map<String, Value>) -> bool {
    let kind = entry.get("mediaType").and_then(Value::as_str);
    kind.is_some_and(|kind| MANIFEST.contains(&kind))
}

fn digest_of(descriptor: &Map<String, Value>) -> Option<[u8; 32]> {
    parse_digest(descriptor.get("digest")?.as_str()?)
}

/// `sha256:` and 64 hex digits in lower case.
#[must_use]
pub fn parse_digest(text: &str) -> Option<[u8; 32]> {
    let hex = text.strip_prefix("sha256:")?;
    let is_lower = hex
        .bytes()
        .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    hex::decode(hex).ok()?.try_into().ok().filter(|_| is_lower)
}

/// The layer of an attestation manifest that holds SLSA provenance. `None` if there is not exactly one.
#[must_use]
pub fn provenance_layer(manifest: &str) -> Option<[u8; 32]> {
    let value = strict_json::read(manifest.as_bytes(), MAX_VALUES)?;
    let manifest = plain(&value)?;
    let kind = manifest.get("mediaType").and_then(Value::as_str);
    if !kind.is_some_and(|kind| MANIFEST.contains(&kind)) {
        return None;
    }
    let is_provenance = |layer: &&Map<String, Value>| {
        let annotation = layer
            .get("annotations")
            .and_then(|all| all.get("in-toto.io/predicate-type"));
        layer.get("mediaType").and_then(Value::as_str) == Some(IN_TOTO)
            && annotation.and_then(Value::as_str) == Some(PROVENANCE)
    };
    let layers = manifest.get("layers")?.as_array()?.iter().map(plain);
    let layers: Vec<&Map<String, Value>> = layers.collect::<Option<_>>()?;
    let mut found = layers.into_iter().filter(is_provenance);
    let layer = digest_of(found.next()?)?;
    found.next().is_none().then_some(layer)
}

/// An object without a member that another parser takes for one of [`MEMBERS`].
fn plain(value: &Value) -> Option<&Map<String, Value>> {
    let object = value.as_object()?;
    let is_plain = |name: &String| {
        name.is_ascii()
            && !MEMBERS
                .iter()
                .any(|known| known != name && known.eq_ignore_ascii_case(name))
    };
    object.keys().all(is_plain).then_some(object)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn digest(byte: u8) -> String {
        format!("sha256:{}", hex::encode([byte; 32]))
    }

    fn entry(byte: u8, os: &str, architecture: &str) -> Value {
        json!({
            "mediaType": MANIFEST[0], "digest": digest(byte), "size": 1,
            "platform": { "os": os, "architecture": architecture },
        })
    }

    fn attests(byte: u8, about: u8) -> Value {
        let mut entry = entry(byte, "unknown", "unknown");
        entry["annotations"] = json!({
            "vnd.docker.reference.type": "attestation-manifest",
            "vnd.docker.reference.digest": digest(about),
        });
        entry
    }

    fn index(manifests: &[Value]) -> Value {
        json!({ "schemaVersion": 2, "mediaType": INDEX[0], "manifests": manifests })
    }

    fn read(value: &Value) -> Option<Index> {
        Index::read(&value.to_string())
    }

    #[test]
    fn the_one_image_for_the_guest_is_found_with_its_attestation() {
        let all = [
            entry(1, "linux", "amd64"),
            entry(2, "linux", "arm64"),
            attests(3, 1),
            attests(4, 2),
        ];
        let found = Index {
            image: [1; 32],
            attestation: Some([3; 32]),
        };
        assert_eq!(read(&index(&all)), Some(found));
        let bare = read(&index(&all[..2])).unwrap();
        assert_eq!(bare.attestation, None);
        let two = [entry(1, "linux", "amd64"), attests(3, 1), attests(4, 1)];
        assert_eq!(read(&index(&two)).unwrap().attestation, None);
    }

    #[test]
    fn an_entry_of_another_type_is_not_an_attestation() {
        let of = |name: &str, value: Value| {
            let mut other = attests(3, 1);
            match name {
                "mediaType" => other[name] = value,
                name => other["annotations"][name] = value,
            }
            read(&index(&[entry(1, "linux", "amd64"), other]))
                .unwrap()
                .attestation
        };
        let kind = "vnd.docker.reference.type";
        assert_eq!(of(kind, json!("attestation-manifest")), Some([3; 32]));
        assert_eq!(of(kind, json!("signature")), None);
        assert_eq!(of("mediaType", json!(INDEX[0])), None);
        assert_eq!(of("vnd.docker.reference.digest", json!(digest(2))), None);
    }

    #[test]
    fn an_index_from_which_a_runtime_could_choose_otherwise_is_not_read() {
        let amd64 = || entry(1, "linux", "amd64");
        let with = |other: Value| index(&[amd64(), other]);
        let changed = |change: &dyn Fn(&mut Value)| {
            let mut value = index(&[amd64()]);
            change(&mut value);
            value
        };
        let mut bare = entry(2, "linux", "arm64");
        bare.as_object_mut().unwrap().remove("platform");
        for (name, value) in [
            ("two", with(entry(2, "linux", "amd64"))),
            ("386", with(entry(2, "linux", "386"))),
            ("another name", with(entry(2, "linux", "x86_64"))),
            ("no system", with(entry(2, "", "amd64"))),
            ("no platform", with(bare)),
            ("none", index(&[entry(2, "linux", "arm64")])),
            ("empty", index(&[])),
            (
                "variant",
                changed(&|v| v["manifests"][0]["platform"]["variant"] = json!("v3")),
            ),
            (
                "features",
                changed(&|v| v["manifests"][0]["platform"]["os.features"] = json!(["x"])),
            ),
            (
                "an index in it",
                changed(&|v| v["manifests"][0]["mediaType"] = json!(INDEX[0])),
            ),
            ("a manifest, too", changed(&|v| v["layers"] = json!([]))),
            ("another type", changed(&|v| v["mediaType"] = json!(MANIFEST[0]))),
            // A registry may serve it as Docker's first format, in which a runtime reads other members.
            ("the first format", changed(&|v| v["schemaVersion"] = json!(1))),
            (
                "no version",
                changed(&|v| drop(v.as_object_mut().unwrap().remove("schemaVersion"))),
            ),
            ("another spelling", changed(&|v| v["Manifests"] = json!([]))),
            (
                "another spelling below",
                changed(&|v| v["manifests"][0]["Digest"] = json!(digest(9))),
            ),
            (
                "another spelling of the platform",
                changed(&|v| v["manifests"][0]["Platform"] = json!({})),
            ),
            ("another letter", changed(&|v| v["manife\u{17f}ts"] = json!([]))),
            (
                "another digest",
                changed(&|v| v["manifests"][0]["digest"] = json!("sha512:00")),
            ),
        ] {
            assert_eq!(read(&value), None, "{name}");
        }
        let twice = index(&[amd64()])
            .to_string()
            .replace("\"size\":1", "\"size\":1,\"digest\":\"x\"");
        assert_eq!(Index::read(&twice), None);
    }

    #[test]
    fn one_layer_of_provenance_is_found() {
        let layer = |byte: u8, kind: &str| json!({ "mediaType": IN_TOTO, "digest": digest(byte), "annotations": { "in-toto.io/predicate-type": kind } });
        let of = |layers: Vec<Value>| {
            provenance_layer(&json!({ "mediaType": MANIFEST[0], "layers": layers }).to_string())
        };
        assert_eq!(
            of(vec![layer(1, "https://spdx.dev/Document"), layer(2, PROVENANCE)]),
            Some([2; 32])
        );
        assert_eq!(of(vec![layer(1, PROVENANCE), layer(2, PROVENANCE)]), None);
        assert_eq!(of(vec![]), None);
    }

    #[test]
    fn documents_are_known_by_their_bytes_and_bounded() {
        let texts: Vec<String> = (0..20).map(|number| number.to_string()).collect();
        let documents = OciDocuments::of(&texts);
        assert_eq!(documents.get(&sha256(b"7")), Some("7"));
        assert_eq!(documents.get(&sha256(b"8")), None);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,200}") {
            let _ = Index::read(&text);
            let _ = provenance_layer(&text);
            let _ = parse_digest(&text);
        }
    }
}
