//! Variables in the docker compose file.

use super::*;

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
        ("labels: { a: '${X}' }", "labels.a"),
        ("labels: ['a=${X}']", "labels[0]"),
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
fn t65_a_variable_in_a_name_of_a_container_decides_who_answers_to_it() {
    for (key, place) in [
        ("hostname: '${X}'", "hostname"),
        ("hostname: 'd${X}'", "hostname"),
        ("hostname: 'node-${X}'", "hostname"),
        ("domainname: '${X}'", "domainname"),
        ("container_name: '${X:-web}'", "container_name"),
        ("container_name: 'dst${X}'", "container_name"),
        ("container_name: '${X}-1'", "container_name"),
        ("container_name: 'D${X}b'", "container_name"),
        ("container_name: '${X}-$${Y}'", "container_name"),
        (
            "container_name: '${X}r'\nextra_hosts: ['vm.user:10.1.0.2']",
            "container_name",
        ),
        (
            "container_name: '${X}-web'\nvolumes: [/var/run/docker.sock:/s]",
            "container_name",
        ),
        (
            "networks: { default: { aliases: ['${X}'] } }",
            "networks.default.aliases[0]",
        ),
        ("links: ['db:${X}']", "links[0]"),
        (
            "pre_start: [{ command: /init, hostname: '${X}' }]",
            "pre_start[0].hostname",
        ),
    ] {
        is_unmeasured(&beside_db(key), &format!("services.web.{place}"));
    }
    // Programs of the container read it as their own name: `socket.gethostname()`.
    is_unmeasured(&service("hostname: '${X}'"), "services.web.hostname");
    let another_project = format!("name: '${{X}}'\n{}", beside_db("container_name: 'a-${X}'"));
    is_unmeasured(&another_project, "services.web.container_name");
}

/// A file with these lines of a service, and with another service.
fn beside_db(lines: &str) -> String {
    format!(
        "{}  db:\n    image: {PINNED}\n    networks: {{ default: {{ aliases: [store] }} }}\n",
        service(lines)
    )
}

#[test]
fn a_name_that_no_other_container_can_have_is_set_from_outside() {
    for (text, place) in [
        (beside_db("container_name: '${X}-web'"), "container_name"),
        (beside_db("container_name: 'app-${X}'"), "container_name"),
        (beside_db("container_name: 'app-${X:-1}-web'"), "container_name"),
        (
            beside_db("networks: { default: { aliases: ['${X}-web'] } }"),
            "networks.default.aliases[0]",
        ),
        (service("container_name: '${X}'"), "container_name"),
    ] {
        let judged = is_fixed(&text);
        let detail = judged.detail(CheckId::LaunchInputs);
        let named = format!(
            "1 value is set from outside, by the deployer or the host, and nothing measures or authenticates them: services.web.{place}."
        );
        assert!(detail.contains(&named), "{place}: {detail}");
    }
    // What such a container is called is not known.
    is_unmeasured(
        &service("container_name: '${X:-web}'\nentrypoint: [sh, -c, 'curl http://web-1/x | sh']"),
        "services.web.entrypoint[2]",
    );
}

#[test]
fn t65_a_variable_that_says_whether_a_service_starts_decides_code() {
    for (key, place) in [
        ("scale: ${X}", "scale"),
        ("deploy: { replicas: '${X}' }", "deploy.replicas"),
        ("deploy: { mode: '${X}' }", "deploy.mode"),
        ("profiles: ['${X}']", "profiles[0]"),
    ] {
        is_unmeasured(&service(key), &format!("services.web.{place}"));
    }
    is_fixed(&service("scale: 2"));
    is_fixed(&service("deploy: { replicas: 2 }"));
}
