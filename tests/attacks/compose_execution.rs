//! What a program of a container executes of a value from outside: T64, T66, T67. Each ends with `image-pins` / `unmeasured-input` at the
//! place, or with a value that is known to be data.

use cvm_verify_core::report::CheckId;
use serde_json::json;

use crate::compose_places::{PINNED, decides, is_fixed, is_unmeasured, running_with, service};

/// Every item of this list that has a variable decides code, or none does.
#[track_caller]
fn list_decides(words: &[&str], is_code: bool) {
    let list = json!(words).to_string();
    let at = words.iter().position(|word| word.contains("${X}")).unwrap();
    for (lines, place) in [
        (format!("command: {list}"), format!("command[{at}]")),
        (format!("entrypoint: {list}"), format!("entrypoint[{at}]")),
        (
            format!("healthcheck: {{ test: {} }}", json!([&["CMD"], words].concat())),
            format!("healthcheck.test[{}]", at + 1),
        ),
        (
            format!("post_start: [{{ command: {list} }}]"),
            format!("post_start[0].command[{at}]"),
        ),
    ] {
        match is_code {
            true => is_unmeasured(&service(&lines), &format!("services.web.{place}")),
            false => {
                is_fixed(&service(&lines));
            }
        }
    }
}

#[test]
fn t64_an_item_that_is_not_known_to_be_data_decides_code() {
    for words in [
        &["app", "${X}"][..],
        &["app", "serve", "${X}"],
        &["app", "--", "${X}"],
        &["app", "--tomorrow", "${X}"],
        &["app", "--tomorrow=${X}"],
        &["app", "-x", "${X}"],
        &["app", "LEVEL=${X}"],
        &["app", "--plugin-url", "${X}"],
        &["app", "--config-name=${X}"],
        &["app", "--port=80", "${X}"],
        &["psql", "${X}"],
        &["nc", "-z", "${X}", "${X}"],
        &["nc", "-z", "db", "${X}"],
        &["nc", "-z", "-e", "${X}", "80"],
        &["npm", "run", "start", "--", "--require", "${X}"],
        &["python", "manage.py", "runserver", "${X}"],
        &["uv", "run", "--with", "${X}", "app"],
        &["mysql", "-p", "${X}"],
        &["curl", "-o", "/app/run", "http://a/${X}"],
        &["wget", "http://a/${X}"],
        &["aws", "--endpoint-url", "${X}", "s3", "cp", "s3://a", "/app"],
        &["postgres", "-c", "tomorrow=${X}"],
        &["java", "-Dtomorrow=${X}", "-jar", "a.jar"],
        &["traefik", "--providers.http.endpoint=${X}"],
        &["java", "-Dspring.datasource.url=${X}", "-jar", "a.jar"],
        &["julia", "--project", "${X}", "a.jl"],
        &["gosu", "${X}", "app"],
        // What a program calls may send it code; a model may be code.
        &["app", "--url", "${X}"],
        &["ray", "start", "--block", "--address=${X}"],
        &["mlflow", "models", "serve", "--model-uri", "${X}"],
        &["buildkite-agent", "start", "--token", "${X}"],
        &["python3", "-m", "sglang.launch_server", "--model", "${X}"],
        &["vllm", "serve", "Q/Q", "--trust", "--speculative-model", "${X}"],
        // A program that is not known may start the one behind it.
        &["numactl", "-N", "0", "curl", "-o", "/app/x", "--user", "${X}"],
        // A name of the environment, by which any program may load code.
        &["env", "LEVEL=${X}", "app"],
        &["env", "START_COMMAND=${X}", "/start.sh"],
    ] {
        list_decides(words, true);
    }
    for words in [
        &["redis-server", "--requirepass", "${X}"][..],
        &[
            "cloudflared",
            "tunnel",
            "--no-autoupdate",
            "run",
            "--token",
            "${X}",
        ],
        &["vllm", "serve", "Q/Q", "--api-key", "${X}"],
        &["vllm", "serve", "${X}", "--port", "8000"],
        &[
            "python3",
            "-m",
            "vllm.entrypoints.openai.api_server",
            "--model",
            "${X}",
        ],
        &["app", "--rpc-port=${X}"],
        &["node", "server.js", "--host", "${X}"],
        &["tini", "--", "app", "--user", "${X}"],
        &["gosu", "app", "app", "--password", "${X}"],
        &["pg_isready", "-h", "db", "-U", "${X}"],
        &["redis-cli", "-a", "${X}", "ping"],
        &["mysqladmin", "ping", "-h", "localhost", "-p${X}"],
        &["curl", "-fsS", "http://localhost:${X}/health"],
        &["wget", "-q", "--spider", "http://localhost:${X}/health"],
        &["postgres", "-c", "max_connections=${X}"],
        &["java", "-Xmx${X}", "-jar", "a.jar"],
        &["nc", "-z", "${X}", "5432"],
        &["npm", "run", "start", "--", "--port", "${X}"],
        &["python", "manage.py", "runserver", "0.0.0.0:${X}"],
        &["uv", "run", "uvicorn", "app:app", "--port", "${X}"],
        &["geth", "--networkid", "${X}"],
    ] {
        list_decides(words, false);
    }
}

