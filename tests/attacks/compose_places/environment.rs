//! The environment of containers, of shells and of the guest.

use super::*;

#[test]
fn t63_a_file_of_environment_or_labels_decides_code() {
    for value in [
        ".env",
        "[.env]",
        "[{ path: .env, required: false }]",
        "/dstack/.host-shared/.user-config",
    ] {
        is_unmeasured(&service(&format!("env_file: {value}")), "services.web.env_file");
        is_unmeasured(
            &service(&format!("label_file: {value}")),
            "services.web.label_file",
        );
    }
    is_unmeasured(
        &service("credential_spec: { file: a.json }"),
        "services.web.credential_spec",
    );
    is_fixed(&service("env_file: []"));
}

#[test]
fn t66_what_a_shell_executes_of_the_containers_environment_decides_code() {
    let with = |lines: &str| service(&format!("environment: {{ NAME: '${{X}}', FIXED: 'a' }}\n{lines}"));
    for (lines, place) in [
        ("command: [sh, -c, '$$NAME']", "command[2]"),
        ("command: sh -c '$$NAME'", "command"),
        ("command: [sh, -c, 'eval \"$$NAME\"']", "command[2]"),
        ("entrypoint: [/bin/sh, -ec, 'exec $${NAME}']", "entrypoint[2]"),
        ("entrypoint: ['$$NAME']", "entrypoint[0]"),
        ("entrypoint: [sh]\ncommand: [-c, '$$NAME']", "command[1]"),
        ("entrypoint: sh -c\ncommand: ['exec $$NAME']", "command[0]"),
        ("entrypoint: [python]\ncommand: ['$$NAME']", "command[0]"),
        ("command: [-ec, '$$NAME']", "command[1]"),
        ("healthcheck: { test: '$$NAME' }", "healthcheck.test"),
        (
            "healthcheck: { test: [CMD-SHELL, 'sh -c \"$$NAME\"'] }",
            "healthcheck.test[1]",
        ),
        (
            "healthcheck: { test: [CMD, sh, -c, 'true; $$NAME'] }",
            "healthcheck.test[3]",
        ),
        (
            "post_start: [{ command: [sh, -c, 'echo $$NAME | sh'] }]",
            "post_start[0].command[2]",
        ),
        (
            "post_start: [{ command: [sh, -c, '$$OWN'], environment: ['OWN=${X}'] }]",
            "post_start[0].command[2]",
        ),
        (
            "pre_start: [{ command: [sh, -c, '$$NAME'] }]",
            "pre_start[0].command[2]",
        ),
        ("command: [python, -c, '$$NAME']", "command[2]"),
        // A variable of the script's own holds it.
        ("command: [sh, -c, 'c=$$NAME; exec $$c']", "command[2]"),
        ("command: sh -c 'c=$$NAME && $$c'", "command"),
        ("command: [sh, -c, 'for c in $$NAME; do $$c; done']", "command[2]"),
        (
            "entrypoint: [bash, -c, 'read c <<< \"$$NAME\"; eval \"$$c\"']",
            "entrypoint[2]",
        ),
        (
            "healthcheck: { test: [CMD, sh, -c, 'c=$${NAME:-true}; $$c'] }",
            "healthcheck.test[3]",
        ),
        ("command: [bash, -c, 'bash < <(echo $$NAME)']", "command[2]"),
        ("command: [bash, -c, 'echo $${!NAME}']", "command[2]"),
        ("command: [bash, -c, 'echo $$((NAME))']", "command[2]"),
        ("command: [sh, -c, 'printenv NAME | sh']", "command[2]"),
    ] {
        is_unmeasured(&with(lines), &format!("services.web.{place}"));
    }
    let config = |content: &str| {
        format!(
            "{}configs:\n  a:\n    content: \"{content}\"\n",
            with("configs: [a]")
        )
    };
    is_unmeasured(&config("#!/bin/sh\\nexec $$NAME\\n"), "configs.a.content");
    is_fixed(&config("#!/bin/sh\\nexec app --port $$NAME\\n"));
    for lines in [
        "command: [sh, -c, '$$FIXED']",
        "command: [sh, -c, '$$OF_THE_IMAGE']",
    ] {
        is_fixed(&with(lines));
    }
    // As an argument it is named with its path.
    let judged = is_fixed(&with(
        "healthcheck: { test: [CMD-SHELL, 'pg_isready -U $$NAME'] }",
    ));
    let detail = judged.detail(CheckId::LaunchInputs);
    assert!(detail.contains("services.web.healthcheck.test[1]"), "{detail}");
}

