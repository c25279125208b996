//! What a run must prove, who helps, and how often it repeats.

use super::{KeyScope, OptionGroup, PolicyKey};
use crate::config::file::shape::ValueShape;
use cvm_verify_core::policy::Verifier;

pub(super) const KEYS: &[PolicyKey] = &[
    PolicyKey::new("require-assurance", ValueShape::Assurance)
        .says("How much must be proven: `hardware` (genuine hardware), `code` (that it runs the expected code), or `code` and more, joined \
               by `+`: `endpoint` (that it serves the address) or `endpoint-replayable` (that it quoted the address's TLS key at some \
               time), and `source` (that the expected workflow built every image).")
        .default("`code`")
        .example(r#""code""#)
        .option("--require-assurance", "ASSURANCE")
        .help("How much must be proven: `hardware` (a fresh quote of genuine, patched hardware), `code` (default: the \
               same, and the expected OS and compose document), or `code` and more, joined by `+`: `endpoint` (the VM \
               serves this address) or `endpoint-replayable` (the VM quoted the address's TLS key at some time), and \
               `source` (the expected workflow built every image). Example: `code+endpoint+source`"),
    PolicyKey::new("instances", ValueShape::Number(1, 10_000))
        .says("The least number of instances of the app that must run, by Phala Cloud's list. Fewer instances are a `fail`. \
               Without this key, stopped instances are reported and do not fail.")
        .example("3")
        .option("--instances", "NUMBER")
        .group(OptionGroup::Live)
        .help("The least number of instances of the app that must run, by Phala Cloud's list: fewer are a `fail`. Only \
               with --source phala-cloud"),
    PolicyKey::new("verifier", ValueShape::Choice(&Verifier::WORDS))
        .scope(KeyScope::Defaults)
        .says("Who verifies the quotes. `both` also asks Phala's verification API, which publishes the quotes. The API can \
               make the verdict worse, never better.")
        .default("`local`")
        .example(r#""both""#)
        .option("--verifier", "VERIFIER")
        .group(OptionGroup::SecondOpinion)
        .help("Who verifies the quote: `local` by default. `both` also asks Phala's verification API. That publishes the \
               quote: anybody can read it there. Each attempt of --wait and each round of `watch` has a quote of its own, \
               and all are published. The API can make the verdict worse, never better")
        .values(&[
            "This program",
            "This program and, in addition, Phala's verification API",
        ]),
    PolicyKey::new("interval", ValueShape::Interval)
        .says("How often `cvm-verify watch` verifies the target: a whole number with `s`, `m`, `h` or `d`, from 10 seconds to \
               7 days.")
        .default("`5m`")
        .example(r#""1m""#)
        .option("--interval", "DURATION")
        .group(OptionGroup::Rounds)
        .help("How often each target is verified: 10s to 7d. Default: the value in the policy file, else 5m"),
];
