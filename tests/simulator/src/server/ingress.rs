//! The evidence files of dstack-ingress under `/evidences/` (spec §1.f).

use sha2::{Digest as _, Sha256};

use super::tls::TlsIdentity;
use crate::{cvm::Cvm, report_data::ReportDataLayout};

/// Paths and contents for [`super::AppServer::serve_file`]: the account, the leaf, `sha256sum.txt` over both, and a quote
/// that binds it as `SHA-256(sha256sum.txt) ‖ 0^32`. There is no nonce in it: it can be replayed.
pub fn ingress_evidences(
    cvm: &Cvm,
    identity: &TlsIdentity,
    domain: &str,
) -> Vec<(String, Vec<u8>)> {
    let account = br#"{"status":"valid","uri":"https://acme.example/acct/1"}"#.to_vec();
    let certificate_name = format!("cert-{domain}.pem");
    let certificate = identity.leaf_pem().into_bytes();
    let line =
        |name: &str, bytes: &[u8]| format!("{}  {name}\n", hex::encode(Sha256::digest(bytes)));
    let sums = line("acme-account.json", &account) + &line(&certificate_name, &certificate);

    let mut cvm = cvm.clone();
    cvm.report_data = ReportDataLayout::replay_of(&Sha256::digest(&sums));
    let quote = cvm.attestation_body("");
    [
        ("acme-account.json".to_owned(), account),
        (certificate_name, certificate),
        ("sha256sum.txt".to_owned(), sums.into_bytes()),
        ("quote.json".to_owned(), quote.into_bytes()),
    ]
    .map(|(name, bytes)| (format!("/evidences/{name}"), bytes))
    .to_vec()
}
