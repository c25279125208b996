//! What a case says of the KMS that gives the app its keys: its VM, its certificate, its answer to GetMeta, and evidence of how its
//! root keys were made. It becomes an entry of the bundle's `kms`.

use anyhow::Context as _;
use serde::Deserialize;
use serde_json::{Value, json};
use simulator::kms::bootstrap;
use simulator::server::{RA_TLS_APP_ID, RA_TLS_ATTESTATION, RA_TLS_EVENT_LOG, RA_TLS_QUOTE, RA_TLS_USAGE};
use simulator::{Cvm, ReportDataLayout, TlsIdentity, TlsMode};

use crate::edit::JsonEdit;
use crate::recipe::{self, Recipe};

/// Where the KMS of every case answers.
pub const HOST: &str = "localhost:8443";

/// What one KMS showed.
#[derive(Deserialize, Default, Debug)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Kms {
    /// Generation of its VM, as `guest` of a recipe. The policy describes that one.
    pub guest: Option<String>,
    /// What its operator changed of its VM. The policy does not know of it.
    pub hostile: Recipe,
    /// Which root key it has. Absent: the one that the app's keys come from.
    pub root: Option<u64>,
    /// How its certificate carries the evidence.
    pub certificate: Certificate,
    /// What is wrong with its certificate, in this order.
    pub lies: Vec<Lie>,
    /// Whose root certificate its answer to GetMeta shows. Absent: its own.
    pub meta_of_root: Option<u64>,
    /// Changes of its answer to GetMeta, in this order.
    pub meta: Vec<JsonEdit>,
    /// The name that it was asked by. Absent: [`HOST`].
    pub host: Option<String>,
    /// How many other keys answered in the run.
    pub other_keys: usize,
    /// Why there is no connection or no answer.
    pub problem: Option<String>,
    /// What was not recorded.
    pub without: Vec<Part>,
    /// Evidence of how its root keys were made, from elsewhere than its own answer.
    pub bootstraps: Vec<Bootstrap>,
}

/// How a certificate carries the evidence of the VM.
#[derive(Deserialize, Default, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Certificate {
    /// As one versioned attestation in MessagePack (dstack 0.5.9 and later).
    #[default]
    Msgpack,
    /// As one versioned attestation in SCALE.
    Scale,
    /// As a quote and an event log (before).
    QuoteAndLog,
}

/// One thing that is wrong with a certificate.
#[derive(Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Lie {
    /// The server has a key of its own and shows the evidence of the KMS.
    OtherKey,
    /// It carries no evidence of a VM.
    NoEvidence,
    /// It is the certificate of a CA, as a proxy has it.
    OfCa,
    /// It is the certificate of an app of this KMS.
    OfApp,
    /// It is the certificate of an app's CA, which the root key signs for every app.
    OfAppCa,
    /// It says that it is for the use of an app.
    UsageOfApp,
    /// It says twice what it is for.
    UsageTwice,
    /// It says another app id than its VM recorded.
    OtherAppId,
}

/// A part of a record.
#[derive(Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// The certificates.
    Chain,
    /// The answer to GetMeta.
    Meta,
    /// The collateral for the quote in the certificate.
    Collateral,
    /// The collateral for the quote of the bootstrap in the answer.
    BootstrapCollateral,
}

/// Evidence of how root keys were made.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Bootstrap {
    /// `file`, or `contract`: `kmsInfo()` of the contract.
    pub source: String,
    /// Which root key it is about. Absent: the one that the app's keys come from.
    pub root: Option<u64>,
    /// What is changed of the VM that made the keys.
    #[serde(default)]
    pub hostile: Recipe,
    /// Whether the quote is that of two other keys.
    #[serde(default)]
    pub other_keys: bool,
    /// Changes of the document, in this order.
    #[serde(default)]
    pub edits: Vec<JsonEdit>,
    /// The whole text in the place of a document.
    pub text: Option<String>,
    /// Whether the collateral for its quote is left out.
    #[serde(default)]
    pub without_collateral: bool,
}

impl Kms {
    /// The KMS as it should be, in the world of the honest app.
    pub fn honest(&self, app: &Cvm) -> anyhow::Result<simulator::Kms> {
        let guest = self.guest.as_deref().unwrap_or("0.5.5");
        Ok(simulator::Kms::on(recipe::guest(guest, &app.world)?))
    }

    fn real(&self, app: &Cvm) -> anyhow::Result<simulator::Kms> {
        let honest = self.honest(app)?;
        let mut cvm = honest.cvm;
        self.hostile.apply(&mut cvm).context("hostile")?;
        let mut kms = simulator::Kms::of(cvm, self.root.unwrap_or(honest.root));
        if let Some(root) = self.meta_of_root {
            kms.meta["ca_cert"] = simulator::kms::root_certificate(&kms.cvm.world, root).into();
        }
        let mut meta = kms.meta.to_string();
        for edit in &self.meta {
            edit.apply(&mut meta).with_context(|| format!("meta: {edit:?}"))?;
        }
        kms.meta = serde_json::from_str(&meta)?;
        Ok(kms)
    }

