//! What a case says of TLS: how the address ends it, and what its server shows. A bundle records the certificates and the files of
//! an ingress; who holds the key, it does not show.

use anyhow::bail;
use serde::Deserialize;
use serde_json::{Value, json};
use simulator::server::{Ingress, RA_TLS_ATTESTATION, RA_TLS_QUOTE};
use simulator::versioned::Versioned;
use simulator::{Cvm, ReportDataLayout, TlsIdentity, TlsMode};

/// The host of every case.
const HOST: &str = "app.example";

/// How the address ends TLS.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Tls {
    /// In which way.
    pub ends: Ends,
    /// What is wrong with it, in this order.
    #[serde(default)]
    pub lies: Vec<Lie>,
    /// How many other keys answered in the run.
    #[serde(default)]
    pub other_keys: usize,
    /// What the endpoint did with report data that nobody may choose, as a bundle has it. Absent: `not-sent`.
    pub probe: Option<String>,
}

/// Where TLS ends.
#[derive(Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Ends {
    /// In the app, whose certificate carries a quote and an event log.
    Ratls,
    /// In the app, whose certificate carries a versioned attestation.
    RatlsVersioned,
    /// In the app, whose quote for the nonce holds its key before the nonce; the certificate is of a CA.
    AppKey,
    /// The same, with the key behind the nonce.
    AppKeyBehind,
    /// In an ingress in the VM.
    Ingress,
    /// Somewhere, with a certificate of a CA.
    Ca,
}

impl Ends {
    /// Whether the server's certificate is of a CA.
    fn has_ca(self) -> bool {
        match self {
            Self::Ratls | Self::RatlsVersioned => false,
            Self::AppKey | Self::AppKeyBehind | Self::Ingress | Self::Ca => true,
        }
    }
}

impl Tls {
    /// Lets the app quote its key with the nonce, if that is the way.
    pub fn prepare(&self, cvm: &mut Cvm) {
        let key = TlsIdentity::new(1, cvm.world.now, TlsMode::TestCa).key_hash();
        match self.ends {
            Ends::AppKey => cvm.report_data = ReportDataLayout::KeyThenNonce(key),
            Ends::AppKeyBehind => cvm.report_data = ReportDataLayout::NonceThenKey(key),
            Ends::Ratls | Ends::RatlsVersioned | Ends::Ingress | Ends::Ca => {}
        }
    }
}

/// One thing that is wrong.
#[derive(Deserialize, Clone, Copy, Debug)]
#[serde(rename_all = "kebab-case")]
pub enum Lie {
    /// The server has a key of its own and shows the evidence of the VM.
    OtherKey,
    /// The evidence of the address is that of a VM with another compose document.
    OtherRelease,
    /// The evidence of the address is that of another instance.
    OtherInstance,
    /// The attestation occurs twice in the certificate.
    AttestationTwice,
    /// Another quote stands beside the attestation.
    TwoQuotes,
    /// Another KMS signed the chain.
    OtherKms,
    /// The manifest of the ingress has carriage returns.
    ManifestCarriageReturn,
    /// It lists a file of another folder.
    ManifestFolder,
    /// It lists each file twice.
    ManifestTwice,
    /// A listed file is another one.
    FileChanged,
    /// The ingress has no quote.
    QuoteEmpty,
}

/// The member `tls` of the bundle.
pub fn record(tls: &Tls, cvm: &Cvm) -> anyhow::Result<Value> {
    let now = cvm.world.now;
    let mut shown = cvm.clone();
    for lie in &tls.lies {
        match lie {
            Lie::OtherRelease => shown.app_compose = shown.app_compose.replace("8080:8080", "8081:8080"),
            Lie::OtherInstance => shown.instance_id = vec![0x77; 20],
            _ => {}
        }
    }
    let mut identity = match tls.ends {
        Ends::Ratls => TlsIdentity::ra_tls(1, now, &shown),
        Ends::RatlsVersioned => TlsIdentity::ra_tls_versioned(1, now, &shown, |versioned| versioned.scale()),
        Ends::AppKey | Ends::AppKeyBehind | Ends::Ingress | Ends::Ca => {
            TlsIdentity::new(1, now, TlsMode::TestCa)
        }
    };
    let mut ingress = (tls.ends == Ends::Ingress).then(|| Ingress::of(&shown, &identity, HOST));
    for lie in &tls.lies {
        match (lie, &mut ingress) {
            (Lie::OtherRelease | Lie::OtherInstance, _) => {}
            (Lie::OtherKey, _) if tls.ends.has_ca() => identity = TlsIdentity::new(7, now, TlsMode::TestCa),
            (Lie::OtherKey, _) => {
                identity = TlsIdentity::new(7, now, TlsMode::SelfSigned).with_extensions_of(&identity);
            }
            (Lie::AttestationTwice, None) => {
                let attestation = Versioned::of(&shown.evidence("")).scale();
                identity = identity.with_ra_tls_extension(RA_TLS_ATTESTATION, &attestation);
            }
            (Lie::TwoQuotes, None) => {
                identity = identity.with_ra_tls_extension(RA_TLS_QUOTE, &shown.quote_bytes(""));
            }
            (Lie::OtherKms, None) => identity = identity.of_another_kms(99),
            (Lie::ManifestCarriageReturn, Some(ingress)) => {
                manifest(ingress, &shown, |text| text.replace('\n', "\r\n"))?;
            }
            (Lie::ManifestFolder, Some(ingress)) => {
                manifest(ingress, &shown, |text| text.replace("cert-", "../cert-"))?;
            }
            (Lie::ManifestTwice, Some(ingress)) => manifest(ingress, &shown, |text| text.repeat(2))?,
            (Lie::FileChanged, Some(ingress)) => {
                for (_, bytes) in &mut ingress.files {
                    bytes.push(b'\n');
                }
            }
            (Lie::QuoteEmpty, Some(ingress)) => ingress.quote.clear(),
            (lie, _) => bail!("{lie:?} is not a lie about TLS that ends so"),
        }
    }
    let chain: Vec<String> = identity.chain_der().iter().map(hex::encode).collect();
    let mut record = json!({
        "leaf_spki_sha256": hex::encode(identity.key_hash()),
        "chain": chain,
        "trusted_ca": tls.ends.has_ca(),
        "other_keys": tls.other_keys,
        "probe": tls.probe.as_deref().unwrap_or("not-sent"),
    });
    if let Some(ingress) = ingress {
        let files: serde_json::Map<String, Value> = ingress
            .files
            .iter()
            .map(|(name, bytes)| (name.clone(), hex::encode(bytes).into()))
            .collect();
        record["ingress"] = json!({ "evidence": {
            "host": HOST,
            "manifest": hex::encode(&ingress.manifest),
            "files": files,
            "quote": hex::encode(&ingress.quote),
        }});
    }
    Ok(record)
}

/// Another manifest, which the VM quotes.
fn manifest(ingress: &mut Ingress, cvm: &Cvm, change: impl FnOnce(&str) -> String) -> anyhow::Result<()> {
    let text = change(std::str::from_utf8(&ingress.manifest)?);
    ingress.manifest = text.into_bytes();
    *ingress = ingress.clone().quoted_by(cvm);
    Ok(())
}
