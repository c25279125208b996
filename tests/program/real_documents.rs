//! Measurement documents of real guests, as `inspect` shows them: what follows from each is computed and compared with the quote.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::run::run;
use simulator::recorded;

const REPRODUCES: &str = "MRTD and RTMR0 to RTMR2 of the quote follow from it";

/// What is said of a file, in one line.
fn inspected(path: &Path) -> String {
    let ran = run(&["inspect".to_owned(), path.display().to_string()]);
    assert_eq!(ran.code, 0, "{}: {}", path.display(), ran.stderr);
    ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_documents_of_real_guests_reproduce_all_registers() {
    let Some(vectors) = recorded::folder() else { return };
    for (folder, image) in [
        (
            "dstack-0.6-lite",
            "e6f5cfec20c02e7b97baa213d0f718020b55e040172d90ccbcb946d56c8b09db",
        ),
        (
            "lite-normalized-qemu-8.2",
            "ed87d6ede940b1eec68fca144b7b17524f6d1056cf32c48a300b7ad44763d567",
        ),
        (
            "lite-normalized-qemu-10.2",
            "a73f9b203c3ef8c175636e1741f8aef01d42695ca638b35cd1e82597cbee01d7",
        ),
    ] {
        let page = inspected(&vectors.join(folder).join("attestation.json"));
        assert!(
            page.contains(&format!("measurement document {image} {REPRODUCES}")),
            "{folder}: {page}"
        );
    }
}

/// Final version 4, in both forms of the attestation.
#[test]
fn the_documents_in_real_certificates_reproduce_all_registers() {
    let Some(vectors) = recorded::folder() else { return };
    let folder = tempfile::tempdir().unwrap();
    let image = "98a3394699570adf5921eb17bafed62b37b4a63cad28eb5506b430b63af2e20e";
    for file in ["v0-get-tls-key.pem", "v1-issue-cert.pem"] {
        let pem = std::fs::read_to_string(vectors.join("ratls-0.6").join(file)).unwrap();
        let path = folder.path().join(file);
        std::fs::write(&path, attestation(&pem)).unwrap();
        let page = inspected(&path);
        assert!(
            page.contains(&format!("measurement document {image} {REPRODUCES}")),
            "{file}: {page}"
        );
    }
}

/// The document of a pre-release calls itself version 4 and has other keys.
#[test]
fn the_document_of_a_pre_release_is_refused() {
    let Some(vectors) = recorded::folder() else { return };
    let page = inspected(
        &vectors
            .join("lite-unnormalized-qemu-10.2-v1")
            .join("attestation.json"),
    );
    assert!(
        page.contains("the measurement document has the unknown key `image.patched_kernel_authenticode`"),
        "{page}"
    );
    assert!(!page.contains(REPRODUCES));
}

/// The attestation in the extension 1.3.6.1.4.1.62397.1.8 of the first certificate: an octet string in the extension's own.
fn attestation(pem: &str) -> Vec<u8> {
    const OID: [u8; 12] = [
        0x06, 0x0a, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x83, 0xe7, 0x3d, 0x01, 0x08,
    ];
    let body = pem.split("-----").nth(2).unwrap();
    let der = STANDARD
        .decode(body.split_whitespace().collect::<String>())
        .unwrap();
    let at = der.windows(OID.len()).position(|window| window == OID).unwrap();
    octets(octets(&der[at + OID.len()..])).to_vec()
}

/// The content of a DER octet string with a length of two bytes.
fn octets(der: &[u8]) -> &[u8] {
    assert_eq!(der[..2], [0x04, 0x82], "an octet string of 256 bytes or more");
    let length = usize::from(u16::from_be_bytes([der[2], der[3]]));
    &der[4..4 + length]
}
