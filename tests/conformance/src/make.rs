//! Makes the evidence of each case: a bundle, and its line in `corpus.json`.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use simulator::{Cvm, World};

use crate::case::{Case, Expected};
use crate::edit::Edit;
use crate::gpu::Gpu;
use crate::values::Values;
use crate::{chain, gpu, policy, tls};

/// The name of the file with all cases.
pub const INDEX: &str = "corpus.json";

/// The nonce of every case, hex.
const NONCE: &str = "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a";
/// The time of the simulated world.
const CAPTURED_AT: &str = "2026-10-01T12:00:00Z";

/// `corpus.json`.
#[derive(Serialize, Deserialize)]
pub struct Index {
    /// `cvm-verify/corpus/v1`.
    pub schema: String,
    /// The cases.
    pub cases: Vec<Made>,
}

/// A case as a verifier gets it.
#[derive(Serialize, Deserialize)]
pub struct Made {
    /// The name.
    pub name: String,
    /// What is wrong, or right.
    pub about: String,
    /// Numbers of the threat list.
    pub threats: Vec<String>,
    /// The bundle's file, relative to `corpus.json`.
    pub bundle: String,
    /// The trust root's file.
    pub root: String,
    /// The arguments beside both. `{folder}` stands for the folder of `corpus.json`.
    pub arguments: Vec<String>,
    /// How it must end.
    pub expected: Expected,
}

/// Writes all of them into a folder.
pub fn all(cases: &[Case], folder: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder)?;
    let mut made = vec![];
    for case in cases {
        made.push(one(case, folder).with_context(|| format!("case {:?}", case.name))?);
    }
    let index = Index {
        schema: "cvm-verify/corpus/v1".to_owned(),
        cases: made,
    };
    fs::write(folder.join(INDEX), serde_json::to_string_pretty(&index)? + "\n")?;
    Ok(())
}

fn one(case: &Case, folder: &Path) -> anyhow::Result<Made> {
    let honest = case.honest.build().context("honest")?;
    let mut cvm = honest.clone();
    case.hostile.apply(&mut cvm).context("hostile")?;
    for edit in &case.edits {
        edit.prepare(&mut cvm).with_context(|| format!("{edit:?}"))?;
    }

    if let Some(tls) = &case.tls {
        tls.prepare(&mut cvm);
    }
    let gpu = match &case.gpu {
        Some(gpu) => gpu.show(&mut cvm, &nonce()?).context("gpu")?,
        None => None,
    };
    let values = values(case, &honest)?;
    let folder = CaseFolder {
        folder,
        case: &case.name,
    };
    let pem = honest.world.root_pem();
    let root = folder.write("root.pem", &pem, pem == World::default().root_pem())?;
    let bundle = folder.write(
        "evidence.json",
        &bundle_of(&cvm, &honest, case, &values, gpu)?,
        false,
    )?;

    let arguments = case.arguments.clone().unwrap_or_else(|| {
        [
            "--compose-hash",
            "{compose-hash}",
            "--os-image",
            "{os-image}",
            "--key-provider",
            "{key-provider}",
        ]
        .map(str::to_owned)
        .to_vec()
    });
    let mut arguments: Vec<String> = arguments
        .iter()
        .chain(&case.more_arguments)
        .map(|argument| values.fill(argument))
        .collect();
    for (whose, pem) in case.gpu.iter().flat_map(Gpu::roots) {
        let file = folder.write(&format!("{whose}-root.pem"), &pem, true)?;
        let root = format!("{whose}={{folder}}/{file}");
        arguments.extend(["--insecure-trust-root".to_owned(), root]);
    }
    if let Some(provenance) = &case.provenance {
        arguments.extend(provenance.arguments());
        if let Some(text) = provenance.roots()? {
            let file = folder.write("sigstore-roots.jsonl", &text, true)?;
            arguments.extend(["--sigstore-root".to_owned(), format!("{{folder}}/{file}")]);
        }
    }
    if let Some(policy) = &case.policy {
        let file = write_policy(policy, case, &honest, &values, &folder).context("policy")?;
        let target = ["--config".to_owned(), format!("{{folder}}/{file}")];
        arguments.extend(
            target
                .into_iter()
                .chain(["--target", policy::TARGET].map(str::to_owned)),
        );
    }
    Ok(Made {
        name: case.name.clone(),
        about: case.about.clone(),
        threats: case.threats.clone(),
        bundle,
        root,
        arguments,
        expected: case.expected.clone(),
    })
}

/// The nonce of every case.
fn nonce() -> anyhow::Result<[u8; 32]> {
    let bytes = hex::decode(NONCE)?;
    bytes.try_into().ok().context("32 bytes")
}

/// Where the files of a case are written.
struct CaseFolder<'a> {
    folder: &'a Path,
    case: &'a str,
}

impl CaseFolder<'_> {
    /// Writes a file, under a name that all cases share or under one of the case. The name.
    fn write(&self, name: &str, text: &str, is_shared: bool) -> anyhow::Result<String> {
        let name = if is_shared {
            name.to_owned()
        } else {
            format!("{}.{name}", self.case)
        };
        fs::write(self.folder.join(&name), text)?;
        Ok(name)
    }
}

