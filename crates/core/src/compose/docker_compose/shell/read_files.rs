//! Files that a script writes and that a program reads which it starts: settings that name commands, and modules of a language. A line
//! end, a quote or a bracket in the value adds a setting or a statement.

use std::collections::BTreeSet;

use super::paths::{base_name, file_key};
use super::tainted::Tainted;
use super::word::Word;
use super::written_files::{sources_of_file, sources_of_written};

/// What a program reads beside what its arguments name.
struct Reads {
    programs: &'static [&'static str],
    /// Parts of the paths of its settings.
    files: &'static [&'static str],
    /// Whether it also reads as settings each file and folder that an argument names.
    named: bool,
}

const READERS: [Reads; 21] = [
    Reads {
        programs: &["corepack", "npm", "npx", "pnpm", "yarn"],
        files: &["/.npmrc", "npmrc", "/.pnpmfile", "/.yarnrc"],
        named: false,
    },
    Reads {
        programs: &["bun", "bunx"],
        files: &["/.npmrc", "bunfig.toml", "/.env"],
        named: false,
    },
    Reads {
        programs: &["pip", "pip3", "pipx", "uv", "uvx"],
        files: &["pip.conf", "/pip/", "uv.toml", "requirements"],
        named: false,
    },
    Reads {
        programs: &["apt", "apt-get", "aptitude"],
        files: &["/etc/apt/"],
        named: false,
    },
    Reads {
        programs: &["apk"],
        files: &["/etc/apk/"],
        named: false,
    },
    Reads {
        programs: &["dnf", "microdnf", "yum"],
        files: &["/etc/dnf", "/etc/yum"],
        named: false,
    },
    Reads {
        programs: &["psql"],
        files: &["psqlrc"],
        named: false,
    },
    Reads {
        programs: &["mariadb", "mariadb-dump", "mysql", "mysqldump"],
        files: &["my.cnf"],
        named: false,
    },
    Reads {
        programs: &["helm", "k9s", "kubectl"],
        files: &["/.kube/", "kubeconfig"],
        named: false,
    },
    Reads {
        programs: &["aws", "eksctl", "s5cmd", "terraform"],
        files: &["/.aws/"],
        named: false,
    },
    Reads {
        programs: &["wg-quick"],
        files: &[".conf"],
        named: true,
    },
    Reads {
        programs: &["openvpn"],
        files: &[".conf", ".ovpn"],
        named: true,
    },
    Reads {
        programs: &["cron", "crond", "dcron", "go-crond", "supercronic", "yacron"],
        files: &["/cron"],
        named: true,
    },
    Reads {
        programs: &[
            "apache2-foreground",
            "apache2ctl",
            "frankenphp",
            "httpd-foreground",
            "php",
            "php-fpm",
        ],
        files: &["/php/", "/.user.ini", "/.htaccess", "/php.ini"],
        named: false,
    },
    Reads {
        programs: &[
            "circusd",
            "foreman",
            "hivemind",
            "honcho",
            "overmind",
            "pm2",
            "pm2-runtime",
            "process-compose",
        ],
        files: &["Procfile", "circus.ini", "ecosystem.config", "process-compose"],
        named: true,
    },
    Reads {
        programs: &["benthos", "connect", "redpanda-connect", "telegraf", "vector"],
        files: &["/telegraf/", "/vector/", "benthos", "connect.y"],
        named: true,
    },
    Reads {
        programs: &["consul", "consul-template", "envconsul", "nomad", "vault"],
        files: &["/consul", "/nomad", "/vault"],
        named: true,
    },
    Reads {
        programs: &["fluent-bit", "fluentd", "logstash"],
        files: &["/fluent", "/logstash"],
        named: true,
    },
    Reads {
        programs: &["logrotate"],
        files: &["/logrotate"],
        named: true,
    },
    Reads {
        programs: &["webhook"],
        files: &["hooks.json", "hooks.yaml"],
        named: true,
    },
    Reads {
        programs: &["supervisord"],
        files: &["supervisor"],
        named: true,
    },
];

