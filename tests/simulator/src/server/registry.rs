//! A container registry on loopback that imitates those of others: what it lists, where it keeps blobs, how it gives tokens.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{
    listener::Request,
    scripted::{Scripted, ScriptedServer},
};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const EMPTY: &str = "application/vnd.oci.empty.v1+json";

/// Whose ways a registry has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegistryWays {
    /// As the specification says: lists of referrers, no token.
    Specified,
    /// GHCR: a redirect to a web page instead of a list of referrers, a tag whose types say nothing, blobs on another host.
    Ghcr,
    /// Docker Hub: an empty list of referrers, a tag, blobs on another host.
    DockerHub,
    /// ECR Public: lists of referrers, and a challenge whose scope means nothing.
    Ecr,
}

/// Who may pull, and how that is shown.
#[derive(Clone, Debug)]
pub struct RegistryAccess {
    /// `USERNAME:PASSWORD`; `None` for everybody.
    pub account: Option<&'static str>,
    /// Whether the registry takes them itself (as Amazon's private ones), instead of its token service.
    pub takes_them_itself: bool,
    /// The address of the token service, if it is on another host.
    pub token_service: Option<String>,
    /// How many referrers a page lists; 0 for all.
    pub page: usize,
}

impl RegistryAccess {
    /// Open to everybody; an anonymous token where the ways ask for one; all referrers on one page.
    pub const OPEN: Self = Self {
        account: None,
        takes_them_itself: false,
        token_service: None,
        page: 0,
    };
}

/// What a registry holds.
#[derive(Debug, Default)]
struct Held {
    /// Manifests by digest and by tag.
    manifests: BTreeMap<String, Vec<u8>>,
    blobs: BTreeMap<String, Vec<u8>>,
    /// Descriptors by the digest that they refer to.
    referrers: BTreeMap<String, Vec<Value>>,
}

/// A registry, and the host that it keeps its blobs on.
pub struct ImageRegistry {
    held: Arc<Mutex<Held>>,
    server: ScriptedServer,
    blobs: Arc<ScriptedServer>,
}

impl ImageRegistry {
    /// An empty registry.
    ///
    /// # Panics
    /// When loopback has no free port.
    pub fn start(ways: RegistryWays) -> Self {
        Self::behind(RegistryAccess::OPEN, ways)
    }

    /// An empty registry that not everybody may pull from, or that lists in pages.
    ///
    /// # Panics
    /// When loopback has no free port.
    pub fn behind(door: RegistryAccess, ways: RegistryWays) -> Self {
        let held = Arc::new(Mutex::new(Held::default()));
        let kept = Arc::clone(&held);
        let blobs = Arc::new(ScriptedServer::http(move |request| {
            let digest = request.path().trim_start_matches('/').to_owned();
            found(lock(&kept).blobs.get(&digest), "application/octet-stream")
        }));
        let (kept, elsewhere) = (Arc::clone(&held), blobs.url());
        let server =
            ScriptedServer::http(move |request| answer(&door, ways, &lock(&kept), &elsewhere, request));
        Self { held, server, blobs }
    }

    /// `127.0.0.1:<port>`
    pub fn host(&self) -> String {
        self.server.url().trim_start_matches("http://").to_owned()
    }

    /// Every request to the registry so far.
    pub fn requests(&self) -> Vec<Request> {
        self.server.requests()
    }

    /// Every request to the host of its blobs.
    pub fn blob_requests(&self) -> Vec<Request> {
        self.blobs.requests()
    }

    /// Takes a manifest or an index; its digest, `sha256:HEX`.
    pub fn push(&self, manifest: &Value) -> String {
        let bytes = manifest.to_string().into_bytes();
        let digest = digest_of(&bytes);
        lock(&self.held).manifests.insert(digest.clone(), bytes);
        digest
    }

    /// Takes a blob; its digest.
    pub fn push_blob(&self, blob: &str) -> String {
        let digest = digest_of(blob.as_bytes());
        lock(&self.held)
            .blobs
            .insert(digest.clone(), blob.as_bytes().to_vec());
        digest
    }