#[test]
fn t64_a_script_of_a_list_may_execute_what_it_is_handed() {
    for words in [
        &["sh", "-c", "eval \"$$1\"", "x", "${X}"][..],
        &["sh", "-ec", "for x; do $$x; done", "x", "${X}"],
        &["sh", "-lc", "shift; \"$$@\"", "x", "a", "${X}"],
        &[
            "bash",
            "-o",
            "pipefail",
            "-c",
            "while getopts c: o; do $$OPTARG; done",
            "x",
            "${X}",
        ],
        &[
            "bash", "-euo", "pipefail", "-c", "exec app", "x", "--token", "${X}",
        ],
        &["sh", "-s", "--token", "${X}"],
        &["python3", "-c", "import sys; exec(sys.argv[1])", "${X}"],
        &["python3", "-c", "import app", "--token", "${X}"],
        &["node", "-e", "eval(process.argv[1])", "a", "--token", "${X}"],
        &["ruby", "-e", "system(ARGV[1])", "a", "--token", "${X}"],
        &["perl", "-e", "eval $$ARGV[1]", "a", "--token", "${X}"],
        &["php", "-r", "eval($$argv[2]);", "a", "--token", "${X}"],
    ] {
        list_decides(words, true);
    }
    let with = |command: &str| {
        service(&format!(
            "environment: ['NAME=${{X}}']\ncommand: [sh, -c, {}]",
            json!(command)
        ))
    };
    for script in [
        "sh -c 'eval \"$$1\"' x \"$$NAME\"",
        "sh -c 'for x; do $$x; done' x \"$$NAME\"",
        "sh -c 'shift; $$1' x a \"$$NAME\"",
        "python3 -c 'import sys; exec(sys.argv[1])' \"$$NAME\"",
        "node -e 'eval(process.argv[2])' a \"$$NAME\"",
        "ruby -e 'system(ARGV[1])' a \"$$NAME\"",
        "perl -e 'system($$ARGV[1])' a \"$$NAME\"",
        "php -r 'eval($$argv[2]);' a \"$$NAME\"",
        "f() { for c; do $$c; done; }; f \"$$NAME\"",
        "f() { \"$${@}\"; }; f \"$$NAME\"",
        "python3 <<'E'\nimport os\nos.system(os.environ['NAME'])\nE",
        "printf '%s' 'import os; os.system(os.environ[\"NAME\"])' | python3",
    ] {
        is_unmeasured(&with(script), "services.web.command[2]");
    }
    is_fixed(&with(
        "log() { echo \"$$1\"; }; log \"$$NAME\"; exec app --token \"$$NAME\"",
    ));
}

