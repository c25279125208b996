//! Programs that are no interpreters and load or start what one of their options or operands names.

use super::word::Word;

/// Programs, the starts of their options whose argument names code, and whether their first operand does.
type CodeOptions = (&'static [&'static str], &'static [&'static str], bool);

const CODE_OPTIONS: [CodeOptions; 29] = [
    (&["celery"], &["-A", "--app", "--config", "--workdir"], false),
    (&["flask"], &["-A", "--app"], false),
    (
        &["granian", "gunicorn", "hypercorn", "uvicorn"],
        &[
            "-c",
            "--config",
            "-k",
            "--worker-class",
            "--pythonpath",
            "--chdir",
            "--app-dir",
            "--loop",
            "--interface",
        ],
        true,
    ),
    (
        &[
            "arq",
            "bokeh",
            "chainlit",
            "daphne",
            "dramatiq",
            "fastapi",
            "gradio",
            "huey_consumer",
            "panel",
            "sanic",
            "streamlit",
            "waitress-serve",
        ],
        &["--app", "--path"],
        true,
    ),
    (
        &["rq"],
        &[
            "-c",
            "--config",
            "-w",
            "--worker-class",
            "-j",
            "--job-class",
            "--path",
            "-P",
        ],
        false,
    ),
    (&["locust", "scrapy"], &["-f", "--locustfile", "-s"], false),
    (
        &["accelerate", "deepspeed", "papermill", "spark-submit", "torchrun"],
        &[
            "-m",
            "--module",
            "--class",
            "--conf",
            "--config_file",
            "--jars",
            "--packages",
            "--py-files",
            "--repositories",
        ],
        true,
    ),
    (
        &["puma", "rackup", "rails", "sidekiq", "thin", "unicorn"],
        &["-C", "-c", "-e", "-r", "-R", "--config", "--require"],
        true,
    ),
    (
        &["forever", "vite-node", "esno", "bun", "coffee"],
        &["-r", "--require", "--import", "--preload"],
        true,
    ),
    (&["nc"], &["-e", "-c", "--exec", "--sh-exec", "--lua-exec"], false),
    (
        &["wget"],
        &["-e", "--execute", "--config", "--use-askpass"],
        false,
    ),
    (&["rsync"], &["-e", "--rsh", "--rsync-path"], false),
    (&["scp", "sftp"], &["-F", "-o", "-S"], false),
    (&["nginx"], &["-g", "-c", "-p"], false),
    (&["haproxy", "lighttpd", "monit"], &["-c", "-f", "-m"], false),
    (
        &["caddy", "envoy", "otelcol", "otelcol-contrib"],
        &["-c", "--config"],
        false,
    ),
    (
        &["consul", "nomad", "vault"],
        &["-config", "-hcl", "-plugin-dir"],
        false,
    ),
    (
        &["fluent-bit"],
        &["-F", "-R", "-c", "-e", "-f", "-i", "-o", "-p"],
        false,
    ),
    (&["supervisord"], &["-c", "--configuration"], false),
    (&["s6-svscan", "runsvdir"], &[], true),
    (
        &["redis-server", "valkey-server", "keydb-server"],
        &["--loadmodule", "--include"],
        true,
    ),
    (
        &["mariadbd", "mysqld", "mysqld_safe"],
        &[
            "--basedir",
            "--defaults",
            "--early-plugin",
            "--init-file",
            "--ledir",
            "--malloc-lib",
            "--mysqld",
            "--plugin",
            "--wsrep-provider",
        ],
        false,
    ),
    (
        &["traefik"],
        &["--configfile", "--configFile", "--experimental"],
        false,
    ),
    (
        &["telegraf", "vector"],
        &["-c", "-C", "--config", "--plugin"],
        false,
    ),
    (
        &["fluentd", "logstash"],
        &[
            "-c",
            "-e",
            "-f",
            "-i",
            "-I",
            "-p",
            "-r",
            "--config",
            "--inline",
            "--path",
            "--plugin",
            "--require",
        ],
        false,
    ),
    (
        &["openvpn"],
        &[
            "--config",
            "--down",
            "--ipchange",
            "--learn-address",
            "--plugin",
            "--route-up",
            "--tls-verify",
            "--up",
        ],
        true,
    ),
    (&["openssl"], &["-config", "-engine", "-provider"], false),
    (
        &["jupyter", "jupyter-lab", "start-notebook.sh"],
        &[
            "--config",
            "--ServerApp.jpserver_extensions",
            "--NotebookApp.nbserver_extensions",
        ],
        false,
    ),
    (
        &["tar", "bsdtar"],
        &[
            "-F",
            "-I",
            "--checkpoint-action",
            "--info-script",
            "--new-volume-script",
            "--rmt-command",
            "--rsh-command",
            "--to-command",
            "--use-compress-program",
        ],
        false,
    ),
];

