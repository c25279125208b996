//! What a case says of who built the images: the statements that were looked up about each image of the compose document, under
//! the simulated Sigstore instances that the verifier is given as its roots.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};
use simulator::{Cvm, DAY, DEFAULT_NOW, Sigstore, Workflow};

use crate::edit::JsonEdit;

/// What the keys of the two trusted instances follow from.
const SEEDS: [u64; 2] = [1, 2];

/// Who must have built the images, if a case says nothing else.
const RULE: [&str; 6] = [
    "--source-repository",
    "example/shop",
    "--source-workflow",
    ".github/workflows/release.yml",
    "--source-ref",
    "refs/tags/*",
];

/// The statements about the images.
#[derive(Deserialize, Default, Debug)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Provenance {
    /// Which instance signs.
    pub instance: Instance,
    /// Changes of the statements, in this order.
    pub changes: Vec<StatementChange>,
    /// Arguments that say who must have built the images. Absent: the repository, its release workflow and a tag.
    pub rule: Option<Vec<String>>,
    /// Whether the verifier is given no roots: those that are built in count.
    pub built_in_roots: bool,
}

/// An instance of Sigstore.
#[derive(Deserialize, Default, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Instance {
    /// One like the public one, with a transparency log and a log of certificates.
    #[default]
    Public,
    /// One like GitHub's own, with a timestamp authority and no logs.
    Github,
}

/// A change of the statement about one image, or about each.
#[derive(Deserialize, Default, Debug)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct StatementChange {
    /// A part of the image's name. Absent: each image.
    pub image: Option<String>,
    /// The image was not looked up.
    pub not_looked_up: bool,
    /// There is no statement about it.
    pub none: bool,
    /// Why the look-up has no answer, or not all of it: a kind of problem of the bundle's format.
    pub problem: Option<String>,
    /// The registry has a signature of cosign's old format.
    pub legacy_signature: bool,
    /// The changed statement is in front of the unchanged one.
    pub beside: bool,
    /// The seed of the instance that signs: another one is not trusted.
    pub signer: Option<u64>,
    /// The run of the workflow, by the names of its claims.
    pub run: BTreeMap<String, String>,
    /// The digest that the statement is about, hex.
    pub subject: Option<String>,
    /// When it was signed, logged or stamped: seconds from the capture.
    pub signed: Option<i64>,
    /// The same of its entry in the log.
    pub logged: Option<i64>,
    /// The same of its timestamp.
    pub stamped: Option<i64>,
    /// What it lacks.
    pub without: Vec<Part>,
    /// Changes of the statement before it is signed.
    pub statement: Vec<JsonEdit>,
    /// What is exchanged after it was signed.
    pub lies: Vec<Lie>,
    /// Changes of the bundle after it was signed.
    pub bundle: Vec<JsonEdit>,
}

/// A part of a bundle.
#[derive(Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// The entry in the transparency log.
    LogEntry,
    /// The timestamp of the log of certificates.
    CertificateTimestamp,
}

/// One thing that is exchanged.
#[derive(Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Lie {
    /// The signed statement is another one.
    OtherPayload,
    /// The signature is that of another statement.
    OtherSignature,
    /// The entry in the log is that of another statement.
    OtherLogEntry,
    /// The timestamp is that of another statement.
    OtherTimestamp,
    /// The certificate is that of another run.
    OtherCertificate,
}

/// The time of every signature: three days before the capture.
fn signed_at(offset: Option<i64>) -> anyhow::Result<u64> {
    let at = DEFAULT_NOW.checked_add_signed(offset.unwrap_or(-3 * DAY));
    at.context("a time")
}

fn instance(kind: Instance, seed: Option<u64>, at: u64) -> Sigstore {
    match kind {
        Instance::Public => Sigstore::new(seed.unwrap_or(SEEDS[0]), at),
        Instance::Github => Sigstore::github(seed.unwrap_or(SEEDS[1]), at),
    }
}

impl Provenance {
    /// The arguments that name the rule.
    pub fn arguments(&self) -> Vec<String> {
        match &self.rule {
            Some(rule) => rule.clone(),
            None => RULE.map(str::to_owned).to_vec(),
        }
    }

    /// The roots that the verifier is given as a file: both instances, a line each.
    pub fn roots(&self) -> anyhow::Result<Option<String>> {
        let at = signed_at(None)?;
        let both = [Instance::Public, Instance::Github];
        let lines = both.map(|kind| instance(kind, None, at).trusted_root().to_string() + "\n");
        Ok((!self.built_in_roots).then(|| lines.concat()))
    }