#[test]
fn t67_a_risky_name_in_a_container_decides_code() {
    for (entry, place) in [
        ("{ LD_PRELOAD: '${X}' }", "environment.LD_PRELOAD"),
        ("['NODE_OPTIONS=${X}']", "environment[0]"),
        ("{ https_proxy: 'http://${X}' }", "environment.https_proxy"),
        ("{ BASH_ENV: '${NOBODY:-${X}}' }", "environment.BASH_ENV"),
        ("['${NOBODY:-LD_PRELOAD}=${X}']", "environment[0]"),
    ] {
        is_unmeasured(
            &service(&format!("environment: {entry}")),
            &format!("services.web.{place}"),
        );
    }
    let passed = running_with(
        &service("environment: [PYTHONPATH]"),
        &json!({"allowed_envs": ["PYTHONPATH"]}),
    );
    decides(&passed, "unmeasured-input", "services.web.environment[0]");
    is_unmeasured(
        &service("post_start: [{ command: 'true', environment: { PATH: '${X}' } }]"),
        "services.web.post_start[0].environment.PATH",
    );
    is_fixed(&service(
        "environment: { LD_PRELOAD: /lib/a.so, NODE_OPTIONS: '${NOBODY}' }",
    ));
}

#[test]
fn t68_a_name_that_the_guest_itself_reads_decides_code() {
    for name in [
        "APP_COMPOSE_FILE",
        "COMPOSE_FILE",
        "COMPOSE_PROFILES",
        "DOCKER_HOST",
        "DOCKER_CONFIG",
        "LD_PRELOAD",
        "NERDCTL_NAMESPACE",
        "SHELLOPTS",
        "BASHOPTS",
        "PS4",
        "BASH_ENV",
        "PATH",
        "HOME",
        "CURL_HOME",
        "GODEBUG",
        "HTTPS_PROXY",
        "XDG_CONFIG_HOME",
        "GIT_SSH_COMMAND",
        "DSTACK_ROOT_PASSWORD",
        "AWS_PROFILE",
        "AWS_CONFIG_FILE",
        "REQUESTS_CA_BUNDLE",
        " LD_PRELOAD ",
    ] {
        let judged = running_with(&service("tty: true"), &json!({ "allowed_envs": [name] }));
        decides(&judged, "unmeasured-input", &format!("allowed_envs.{name}"));
        judged.says(CheckId::LaunchInputs, Status::Warn, "risky-variables");
    }
    for odd in [json!("LD_PRELOAD"), json!([["LD_PRELOAD"]]), json!({"a": "b"})] {
        running_with(&service("tty: true"), &json!({ "allowed_envs": odd }))
            .says(CheckId::ImagePins, Status::Warn, "unmeasured-input")
            .concludes(Verdict::Inconclusive);
    }
    for name in [
        "NODE_OPTIONS",
        "PYTHONPATH",
        "_JAVA_OPTIONS",
        "GUNICORN_CMD_ARGS",
        "proxy",
    ] {
        // The guest has no program that reads it; a script that is not known may hand it to one.
        running_with(&service("tty: true"), &json!({ "allowed_envs": [name] }))
            .passes()
            .proves(CheckId::ImagePins);
        let scripted = json!({ "allowed_envs": [name], "init_script": "true" });
        let judged = running_with(&service("tty: true"), &scripted);
        decides(&judged, "unmeasured-input", &format!("allowed_envs.{name}"));
        // A container has programs that load code by it.
        let filled = running_with(
            &service(&format!("environment: [{name}]")),
            &json!({ "allowed_envs": [name] }),
        );
        decides(&filled, "unmeasured-input", "services.web.environment[0]");
    }
    for name in [
        "DOCKER_TAG",
        "DOCKER_USERNAME",
        "API_KEY",
        "ENV",
        "N8N_TRUST_PROXY",
        "PYTHONUNBUFFERED",
        "TRUST_PROXY",
        "OPENAI_PROXY",
        "UV_THREADPOOL_SIZE",
        "LD_SDK_KEY",
    ] {
        running_with(
            &service(&format!("environment: [{name}]")),
            &json!({ "allowed_envs": [name] }),
        )
        .passes()
        .proves(CheckId::ImagePins);
        running_with(&service("tty: true"), &json!({ "allowed_envs": [name] }))
            .passes()
            .proves(CheckId::ImagePins);
    }
}
