//! The SGX extension of a platform certificate: OID 1.2.840.113741.1.13.1.

use dcap_qvl::intel::PckExtension;

use crate::inspect::page::Page;

pub(super) fn show(page: &mut Page, platform: &PckExtension) {
    page.field("PPID", hex::encode(&platform.ppid))
        .note("Id of the machine, 16 bytes. Its SHA-256 names the machine in Proof of Cloud.");
    page.field("FMSPC", hex::encode(platform.fmspc)).note(
        "Processor family, model and stepping, 6 bytes. It selects the TCB info that rates the machine.",
    );
    page.field("CPUSVN", hex::encode(platform.cpu_svn))
        .note("Security versions of microcode and firmware, one for each of 16 components. The TCB info rates them.");
    page.field("PCESVN", platform.pce_svn)
        .note("Security version of Intel's provisioning enclave. The TCB info rates it too.");
    page.field("PCEID", hex::encode(&platform.pce_id))
        .note("Which provisioning enclave: 0000 for Intel's.");
    page.field(
        "SGX type",
        match platform.sgx_type {
            0 => "0, standard".to_owned(),
            1 => "1, scalable".to_owned(),
            2 => "2, scalable with integrity".to_owned(),
            other => other.to_string(),
        },
    )
    .note(
        "How memory is protected. Servers are scalable: encrypted, without protection from replayed memory.",
    );
    if let Some(id) = &platform.platform_instance_id {
        page.field("Platform instance", hex::encode(id))
            .note("Id that the machine was given when it was registered with Intel.");
    }
    for (name, flag, meaning) in [
        (
            "dynamicPlatform",
            platform.dynamic_platform,
            "Processor packages may be added later. True on every dstack machine seen.",
        ),
        (
            "cachedKeys",
            platform.cached_keys,
            "Intel keeps the platform's root keys, so that it can be restored. True on most dstack machines.",
        ),
        (
            "SMT",
            platform.smt_enabled,
            "Hyper-threading is on. True on every dstack machine seen.",
        ),
    ] {
        page.field(
            name,
            match flag {
                Some(true) => "true",
                Some(false) => "false",
                None => "not stated",
            },
        )
        .note(meaning);
    }
}