    /// The build that answers, by `mr_aggregated`.
    pub fn build(&self, app: &Cvm) -> anyhow::Result<[u8; 32]> {
        Ok(self.real(app)?.cvm.mr_aggregated())
    }

    /// The entry of the bundle's `kms`. `app` is the honest app.
    pub fn record(&self, app: &Cvm) -> anyhow::Result<Value> {
        let kms = self.real(app)?;
        let has = |part| !self.without.contains(&part);
        let collateral = || -> anyhow::Result<Value> {
            let document: Value = serde_json::from_str(&kms.cvm.world.collateral_json())?;
            Ok(json!({ "document": document, "fetched_at": null }))
        };
        let chain = self.identity(&kms, app).chain_der();
        let chain: Vec<String> = chain.iter().map(hex::encode).collect();
        let mut record = json!({
            "host": self.host.as_deref().unwrap_or(HOST),
            "chain": if has(Part::Chain) { chain } else { vec![] },
            "other_keys": self.other_keys,
        });
        if has(Part::Meta) {
            record["meta"] = kms.meta.to_string().into();
        }
        if let Some(problem) = &self.problem {
            record["problem"] = problem.as_str().into();
        }
        if has(Part::Collateral) {
            record["collateral"] = collateral()?;
        }
        if has(Part::BootstrapCollateral) {
            record["bootstrap_collateral"] = collateral()?;
        }
        let mut bootstraps = vec![];
        for one in &self.bootstraps {
            let mut recorded = json!({ "source": one.source, "evidence": one.text(&self.honest(app)?)? });
            if !one.without_collateral {
                recorded["collateral"] = collateral()?;
            }
            bootstraps.push(recorded);
        }
        if !bootstraps.is_empty() {
            record["bootstraps"] = bootstraps.into();
        }
        Ok(record)
    }

    fn identity(&self, kms: &simulator::Kms, app: &Cvm) -> TlsIdentity {
        let now = kms.cvm.world.now;
        let mut identity = kms.identity(1, now);
        if self.certificate != Certificate::Msgpack {
            let mut quoting = kms.cvm.clone();
            quoting.report_data = ReportDataLayout::ra_tls(&identity.spki_der());
            let evidence = quoting.evidence("");
            identity = identity.without_ra_tls_extension(RA_TLS_ATTESTATION);
            identity = match self.certificate {
                Certificate::Scale => {
                    let attestation = simulator::versioned::Versioned::of(&evidence).scale();
                    identity.with_ra_tls_extension(RA_TLS_ATTESTATION, &attestation)
                }
                _ => {
                    let log = simulator::event_log::to_json(&evidence.event_log).to_string();
                    identity
                        .with_ra_tls_extension(RA_TLS_QUOTE, &evidence.quote)
                        .with_ra_tls_extension(RA_TLS_EVENT_LOG, log.as_bytes())
                }
            };
        }
        for lie in &self.lies {
            identity = match lie {
                Lie::OtherKey => TlsIdentity::kms(9, now, &kms.cvm, kms.root).with_extensions_of(&identity),
                Lie::NoEvidence => [RA_TLS_ATTESTATION, RA_TLS_QUOTE, RA_TLS_EVENT_LOG]
                    .into_iter()
                    .fold(identity, TlsIdentity::without_ra_tls_extension),
                Lie::OfCa => TlsIdentity::new(1, now, TlsMode::TestCa),
                Lie::OfApp => TlsIdentity::ra_tls(1, now, app),
                Lie::OfAppCa => {
                    let app = TlsIdentity::ra_tls(1, now, app);
                    let chain = app.chain_der().into_iter().skip(1).collect();
                    app.presenting_chain(chain)
                }
                Lie::UsageOfApp => identity
                    .without_ra_tls_extension(RA_TLS_USAGE)
                    .with_ra_tls_extension(RA_TLS_USAGE, b"app:custom"),
                Lie::UsageTwice => identity.with_ra_tls_extension(RA_TLS_USAGE, b"kms:rpc"),
                Lie::OtherAppId => identity.with_ra_tls_extension(RA_TLS_APP_ID, &[7; 20]),
            };
        }
        identity
    }
}

impl Bootstrap {
    /// The document. `honest` is the KMS as it should be.
    pub fn text(&self, honest: &simulator::Kms) -> anyhow::Result<String> {
        if let Some(text) = &self.text {
            return Ok(text.clone());
        }
        let mut cvm = honest.cvm.clone();
        self.hostile.apply(&mut cvm).context("bootstraps: hostile")?;
        let kms = simulator::Kms::of(cvm, self.root.unwrap_or(honest.root));
        let mut document = kms.meta["bootstrap_info"].clone();
        if self.other_keys {
            let ca = hex::decode(document["ca_pubkey"].as_str().unwrap_or_default())?;
            document["quote"] = bootstrap(&kms.cvm, &ca, &[3; 33])["quote"].clone();
        }
        let mut text = document.to_string();
        for edit in &self.edits {
            edit.apply(&mut text).with_context(|| format!("{edit:?}"))?;
        }
        Ok(text)
    }
}
