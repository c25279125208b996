//! The TLS certificate of the address, the evidence in it, and which mode of the TLS binding could be had.

use url::Url;

use super::Inspector;
use super::opened::Opened;
use super::page::{Page, count, short_hex};
use crate::source::tls_host;
use cvm_verify_core::evidence::{Bundle, IngressManifest, IngressSeen, Probe, TlsHost, TlsSession};
use cvm_verify_core::verify::{
    IngressNotBound, RaTlsCertificate, ingress_evidence_of, ra_tls_evidence_of, spki_sha256,
};

/// Shows what a server presented while the evidence was fetched. Nothing is proven by it.
pub(super) fn section(page: &mut Page, bundle: &Bundle, opened: &Opened<'_>) {
    let url = bundle.source.url.as_deref().and_then(|url| Url::parse(url).ok());
    let host = url.as_ref().map(tls_host).unwrap_or_default();
    let Some(session) = bundle.tls.as_ref().and_then(|record| record.session(host)) else {
        return;
    };
    page.section("TLS (of the address)");
    let key = spki_sha256(session.chain.leaf());
    page.field("Key", key.map_or_else(|| "unreadable".to_owned(), hex::encode))
        .note("SHA-256 of the SubjectPublicKeyInfo of the certificate that answered.");
    page.field("Certificates", sizes(&session)).note_if(
        session.has_trusted_ca,
        "A trusted CA vouches for the first one and the host name.",
        "No trusted CA vouches for the first one. Its own evidence was verified before anything was sent.",
    );
    if session.other_keys > 0 {
        page.field("Other keys", session.other_keys)
            .mark("More than one key answered: a load balancer, a renewal, or two parties.");
    }
    let certificate = ra_tls_evidence_of(&session.chain);
    if let Some(Ok(certificate)) = &certificate {
        evidence_in(page, certificate);
    }
    ingress(page, &session);
    if matches!(session.probe, Probe::Quotes32 | Probe::Quotes64) {
        page.field("Probe", "quoted")
            .mark("The endpoint quotes any value that a client sends: no quote of this VM binds a key.");
    }
    let is_readable = certificate.as_ref().map(Result::is_ok);
    let (mode, note) = mode(&session, key, is_readable, opened);
    page.field("Mode", mode).note(note);
}

fn sizes(session: &TlsSession) -> String {
    let sizes: Vec<String> = session
        .chain
        .certificates()
        .map(|certificate| certificate.len().to_string())
        .collect();
    format!(
        "{} ({} bytes)",
        count(sizes.len(), "certificate"),
        sizes.join(", ")
    )
}

/// The evidence that a certificate of dstack carries.
fn evidence_in(page: &mut Page, certificate: &RaTlsCertificate) {
    let own = Opened::new(certificate.evidence(), &Inspector(()));
    let note = "The guest agent wrote it into the certificate: see docs/tls.md.";
    own.show_size(page, "Evidence in the first", note);
    if let Some(report) = &own.report {
        page.field("Its report data", hex::encode(report.report_data))
            .note("Should be SHA-512 of `ratls-cert:` and the key's SubjectPublicKeyInfo.");
    }
    if let Some(hash) = own.boot_event("compose-hash") {
        page.field("Its compose hash", short_hex(hash));
    }
}

fn ingress(page: &mut Page, session: &TlsSession) {
    match &session.ingress {
        IngressSeen::NotAsked | IngressSeen::Absent => {}
        IngressSeen::Unreachable(why) => {
            page.field("Ingress", "not fetched").note(why);
        }
        IngressSeen::Evidence(evidence) => {
            let Ok(manifest) = IngressManifest::parse(&evidence.manifest) else {
                return;
            };
            let field = page.field("Ingress", count(evidence.files.len(), "file"));
            for (name, hash) in manifest.files() {
                field.item(format!("{name} {}", hex::encode(hash)));
            }
            field.note("What /evidences/ serves: the files of dstack-ingress, whose hashes its quote holds.");
        }
    }
}

/// Which mode could be had, and why.
fn mode(
    session: &TlsSession,
    key: Option<[u8; 32]>,
    is_readable: Option<bool>,
    opened: &Opened<'_>,
) -> (&'static str, String) {
    let plain = |mode, note: &str| (mode, note.to_owned());
    match is_readable {
        Some(true) => {
            return plain(
                "ratls",
                "--tls-binding ratls: the certificate carries evidence of a dstack VM.",
            );
        }
        Some(false) => {
            return plain(
                "none",
                "The certificate is one of dstack, and its evidence cannot be read: serve it as the guest agent issued it.",
            );
        }
        None => {}
    }
    let quotes_key = opened.report.as_ref().zip(key).is_some_and(|(report, key)| {
        let (first, last) = report.report_data.split_at(32);
        first == key || last == key
    });
    if quotes_key {
        return plain(
            "app-key",
            "--tls-binding app-key: the report data holds the hash of this key.",
        );
    }
    let read = ingress_evidence_of(session);
    let is_of_an_ingress = read
        .as_ref()
        .map_or_else(IngressNotBound::is_of_an_ingress, |_| true);
    match read {
        Ok(_) => {
            return plain(
                "ingress",
                "--tls-binding ingress: the files of an ingress list a certificate of this host. It can be replayed.",
            );
        }
        Err(IngressNotBound::Refused(refusal)) if is_of_an_ingress => {
            return (
                "none",
                format!("An ingress answers, and its evidence is refused: {refusal}."),
            );
        }
        Err(_) => {}
    }
    match session.host {
        TlsHost::Gateway => plain(
            "none",
            "By its name, TLS for this address ends in a dstack gateway. Serve TLS in the app, under the name with `s`.",
        ),
        TlsHost::Passthrough | TlsHost::Other => plain(
            "none",
            "Neither the certificate, the report data nor an ingress ties this key to the VM.",
        ),
    }
}
