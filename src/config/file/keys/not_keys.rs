//! Options that are no keys.

/// Options of `verify` and `watch` that are not keys of the policy file, and why. Their own field declares each: name, variable and
/// help are made from it.
pub(crate) const NOT_KEYS: [(&str, &[&str]); 6] = [
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
