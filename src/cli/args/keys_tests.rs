use std::collections::BTreeSet;

use clap::CommandFactory as _;

use super::super::Cli;
use super::*;

/// Options of `verify` and `watch` that are not keys of the policy file, and why. Their own field declares each: name, variable and
/// help are made from it.
const NOT_KEYS: [(&str, &[&str]); 6] = [
    (
        "they select targets, or the policy file itself",
        &["config", "no-config", "no-lock", "shard", "target"],
    ),
    (
        "they are about one run, not about a deployment",
        &["concurrency", "deadline", "once", "run-id", "timeout", "wait"],
    ),
    (
        "they say where a run writes and what it remembers",
        &[
            "color",
            "dotenv",
            "evidence",
            "fail-on",
            "format",
            "github",
            "github-issue",
            "inconclusive-after",
            "inconclusive-of",
            "junit",
            "listen",
            "log-format",
            "output-dir",
            "quiet",
            "report-json",
            "state",
            "statement",
            "summary",
            "verbose",
        ],
    ),
    (
        "they are about the network of the machine that verifies",
        &[
            "allow-private-network",
            "ca-file",
            "cache-dir",
            "collateral-max-age",
            "no-cache",
            "pccs-url",
            "proxy",
        ],
    ),
    (
        "they name servers that this machine asks, and an address may hold a secret",
        &[
            "gpu-verifier-url",
            "phala-verifier-url",
            "rpc-url",
            "source-api-url",
        ],
    ),
    (
        "a file must not replace a root of trust",
        &["insecure-trust-root"],
    ),
];

/// The options of the table, without their dashes.
fn in_the_table() -> BTreeSet<&'static str> {
    let typed = keys().filter_map(|key| Some(key.option.as_ref()?.flag));
    let switches = SWITCHES.iter().map(|switch| switch.flag);
    typed.chain(switches).map(id).collect()
}

#[test]
fn every_option_of_verify_and_watch_is_a_row_or_says_why_not() {
    let mut command = Cli::command();
    command.build();
    let mut options = BTreeSet::new();
    for name in ["verify", "watch"] {
        let of_command = command.find_subcommand(name).unwrap().get_arguments();
        options.extend(of_command.filter_map(Arg::get_long).map(str::to_owned));
    }
    let table = in_the_table();
    let not_keys: Vec<&str> = NOT_KEYS.iter().flat_map(|(_, names)| *names).copied().collect();
    for name in &not_keys {
        assert!(!table.contains(name), "--{name} is a key, too");
    }
    let listed = table.into_iter().chain(not_keys).chain(["help"]);
    assert_eq!(options, listed.map(str::to_owned).collect());
}

#[test]
fn every_option_with_words_of_its_own_is_a_key() {
    fn assert_whole<C: Rewording>() {
        let rows: Vec<&str> = RewordedArgs::<C>::rows().map(|(_, key, _)| key.name).collect();
        let named: Vec<&str> = C::OPTIONS.iter().map(|option| option.key).collect();
        assert_eq!(rows, named);
    }
    assert_whole::<OfPin>();
    assert_whole::<OfReplay>();
}
