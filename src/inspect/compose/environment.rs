//! `allowed_envs`: names of variables whose values nobody measures (docs/threats.md, T39).

use serde_json::Value;

use crate::inspect::page::Page;
use cvm_verify_core::reference::ReferenceValues;

/// Names that are shown.
const MAX_NAMES: usize = 100;

pub(super) fn show(page: &mut Page, allowed: Option<&Value>) {
    let Some(allowed) = allowed else { return };
    let Some(names) = allowed.as_array() else {
        page.field("allowed_envs", allowed).mark("It is not a list.");
        return;
    };
    page.field("allowed_envs", names.len()).note(
        "Variables that the deployer may set without changing the compose hash. Only the names are measured: the values \
         come encrypted to a public key, so that the host or the API can replace them unless the app checks a launch token.",
    );
    for name in names.iter().take(MAX_NAMES) {
        let name = name.as_str().map_or_else(|| name.to_string(), str::to_owned);
        page.item(&name);
        if let Some(risk) = risk(&name) {
            page.mark(format!("Risky ({risk})."));
        }
    }
    page.more(names.len().saturating_sub(MAX_NAMES));
}

/// What the value of a risky name decides.
fn risk(name: &str) -> Option<&'static str> {
    let row = ReferenceValues::built_in().risky_name(name)?;
    Some(row.gains.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_steer_what_runs_are_risky_and_others_are_not() {
        for name in [
            "LD_PRELOAD",
            "http_proxy",
            "DOCKER_HOST",
            "PYTHONPATH",
            "NODE_OPTIONS",
            "DSTACK_ROOT_PASSWORD",
            "DSTACK_AUTHORIZED_KEYS",
        ] {
            assert!(risk(name).is_some(), "{name}");
        }
        for name in ["API_KEY", "DATABASE_URL", "OLD_NAME", "MODEL_PATH"] {
            assert_eq!(risk(name), None, "{name}");
        }
    }
}
