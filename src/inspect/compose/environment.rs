//! `allowed_envs`: names of variables whose values nobody measures (docs/threats.md, T39).

use serde_json::Value;

use crate::inspect::page::Page;
use cvm_verify_core::compose::is_risky;

/// Names that are shown.
const MAX_NAMES: usize = 100;

/// How a name begins, ends or reads, and what its value can do.
const RISKS: [(Pattern, &str); 14] = [
    (Pattern::Is("DSTACK_ROOT_PASSWORD"), "sets root's password"),
    (
        Pattern::Is("DSTACK_ROOT_PUBLIC_KEY"),
        "lets its owner log in as root",
    ),
    (
        Pattern::Is("DSTACK_AUTHORIZED_KEYS"),
        "lets its owner log in as root",
    ),
    (
        Pattern::Begins("DOCKER_"),
        "steers Docker: which daemon, which registry, which platform",
    ),
    (
        Pattern::Begins("COMPOSE_"),
        "steers docker compose: which files, which services",
    ),
    (Pattern::Begins("LD_"), "loads other code into every program"),
    (Pattern::Begins("PYTHON"), "loads other code into Python"),
    (Pattern::Is("NODE_OPTIONS"), "loads other code into Node"),
    (Pattern::Is("NODE_PATH"), "loads other code into Node"),
    (Pattern::Is("JAVA_TOOL_OPTIONS"), "loads other code into Java"),
    (
        Pattern::Is("BASH_ENV"),
        "runs a script at the start of every shell",
    ),
    (Pattern::Is("PATH"), "chooses which programs run"),
    (Pattern::Ends("_PROXY"), "sends traffic through another machine"),
    (Pattern::Begins("GIT_"), "steers git: which programs it starts"),
];

enum Pattern {
    Is(&'static str),
    Begins(&'static str),
    Ends(&'static str),
}

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
            page.mark(format!("Risky: its value {risk}."));
        }
    }
    page.more(names.len().saturating_sub(MAX_NAMES));
}

/// What a value of that name can do, if it is a risky one. Proxies are also read in lower case.
fn risk(name: &str) -> Option<&'static str> {
    if !is_risky(name) {
        return None;
    }
    let name = name.to_ascii_uppercase();
    let known = RISKS
        .iter()
        .find(|(pattern, _)| match pattern {
            Pattern::Is(whole) => name == *whole,
            Pattern::Begins(start) => name.starts_with(start),
            Pattern::Ends(end) => name.ends_with(end),
        })
        .map(|(_, risk)| *risk);
    known.or(Some("can change what runs"))
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