/// Writes the policy file with the files that it names. Its name.
fn write_policy(
    policy: &policy::Policy,
    case: &Case,
    honest: &Cvm,
    values: &Values,
    folder: &CaseFolder<'_>,
) -> anyhow::Result<String> {
    let reference = folder.write("reference.toml", &policy.reference(values)?, false)?;
    let lock = policy
        .lock(values)
        .map(|text| folder.write("lock", &text, false))
        .transpose()?;
    let text = policy.text(values, lock.as_deref(), &reference)?;
    if text.contains(BOOTSTRAP_FILE) {
        let kms = case
            .kms
            .first()
            .context("a file of bootstrap evidence belongs to a KMS")?;
        let file = kms.bootstraps.iter().find(|one| one.source == "file");
        let own = kms.honest(honest)?;
        let text = match file {
            Some(file) => file.text(&own)?,
            None => own.meta["bootstrap_info"].to_string(),
        };
        folder.write(BOOTSTRAP_FILE, &text, false)?;
    }
    folder.write("policy.toml", &text, false)
}

/// The end of the name of a file with evidence of how the root keys of a KMS were made.
const BOOTSTRAP_FILE: &str = "kms-bootstrap.json";

/// What `{…}` stands for in a case.
fn values(case: &Case, honest: &Cvm) -> anyhow::Result<Values> {
    let values = Values::of(honest);
    if case.kms.is_empty() && case.chain.is_none() && case.policy.is_none() {
        return Ok(values);
    }
    let kms = match case.kms.first() {
        Some(kms) => kms.honest(honest).context("kms")?,
        None => simulator::Kms::healthy(&honest.world),
    };
    let file = format!("{}.{BOOTSTRAP_FILE}", case.name);
    let values = values.with_kms(honest, &kms).with("bootstrap-file", file);
    Ok(values.with("gpu-measurements", gpu::measurements()))
}

/// The members `kms` and `chain` of the bundle, with a comma before each that is there.
fn kms_and_chain(cvm: &Cvm, honest: &Cvm, case: &Case, values: &Values) -> anyhow::Result<String> {
    let mut text = String::new();
    let (mut allowed, mut asked) = (vec![], vec![]);
    let mut shown = vec![];
    for kms in &case.kms {
        shown.push(kms.record(honest).context("kms")?);
        allowed.push(kms.honest(honest)?.cvm.mr_aggregated());
        asked.push(kms.build(honest)?);
    }
    if !shown.is_empty() {
        text += &format!(",\"kms\":{}", Value::from(shown));
    }
    if let Some(chain) = &case.chain {
        ensure!(honest.app_id_bytes().len() == 20, "the app id has not 20 bytes");
        let builds = chain::Builds {
            allowed: &allowed,
            asked: &asked,
        };
        let record = chain.record(honest, cvm, &builds, values).context("chain")?;
        text += &format!(",\"chain\":{record}");
    }
    Ok(text)
}

/// The evidence as one file, in the format `cvm-verify/evidence/v1`.
fn bundle_of(
    cvm: &Cvm,
    honest: &Cvm,
    case: &Case,
    values: &Values,
    gpu: Option<Value>,
) -> anyhow::Result<String> {
    let edits = &case.edits;
    let mut attestation = cvm.attestation_body(NONCE);
    let mut info = cvm.info_body();
    let mut collateral = cvm.world.collateral_json();
    for edit in edits {
        match edit {
            Edit::Attestation(edit) => edit.apply(&mut attestation),
            Edit::Info(edit) => edit.apply(&mut info),
            Edit::Collateral(edit) => edit.apply(&mut collateral),
            Edit::Log(_) | Edit::MeasuredLog(_) | Edit::Quote(_) | Edit::Bundle(_) => continue,
        }
        .with_context(|| format!("{edit:?}"))?;
    }
    let chain = Value::from(honest.world.pck_chain_pem()).to_string();
    let collateral = collateral.replace("\"{pck-chain}\"", &chain);
    let tls = match &case.tls {
        Some(tls) => tls::record(tls, cvm).context("tls")?,
        None => Value::Null,
    };
    let mut more = kms_and_chain(cvm, honest, case, values)?;
    if let Some(gpu) = gpu {
        more += &format!(",\"gpu\":{gpu}");
    }
    if let Some(provenance) = &case.provenance {
        let record = provenance.record(cvm, CAPTURED_AT).context("provenance")?;
        more += &format!(",\"provenance\":{record}");
    }
    // By text, so that a duplicate member or an odd number of a body stays what it is.
    let mut bundle = format!(
        r#"{{"schema":"cvm-verify/evidence/v1","captured_at":"{CAPTURED_AT}","source":{{"kind":"app","url":"https://app.example/"}},"nonce":"{NONCE}","attestation":{attestation},"info":{info},"collateral":{collateral},"tls":{tls},"collateral_source":"simulator"{more}}}"#
    );
    for edit in edits {
        if let Edit::Bundle(edit) = edit {
            edit.apply(&mut bundle).with_context(|| format!("{edit:?}"))?;
        }
    }
    Ok(bundle + "\n")
}