/// Of these, programs that execute what one of their options names or what another machine sends, without a file in the container.
const OBEYING: [&str; 18] = [
    "fluentd",
    "jupyter",
    "jupyter-lab",
    "keydb-server",
    "logstash",
    "mariadbd",
    "mysqld",
    "mysqld_safe",
    "nginx",
    "openvpn",
    "redis-server",
    "rsync",
    "scp",
    "sftp",
    "spark-submit",
    "telegraf",
    "traefik",
    "valkey-server",
];

/// Settings of Postgres whose value is a command or a library.
const POSTGRES: [&str; 13] = [
    "archive_cleanup_command",
    "archive_command",
    "archive_library",
    "config_file",
    "data_directory",
    "dynamic_library_path",
    "jit_provider",
    "local_preload_libraries",
    "oauth_validator_libraries",
    "recovery_end_command",
    "restore_command",
    "session_preload_libraries",
    "shared_preload_libraries",
];

/// Whether a variable names code that a program loads or starts; nothing where the program is not in the tables.
pub(super) fn names_code_by_option(name: &str, arguments: &[Word]) -> Option<bool> {
    if matches!(name, "postgres" | "postmaster") {
        return Some(sets_code_of_postgres(arguments));
    }
    let (_, options, operand) = CODE_OPTIONS
        .iter()
        .find(|(programs, ..)| programs.contains(&name))?;
    // Without quotes a value may be one of these options, by which some of the programs load what another machine sends.
    let may_be_one = |word: &Word| word.is_split && !options.is_empty() && OBEYING.contains(&name);
    Some(names_code(arguments, options, *operand) || arguments.iter().any(may_be_one))
}

/// Whether words set a setting of Postgres that is a command or a library, or one that a variable names.
fn sets_code_of_postgres(arguments: &[Word]) -> bool {
    let mut is_setting = false;
    arguments.iter().any(|word| {
        let text = word.text.as_str();
        let is_named = std::mem::replace(&mut is_setting, text == "-c");
        // Without quotes another setting may follow.
        if word.is_split {
            return true;
        }
        let setting = match text.strip_prefix("--").or_else(|| text.strip_prefix("-c")) {
            Some(setting) => setting,
            None if is_named => text,
            None => return false,
        };
        let name = setting.split('=').next().unwrap_or_default();
        let name = name.replace('-', "_").to_ascii_lowercase();
        let is_code = name.contains('$') || POSTGRES.contains(&name.as_str()) || name.ends_with("_command");
        is_code && !word.names.is_empty()
    })
}

/// Whether a variable stands in the argument of one of these options, or in the first operand. A verb before it is not the operand.
pub(super) fn names_code(arguments: &[Word], options: &[&str], operand: bool) -> bool {
    const VERBS: [&str; 9] = [
        "dev", "launch", "pool", "prefork", "run", "runner", "serve", "server", "worker",
    ];
    let mut before = "";
    let mut has_operand = false;
    for word in arguments {
        let text = word.text.as_str();
        let is_option = text.starts_with('-');
        let of_option =
            options.contains(&before) || is_option && options.iter().any(|option| text.starts_with(option));
        let is_operand = !is_option && !has_operand && (!before.starts_with('-') || before.contains('='));
        has_operand |= is_operand && !VERBS.contains(&text);
        if !word.names.is_empty() && (of_option || operand && is_operand) {
            return true;
        }
        before = text;
    }
    false
}
