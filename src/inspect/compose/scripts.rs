//! Scripts in a compose document: they run as root in the VM (dstack-attestation.md §4.4, §9 C4).

use serde_json::{Map, Value};

use crate::inspect::page::Page;
use crate::prove::digest::sha256;

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

/// SHA-256 of the pre-launch scripts that Phala Cloud adds, by version. Two were seen deployed in a text that differs
/// from the published one.
const PHALA_PRE_LAUNCH: [(&str, &str); 22] = [
    (
        "0.0.19",
        "cec8f68ce6185b912023d886bba20cd06386dd9751af904e6107e758b9d68983",
    ),
    (
        "0.0.18",
        "24d363e17b26dabdbf287588c1e1968fd7fdfef10954123b99ff6c6a837c5692",
    ),
    (
        "0.0.17",
        "93d29be852c0ccf92b275f824d71f1b589e906503c4d67332f36c633412fabe5",
    ),
    (
        "0.0.16",
        "803d861b57b1c61244f3e6e48bc11a15f8d7e421d6f052282d90e0289e85903d",
    ),
    (
        "0.0.16",
        "037a558a532ded8b5de956adb2a77684393abfc5a876a07274cf64035910c337",
    ),
    (
        "0.0.16",
        "9843af25b7069841b22cee60ee8f225b3d52e893de71b208feae724a8f6787fa",
    ),
    (
        "0.0.16",
        "4259eeddabdfcc73e657fef51d3511820f6899b1825db6a4ce0905c60f1f5869",
    ),
    (
        "0.0.15",
        "bf12939bc82c9bdd103b6b1226913e6da58ed7cfcfc7c7ae808ac0813715b9a8",
    ),
    (
        "0.0.14",
        "22ee7123712744ae1814257bfd0a396d0a3c990c5e240c4e93253bdb5b649765",
    ),
    (
        "0.0.14, as deployed",
        "0e289ab44fa756e02a3e850d60c22ab1cbf90cade311f98f555fad74a1c40d0a",
    ),
    (
        "0.0.13",
        "c608c19a6756b532f9995ffafab1ae569d50acff5283162e9787ee85f642641a",
    ),
    (
        "0.0.12",
        "7d3a3737bf3a59d6511cadb7b1867d21bae6d796136326c4be503323a5ad3741",
    ),
    (
        "0.0.12, as deployed",
        "ff3496dd73cd9bf4efd4228a52c43466501fc5f94dde378800f147cd58798d6f",
    ),
    (
        "0.0.11",
        "d31c9df2af520aa5e23b99b428eba6854c84294b6f582dd46b150d624b0d4cbe",
    ),
    (
        "0.0.10",
        "33778715b33573186ae1a32bbbd6e2a12047aaa1eecdeee7180216c2b1e0a24a",
    ),
    (
        "0.0.8",
        "9c5470c546ed4d6e6351844121c92c18e477464f910df89a783aa26ffac4a410",
    ),
    (
        "0.0.8",
        "ff8a8a7c013fe5bc7a027ec371a5d9dc3ce172e9e71aca5012730246eba3bb99",
    ),
    (
        "0.0.7",
        "7ea66e7cbf824b4d48e08fa1fe348ce9dddd4b5aa3f5624a5860913904ac8a1e",
    ),
    (
        "0.0.7",
        "a521f725e63916bdb6b266535ea4ab25877033ee36c395e52503da322da07313",
    ),
    (
        "0.0.6",
        "7127d8fd1dd3f27bab2c0b4f04f402b59239ae6884c174186b6e7cc6dc4df898",
    ),
    (
        "0.0.5",
        "3787d7beaf274f103b61b5e0220b113bffe7bd0dfb38545796eb7cfb46c3e3ba",
    ),
    (
        "0.0.4",
        "6a68965b4966eeb08043afdac0cef7f0115e3d27f73fe0c028f81664ed05e04e",
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

fn origin(page: &mut Page, text: &str, hash: &str) {
    if let Some((version, _)) = PHALA_PRE_LAUNCH.iter().find(|(_, known)| *known == hash) {
        page.note(format!("Phala Cloud's script, version {version}."));
    } else if hash == NEAR_PRE_LAUNCH {
        page.note("The script of NEAR's own hosts.");
    } else if text.contains("Phala Cloud Pre-Launch Script") {
        page.mark("It says that it is Phala Cloud's pre-launch script, but it is none of the known texts.");
    } else {
        page.note("None of the known texts: written by the deployer, or by a newer platform.");
    }
}