    /// Takes other bytes under a blob's digest.
    pub fn swap_blob(&self, digest: &str, blob: &str) {
        lock(&self.held)
            .blobs
            .insert(digest.to_owned(), blob.as_bytes().to_vec());
    }

    /// Takes a manifest of an image for a platform; its digest. Another `salt` is another image.
    pub fn push_image(&self, salt: &str) -> String {
        let config = self.push_blob(&json!({ "salt": salt }).to_string());
        self.push(&json!({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": { "mediaType": "application/vnd.oci.image.config.v1+json", "digest": config, "size": 2 },
            "layers": [],
        }))
    }

    /// Takes an index with these entries: digest, operating system and architecture.
    pub fn push_index(&self, entries: &[(&str, &str, &str)]) -> String {
        let entry = |(digest, os, architecture): &(&str, &str, &str)| {
            json!({
                "mediaType": MANIFEST, "digest": digest, "size": 2,
                "platform": { "os": os, "architecture": architecture },
            })
        };
        let entries: Vec<Value> = entries.iter().map(entry).collect();
        self.push(&json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": entries }))
    }

    /// Puts a bundle beside a digest, as cosign does.
    pub fn attach(&self, subject: &str, bundle: &Value) {
        self.attach_to(subject, subject, bundle);
    }

    /// Lists a bundle beside a digest, under a manifest that is about another one.
    pub fn attach_to(&self, listed: &str, subject: &str, bundle: &Value) {
        let blob = self.push_blob(&bundle.to_string());
        let manifest = self.push(&json!({
            "schemaVersion": 2, "mediaType": MANIFEST, "artifactType": BUNDLE,
            "config": { "mediaType": EMPTY, "digest": digest_of(b"{}"), "size": 2 },
            "layers": [{ "mediaType": BUNDLE, "digest": blob, "size": 2 }],
            "subject": { "mediaType": MANIFEST, "digest": subject, "size": 2 },
        }));
        let descriptor =
            json!({ "mediaType": MANIFEST, "digest": manifest, "size": 2, "artifactType": BUNDLE });
        let mut held = lock(&self.held);
        held.referrers
            .entry(listed.to_owned())
            .or_default()
            .push(descriptor);
    }

    /// Tags anything, as cosign did with its signatures before version 3.
    pub fn tag(&self, tag: &str) {
        let manifest = json!({ "schemaVersion": 2, "mediaType": MANIFEST, "layers": [] });
        lock(&self.held)
            .manifests
            .insert(tag.to_owned(), manifest.to_string().into_bytes());
    }
}

fn lock(held: &Mutex<Held>) -> std::sync::MutexGuard<'_, Held> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

fn digest_of(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

fn found(bytes: Option<&Vec<u8>>, content_type: &'static str) -> Scripted {
    match bytes {
        Some(bytes) => Scripted::of(200, content_type, bytes.clone()),
        None => unknown(),
    }
}

fn unknown() -> Scripted {
    let error = json!({ "errors": [{ "code": "MANIFEST_UNKNOWN", "message": "manifest unknown" }] });
    Scripted::of(404, "application/json", error.to_string().into_bytes())
}

/// The token service of a registry: a token for the scope, if the account is the right one.
pub fn registry_token(account: Option<&str>, request: &Request) -> Scripted {
    let scope = request.parameter("scope").unwrap_or_default();
    let right = request.parameter("service").as_deref() == Some("registry.simulator");
    if account.is_some() && request.header("authorization") != account.map(basic).as_deref() {
        return Scripted::of(401, "application/json", b"{}".to_vec());
    }
    match right && scope.starts_with("repository:") && scope.ends_with(":pull") {
        true => Scripted::json(json!({ "token": token(&scope) })),
        false => Scripted::of(400, "application/json", b"{}".to_vec()),
    }
}

fn basic(account: &str) -> String {
    format!("Basic {}", STANDARD.encode(account))
}

fn answer(
    door: &RegistryAccess,
    ways: RegistryWays,
    held: &Held,
    blobs: &str,
    request: &Request,
) -> Scripted {
    let path = request.path();
    if path == "/token" {
        return registry_token(door.account, request);
    }
    let parts = path.trim_start_matches("/v2/");
    let places = ["/manifests/", "/blobs/", "/referrers/"];
    let Some((name, place, reference)) = places
        .iter()
        .find_map(|place| parts.split_once(place).map(|(name, rest)| (name, *place, rest)))
    else {
        return unknown();
    };
    let scope = format!("repository:{name}:pull");
    let is_open = ways == RegistryWays::Specified && door.account.is_none();
    let expected = match door.account.filter(|_| door.takes_them_itself) {
        Some(account) => basic(account),
        None => format!("Bearer {}", token(&scope)),
    };
    if !is_open && request.header("authorization") != Some(&expected) {
        if door.takes_them_itself {
            let challenge = "Basic realm=\"registry.simulator\",service=\"ecr.amazonaws.com\"";
            return Scripted::of(401, "text/plain", Vec::new()).header("WWW-Authenticate", challenge);
        }
        let own = format!("http://{}/token", request.header("host").unwrap_or_default());
        let realm = door.token_service.as_ref().unwrap_or(&own);
        let named = match ways {
            RegistryWays::Ecr => "aws",
            _ => "repository:user/image:pull",
        };
        let challenge = format!("Bearer realm=\"{realm}\",service=\"registry.simulator\",scope=\"{named}\"");
        return Scripted::of(401, "application/json", b"{}".to_vec()).header("WWW-Authenticate", challenge);
    }
    match (place, ways) {
        ("/manifests/", _) => manifest(ways, held, reference),
        ("/blobs/", RegistryWays::Ghcr | RegistryWays::DockerHub) => {
            Scripted::of(307, "text/plain", Vec::new()).header("Location", format!("{blobs}/{reference}"))
        }
        ("/blobs/", _) => found(held.blobs.get(reference), "application/octet-stream"),
        (_, RegistryWays::Ghcr) => Scripted::of(303, "text/html", Vec::new()).header(
            "Location",
            "https://github.com/-/v2/packages/container/web/referrers",
        ),
        (_, RegistryWays::DockerHub) => list(&[]),
        _ => {
            let all = held.referrers.get(reference).map_or(&[][..], Vec::as_slice);
            page(all, door.page, request)
        }
    }
}

/// A page of a list, with a link to the next one.
fn page(all: &[Value], size: usize, request: &Request) -> Scripted {
    let number: usize = request
        .parameter("page")
        .and_then(|number| number.parse().ok())
        .unwrap_or_default();
    let mut pages = all.chunks(match size {
        0 => usize::MAX,
        size => size,
    });
    let listed = list(pages.nth(number).unwrap_or(&[]));
    match pages.next() {
        Some(_) => {
            let next = format!("<{}?page={}>; rel=\"next\"", request.path(), number + 1);
            listed.header("Link", next)
        }
        None => listed,
    }
}

/// A manifest by digest or tag; the tag of a digest lists what refers to it, where the registry keeps no lists.
fn manifest(ways: RegistryWays, held: &Held, reference: &str) -> Scripted {
    let tagged = reference
        .strip_prefix("sha256-")
        .map(|hex| format!("sha256:{hex}"));
    let listed = tagged.and_then(|digest| held.referrers.get(&digest));
    match (listed, ways) {
        (Some(listed), RegistryWays::Ghcr) => {
            let mut listed = listed.clone();
            for descriptor in &mut listed {
                descriptor["artifactType"] = json!(EMPTY);
            }
            list(&listed)
        }
        (Some(listed), RegistryWays::DockerHub) => list(listed),
        _ => found(held.manifests.get(reference), MANIFEST),
    }
}

fn list(manifests: &[Value]) -> Scripted {
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": manifests });
    Scripted::of(200, INDEX, index.to_string().into_bytes())
}

/// The token for a scope.
fn token(scope: &str) -> String {
    format!("anonymous-{}", hex::encode(scope))
}