    /// The member `provenance` of the bundle.
    pub fn record(&self, cvm: &Cvm, captured_at: &str) -> anyhow::Result<Value> {
        let compose: Value = serde_json::from_str(&cvm.app_compose)?;
        let file = compose["docker_compose_file"].as_str().unwrap_or_default();
        let mut rows = vec![];
        let images = file.lines().filter_map(|line| line.trim().strip_prefix("image:"));
        for image in images.map(str::trim) {
            // Nothing is looked up about an image without a digest.
            let Some((name, digest)) = image.split_once("@sha256:") else {
                continue;
            };
            let changes = || {
                let is_about =
                    |change: &&StatementChange| change.image.as_ref().is_none_or(|part| name.contains(part));
                self.changes.iter().filter(is_about)
            };
            if changes().any(|change| change.not_looked_up) {
                continue;
            }
            let mut bundles = vec![];
            for change in changes().filter(|change| !change.none) {
                bundles.push(
                    change
                        .bundle(self.instance, name, digest)
                        .with_context(|| format!("{change:?}"))?,
                );
            }
            let is_replaced = changes().any(|change| change.none || !change.beside);
            if !is_replaced {
                bundles.push(StatementChange::default().bundle(self.instance, name, digest)?);
            }
            let mut row = json!({
                "image": image,
                "from": "github-api",
                "fetched_at": captured_at,
                "bundles": bundles,
            });
            if let Some(kind) = changes().find_map(|change| change.problem.as_ref()) {
                row["problem"] = json!({ "kind": kind, "detail": "the simulator says so" });
            }
            if changes().any(|change| change.legacy_signature) {
                row["legacy_signature"] = true.into();
            }
            rows.push(row);
        }
        Ok(rows.into())
    }
}

impl StatementChange {
    /// The signed statement about an image.
    fn bundle(&self, kind: Instance, name: &str, digest: &str) -> anyhow::Result<Value> {
        let at = signed_at(self.signed)?;
        let mut sigstore = instance(kind, self.signer, at);
        if self.logged.is_some() {
            sigstore.logged_at = signed_at(self.logged)?;
        }
        if self.stamped.is_some() {
            sigstore.stamped_at = Some(signed_at(self.stamped)?);
        }
        for part in &self.without {
            match part {
                Part::LogEntry => sigstore.is_logged = false,
                Part::CertificateTimestamp => sigstore.has_sct = false,
            }
        }
        let mut workflow = Workflow::default();
        for (claim, value) in &self.run {
            let claim = match claim.as_str() {
                "repository" => &mut workflow.repository,
                "workflow-repository" => &mut workflow.workflow_repository,
                "path" => &mut workflow.path,
                "ref" => &mut workflow.git_ref,
                "commit" => &mut workflow.commit,
                "runner" => &mut workflow.runner,
                "trigger" => &mut workflow.trigger,
                "issuer" => &mut workflow.issuer,
                "github" => &mut workflow.github,
                "repository-id" => {
                    workflow.repository_id = value.parse()?;
                    continue;
                }
                other => bail!("unknown claim {other:?}"),
            };
            claim.clone_from(value);
        }
        let digest = self.subject.as_deref().unwrap_or(digest);
        let mut statement = workflow.provenance(name, digest).to_string();
        for edit in &self.statement {
            edit.apply(&mut statement).with_context(|| format!("{edit:?}"))?;
        }
        let statement: Value = serde_json::from_str(&statement)?;
        let mut bundle = sigstore.sign(&workflow, &statement);
        for lie in &self.lies {
            lie.apply(&mut bundle, &sigstore, &workflow, name);
        }
        let mut text = bundle.to_string();
        for edit in &self.bundle {
            edit.apply(&mut text).with_context(|| format!("{edit:?}"))?;
        }
        Ok(serde_json::from_str(&text)?)
    }
}

impl Lie {
    fn apply(self, bundle: &mut Value, sigstore: &Sigstore, workflow: &Workflow, name: &str) {
        let zeros = "00".repeat(32);
        let other_statement = workflow.provenance(name, &zeros);
        let mut other_workflow = workflow.clone();
        let of_other_run = self == Self::OtherCertificate;
        if of_other_run {
            // Its key follows from the file of the workflow.
            other_workflow.path = ".github/workflows/test.yml".to_owned();
        }
        let other = sigstore.sign(&other_workflow, &other_statement);
        let parts: &[&str] = match self {
            Self::OtherPayload => {
                let payload = STANDARD.encode(other_statement.to_string());
                bundle["dsseEnvelope"]["payload"] = payload.into();
                return;
            }
            Self::OtherSignature => &["dsseEnvelope", "signatures"],
            Self::OtherLogEntry => &["verificationMaterial", "tlogEntries"],
            Self::OtherTimestamp => &["verificationMaterial", "timestampVerificationData"],
            Self::OtherCertificate => &["verificationMaterial", "certificate"],
        };
        bundle[parts[0]][parts[1]] = other[parts[0]][parts[1]].clone();
    }
}
