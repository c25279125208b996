//! Measurement documents of real guests, as `inspect` shows them: what follows from each is computed and compared with the quote.

use std::path::Path;

use cvm_verify_core::report::CheckId::*;
use cvm_verify_core::report::Status::*;

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
    let image = "98a3394699570adf5921eb17bafed62b37b4a63cad28eb5506b430b63af2e20e";
    for file in ["v0-get-tls-key.pem", "v1-issue-cert.pem"] {
        let page = inspected(&vectors.join("ratls-0.6").join(file));
        assert!(
            page.contains(&format!("measurement document {image} {REPRODUCES}")),
            "{file}: {page}"
        );
    }
}

/// Certificates of dstack 0.5 carry quote and event log, and others nothing.
#[test]
fn a_certificate_is_read_as_the_evidence_that_it_carries() {
    let Some(vectors) = recorded::folder() else { return };
    let app = vectors.join("base-chain-2025/app-ratls-chain.pem");
    let page = inspected(&app);
    for says in [
        "those of dstack-0.5.3",
        "4a328ba9b9fade85762df846414b013cc29ff64a611c221c08b054039f677a66",
    ] {
        assert!(page.contains(says), "{says}: {page}");
    }
    let app = app.display().to_string();
    let collateral = vectors
        .join("cases/solver-alice/collateral.json")
        .display()
        .to_string();
    let at = "--at=2025-09-02T12:00:00Z";
    for option in [&["--attestation", &app][..], &[&app]] {
        let nonce = ["--nonce", &"ab".repeat(32)];
        run(&[&["replay"], option, &nonce].concat()).assert_usage_error(
            "--nonce: the quote in a certificate signs the certificate's key and no nonce",
        );
        let more = ["--collateral", &collateral, at, "--format=json"];
        let ran = run(&[&["replay"], option, &more].concat());
        ran.assert(QuoteSignature, Pass, None);
        ran.assert(EventLog, Pass, None);
        ran.assert(OsImage, Fail, Some("vulnerable-image"));
    }
    let gateway = vectors
        .join("base-chain-2025/gateway-tls-chain.pem")
        .display()
        .to_string();
    run(&["inspect", &gateway]).assert_usage_error(
        "the certificate is refused: it carries neither a quote (extension .1) nor an attestation",
    );
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