#[test]
fn t64_behind_an_empty_entrypoint_the_command_names_the_program() {
    for entrypoint in ["[]", "''", "['']", "['', '']", "['${NOBODY}']", "\"''\"", "[' ']"] {
        for (command, place) in [
            ("['${X}']", "command[0]"),
            ("['${X}', --port, '80']", "command[0]"),
            ("[env, '${X}']", "command[1]"),
            ("[sh, -c, 'exec \"$$1\"', x, '${X}']", "command[4]"),
            ("[python3, '${X}']", "command[1]"),
        ] {
            let lines = format!("entrypoint: {entrypoint}\ncommand: {command}");
            is_unmeasured(&service(&lines), &format!("services.web.{place}"));
        }
        is_fixed(&service(&format!(
            "entrypoint: {entrypoint}\ncommand: [app, --port, '${{X}}']"
        )));
    }
}

#[test]
fn t66_what_bash_evaluates_and_find_starts_decides_code() {
    for script in [
        "printf -v a '%s' \"$$NAME\"; exec app \"$$a\"",
        "printf -v \"$$NAME\" x",
        "find /seed -name '*.sql' -exec psql \"$$NAME\" -f {} \\;",
        "find /seed -execdir aws s3 cp {} \"s3://$$NAME/\" +",
        "find /seed -ok sh -c \"$$NAME\" \\;",
    ] {
        let command = json!(["bash", "-c", script]);
        is_unmeasured(
            &service(&format!("environment: ['NAME=${{X}}']\ncommand: {command}")),
            "services.web.command[2]",
        );
    }
}

#[test]
fn t67_the_file_that_an_interactive_shell_executes_decides_code() {
    for lines in [
        "tty: true",
        "stdin_open: true",
        "tty: 'yes'",
        "tty: '${Y}'",
        "command: [sh, -i]",
        "command: sh -il",
        "command: [bash, -o, posix, -i]",
        "entrypoint: [sh]\ncommand: [-i]",
        "command: [-ic, 'exec app']",
        "healthcheck: { test: [CMD, sh, -i, -c, 'true'] }",
        "healthcheck: { test: 'sh -ic true' }",
        "post_start: [{ command: [sh, -i, -c, 'true'] }]",
        "command: [sh, -c, 'exec sh -i']",
        "command: [script, -qc, sh, /dev/null]",
        "command: sh -c 'exec tmux new sh'",
        "healthcheck: { test: 'screen -dmS a sh' }",
    ] {
        is_unmeasured(
            &service(&format!("{lines}\nenvironment: {{ ENV: '${{X}}' }}")),
            "services.web.environment.ENV",
        );
    }
    is_unmeasured(
        &service("tty: true\nenvironment: ['NAME=${X}', 'ENV=$$NAME']"),
        "services.web.environment[1]",
    );
    for script in [
        "ENV=\"$$NAME\" sh -i",
        "export ENV=\"$$NAME\"; app",
        "BASH_ENV=\"$$NAME\" bash /run.sh",
    ] {
        let command = json!(["sh", "-c", script]);
        is_unmeasured(
            &service(&format!("environment: ['NAME=${{X}}']\ncommand: {command}")),
            "services.web.command[2]",
        );
    }
    // A config that starts one, in a container that is not interactive.
    is_unmeasured(
        &format!(
            "{}configs:\n  a: {{ content: 'exec sh -i' }}\n",
            service("environment: { ENV: '${X}' }\nconfigs: [a]")
        ),
        "configs.a.content",
    );
    for lines in [
        "restart: always",
        "tty: false",
        "stdin_open: false",
        "command: [sh, -c, 'exec app -i']",
    ] {
        is_fixed(&service(&format!("{lines}\nenvironment: {{ ENV: '${{X}}' }}")));
        is_unmeasured(
            &service(&format!("{lines}\nenvironment: {{ BASH_ENV: '${{X}}' }}")),
            "services.web.environment.BASH_ENV",
        );
    }
}

