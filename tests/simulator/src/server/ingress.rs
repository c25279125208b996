//! The evidence files of dstack-ingress under `/evidences/` (spec §1.f).

use sha2::{Digest as _, Sha256};

use super::tls::TlsIdentity;
use crate::{cvm::Cvm, report_data::ReportDataLayout};

/// What an ingress serves below `/evidences/`. Each part can be replaced by a lie.
#[derive(Clone, Debug)]
pub struct Ingress {
    /// `sha256sum.txt`.
    pub manifest: Vec<u8>,
    /// The files that it lists, by name.
    pub files: Vec<(String, Vec<u8>)>,
    /// `quote.json`. There is no nonce in it: it can be replayed.
    pub quote: Vec<u8>,
}

impl Ingress {
    /// The ingress of a CVM that ends TLS for `domain` with this key: the account, the leaf, the manifest of both, and a quote
    /// that binds the manifest.
    pub fn of(cvm: &Cvm, identity: &TlsIdentity, domain: &str) -> Self {
        let account = br#"{"status":"valid","uri":"https://acme.example/acct/1"}"#.to_vec();
        Self {
            manifest: vec![],
            files: vec![
                ("acme-account.json".to_owned(), account),
                (format!("cert-{domain}.pem"), identity.leaf_pem().into_bytes()),
            ],
            quote: vec![],
        }
        .summed()
        .quoted_by(cvm)
    }

    /// With the manifest that `sha256sum` writes for its files.
    #[must_use]
    pub fn summed(mut self) -> Self {
        let line =
            |(name, bytes): &(String, Vec<u8>)| format!("{}  {name}\n", hex::encode(Sha256::digest(bytes)));
        self.manifest = self.files.iter().map(line).collect::<String>().into_bytes();
        self
    }

    /// With a quote of a CVM that binds its manifest as `SHA-256(sha256sum.txt) ‖ 0^32`.
    #[must_use]
    pub fn quoted_by(mut self, cvm: &Cvm) -> Self {
        let mut cvm = cvm.clone();
        cvm.report_data = ReportDataLayout::replay_of(&Sha256::digest(&self.manifest));
        self.quote = cvm.attestation_body("").into_bytes();
        self
    }

    /// Paths and contents for [`super::AppServer::serve_file`].
    pub fn served(&self) -> Vec<(String, Vec<u8>)> {
        let own = [("sha256sum.txt", &self.manifest), ("quote.json", &self.quote)];
        let own = own.map(|(name, bytes)| (name.to_owned(), bytes.clone()));
        self.files
            .iter()
            .cloned()
            .chain(own)
            .map(|(name, bytes)| (format!("/evidences/{name}"), bytes))
            .collect()
    }
}
