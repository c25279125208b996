//! What dstack's events mean, and where the measured boot ends (dstack, `dstack-util/src/system_setup.rs`).

use crate::inspect::page::Page;
use cvm_verify_core::evidence::Event;

/// Name and meaning of the events that the measured OS writes. No app may use these names.
const BOOT_EVENTS: [(&str, &str); 16] = [
    ("system-preparing", "The OS begins to prepare the app."),
    (
        "rootfs-hash",
        "Hash of the root file system, in guests up to dstack 0.4.",
    ),
    (
        "app-id",
        "The app's id, 20 bytes: only a label. The compose hash says which code runs.",
    ),
    (
        "upgraded-app-id",
        "First 20 bytes of the compose hash, in guests of dstack 0.3.",
    ),
    (
        "compose-hash",
        "SHA-256 of the compose document that was started: which code runs.",
    ),
    (
        "ca-cert-hash",
        "SHA-256 of the KMS's CA certificate, in guests of dstack 0.3.",
    ),
    (
        "init-script-hash",
        "SHA-256 of a script that runs before Docker starts.",
    ),
    ("gpu-policy-hash", "SHA-256 of the policy for GPUs."),
    (
        "gpu-attestation",
        "What the GPUs attested at boot. Its nonce was random, so it is not fresh.",
    ),
    (
        "instance-id",
        "Which instance of the app this is, 20 bytes; empty where the app asked for none.",
    ),
    (
        "boot-mr-done",
        "A KMS checks RTMR3 up to this event before it gives keys.",
    ),
    ("mr-kms", "The measurement of the KMS that gave the keys."),
    (
        "os-image-hash",
        "The OS image as the KMS sees it. `verify` does not rely on it, because the registers prove the image.",
    ),
    ("key-provider", "Who gave the guest its keys."),
    ("storage-fs", "The file system of the data disk."),
    ("system-ready", "The measured boot ends here."),
];

/// Where in RTMR3 an event stands.
#[derive(Default)]
pub(super) struct EventPlace {
    ready: bool,
    seen: Vec<&'static str>,
}

impl EventPlace {
    /// Explains an event of RTMR3.
    pub(super) fn explain(&mut self, page: &mut Page, event: &Event) {
        let known = BOOT_EVENTS.iter().find(|(name, _)| *name == event.name);
        match known {
            None if self.ready => {
                page.note("Written by a program inside the VM after the boot.");
            }
            None => {
                page.mark("This version does not know it. Before `system-ready` only the OS writes events.");
            }
            Some((name, _)) if self.ready => {
                page.mark(format!(
                    "The name is reserved for the boot: a program inside the VM wrote a second `{name}`."
                ));
            }
            Some((name, meaning)) => {
                page.note(*meaning);
                if self.seen.contains(name) && *name != "init-script-hash" {
                    page.mark("It occurs twice. An honest boot writes it once.");
                }
                self.seen.push(name);
            }
        }
    }

    /// Draws the line after the first `system-ready`.
    pub(super) fn boundary(&mut self, page: &mut Page, event: &Event) {
        if event.name == "system-ready" && !self.ready {
            self.ready = true;
            page.item("──────── end of the measured boot ────────");
            page.note("In a genuine dstack guest everything above was written by the OS alone. Everything below may be written by any \
                       process in the VM, and says nothing about the boot.");
        }
    }

    /// Says whether the boot ended.
    pub(super) fn end(&self, page: &mut Page) {
        if !self.ready {
            page.mark(
                "There is no `system-ready`: the quote was taken during boot, the guest is of dstack 0.3, or this is not \
                 dstack's log. Nothing separates the boot from what an app wrote.",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use cvm_verify_core::verify::RESERVED_NAMES;

    use super::*;

    /// An event that a verification knows is not shown as one of the app.
    #[test]
    fn every_reserved_name_is_explained() {
        let explained: BTreeSet<&str> = BOOT_EVENTS.iter().map(|(name, _)| *name).collect();
        assert_eq!(explained, BTreeSet::from(RESERVED_NAMES));
    }
}
