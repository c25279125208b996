//! The policy file that a case gives the verifier, with the lock and the reference values that it names: KMS and contracts have no
//! options of their own.

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};
use serde::Deserialize;
use serde_json::Value;

use crate::values::Values;

/// What the policy file holds. `{…}` in a text stands for a value, as in an argument.
#[derive(Deserialize, Default, Debug)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Policy {
    /// What is named as it should be: `kms`, `governance`.
    pub names: Vec<Names>,
    /// Whether a lock pins code and owners of the contracts.
    pub locked: bool,
    /// Lines of a lock, in front of those of the contracts.
    pub lock: Option<String>,
    /// Keys that are left out, of the file and of the lock.
    pub without: Vec<String>,
    /// Keys of the file that are set.
    pub set: BTreeMap<String, Value>,
    /// Whether the reference values lack the registers of the image, and have the shape of the VM alone.
    pub unlisted: bool,
    /// Lines behind the reference values.
    pub reference: Option<String>,
}

/// What is named.
#[derive(Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Names {
    /// Host, code and OS image of the KMS.
    Kms,
    /// Chain, contracts and owners.
    Governance,
}

/// The name of the target in the file.
pub const TARGET: &str = "case";

const KMS: [(&str, &str); 3] = [
    ("kms-host", r#"["{kms-host}"]"#),
    ("kms-compose-hash", r#"["{kms-compose-hash}"]"#),
    ("kms-os-image", r#""{kms-os-image}""#),
];

const GOVERNANCE: [(&str, &str); 5] = [
    ("app-id", r#""{app-id}""#),
    ("governance-chain-id", "8453"),
    ("governance-app-owner", r#"["0x{owner}"]"#),
    ("governance-kms-contract", r#""0x{kms-contract}""#),
    ("governance-kms-owner", r#"["0x{owner}"]"#),
];

const LOCK: [(&str, &str); 7] = [
    ("chain_id", "8453"),
    ("app_code", r#""{proxy-code}""#),
    (
        "app_implementation",
        r#""0x1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a""#,
    ),
    ("app_implementation_code", r#""{app-code}""#),
    ("kms_code", r#""{proxy-code}""#),
    (
        "kms_implementation",
        r#""0x1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b""#,
    ),
    ("kms_implementation_code", r#""{kms-code}""#),
];

/// A value of one line. Numbers, truth values and texts are written as in JSON.
fn toml_of(value: &Value) -> String {
    let joined = |parts: Vec<String>| parts.join(", ");
    match value {
        Value::Array(items) => format!("[{}]", joined(items.iter().map(toml_of).collect())),
        Value::Object(members) => {
            let member = |(key, value): (&String, &Value)| format!("{key} = {}", toml_of(value));
            format!("{{ {} }}", joined(members.iter().map(member).collect()))
        }
        other => other.to_string(),
    }
}

impl Policy {
    /// The policy file. It names `lock` if there is one, and `reference`, the file of reference values.
    pub fn text(&self, values: &Values, lock: Option<&str>, reference: &str) -> anyhow::Result<String> {
        let mut lines: BTreeMap<&str, String> = BTreeMap::new();
        for (names, rows) in [(Names::Kms, KMS.as_slice()), (Names::Governance, &GOVERNANCE)] {
            if self.names.contains(&names) {
                lines.extend(rows.iter().map(|(key, value)| (*key, values.fill(value))));
            }
        }
        lines.insert("reference-values", format!("\"{reference}\""));
        if let Some(lock) = lock {
            lines.insert("lock", format!("\"{lock}\""));
        }
        for key in &self.without {
            let is_there =
                lines.remove(key.as_str()).is_some() || self.locked_rows().any(|(row, _)| row == key);
            ensure!(is_there, "without: {key:?} is not in the file or in the lock");
        }
        for (key, value) in &self.set {
            lines.insert(key, values.fill(&toml_of(value)));
        }
        let lines = lines.iter().map(|(key, value)| format!("{key} = {value}\n"));
        Ok(format!(
            "[[target]]\nname = \"{TARGET}\"\nurl = \"https://app.example/\"\n{}",
            lines.collect::<String>()
        ))
    }

    fn locked_rows(&self) -> impl Iterator<Item = &'static (&'static str, &'static str)> {
        LOCK.iter().filter(|_| self.locked)
    }

    /// The lock, if the case has one.
    pub fn lock(&self, values: &Values) -> Option<String> {
        let rows = self
            .locked_rows()
            .filter(|(key, _)| !self.without.iter().any(|without| without == key));
        let lines: String = rows
            .map(|(key, value)| format!("{key} = {}\n", values.fill(value)))
            .collect();
        let head = "schema = \"cvm-verify/lock/v1\"\n";
        let own = self.lock.as_deref().map(|own| values.fill(own));
        match (own, self.locked) {
            (own, true) => Some(format!(
                "{head}{}\n[governance]\n{lines}",
                own.unwrap_or_default()
            )),
            (own, false) => own.map(|own| format!("{head}{own}")),
        }
    }

    /// The reference values: the OS image that app and KMS run on, and the lines of the case.
    pub fn reference(&self, values: &Values) -> anyhow::Result<String> {
        let register = |name: &str| values.get(name).context("a register");
        let tail = "source = \"the simulator\"\ndate = \"2026-10-01\"\n";
        let own = values.fill(self.reference.as_deref().unwrap_or_default());
        if self.unlisted {
            return Ok(format!(
                "updated = \"2026-10-01\"\n[[rtmr0]]\nvalue = \"{}\"\nshape = \"a simulated shape\"\n{tail}{own}",
                register("rtmr0")?
            ));
        }
        Ok(format!(
            "updated = \"2026-10-01\"\n\
             [[firmware]]\nname = \"ours\"\nmrtd = \"{}\"\nnote = \"ours\"\n{tail}\
             [[image]]\nname = \"ours-1.0\"\nversion = \"1.0\"\nclass = \"production\"\nos_image_hash = \"{}\"\nfirmware = \"ours\"\n\
             rtmr1 = \"{}\"\nrtmr2 = \"{}\"\n{tail}\
             [[rtmr0]]\nvalue = \"{}\"\nshape = \"a simulated shape\"\n{tail}{}",
            register("mrtd")?,
            crate::values::OS_IMAGE_HASH,
            register("rtmr1")?,
            register("rtmr2")?,
            register("rtmr0")?,
            own,
        ))
    }
}
