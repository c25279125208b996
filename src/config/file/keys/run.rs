//! What a run must prove, who helps, and how often it repeats.

use super::{KeyScope, OptionGroup, PolicyKey};
use crate::config::file::shape::ValueShape;
use cvm_verify_core::policy::Verifier;

pub(super) const KEYS: &[PolicyKey] = &[
    PolicyKey::new("require-assurance", ValueShape::Assurance)
        .says("How much must be proven: `hardware` (a fresh quote of genuine, patched hardware), `code` (the same, and \
               the expected OS and compose document), or `code` and more, joined by `+`, as in `code+endpoint+source`: \
               `endpoint` (the VM serves this address) or `endpoint-replayable` (the VM quoted the address's TLS key at \
               some time), and `source` (the expected workflow built every image).")
        .default("`code`")
        .example(r#""code""#)
        .option("--require-assurance", "ASSURANCE"),
    PolicyKey::new("instances", ValueShape::Number(1, 10_000))
        .says("The least number of instances of the app that must run, by Phala Cloud's list; only with the source \
               `phala-cloud`. Fewer instances are a `fail`. Without it, stopped instances are reported and do not fail.")
        .example("3")
        .option("--instances", "NUMBER")
        .group(OptionGroup::Live),
    PolicyKey::new("verifier", ValueShape::Choice(&Verifier::WORDS))
        .scope(KeyScope::Defaults)
        .says("Who verifies the quotes. With `both`, Phala's verification API publishes them: anybody can read them there. \
               Each attempt of `--wait` and each round of `watch` has a quote of its own, and all are published. The API \
               can make the verdict worse, never better.")
        .default("`local`")
        .example(r#""both""#)
        .option("--verifier", "VERIFIER")
        .group(OptionGroup::SecondOpinion)
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
        .group(OptionGroup::Rounds),
];