/// Programs of a language, and the ends of its files that they load by name. Files that browsers are sent are none of them.
const LOADERS: [(&[&str], &[&str]); 4] = [
    (
        &["apache2-foreground", "apache2ctl", "frankenphp", "php", "php-fpm"],
        &[".inc", ".php", ".phtml"],
    ),
    (
        &[
            "airflow",
            "celery",
            "daphne",
            "django-admin",
            "fastapi",
            "flask",
            "gunicorn",
            "hypercorn",
            "jupyter",
            "python",
            "python3",
            "superset",
            "uvicorn",
            "uwsgi",
        ],
        &[".pth", ".py"],
    ),
    (
        &[
            "bun",
            "deno",
            "next",
            "node",
            "npm",
            "nuxt",
            "pm2",
            "pm2-runtime",
            "pnpm",
            "ts-node",
            "tsx",
            "yarn",
        ],
        &[".cjs", ".js", ".mjs", ".ts"],
    ),
    (
        &["puma", "rackup", "rails", "rake", "ruby", "sidekiq", "unicorn"],
        &[".rake", ".rb", ".ru"],
    ),
];

/// Folders of what servers send to browsers.
const OF_BROWSERS: [&str; 4] = ["/assets/", "/html/", "/public/", "/static/"];
/// Folders into which bundlers put what is for browsers, and compilers what is for the server.
const OF_EITHER: [&str; 3] = ["/build/", "/dist/", "/out/"];
/// Programs that start what a project says, whichever folder that stands in.
const PROJECT_STARTERS: [&str; 7] = ["next", "npm", "nuxt", "pm2", "pm2-runtime", "pnpm", "yarn"];

/// Whether a file of JavaScript is one for browsers, which the program does not load: by its folder, where no word of the program names a
/// file there.
fn is_for_browsers(path: &str, name: &str, arguments: &[Word]) -> bool {
    let path = format!("/{path}");
    let words = || arguments.iter().map(|word| word.text.as_str());
    let is_named = |part: &str| words().any(|text| format!("/{text}/").contains(part));
    let of_project = PROJECT_STARTERS.contains(&name)
        || matches!(name, "bun" | "deno") && words().any(|text| matches!(text, "run" | "start" | "task"));
    let is_in = |parts: &[&str]| {
        let mut parts = parts.iter().filter(|part| path.contains(**part)).peekable();
        parts.peek().is_some() && !parts.any(|part| is_named(part))
    };
    is_in(&OF_BROWSERS) || !of_project && is_in(&OF_EITHER)
}

/// The variables from outside in files that a program reads as its settings or loads as modules.
pub(super) fn sources_of_read_files(
    name: &str,
    arguments: &[Word],
    folder: Option<&str>,
    tainted: &Tainted,
) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for reads in READERS.iter().filter(|reads| reads.programs.contains(&name)) {
        found.extend(sources_of_written(tainted, |path| {
            let path = format!("/{path}");
            reads.files.iter().any(|part| path.contains(part))
        }));
        if reads.named {
            for word in arguments {
                let named = word.text.rsplit('=').next().unwrap_or_default();
                found.extend(sources_of_file(&file_key(named, folder), tainted));
                let below = named.trim_end_matches('/');
                if below.starts_with('/') {
                    found.extend(sources_of_written(tainted, |path| {
                        path.strip_prefix(below).is_some_and(|rest| rest.starts_with('/'))
                    }));
                }
            }
        }
    }
    // Node takes NODE_OPTIONS from such a file.
    if matches!(name, "node" | "nodejs" | "tsx") {
        let is_of_environment = |word: &&Word| word.text.starts_with("--env-file");
        if arguments.iter().any(|word| is_of_environment(&word)) {
            found.extend(sources_of_written(tainted, |path| {
                base_name(path).contains(".env")
            }));
            for word in arguments {
                let named = word.text.rsplit('=').next().unwrap_or_default();
                found.extend(sources_of_file(&file_key(named, folder), tainted));
            }
        }
    }
    for (_, ends) in LOADERS.iter().filter(|(programs, _)| programs.contains(&name)) {
        found.extend(sources_of_written(tainted, |path| {
            ends.iter().any(|end| path.ends_with(end))
                && !(ends.contains(&".js") && is_for_browsers(path, name, arguments))
        }));
    }
    found
}