#[test]
fn t67_a_name_that_is_like_those_by_which_programs_load_code_decides_code() {
    for name in [
        "LD_TOMORROW",
        "PYTHONTOMORROW",
        "UV_TOMORROW",
        "BUNDLE_TOMORROW",
        "OPENSSL_TOMORROW",
        "TOMORROW_OPTS",
        "TOMORROW_PROXY",
        "TOMORROW_PLUGINS",
        "TOMORROW_PRELOAD",
        "TOMORROW_INDEX_URL",
        "TOMORROW_COMMAND",
        "TS_EXTRA_ARGS",
        "SPRING_APPLICATION_JSON",
        "JVM_ARGS",
        "PRE_START_PATH",
        "TRUST_REMOTE_CODE",
        "TOMORROW_TRUST_REMOTE_CODE",
        "NCCL_NET_PLUGIN",
        "TOMORROW_PLUGIN_DIR",
        "RABBITMQ_CTL_ERL_ARGS",
        "RABBITMQ_CONF_ENV_FILE",
        "GUNICORN_CONF",
        "GUNICORN_TOMORROW",
        "APP_MODULE",
        "OMPI_MCA_PLM_RSH_AGENT",
    ] {
        let judged = running_with(
            &service(&format!("environment: [{name}]")),
            &json!({ "allowed_envs": [name] }),
        );
        decides(&judged, "unmeasured-input", "services.web.environment[0]");
        assert!(
            judged
                .detail(CheckId::ImagePins)
                .contains("which can change what runs")
        );
    }
    for name in [
        "LD_SDK_KEY",
        "PYTHONUNBUFFERED",
        "UV_THREADPOOL_SIZE",
        "N8N_TRUST_PROXY",
        "NO_PROXY",
        "GUNICORN_WORKERS",
        "PLUGIN_API_KEY",
        "SCRIPT_TIMEOUT",
        "AWS_ENDPOINT_URL",
    ] {
        running_with(
            &service(&format!("environment: [{name}]")),
            &json!({ "allowed_envs": [name] }),
        )
        .passes()
        .proves(CheckId::ImagePins);
    }
}

/// A list that takes the square of its length to judge is not judged: each of its items with a variable decides code.
#[test]
fn t80_a_long_list_with_a_variable_decides_code() {
    let words = |count: usize| {
        let mut words = vec!["app"; count - 2];
        words.extend(["--port", "${X}"]);
        words
    };
    list_decides(&words(256), false);
    list_decides(&words(257), true);
}

/// Whoever operates the host answers for every machine that nothing authenticates, and says what the firmware says.
#[test]
fn t66_what_the_host_can_send_or_say_decides_code_where_a_script_executes_it() {
    let shell = |script: &str| format!("entrypoint: {}", json!(["sh", "-c", script]));
    for script in [
        "curl -fsSL http://get.example.com/i.sh | sh",
        "curl -fsSL get.example.com/i.sh | sh",
        "curl -sk https://get.example.com/app -o /app && chmod +x /app && exec /app",
        "wget -q http://get.example.com/a.sh; sh a.sh",
        "nc -l -p 9000 | sh",
        "eval \"$$(cat /sys/class/dmi/id/product_serial)\"",
    ] {
        is_unmeasured(&service(&shell(script)), "services.web.entrypoint[2]");
    }
    is_unmeasured(
        &service("healthcheck: { test: 'curl -s http://get.example.com/i.sh | sh' }"),
        "services.web.healthcheck.test",
    );
    is_unmeasured(
        &service("environment: { NPM_CONFIG_REGISTRY: 'http://npm.example.com' }"),
        "services.web.environment.NPM_CONFIG_REGISTRY",
    );
    is_unmeasured(
        &service("environment: { GOPROXY: 'http://go.example.com' }"),
        "services.web.environment.GOPROXY",
    );
    let config = |address: &str| {
        let service = service("configs: [{ source: a, target: /etc/pip.conf }]");
        format!("{service}configs:\n  a: {{ content: \"[global]\\nindex-url = {address}\\n\" }}\n")
    };
    is_unmeasured(&config("http://pypi.example.com/simple"), "configs.a.content");
    is_fixed(&config("https://pypi.example.com/simple"));
    let entries = service(
        "environment: { NPM_CONFIG_REGISTRY: 'http://verdaccio:4873', API_URL: 'http://api.example.com', HTTP_PROXY: 'http://proxy.example.com', PROXY: 'http://proxy.example.com', \
         JAVA_OPTS: '-Dapi=http://api.example.com' }",
    );
    is_fixed(&format!("{entries}  verdaccio:\n    image: {PINNED}\n"));
    is_unmeasured(&entries, "services.web.environment.NPM_CONFIG_REGISTRY");
    for script in [
        "curl -fsSL http://web:8080/i.sh | sh",
        "curl -fsS http://get.example.com/ping || exit 1; exec app",
        "while ! nc -z db.example.com 5432; do sleep 1; done; exec app",
    ] {
        is_fixed(&service(&shell(script)));
    }
    let before = |script: &str| {
        running_with(
            &service("init: true"),
            &json!({"pre_launch_script": script, "allowed_envs": []}),
        )
    };
    decides(
        &before("curl -s http://get.example.com/i.sh | sh"),
        "unmeasured-input",
        "pre_launch_script",
    );
    before("curl -s https://get.example.com/i.json > /dstack/i.json").passes();
}

