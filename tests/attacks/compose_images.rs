//! Mutable images in the measured compose file: T38.

use cvm_verify_core::report::{Assurance, CheckId, Status, Verdict};
use simulator::app_compose::app_compose;
use simulator::{Cvm, Lie, World};

use crate::judge::{Judged, Trial};

const PINNED: &str = "nginx@sha256:5618a93a78c9ac9173e7ebf7c8af173bd675be6832a2f8c2a9a7149ac2678f54";

/// A CVM that really runs this compose file, as expected. The deployer may set the variables of these tests.
fn running(yaml: &str) -> Judged {
    let mut cvm = Cvm::healthy(&World::default());
    let mut document: serde_json::Value = serde_json::from_str(&app_compose(yaml)).unwrap();
    document["pre_launch_script"] = serde_json::Value::Null;
    document["allowed_envs"] = serde_json::json!(["X", "_x", "TAG", "IMAGE", "DIGEST", "CHECK", "HOOK"]);
    cvm.app_compose = document.to_string();
    Trial::of(cvm).judge()
}

/// One service with a pinned image and these lines.
fn service(lines: &str) -> String {
    format!(
        "services:\n  web:\n    image: {PINNED}\n    {}\n",
        lines.replace('\n', "\n    ")
    )
}

#[track_caller]
fn is_unpinned(yaml: &str) {
    does_not_meet_code(yaml, "unpinned-image");
}

#[track_caller]
fn is_unmeasured(yaml: &str) {
    does_not_meet_code(yaml, "unmeasured-input");
}

#[track_caller]
fn does_not_meet_code(yaml: &str, reason: &str) {
    let judged = running(yaml);
    judged.says(CheckId::ImagePins, Status::Warn, reason);
    judged.concludes(Verdict::Inconclusive);
    assert_eq!(judged.0.assurance, Assurance::Hardware, "{judged}");
}

#[track_caller]
fn is_unreadable(yaml: &str) {
    running(yaml).leaves_open(CheckId::ImagePins, "unreadable-compose");
}

#[track_caller]
fn reaches_the_host(lines: &str) {
    running(&service(lines)).says(CheckId::LaunchInputs, Status::Warn, "host-access");
}

#[test]
fn the_healthy_baseline_passes() {
    running(&service("restart: always"))
        .passes()
        .proves(CheckId::ImagePins);
}

#[test]
fn t38_an_image_that_is_not_pinned_is_a_finding() {
    for image in [
        "nginx",
        "nginx:1.27",
        "nginx:${TAG}",
        "nginx:$TAG",
        "${IMAGE}",
        "${IMAGE:-nginx}@sha256:5618a93a78c9ac9173e7ebf7c8af173bd675be6832a2f8c2a9a7149ac2678f54",
        "nginx@sha256:${DIGEST}",
        "nginx@sha256:5618",
        "nginx@sha512:5618a93a78c9ac9173e7ebf7c8af173bd675be6832a2f8c2a9a7149ac2678f54",
        "nginx:latest # @sha256:5618a93a78c9ac9173e7ebf7c8af173bd675be6832a2f8c2a9a7149ac2678f54",
        "'nginx:latest #@sha256:5618a93a78c9ac9173e7ebf7c8af173bd675be6832a2f8c2a9a7149ac2678f54 '",
        "'@sha256:5618a93a78c9ac9173e7ebf7c8af173bd675be6832a2f8c2a9a7149ac2678f54'",
        "''",
        "null",
        "12",
        "[nginx]",
    ] {
        is_unpinned(&format!("services:\n  web:\n    image: {image}\n"));
    }
    Trial::lying(|cvm| Lie::MutableImageTag.apply(cvm))
        .with(|trial| trial.policy = crate::judge::strict(&trial.cvm))
        .judge()
        .says(CheckId::ImagePins, Status::Warn, "unpinned-image")
        .concludes(Verdict::Inconclusive);
}

#[test]
fn t38_one_unpinned_service_of_many_is_a_finding() {
    is_unpinned(&format!("{}  other:\n    image: nginx\n", service("tty: true")));
}

#[test]
fn t38_anchors_aliases_and_merge_keys_are_followed() {
    is_unpinned("x-image: &image nginx:latest\nservices:\n  web:\n    image: *image\n");
    let merged = |anchor: &str, lines: &str| format!("x-base: &base\n  {anchor}\n{}", service(lines));
    is_unpinned(&merged("build: .", "<<: *base"));
    is_unpinned(&merged("build: .", "<<: [*base]"));
    // Not every reader merges these: refused rather than guessed.
    is_unreadable(&merged("build: .", "!!merge <<: *base"));
    is_unreadable(&merged("build: .", "'<<': *base"));
    is_unmeasured(&merged("command: $X", "<<: *base"));
    is_unpinned("x-base: &base\n  image: nginx\nservices:\n  web:\n    <<: *base\n");
    is_unpinned(&format!(
        "x-all: &all\n  evil:\n    image: nginx\nservices:\n  <<: *all\n  web:\n    image: {PINNED}\n"
    ));
    is_unpinned(&format!(
        "x-root: &root\n  include: [other.yaml]\n<<: *root\n{}",
        service("tty: true")
    ));
}

#[test]
fn t38_build_extends_and_include_are_findings() {
    for lines in [
        "build: .",
        "build:\n  context: https://github.com/example/web.git",
        "extends: other",
        "extends:\n  file: other.yaml\n  service: web",
        "? build\n: .",
        r#""b\x75ild": ."#,
    ] {
        is_unpinned(&service(lines));
    }
    is_unreadable(&service("!!binary YnVpbGQ=: ."));
    is_unpinned(&format!("include:\n  - other.yaml\n{}", service("tty: true")));
}

