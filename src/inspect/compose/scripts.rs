//! Scripts in a compose document: they run as root in the VM (dstack-examples, `phala-cloud-prelaunch-script`).

use serde_json::{Map, Value};

use crate::inspect::page::Page;
use cvm_verify_core::compose::known_prelaunch_script;
use cvm_verify_core::verify::digest::sha256;

/// Scripts of one field that are shown. A guest takes at most five.
const MAX_SCRIPTS: usize = 8;

const FIELDS: [(&str, &str); 3] = [
    ("init_script", "Runs as root before Docker starts."),
    (
        "pre_launch_script",
        "Runs as root before the containers start; those that restart by themselves may come first.",
    ),
    (
        "bash_script",
        "The app itself, where the runner is bash. Runs as root.",
    ),
];

/// The pre-launch script of NEAR's own hosts, 94 bytes.
const NEAR_PRE_LAUNCH: &str = "6d13b2b0050d22cc751af6867c3571b16ff5c0c0da92861a8094486e61919582";

pub(super) fn show(page: &mut Page, members: &Map<String, Value>) {
    for (name, meaning) in FIELDS {
        let scripts = match members.get(name) {
            None | Some(Value::Null) => continue,
            Some(Value::Array(scripts)) => scripts.as_slice(),
            Some(one) => std::slice::from_ref(one),
        };
        for script in scripts.iter().take(MAX_SCRIPTS) {
            let Some(text) = script.as_str() else {
                page.field(name, "not text").mark("A script is a string.");
                continue;
            };
            let hash = hex::encode(sha256(text.as_bytes()));
            page.field(name, format!("{} bytes, SHA-256 {hash}", text.len()))
                .note(meaning);
            if name == "pre_launch_script" {
                origin(page, text, &hash);
            }
        }
        page.more(scripts.len().saturating_sub(MAX_SCRIPTS));
    }
}

/// The texts of all scripts, each with the name of its field.
pub(super) fn texts(members: &Map<String, Value>) -> Vec<(&'static str, &str)> {
    let mut found = Vec::new();
    for (name, _) in FIELDS {
        match members.get(name) {
            Some(Value::String(text)) => found.push((name, text.as_str())),
            Some(Value::Array(scripts)) => {
                let texts = scripts.iter().filter_map(Value::as_str).take(MAX_SCRIPTS);
                found.extend(texts.map(|text| (name, text)));
            }
            _ => {}
        }
    }
    found
}

fn origin(page: &mut Page, text: &str, hash: &str) {
    if let Some(script) = known_prelaunch_script(hash) {
        page.note(format!("Phala Cloud's script, version {}.", script.version));
    } else if hash == NEAR_PRE_LAUNCH {
        page.note("The script of NEAR's own hosts.");
    } else if text.contains("Phala Cloud Pre-Launch Script") {
        page.mark("It says that it is Phala Cloud's pre-launch script, but it is none of the known texts.");
    } else {
        page.note("None of the known texts: written by the deployer, or by a newer platform.");
    }
}