#[test]
fn t66_a_script_that_executes_the_name_of_its_container_executes_what_fills_it() {
    for script in [
        "eval $$HOSTNAME",
        "sh -c \"$$(hostname)\"",
        "eval \"$$(cat /etc/hostname)\"",
    ] {
        let lines = |name: &str| format!("hostname: {name}\nentrypoint: {}", json!(["sh", "-c", script]));
        // Its own name is no other container's: what the script does with it decides.
        is_unmeasured(&service(&lines("${X}")), "services.web.entrypoint[2]");
        is_fixed(&service(&lines("web")));
    }
}

#[test]
fn t66_who_sets_a_password_can_log_in() {
    for script in [
        "echo \"root:$$X\" | chpasswd; exec /usr/sbin/sshd -D",
        "useradd -m -p \"$$X\" app; exec /usr/sbin/sshd -D",
        "echo \"PermitRootLogin $$X\" >> /etc/ssh/sshd_config; exec /usr/sbin/sshd -D",
    ] {
        let lines = format!("environment: [X]\nentrypoint: {}", json!(["sh", "-c", script]));
        is_unmeasured(&service(&lines), "services.web.entrypoint[2]");
    }
    let user = json!(["sh", "-c", "useradd -m -u \"$$X\" app; exec gosu app /app/server"]);
    is_fixed(&service(&format!("environment: [X]\nentrypoint: {user}")));
}

/// A file of a container that executes what is answered at a name, with lines of its own, and of a container beside it.
fn asks(address: &str, own: &str, beside: &str) -> String {
    let entrypoint = json!(["sh", "-c", format!("curl -fsS {address}/start.sh | sh")]);
    let web = service(&format!("entrypoint: {entrypoint}\n{own}"));
    let other = service(beside);
    format!(
        "{web}{}",
        other
            .trim_start_matches("services:\n")
            .replace("  web:", "  files:")
    )
}

