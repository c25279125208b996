//! What code must run, as which app, on which machines.

use super::{KeyScope, OptionGroup, PolicyKey, Typed};
use crate::config::file::shape::Shape;
use cvm_verify_core::policy::LaunchInputsPolicy;

pub(super) const KEYS: &[PolicyKey] = &[
    PolicyKey {
        name: "lock",
        scope: KeyScope::Both,
        shape: Shape::Path,
        says: "The lock file that `cvm-verify pin` wrote. If the lock holds several targets, each target uses the block of \
               its name.",
        default: "",
        example: r#""cvm.lock""#,
        option: Some(Typed {
            flag: "--lock",
            group: OptionGroup::Expectations,
            value: "FILE",
            help: "The lock file that `cvm-verify pin` wrote",
            values: &[],
            expects: true,
        }),
    },
    PolicyKey {
        name: "compose-hash",
        scope: KeyScope::Both,
        shape: Shape::Hex(32),
        says: "SHA-256 of the compose document that must run. Replaces the compose hash of the lock; all other values of the \
               lock still apply.",
        default: "",
        example: r#""3f9a0c5e8f6d1b2a4c7e9d0f1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d""#,
        option: Some(Typed {
            flag: "--compose-hash",
            group: OptionGroup::Expectations,
            value: "HEX",
            help: "SHA-256 of the compose document, 32 bytes of hex",
            values: &[],
            expects: true,
        }),
    },
    PolicyKey {
        name: "app-compose-file",
        scope: KeyScope::Both,
        shape: Shape::Path,
        says: "The compose document itself: its exact bytes are what must run.",
        default: "",
        example: r#""app-compose.json""#,
        option: Some(Typed {
            flag: "--app-compose-file",
            group: OptionGroup::Expectations,
            value: "FILE",
            help: "The compose document itself: its exact bytes are what must run",
            values: &[],
            expects: true,
        }),
    },
    PolicyKey {
        name: "docker-compose",
        scope: KeyScope::Both,
        shape: Shape::Path,
        says: "The docker compose file of your repository. The measured document must contain it byte for byte; its other \
               fields must be as in the lock, or as Phala Cloud writes them with nothing exposed.",
        default: "",
        example: r#""docker-compose.yml""#,
        option: Some(Typed {
            flag: "--docker-compose",
            group: OptionGroup::Expectations,
            value: "FILE",
            help: "The docker compose file of your repository. The measured document must contain it byte for byte; its other \
                   fields must be as in the lock, or as Phala Cloud writes them with nothing exposed",
            values: &[],
            expects: true,
        }),
    },
    PolicyKey {
        name: "also-compose-hash",
        scope: KeyScope::Both,
        shape: Shape::SecondHash,
        says: "A second compose hash, accepted during a roll-out, at most 90 days ahead.",
        default: "",
        example: r#""f4c8a15d6b2b4e753a7fae47661ee5a7263f0357d19647ccaf59a686bf001908:until=2026-12-31""#,
        option: Some(Typed {
            flag: "--also-compose-hash",
            group: OptionGroup::Expectations,
            value: "HEX:until=DATE",
            help: "A second compose hash, accepted during a roll-out: HEX:until=YYYY-MM-DD, at most 90 days ahead",
            values: &[],
            expects: true,
        }),
    },
    PolicyKey {
        name: "app-id",
        scope: KeyScope::Both,
        shape: Shape::Hex(20),
        says: "The app's id. A lock of another app is refused.",
        default: "",
        example: r#""a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0""#,
        option: Some(Typed {
            flag: "--app-id",
            group: OptionGroup::Expectations,
            value: "HEX",
            help: "The app's id, 20 bytes of hex",
            values: &[],
            expects: true,
        }),
    },
    PolicyKey {
        name: "instance-id",
        scope: KeyScope::Both,
        shape: Shape::InstanceIds,
        says: "The ids of the instances that may answer. An answer of any other instance fails.",
        default: "",
        example: r#"["b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1"]"#,
        option: Some(Typed {
            flag: "--instance-id",
            group: OptionGroup::Expectations,
            value: "HEX",
            help: "The instance's id, 20 bytes of hex. Repeatable: any of them may answer",
            values: &[],
            expects: true,
        }),
    },
    PolicyKey {
        name: "platform-id",
        scope: KeyScope::Both,
        shape: Shape::PlatformIds,
        says: "The machines that may run the app: SHA-256 of a machine's PPID (64 hex digits), or the FMSPC of its model (12 \
               hex digits).",
        default: "",
        example: r#"["b0c06f000000"]"#,
        option: Some(Typed {
            flag: "--platform-id",
            group: OptionGroup::Expectations,
            value: "HEX",
            help: "A machine that may run the app: SHA-256 of its PPID (64 hex digits), or the FMSPC of its model (12 hex \
                   digits). Repeatable",
            values: &[],
            expects: true,
        }),
    },
    PolicyKey {
        name: "launch-inputs",
        scope: KeyScope::Both,
        shape: Shape::Choice(&LaunchInputsPolicy::WORDS),
        says: "How to treat variables that the deployer may set, start-up scripts and exposure settings that are neither \
               known nor in the lock.",
        default: "`warn`",
        example: r#""required""#,
        option: Some(Typed {
            flag: "--launch-inputs",
            group: OptionGroup::Expectations,
            value: "LAUNCH_INPUTS",
            help: "How to treat variables that the deployer may set, start-up scripts and exposure settings that are neither \
                   known nor in the lock: `warn` by default",
            values: &[
                "They are a warning",
                "They fail the check",
                "Not checked. This is a waiver, and the verdict names it",
            ],
            expects: false,
        }),
    },
];
