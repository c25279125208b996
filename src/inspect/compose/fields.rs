//! The fields of a compose document, explained (dstack, `dstack-types/src/lib.rs`, `AppCompose`).

use serde_json::{Map, Value};

use crate::inspect::page::Page;

/// Fields that this version does not know and that are named.
const MAX_UNKNOWN: usize = 40;

/// A field and its meaning, in the order of the specification.
const FIELDS: [(&str, &str); 33] = [
    (
        "manifest_version",
        "Form of the document. The text \"3\" keeps guests before 0.6 from starting it.",
    ),
    ("name", "For display only. Phala Cloud leaves it empty."),
    (
        "runner",
        "What starts the app: docker-compose, nerdctl-compose or bash.",
    ),
    (
        "features",
        "Deprecated. kms and tproxy-net mean kms_enabled and gateway_enabled.",
    ),
    ("snapshotter", "How images are unpacked (nerdctl-compose)."),
    (
        "docker_config",
        "Registry credentials of dstack 0.3; ignored since.",
    ),
    (
        "public_logs",
        "Whether anyone may read the containers' logs at port 8090.",
    ),
    (
        "public_sysinfo",
        "Whether anyone may read CPU and memory figures at port 8090.",
    ),
    (
        "public_tcbinfo",
        "Whether anyone may read measurements and this document. Verification needs it.",
    ),
    (
        "kms_enabled",
        "Keys come from a KMS, where `key_provider` is absent.",
    ),
    (
        "local_key_provider_enabled",
        "Keys come from the host's own provider, where `key_provider` is absent.",
    ),
    ("key_provider", "Where keys come from: kms, local, tpm or none."),
    (
        "key_provider_id",
        "Which key provider: the boot ends where the real one has another id.",
    ),
    ("gateway_enabled", "Traffic comes through dstack's gateway."),
    ("tproxy_enabled", "The same, by its older name."),
    ("no_instance_id", "Whether the instance stays nameless."),
    (
        "secure_time",
        "Whether the boot waits for authenticated network time.",
    ),
    ("storage_fs", "File system of the data disk."),
    (
        "storage_discard",
        "Whether freed blocks are given back to the host.",
    ),
    ("swap_size", "Size of the swap space."),
    ("event_log_version", "Form of the event digests: 1 or 2."),
    ("port_policy", "Which ports the gateway forwards."),
    (
        "requirements",
        "What the guest demands of OS, platform and GPUs before it boots.",
    ),
    (
        "verity_volumes",
        "Read-only volumes. Their root hashes are measured; their content is not in the document.",
    ),
    (
        "launch_token_hash",
        "SHA-256 of a token that the encrypted environment must hold: it keeps others from replacing it.",
    ),
    (
        "default_gateway_domain",
        "Name of the gateway. Phala Cloud's pre-launch script reads it.",
    ),
    ("salt", "Written by older tools; no guest reads it."),
    ("version", "Written by older tools; no guest reads it."),
    // Shown by the files that come after this one.
    ("allowed_envs", ""),
    ("docker_compose_file", ""),
    ("pre_launch_script", ""),
    ("init_script", ""),
    ("bash_script", ""),
];

/// Fields whose value deserves a second look, and why.
const REMARKABLE: [(&str, &str, &str); 7] = [
    (
        "public_logs",
        "true",
        "Logs of a confidential VM are open to everyone.",
    ),
    (
        "public_tcbinfo",
        "false",
        "No verifier outside the VM can check what runs.",
    ),
    ("secure_time", "false", "The host sets the clock."),
    ("no_instance_id", "true", "Two instances cannot be distinguished."),
    ("key_provider", "\"none\"", "Keys are random at every boot."),
    (
        "key_provider",
        "\"local\"",
        "Keys come from the host's own provider.",
    ),
    (
        "runner",
        "\"bash\"",
        "A script runs as root in the VM instead of containers.",
    ),
];

pub(super) fn show(page: &mut Page, members: &Map<String, Value>) {
    for (name, meaning) in FIELDS.iter().filter(|(_, meaning)| !meaning.is_empty()) {
        let Some(value) = members.get(*name) else { continue };
        let value = value.to_string();
        page.field(name, &value).note(*meaning);
        for (_, _, why) in REMARKABLE
            .iter()
            .filter(|(field, odd, _)| field == name && *odd == value)
        {
            page.mark(*why);
        }
    }
    let unknown: Vec<&String> = members
        .keys()
        .filter(|name| !FIELDS.iter().any(|(known, _)| known == name))
        .collect();
    if !unknown.is_empty() {
        page.field("Unknown fields", unknown.len())
            .note("Guests ignore unknown fields, but the hash covers them.");
        page.items(unknown, MAX_UNKNOWN);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use cvm_verify_core::compose::document_fields;

    use super::*;

    /// What a verification knows of a document is not called unknown.
    #[test]
    fn every_field_that_the_checks_know_is_explained() {
        let explained: BTreeSet<&str> = FIELDS.iter().map(|(name, _)| *name).collect();
        assert_eq!(explained, document_fields().collect());
    }
}
