//! Tables of programs by the files that they read beside what their words say: settings that can start something, and code.

/// Programs, parts of the paths of their settings by which they start or load something, and whether they also read so each file and each
/// folder that a word names.
#[rustfmt::skip]
pub(super) const READERS: [(&[&str], &[&str], bool); 63] = [
    // Settings of package managers.
    (&["corepack", "npm", "npx", "pnpm", "yarn"], &["/.npmrc", "/.pnpmfile", "/.yarnrc", "npmrc"], false),
    (&["bun", "bunx"], &["/.env", "/.npmrc", "bunfig.toml"], false),
    (&["pip", "pip3", "pipx", "uv", "uvx"], &["/pip/", "pip.conf", "requirements", "uv.toml"], false),
    (&["apt", "apt-get", "aptitude"], &["/etc/apt/"], false),
    (&["apk"], &["/etc/apk/"], false),
    (&["dnf", "microdnf", "yum"], &["/etc/dnf", "/etc/yum"], false),
    (&["zypper"], &["/etc/zypp"], false),
    (&["conda", "mamba", "micromamba"], &["/.condarc", "/.mambarc"], false),
    (&["cargo", "rustc"], &["/.cargo/config", "/rust-toolchain"], false),
    (
        &["gradle", "gradlew"],
        &["/.gradle/", "build.gradle", "gradle.properties", "init.gradle", "settings.gradle"],
        false,
    ),
    (&["mvn", "mvnw"], &["/.m2/settings", "/.mvn/", "maven-settings", "pom.xml", "settings.xml"], false),
    (&["sbt", "scala"], &["/.sbt/", "build.sbt"], false),
    // Settings of clients.
    (&["psql"], &["psqlrc"], false),
    (&["mariadb", "mariadb-dump", "mysql", "mysqldump"], &["my.cnf"], false),
    (&["helm", "k9s", "kubectl"], &["/.kube/", "kubeconfig"], false),
    (&["aws", "eksctl", "s5cmd", "terraform"], &["/.aws/"], false),
    (&["curl"], &["curlrc"], false),
    (&["wget"], &["wgetrc"], false),
    (&["rclone"], &["/rclone/", "rclone.conf"], false),
    (&["certbot"], &["/letsencrypt/cli.ini", "/letsencrypt/renewal"], false),
    (
        &["autorestic", "borgmatic", "resticprofile"],
        &["/.autorestic", "/borgmatic", "profiles.toml", "profiles.y"],
        true,
    ),
    // Settings of daemons.
    (&["wg-quick"], &[".conf"], true),
    (&["openvpn"], &[".conf", ".ovpn"], true),
    (
        &[
            "anacron", "cron", "crond", "dcron", "fcron", "go-crond", "incrond", "ofelia",
            "supercronic", "yacron",
        ],
        &["/anacrontab", "/cron", "/incron", "/ofelia"],
        true,
    ),
    (
        &["apache2", "apache2-foreground", "apache2ctl", "apachectl", "httpd", "httpd-foreground"],
        &["/.htaccess", "/apache2/conf", "/etc/apache2/", "/etc/httpd/", "/httpd.conf"],
        true,
    ),
    (
        &["apache2-foreground", "apache2ctl", "frankenphp", "httpd-foreground", "php", "php-fpm"],
        &["/.htaccess", "/.user.ini", "/php.ini", "/php/"],
        false,
    ),
    (
        &[
            "circusd", "foreman", "hivemind", "honcho", "overmind", "pm2", "pm2-runtime",
            "process-compose",
        ],
        &["Procfile", "circus.ini", "ecosystem.config", "process-compose"],
        true,
    ),
    (
        &["benthos", "connect", "redpanda-connect", "telegraf", "vector"],
        &["/telegraf/", "/vector/", "benthos", "connect.y"],
        true,
    ),
    (
        &["confd", "consul", "consul-template", "envconsul", "nomad", "vault"],
        &["/confd/", "/consul", "/nomad", "/vault"],
        true,
    ),
    (&["fluent-bit", "fluentd", "logstash"], &["/fluent", "/logstash"], true),
    (&["logrotate"], &["/logrotate"], true),
    (&["webhook"], &["hooks.json", "hooks.yaml"], true),
    (&["supervisord"], &["supervisor"], true),
    (&["monit"], &["/.monitrc", "/monit/", "/monitrc"], true),
    (&["haproxy"], &["haproxy.cfg", "/haproxy/conf.d/"], true),
    (&["keepalived"], &["/keepalived"], true),
    (&["lighttpd"], &["/lighttpd"], true),
    (&["squid"], &["/etc/squid", "/squid.conf"], true),
    (&["stunnel", "stunnel4"], &["/stunnel.conf"], true),
    (&["tor"], &["/torrc"], true),
    (&["openresty"], &["/conf.d/", "/nginx.conf", "/sites-"], true),
    (&["dnsmasq"], &["/dnsmasq"], true),
    (&["ddclient"], &["/ddclient"], true),
    (&["pdns_server"], &["/pdns", "/powerdns"], true),
    (&["patroni"], &["/patroni"], true),
    (&["pgpool"], &["/pgpool"], true),
    (
        &["pg_ctl", "pg_ctlcluster", "postgres", "postmaster"],
        &["postgresql.auto.conf", "postgresql.base.conf", "postgresql.conf"],
        false,
    ),
    (&["collectd"], &["/collectd.conf", "/collectd/"], true),
    (&["icinga2", "nagios", "nrpe", "snmpd"], &["/icinga2/", "/nagios", "/nrpe", "/snmp/", "/snmpd.conf"], true),
    (&["zabbix_agent2", "zabbix_agentd"], &["/zabbix_agent"], true),
    (&["rsyslogd", "syslog-ng"], &["/rsyslog", "/syslog-ng"], true),
    (
        &["dovecot", "exim", "exim4", "master", "postfix", "smtpd"],
        &["/etc/dovecot/", "/etc/exim4/", "/etc/postfix/", "smtpd.conf"],
        true,
    ),
    (&["inetd", "xinetd"], &["/inetd.conf", "/xinetd"], true),
    (&["uwsgi", "uwsgi-core"], &["uwsgi.ini"], true),
    (&["airflow"], &["airflow.cfg"], false),
    (&["jupyter", "jupyter-lab", "jupyter-notebook"], &[".ipynb", "/.jupyter/"], false),
    (&["node-red"], &["/flows.json", "settings.js"], true),
    (&["hass", "init"], &["/configuration.yaml"], true),
    (&["mcpo"], &["mcp.json"], true),
    (
        &["act_runner", "buildkite-agent", "forgejo-runner", "gitea-runner", "gitlab-runner"],
        &["/buildkite-agent", "/gitlab-runner/", "config.toml"],
        true,
    ),
    // Those of languages: what they execute is the file that is named, or those beside it.
    (&["ansible", "ansible-playbook", "ansible-pull"], &["/.ansible", "/inventory", "/roles/", "ansible.cfg", "playbook"], true),
    (
        &[
            "ant", "bats", "bb", "cmake", "expect", "fab", "fennel", "gdb", "gnuplot", "invoke", "janet",
            "just", "kotlinc", "luajit", "m4", "meson", "ninja", "nix", "nix-build", "nix-shell", "ocaml",
            "papermill", "raku", "runghc", "runhaskell", "rust-script", "swipl", "task",
        ],
        &["CMakeLists.txt", "Taskfile", "build.ninja", "build.xml", "justfile", "meson.build"],
        true,
    ),
    (
        &[
            "ar", "as", "c++", "cc", "clang", "clang++", "crystal", "g++", "gcc", "gfortran", "ghc",
            "javac", "ld", "nasm", "nim", "ocamlc", "ocamlopt", "rustc", "tcc", "zig",
        ],
        &[],
        true,
    ),
];