#[test]
fn t66_a_name_without_a_dot_that_no_container_has_is_one_that_the_host_resolves() {
    for (address, own, beside) in [
        ("http://file", "", ""),
        ("http://File:8080", "", ""),
        ("http://store", "", "container_name: other"),
        ("http://store", "", "hostname: store"),
        (
            "http://files",
            "",
            "networks: { default: { use_service_name_alias: false } }",
        ),
        ("http://host.docker.internal:8080", "", ""),
        (
            "http://host.docker.internal",
            "extra_hosts: ['host.docker.internal:203.0.113.5']",
            "",
        ),
        ("http://app.localhost", "", ""),
        (
            "http://files.example.com",
            "extra_hosts: ['files.example.com:203.0.113.5']",
            "",
        ),
        ("http://files", "extra_hosts: ['files:203.0.113.5']", ""),
        ("http://files", "extra_hosts: { files: 203.0.113.5 }", ""),
        (
            "http://files",
            "extra_hosts: ['files=10.1.0.2', 'files=203.0.113.5']",
            "",
        ),
        ("http://files", "network_mode: host", ""),
        ("http://files", "network_mode: bridge", ""),
        ("http://files", "networks: [a]", "networks: [b]"),
        ("http://files", "networks: [a]", ""),
        ("http://other", "external_links: ['x:other']", ""),
        ("http://files", "", "profiles: [debug]"),
        ("http://files", "", "scale: 0"),
        ("http://files", "", "deploy: { replicas: 0 }"),
        ("http://files", "dns_opt: ['ndots:2']", ""),
        ("http://store", "links: ['files:store']", "networks: [b]"),
        (
            "http://store",
            "networks: [b]",
            "networks: { a: { aliases: [store] }, b: }",
        ),
        ("http://files", "network_mode: 'service:side'", "networks: [b]"),
    ] {
        is_unmeasured(&asks(address, own, beside), "services.web.entrypoint[2]");
    }
    is_unmeasured(
        &service("entrypoint: [sh, -c, 'sh < /dev/tcp/file/80']"),
        "services.web.entrypoint[2]",
    );
    is_unmeasured(
        &service("entrypoint: [sh, -c, 'socat - TCP:file:80 | sh']"),
        "services.web.entrypoint[2]",
    );
    for (address, own, beside) in [
        ("http://files", "", ""),
        ("http://FILES:8080", "", ""),
        ("http://localhost:8080", "", ""),
        ("http://store", "", "container_name: store"),
        ("http://store", "", "networks: { default: { aliases: [store] } }"),
        (
            "http://store.example.com",
            "",
            "networks: { default: { aliases: [store.example.com] } }",
        ),
        (
            "http://host.docker.internal",
            "extra_hosts: ['host.docker.internal:host-gateway']",
            "",
        ),
        ("http://store", "links: ['files:store']", ""),
        ("http://vm", "extra_hosts: ['vm:host-gateway']", ""),
        ("http://vm", "extra_hosts: { vm: [10.1.0.2] }", ""),
        ("http://files", "networks: [a, b]", "networks: { b: }"),
        ("http://files", "network_mode: 'service:files'", ""),
        ("http://files", "", "scale: 1"),
        ("http://store", "", "container_name: ${Z:-store}"),
    ] {
        is_fixed(&asks(address, own, beside));
    }
}

#[test]
fn t66_a_name_without_a_scheme_is_an_address_for_what_fetches() {
    for script in [
        "curl files/start.sh | sh",
        "wget -O- files | sh",
        "nc files 80 | sh",
    ] {
        let of =
            |script: &str, beside: &str| asks("", "", beside).replace("curl -fsS /start.sh | sh", script);
        is_unmeasured(
            &of(&script.replace("files", "file"), ""),
            "services.web.entrypoint[2]",
        );
        is_unmeasured(&of(script, "scale: 0"), "services.web.entrypoint[2]");
        is_fixed(&of(script, ""));
    }
    // What a fixed entry holds, and what a config fetches with it.
    let entry = |value: &str| {
        format!(
            "{}configs:\n  start: {{ content: 'curl -fsS $$$$U | sh' }}\n",
            service(&format!(
                "environment: {{ U: '{value}' }}\nconfigs: [{{ source: start, target: /start.sh }}]\nentrypoint: [sh, /start.sh]"
            ))
        )
    };
    is_unmeasured(&entry("files/start.sh"), "configs.start.content");
    is_fixed(&entry("web/start.sh"));
}

