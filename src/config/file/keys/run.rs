//! What a run must prove, who helps, and how often it repeats.

use super::{KeyScope, PolicyKey, Typed};
use crate::config::file::shape::Shape;

pub(super) const KEYS: &[PolicyKey] = &[
    PolicyKey {
        name: "require-assurance",
        scope: KeyScope::Both,
        shape: Shape::Assurance,
        says: "How much must be proven: `hardware` (genuine hardware), `code` (that it runs the expected code), or `code+endpoint` (that \
               it serves the address, too).",
        default: "`code`",
        example: r#""code""#,
        option: Some(Typed {
            flag: "--require-assurance",
            heading: "Expectations",
            value: "ASSURANCE",
            help: "How much must be proven: `hardware` (a fresh quote of genuine, patched hardware), `code` (default: that, \
                    and the expected OS and compose document), `code+endpoint` (that, and that the VM serves this address), \
                    or `code+endpoint-replayable` (that, and that the VM quoted the address's TLS key at some time)",
            values: &[],
            expects: false,
        }),
    },
    PolicyKey {
        name: "verifier",
        scope: KeyScope::Defaults,
        shape: Shape::Choice(&["local", "both"]),
        says: "Who verifies the quotes. `both` also asks Phala's verification API, which publishes them; it never decides for \
               a pass.",
        default: "`local`",
        example: r#""both""#,
        option: None,
    },
    PolicyKey {
        name: "interval",
        scope: KeyScope::Both,
        shape: Shape::Interval,
        says: "How often `cvm-verify watch` verifies it: a whole number with `s`, `m`, `h` or `d`, from 10 seconds to 7 days.",
        default: "`5m`",
        example: r#""1m""#,
        option: None,
    },
];