/// Programs of a language, and the ends of its files that they load by name. Files that browsers are sent are none of them.
#[rustfmt::skip]
pub(super) const LOADERS: [(&[&str], &[&str]); 11] = [
    (&["apache2-foreground", "apache2ctl", "frankenphp", "php", "php-fpm"], &[".inc", ".php", ".phtml"]),
    (
        &[
            "airflow", "celery", "chainlit", "dagster", "daphne", "django-admin", "fastapi",
            "flask", "gunicorn", "hypercorn", "jupyter", "locust", "mkdocs", "prefect", "pytest",
            "python", "python3", "sanic", "streamlit", "superset", "uvicorn", "uwsgi",
        ],
        &[".pth", ".py"],
    ),
    (
        &[
            "bun", "deno", "next", "node", "npm", "nuxt", "pm2", "pm2-runtime", "pnpm", "ts-node",
            "tsx", "yarn",
        ],
        &[".cjs", ".js", ".mjs", ".ts"],
    ),
    (&["puma", "rackup", "rails", "rake", "ruby", "sidekiq", "unicorn"], &[".rake", ".rb", ".ru"]),
    (&["terraform", "terragrunt", "tofu"], &[".hcl", ".terraformrc", ".tf", ".tf.json"]),
    (&["dotnet"], &[".cs", ".csproj", ".dll", ".fs", ".fsproj", ".props", ".targets"]),
    (&["go"], &[".go"]),
    (&["cargo"], &[".rs"]),
    (&["gradle", "gradlew", "mvn", "mvnw", "sbt"], &[".java", ".kt", ".kts", ".scala"]),
    (&["elixir", "iex", "mix"], &[".ex", ".exs"]),
    (&["cabal", "stack"], &[".cabal", ".hs"]),
];

/// What the names of files of code end in, of which only those do nothing that are known to execute no file.
#[rustfmt::skip]
pub(super) const CODE_ENDS: [&str; 80] = [
    "a", "asm", "awk", "bash", "bat", "bats", "c", "cc", "cjs", "class", "clj", "coffee", "cpp", "cr",
    "cs", "csh", "cxx", "dart", "dll", "dylib", "elf", "erl", "ex", "exe", "exs", "f90", "fish", "fs",
    "go", "gradle", "groovy", "hs", "ipynb", "jar", "java", "jl", "jmod", "js", "ko", "ksh", "kt",
    "kts", "lhs", "lisp", "lua", "mjs", "mk", "ml", "nim", "nix", "o", "php", "phtml", "pl", "pm",
    "ps1", "py", "pyc", "pyz", "r", "rake", "rb", "rs", "ru", "s", "scala", "scm", "sh", "so", "swift",
    "tcl", "tf", "ts", "tsx", "v", "war", "wasm", "whl", "zig", "zsh",
];

/// Programs that change, pack, show or send a file that they are handed and execute none, beside those of other tables.
#[rustfmt::skip]
pub(super) const OTHERS_THAT_EXECUTE_NO_FILE: [&str; 48] = [
    "awk", "brotli", "bzip2", "chgrp", "cmp", "cosign", "dd", "diff", "dos2unix", "du", "envsubst",
    "file", "find", "gawk", "git", "gpg", "iconv", "less", "mawk", "md5", "minisign", "more", "nano",
    "nawk", "openssl", "pbzip2", "perl", "pigz", "pv", "rename", "rsync", "scp", "sed", "setcap",
    "setfacl", "sha1sum", "sha224sum", "sha384sum", "sha512sum", "shasum", "sponge", "strings", "strip",
    "tree", "xxd", "xz", "zip", "zstd",
];
