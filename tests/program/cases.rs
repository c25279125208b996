//! Compose documents that a machine measured as they should be, and in which something outside them decides what runs: each
//! folder of `vectors/cases` ends as its README says.

use cvm_verify_core::report::CheckId::{ImagePins, LaunchInputs};
use cvm_verify_core::report::Status::{Pass, Warn};
use cvm_verify_core::report::Verdict;

use super::run::{Ran, run};
use simulator::recorded;

/// Replays a case as its README says.
fn case(name: &str) -> Option<Ran> {
    let folder = recorded::folder()?.join("cases").join(name);
    let read = |file: &str| {
        std::fs::read_to_string(folder.join(file))
            .unwrap()
            .trim()
            .to_owned()
    };
    let path = |file: &str| folder.join(file).display().to_string();
    Some(run(&[
        "replay".to_owned(),
        "--format=json".to_owned(),
        format!("--attestation={}", path("attestation.json")),
        format!("--info={}", path("info.json")),
        format!("--collateral={}", path("collateral.json")),
        format!("--nonce={}", read("nonce")),
        format!("--insecure-trust-root={}", path("root.pem")),
        "--at=2026-10-01T12:00:00Z".to_owned(),
        format!("--os-image={}", read("os-image")),
        format!("--key-provider=kms:{}", read("kms")),
        format!("--compose-hash={}", read("compose-hash")),
    ]))
}

/// The case does not pass, for this reason, and each place is named.
#[track_caller]
fn decides(name: &str, reason: &str, places: &[&str]) {
    let Some(ran) = case(name) else { return };
    assert_eq!(ran.code, 3);
    ran.assert(ImagePins, Warn, Some(reason));
    let detail = &ran.check(ImagePins).detail;
    for place in places {
        assert!(
            detail.contains(&format!(" {place}: ")),
            "{place} is not in: {detail}"
        );
    }
    // Nor does the other check call the document harmless.
    let inputs = &ran.check(LaunchInputs).detail;
    assert!(!inputs.starts_with("Nothing risky;"), "{inputs}");
}

/// The case passes, and `launch-inputs` says this.
#[track_caller]
fn passes(name: &str, reason: Option<&str>, says: &str) {
    let Some(ran) = case(name) else { return };
    assert_eq!(ran.code, 0);
    assert_eq!(ran.report().targets[0].verdict, Verdict::Pass);
    ran.assert(ImagePins, Pass, None);
    ran.assert(LaunchInputs, if reason.is_some() { Warn } else { Pass }, reason);
    let detail = &ran.check(LaunchInputs).detail;
    assert!(detail.contains(says), "{says} is not in: {detail}");
}

#[test]
fn g_cfg_content_var_decides_code() {
    decides(
        "g-cfg-content-var",
        "unmeasured-input",
        &["configs.run.sh.content"],
    );
}

#[test]
fn g_cfg_file_hostshared_decides_code() {
    decides(
        "g-cfg-file-hostshared",
        "unmeasured-input",
        &["configs.run.sh.file"],
    );
}

#[test]
fn g_env_file_hostshared_decides_code() {
    decides(
        "g-env-file-hostshared",
        "unmeasured-input",
        &["services.api.env_file"],
    );
}

#[test]
fn g_env_maps_risky_decides_code() {
    let places = [
        "services.api.environment.LD_PRELOAD",
        "services.api.environment.NODE_OPTIONS",
    ];
    decides("g-env-maps-risky", "unmeasured-input", &places);
}

#[test]
fn g_label_file_decides_code() {
    decides("g-label-file", "unmeasured-input", &["services.api.label_file"]);
}

#[test]
fn g_extra_hosts_var_decides_code() {
    decides(
        "g-extra-hosts-var",
        "unmeasured-input",
        &["services.api.extra_hosts[0]", "services.api.dns"],
    );
}

#[test]
fn g_pre_start_image_is_another_image() {
    decides(
        "g-pre-start-image",
        "unpinned-image",
        &["services.api.pre_start[0].image"],
    );
}

#[test]
fn g_vol_type_image_is_another_image() {
    decides(
        "g-vol-type-image",
        "unpinned-image",
        &["services.api.volumes[0].source"],
    );
}

#[test]
fn g_pull_policy_is_another_image() {
    decides("g-pull-policy", "unpinned-image", &["services.api.pull_policy"]);
}

#[test]
fn g_vol_bind_relative_long_is_host_access() {
    passes(
        "g-vol-bind-relative-long",
        Some("host-access"),
        "services.api.volumes[0].source (`data` (/dstack/data) of the VM)",
    );
}

#[test]
fn g_devices_tdx_is_host_access() {
    passes("g-devices-tdx", Some("host-access"), "services.api.devices[0]");
}

#[test]
fn g_device_cgroup_is_host_access() {
    passes(
        "g-device-cgroup",
        Some("host-access"),
        "services.api.device_cgroup_rules",
    );
}

#[test]
fn g_gpu_all_passes_and_says_what_it_means() {
    passes("g-gpu-all", None, "GPUs");
}

#[test]
fn g_guest_agent_sub_passes() {
    passes("g-guest-agent-sub", None, "Nothing risky");
}

#[test]
fn v3_gpu_devtools_is_named() {
    passes(
        "v3-gpu-devtools",
        Some("weak-gpu-policy"),
        "`allow_devtools` is true",
    );
}

#[test]
fn v3_gpu_default_is_not_named() {
    passes("v3-gpu-default", None, "Nothing risky");
}
