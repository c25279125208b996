//! What code must run, as which app, on which machines.

use super::PolicyKey;
use crate::config::file::shape::ValueShape;
use cvm_verify_core::policy::LaunchInputsPolicy;

pub(super) const KEYS: &[PolicyKey] = &[
    PolicyKey::new("lock", ValueShape::Path)
        .says("The lock file that `cvm-verify pin` wrote. If the lock holds several targets, each target uses the block \
               of its name.")
        .example(r#""cvm.lock""#)
        .option("--lock", "FILE")
        .expects(),
    PolicyKey::new("compose-hash", ValueShape::Hex(32))
        .says("SHA-256 of the compose document that must run, 32 bytes of hex. Replaces the compose hash of the lock; \
               all other values of the lock still apply.")
        .example(r#""3f9a0c5e8f6d1b2a4c7e9d0f1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d""#)
        .option("--compose-hash", "HEX")
        .expects(),
    PolicyKey::new("app-compose-file", ValueShape::Path)
        .says("The compose document itself: its exact bytes are what must run.")
        .example(r#""app-compose.json""#)
        .option("--app-compose-file", "FILE")
        .expects(),
    PolicyKey::new("docker-compose", ValueShape::Path)
        .says("The docker compose file of your repository. The measured document must contain it byte for byte; its other \
               fields must be as in the lock, or as Phala Cloud writes them with nothing exposed.")
        .example(r#""docker-compose.yml""#)
        .option("--docker-compose", "FILE")
        .expects(),
    PolicyKey::new("also-compose-hash", ValueShape::SecondHash)
        .says("A second compose hash, accepted during a roll-out: `HEX:until=YYYY-MM-DD`, at most 90 days ahead.")
        .example(r#""f4c8a15d6b2b4e753a7fae47661ee5a7263f0357d19647ccaf59a686bf001908:until=2026-12-31""#)
        .option("--also-compose-hash", "HEX:until=DATE")
        .expects(),
    PolicyKey::new("app-id", ValueShape::Hex(20))
        .says("The app's id, 20 bytes of hex. A lock of another app is refused.")
        .example(r#""a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0""#)
        .option("--app-id", "HEX")
        .expects(),
    PolicyKey::new("instance-id", ValueShape::InstanceIds)
        .says("The ids of the instances that may answer, 20 bytes of hex each. An answer of any other instance fails.")
        .example(r#"["b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1"]"#)
        .option("--instance-id", "HEX")
        .expects(),
    PolicyKey::new("platform-id", ValueShape::PlatformIds)
        .says("The machines that may run the app: SHA-256 of a machine's PPID (64 hex digits), or the FMSPC of its model (12 \
               hex digits).")
        .example(r#"["b0c06f000000"]"#)
        .option("--platform-id", "HEX")
        .expects(),
    PolicyKey::new("launch-inputs", ValueShape::Choice(&LaunchInputsPolicy::WORDS))
        .says("How to treat variables that the deployer may set, start-up scripts and exposure settings that are neither \
               known nor in the lock.")
        .default("`warn`")
        .example(r#""required""#)
        .option("--launch-inputs", "LAUNCH_INPUTS")
        .values(&[
            "They are a warning",
            "They fail the check",
            "Not checked. This is a waiver, and the verdict names it",
        ]),
];