#[test]
fn t66_a_container_that_surely_does_not_run_answers_to_no_name() {
    for (own, beside) in [
        ("", "depends_on: [web]"),
        ("", "depends_on: { web: { condition: service_healthy } }"),
        (
            "",
            "depends_on: { web: { condition: service_completed_successfully } }",
        ),
        (
            "depends_on: { files: { condition: service_completed_successfully } }",
            "",
        ),
    ] {
        is_unmeasured(&asks("http://files", own, beside), "services.web.entrypoint[2]");
    }
    for (own, beside) in [
        ("depends_on: [files]", ""),
        (
            "depends_on: { files: { condition: service_started } }",
            "restart: always",
        ),
        ("depends_on: { files: { condition: service_healthy } }", ""),
        ("depends_on: [other]", "depends_on: [other]"),
    ] {
        is_fixed(&asks("http://files", own, beside));
    }
    // By way of another one, and before the service itself starts.
    let third = |condition: &str| {
        let own = format!("depends_on: {{ third: {{ condition: {condition} }} }}");
        format!(
            "{}{}",
            asks("http://files", &own, ""),
            service("depends_on: { files: { condition: service_completed_successfully } }")
                .trim_start_matches("services:\n")
                .replace("  web:", "  third:")
        )
    };
    is_unmeasured(&third("service_healthy"), "services.web.entrypoint[2]");
    let before = |name: &str| {
        service(&format!(
            "pre_start: [{{ command: [sh, -c, 'curl http://{name}/start.sh | sh'] }}]"
        ))
    };
    is_unmeasured(&before("web"), "services.web.pre_start[0].command[2]");
}

#[test]
fn t66_a_container_answers_to_the_name_that_docker_compose_gives_it() {
    for (address, beside) in [
        ("http://dstack-files-1", ""),
        ("http://DSTACK-FILES-1", "scale: 2"),
    ] {
        is_fixed(&asks(address, "", beside));
    }
    let named = |name: &str, address: &str| format!("name: {name}\n{}", asks(address, "", ""));
    is_fixed(&named("shop", "http://shop-files-1"));
    is_fixed(&named("${Z:-shop}", "http://shop-files-1"));
    for text in [
        named("shop", "http://dstack-files-1"),
        asks("http://dstack-files-1", "", "container_name: store"),
        asks("http://dstack-files-1", "", "scale: 0"),
        asks("http://dstack-files-2", "", ""),
        asks("http://shop-files-1", "", ""),
    ] {
        is_unmeasured(&text, "services.web.entrypoint[2]");
    }
    is_unmeasured(
        &named("${X}", "http://dstack-files-1"),
        "services.web.entrypoint[2]",
    );
}

#[test]
fn t66_no_container_answers_to_a_name_before_the_containers_run() {
    let judged = running_with(
        &service("tty: true"),
        &json!({ "pre_launch_script": "curl -fsS http://web/start.sh | sh" }),
    );
    decides(&judged, "unmeasured-input", "pre_launch_script");
}

#[test]
fn t66_a_script_of_a_config_finds_what_every_container_finds_that_mounts_it() {
    let mounts = "configs: [{ source: start, target: /start.sh }]\nentrypoint: [sh, /start.sh]";
    let of = |own: &str, beside: &str| {
        let config = "configs:\n  start: { content: 'curl -fsS http://files/start.sh | sh' }\n";
        let other = service(beside);
        let other = other
            .trim_start_matches("services:\n")
            .replace("  web:", "  files:");
        format!("{}{other}{config}", service(&format!("{mounts}\n{own}")))
    };
    is_fixed(&of("", ""));
    is_fixed(&of("extra_hosts: ['files:host-gateway']", "scale: 0"));
    is_fixed(&of("networks: [a]", "networks: [a]"));
    for (own, beside) in [
        ("network_mode: host", ""),
        ("network_mode: bridge", ""),
        ("networks: [a]", "networks: [b]"),
        ("extra_hosts: ['files:203.0.113.5']", ""),
        ("networks: [a]", &format!("networks: [b]\n{mounts}")),
    ] {
        is_unmeasured(&of(own, beside), "configs.start.content");
    }
}

#[test]
fn t66_what_answers_at_a_socket_is_no_machine() {
    for options in ["http://other/a --next", "http://other/a -s:", "-H"] {
        let script = format!("curl {options} --unix-socket /run/app.sock http://other/keys | sh");
        is_unmeasured(
            &service(&format!("entrypoint: {}", json!(["sh", "-c", script]))),
            "services.web.entrypoint[2]",
        );
    }
    for address in ["http://dstack", "http://localhost", "http://files.example.com"] {
        is_fixed(&service(&format!(
            "entrypoint: {}",
            json!([
                "sh",
                "-c",
                format!("eval $$(curl -s --unix-socket /run/app.sock {address}/keys)")
            ])
        )));
    }
}
