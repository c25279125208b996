//! Recorded compose documents that a machine measured as they should be: those in which something outside them decides what runs, and
//! those that Docker reads, or refuses, in ways of its own. Each folder of `vectors/cases` ends as its README says.

use cvm_verify_core::report::CheckId::{ImagePins, LaunchInputs};
use cvm_verify_core::report::Status::{Error, Pass, Warn};
use cvm_verify_core::report::Verdict;

use super::run::{Ran, run};
use simulator::recorded;

/// Replays a case as its README says.
fn case(name: &str) -> Option<Ran> {
    let folder = recorded::folder()?.join("cases").join(name);
    let path = |file: &str| folder.join(file).display().to_string();
    let read = |file: &str| {
        std::fs::read_to_string(folder.join(file))
            .unwrap()
            .trim()
            .to_owned()
    };
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

#[test]
fn a_document_in_which_something_outside_decides_code_does_not_pass_and_each_place_is_named() {
    for (name, reason, places) in [
        (
            "g-cfg-content-var",
            "unmeasured-input",
            &["configs.run.sh.content"][..],
        ),
        (
            "g-cfg-file-hostshared",
            "unmeasured-input",
            &["configs.run.sh.file"],
        ),
        (
            "g-env-file-hostshared",
            "unmeasured-input",
            &["services.api.env_file"],
        ),
        (
            "g-env-maps-risky",
            "unmeasured-input",
            &[
                "services.api.environment.LD_PRELOAD",
                "services.api.environment.NODE_OPTIONS",
            ],
        ),
        ("g-label-file", "unmeasured-input", &["services.api.label_file"]),
        (
            "g-extra-hosts-var",
            "unmeasured-input",
            &["services.api.extra_hosts[0]", "services.api.dns"],
        ),
        (
            "g-pre-start-image",
            "unpinned-image",
            &["services.api.pre_start[0].image"],
        ),
        (
            "g-vol-type-image",
            "unpinned-image",
            &["services.api.volumes[0].source"],
        ),
        ("g-pull-policy", "unpinned-image", &["services.api.pull_policy"]),
    ] {
        let Some(ran) = case(name) else { return };
        assert_eq!(ran.code, 3, "{name}");
        ran.assert(ImagePins, Warn, Some(reason));
        let detail = &ran.check(ImagePins).detail;
        for place in places {
            assert!(
                detail.contains(&format!(" {place}: ")),
                "{name}: {place} is not in: {detail}"
            );
        }
        // Nor does the other check call the document harmless.
        let inputs = &ran.check(LaunchInputs).detail;
        assert!(!inputs.starts_with("Nothing risky;"), "{name}: {inputs}");
    }
}

#[test]
fn a_document_that_decides_its_code_passes_and_what_it_opens_is_said() {
    for (name, reason, says) in [
        (
            "g-vol-bind-relative-long",
            Some("host-access"),
            "services.api.volumes[0].source (`data` (/dstack/data) of the VM)",
        ),
        ("g-devices-tdx", Some("host-access"), "services.api.devices[0]"),
        (
            "g-device-cgroup",
            Some("host-access"),
            "services.api.device_cgroup_rules",
        ),
        ("g-gpu-all", None, "GPUs"),
        ("g-guest-agent-sub", None, "Nothing risky"),
        (
            "v3-gpu-devtools",
            Some("weak-gpu-policy"),
            "`allow_devtools` is true",
        ),
        ("v3-gpu-default", None, "Nothing risky"),
    ] {
        let Some(ran) = case(name) else { return };
        assert_eq!(ran.code, 0, "{name}");
        assert_eq!(ran.report().targets[0].verdict, Verdict::Pass, "{name}");
        ran.assert(ImagePins, Pass, None);
        ran.assert(LaunchInputs, if reason.is_some() { Warn } else { Pass }, reason);
        let detail = &ran.check(LaunchInputs).detail;
        assert!(detail.contains(says), "{name}: {says} is not in: {detail}");
    }
}

#[test]
fn yaml_that_docker_reads_in_ways_of_its_own_is_read() {
    for name in [
        "y-flow-close-at-parent-indent",
        "y-json-compose",
        "y-question-key",
    ] {
        let Some(ran) = case(name) else { return };
        ran.assert(ImagePins, Pass, None);
        assert_eq!(ran.code, 0, "{name}");
    }
}

/// go-yaml: mapping key "<<" already defined.
#[test]
fn two_merge_keys_are_refused_with_their_place() {
    let Some(ran) = case("y-merge-two-keys") else {
        return;
    };
    ran.assert(ImagePins, Error, Some("unreadable-compose"));
    assert_eq!(ran.code, 3);
    let detail = &ran.check(ImagePins).detail;
    let says =
        "line 8, column 5: the key `<<` is given twice, first in line 7; merge several mappings with one key";
    assert!(detail.contains(says), "{detail}");
}
