//! Makes the evidence of each case: a bundle, and its line in `corpus.json`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use simulator::{Cvm, World};

use crate::case::{Case, Expected};
use crate::edit::Edit;
use crate::tls;

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
    /// The arguments beside both.
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

    let pem = honest.world.root_pem();
    let root = if pem == World::default().root_pem() {
        "root.pem".to_owned()
    } else {
        format!("{}.root.pem", case.name)
    };
    fs::write(folder.join(&root), pem)?;
    let bundle = format!("{}.evidence.json", case.name);
    fs::write(folder.join(&bundle), bundle_of(&cvm, case)?)?;

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
    let values = values(&honest)?;
    let filled = arguments.iter().chain(&case.more_arguments).map(|argument| {
        values.iter().fold(argument.clone(), |text, (name, value)| {
            text.replace(&format!("{{{name}}}"), value)
        })
    });
    Ok(Made {
        name: case.name.clone(),
        about: case.about.clone(),
        threats: case.threats.clone(),
        bundle,
        root,
        arguments: filled.collect(),
        expected: case.expected.clone(),
    })
}

/// The evidence as one file, in the format `cvm-verify/evidence/v1`.
fn bundle_of(cvm: &Cvm, case: &Case) -> anyhow::Result<String> {
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
    let tls = match &case.tls {
        Some(tls) => tls::record(tls, cvm).context("tls")?,
        None => Value::Null,
    };
    // By text, so that a duplicate member or an odd number of a body stays what it is.
    let mut bundle = format!(
        r#"{{"schema":"cvm-verify/evidence/v1","captured_at":"{CAPTURED_AT}","source":{{"kind":"app","url":"https://app.example/"}},"nonce":"{NONCE}","attestation":{attestation},"info":{info},"collateral":{collateral},"tls":{tls},"collateral_source":"simulator"}}"#
    );
    for edit in edits {
        if let Edit::Bundle(edit) = edit {
            edit.apply(&mut bundle).with_context(|| format!("{edit:?}"))?;
        }
    }
    Ok(bundle + "\n")
}

/// What `{…}` in an argument stands for.
fn values(cvm: &Cvm) -> anyhow::Result<BTreeMap<&'static str, String>> {
    let report = cvm.td_report([0; 64]);
    let [rtmr0, rtmr1, rtmr2, _] = report.rtmr.map(hex::encode);
    let provider: Value = serde_json::from_str(&cvm.key_provider).unwrap_or_default();
    let text = |name: &str| provider[name].as_str().unwrap_or_default().to_owned();
    let provider = match text("id") {
        id if id.is_empty() => text("name"),
        id => format!("{}:{id}", text("name")),
    };
    Ok(BTreeMap::from([
        ("compose-hash", hex::encode(cvm.compose_hash())),
        ("app-id", hex::encode(cvm.app_id_bytes())),
        ("instance-id", hex::encode(&cvm.instance_id)),
        (
            "os-image",
            format!(
                "mrtd={},rtmr0={rtmr0},rtmr1={rtmr1},rtmr2={rtmr2}",
                hex::encode(report.mr_td)
            ),
        ),
        ("key-provider", provider),
    ]))
}