#[test]
fn t38_a_variable_that_decides_what_runs_is_a_finding() {
    for key in ["command", "entrypoint", "volumes"] {
        for value in [
            "$X",
            "${X}",
            "${X:-a}",
            "a${X}b",
            "[sh, -c, 'exec $X']",
            "'$$$X'",
            "$_x",
        ] {
            is_unmeasured(&service(&format!("{key}: {value}")));
        }
        running(&service(&format!("{key}: ['echo $$X 5$ $1']"))).passes();
    }
    is_unmeasured(&service(
        "volumes:\n  - type: bind\n    source: ${X}\n    target: /x",
    ));
}

#[test]
fn t38_a_variable_in_a_named_volume_is_a_finding() {
    let volume = "volumes:\n  data:\n    driver_opts: { type: none, o: bind, device: '${X}' }\n";
    is_unmeasured(&format!("{}{volume}", service("volumes: ['data:/data']")));
}

#[test]
fn t38_a_file_without_services_pins_nothing() {
    is_unpinned("services: {}\n");
    is_unpinned("x-nothing: 1\n");
    is_unreadable("");
    is_unreadable("services: []\n");
    is_unreadable(&format!("{}  evil:\n", service("tty: true")));
}

#[test]
fn t38_an_app_of_the_bash_runner_pins_nothing() {
    let mut cvm = Cvm::healthy(&World::default());
    cvm.app_compose = cvm.app_compose.replace("\"docker-compose\"", "\"bash\"");
    Trial::of(cvm)
        .judge()
        .says(CheckId::ImagePins, Status::Warn, "unpinned-image")
        .concludes(Verdict::Inconclusive);
}

#[test]
fn t38_a_second_document_or_a_duplicate_key_is_unreadable() {
    // Docker Compose merges the documents of a stream; JSON-like readers take the first, or the last.
    let other = "services:\n  web:\n    image: nginx\n";
    let first = service("tty: true");
    is_unreadable(&format!("{first}---\n{other}"));
    is_unreadable(&format!("{first}...\n---\n{other}"));
    is_unreadable(&format!("{first}{other}"));
    is_unreadable(&format!("{first}  web:\n    image: nginx\n"));
    is_unreadable(&service("image: nginx"));
}

#[test]
fn t38_line_breaks_of_yaml_1_1_alone_are_unreadable() {
    // Docker Compose's parser (libyaml's rules) ends a line, and so a comment, at these; YAML 1.2 does not.
    for line_break in ['\u{85}', '\u{2028}', '\u{2029}'] {
        is_unreadable(&service(&format!("# nothing to see{line_break}    build: .")));
        is_unreadable(&service(&format!("command: 'echo{line_break}'")));
    }
    is_unpinned(&service("# nothing to see\r    build: ."));
}

#[test]
fn t38_what_reaches_beyond_the_container_is_a_finding() {
    for lines in [
        "privileged: true",
        "privileged: 'true'",
        "volumes: ['/var/run/docker.sock:/var/run/docker.sock']",
        "volumes: ['/run/docker.sock:/s:ro']",
        "volumes: ['/var/run:/run']",
        "volumes: ['/:/host']",
        "volumes: ['../../var/run:/x']",
        "volumes:\n  - type: bind\n    source: /var/run/docker.sock\n    target: /s",
        "pid: host",
        "network_mode: host",
        "cap_add: [SYS_ADMIN]",
        "use_api_socket: true",
    ] {
        reaches_the_host(lines);
    }
    running(&service(
        "volumes: ['/var/run/dstack.sock:/var/run/dstack.sock', 'data:/data']",
    ))
    .passes();
    running(&service("use_api_socket: false")).proves(CheckId::ImagePins);
}

#[test]
fn t38_a_named_volume_over_a_folder_of_the_vm_is_a_finding() {
    for device in ["/var/run", "/var/run/docker.sock", "/"] {
        let volumes =
            format!("volumes:\n  s:\n    driver_opts: {{ type: none, o: bind, device: {device} }}\n");
        let file = format!("{}{volumes}", service("volumes: ['s:/s']"));
        is_unmeasured(&file);
        running(&file).says(CheckId::LaunchInputs, Status::Warn, "host-access");
    }
}

#[test]
fn t38_a_waiver_is_named_and_keeps_the_assurance_low() {
    let mut cvm = Cvm::healthy(&World::default());
    cvm.app_compose = app_compose("services:\n  web:\n    image: nginx\n");
    let judged = Trial::of(cvm)
        .with(|trial| trial.policy.image_pins = cvm_verify_core::policy::ImagePinsPolicy::Unchecked)
        .judge();
    judged.passes();
    assert_eq!(judged.0.waived, [CheckId::ImagePins]);
    assert_eq!(judged.0.assurance, Assurance::Hardware);
}

#[test]
fn t38_a_variable_in_what_a_health_check_or_a_hook_executes_is_a_finding() {
    for lines in [
        "healthcheck:\n  test: [CMD-SHELL, '${CHECK}']",
        "post_start:\n  - command: [sh, -c, '$HOOK']",
        "pre_stop:\n  - command: ${HOOK}",
    ] {
        is_unmeasured(&service(lines));
    }
    running(&service("healthcheck:\n  test: [CMD-SHELL, 'test $$PORT']"))
        .passes()
        .proves(CheckId::ImagePins);
}
