//! Lists of programs by what they do with their arguments, their input and the folder that they stand in.

use std::collections::BTreeSet;
use std::sync::LazyLock;

/// Programs any of whose arguments may be executed.
#[rustfmt::skip]
pub(super) const EXECUTORS: [&str; 89] = [
    ".", "alias", "ansible", "ansible-playbook", "ansible-pull", "ant", "brew", "chroot", "circusd",
    "compgen", "complete", "concurrently", "consul-template", "dagster", "docker", "ed", "entr", "eval",
    "ex", "expect", "fab", "find", "foreman", "gdb", "gnuplot", "gotty", "gradle", "gradlew", "honcho",
    "insmod", "invoke", "just", "ldd", "less", "let", "logrotate", "m4", "man", "modprobe", "mpiexec",
    "mpirun", "mprocs", "multirun", "multitail", "mvn", "mvnw", "ncat", "nerdctl", "nix", "nix-shell",
    "nodemon", "nsenter", "parallel", "pkexec", "pm2", "podman", "prefect", "rake", "s6-svscan", "sbatch",
    "sbt", "screen", "script", "socat", "source", "sqlite3", "srun", "ssh", "start-stop-daemon", "su",
    "svscan", "swipl", "sysctl", "systemd-run", "task", "tcpserver", "terraform", "tmux", "trap", "ttyd",
    "unshare", "uwsgi", "vi", "vim", "watch", "watchexec", "wine", "xargs", "xterm",
];
/// Programs that fetch or start code by name.
pub(super) const FETCHERS: [&str; 33] = [
    "apk", "apt", "apt-get", "bun", "bundle", "cargo", "composer", "conda", "cpan", "cpanm", "deno", "dnf",
    "dpkg", "gem", "git", "go", "luarocks", "mamba", "microdnf", "mvn", "mvnw", "npm", "pdm", "pip", "pip3",
    "pipx", "pnpm", "poetry", "rpm", "uv", "yarn", "yum", "zypper",
];
/// What those do when they fetch.
pub(super) const FETCHING: [&str; 18] = [
    "add",
    "ci",
    "clone",
    "create-project",
    "download",
    "downgrade",
    "fetch",
    "get",
    "i",
    "install",
    "localinstall",
    "pull",
    "reinstall",
    "require",
    "submodule",
    "update",
    "upgrade",
    "wheel",
];
/// Verbs of theirs after which the name of what they start stands.
pub(super) const STARTING: [&str; 13] = [
    "activate",
    "build",
    "checkout",
    "dlx",
    "eval",
    "exec",
    "reset",
    "run",
    "run-script",
    "switch",
    "task",
    "tool",
    "x",
];
/// Options of theirs, before that name, whose argument is fetched.
pub(super) const FETCHING_OPTIONS: [&str; 12] = [
    "--call",
    "--extra-index-url",
    "--from",
    "--index",
    "--index-url",
    "--manifest-path",
    "--package",
    "--registry",
    "--spec",
    "--with",
    "-c",
    "-p",
];
/// Programs that start the command behind their verb `run` or `exec`.
pub(super) const RUN_TOOLS: [&str; 17] = [
    "aws-vault",
    "bundle",
    "chamber",
    "conda",
    "doppler",
    "dotenvx",
    "hatch",
    "infisical",
    "mise",
    "npm",
    "op",
    "pdm",
    "pipenv",
    "pnpm",
    "poetry",
    "rye",
    "uv",
];
/// Programs that start the command behind `--`, beside wrappers.
pub(super) const BEFORE_DASHES: [&str; 6] = ["dotenv", "envconsul", "kubectl", "sops", "teller", "wait-for"];
/// Files by which a project says what npm, make and the like start.
pub(super) const PROJECT_FILES: [&str; 18] = [
    "Cargo.toml",
    "GNUmakefile",
    "Gemfile",
    "Makefile",
    "Procfile",
    "Rakefile",
    "build.rs",
    "compose.yaml",
    "compose.yml",
    "docker-compose.yaml",
    "docker-compose.yml",
    "go.mod",
    "justfile",
    "makefile",
    "package.json",
    "pyproject.toml",
    "setup.cfg",
    "setup.py",
];
/// Clients of a container engine.
pub(super) const ENGINES: [&str; 3] = ["docker", "nerdctl", "podman"];
/// Verbs of theirs that say of what the next word says what is done.
pub(super) const ENGINE_GROUPS: [&str; 5] = ["container", "image", "network", "system", "volume"];
/// What is done there without starting or building anything.
pub(super) const IN_GROUPS_STARTS_NOTHING: [&str; 9] = [
    "df", "events", "info", "inspect", "list", "ls", "prune", "rm", "tag",
];
/// What those do without starting or building anything.
pub(super) const ENGINE_STARTS_NOTHING: [&str; 21] = [
    "diff", "events", "images", "info", "inspect", "kill", "login", "logout", "logs", "pause", "port", "ps",
    "rename", "rm", "rmi", "stats", "stop", "tag", "top", "unpause", "version",
];
/// Programs that take what the folder says that they stand in, beside those that fetch.
pub(super) const FOLDER_READERS: [&str; 7] = [
    "bmake",
    "docker",
    "docker-compose",
    "gmake",
    "make",
    "podman",
    "rake",
];
/// Programs that start what their first argument names.
pub(super) const RUNNERS: [&str; 3] = ["bunx", "npx", "uvx"];
/// Programs that bring files from elsewhere to places that an argument chooses.
pub(super) const DOWNLOADERS: [&str; 18] = [
    "aria2c", "aws", "axel", "az", "crane", "curl", "gcloud", "gsutil", "hg", "ipfs", "mc", "oras", "rclone",
    "rsync", "s3cmd", "scp", "svn", "wget",
];
/// Programs that print what another machine sends without authenticating it, or what the host's resolver answers.
pub(super) const CONNECTIONS: [&str; 12] = [
    "dig", "drill", "kdig", "nc", "nc-vsock", "ncat", "netcat", "nslookup", "openssl", "socat", "telnet",
    "websocat",
];
/// Others that do, and name the machine among their words.
pub(super) const OTHER_CONNECTIONS: [&str; 7] =
    ["delv", "ftp", "ftpget", "host", "lftp", "resolvectl", "tftp"];
/// Programs that work on other machines over SSH.
pub(super) const OVER_SSH: [&str; 5] = ["rsync", "scp", "sftp", "ssh", "sshfs"];
/// Programs, and parts of paths, by which data comes from elsewhere. A set, since it is asked of each word of a document.
pub(super) static BRINGING: LazyLock<BTreeSet<&str>> = LazyLock::new(|| {
    let programs = [
        &DOWNLOADERS[..],
        &CONNECTIONS,
        &OTHER_CONNECTIONS,
        &OVER_SSH,
        &FETCHERS,
        &RUNNERS,
        &["VSOCK", "hostname", "mount", "tcp", "udp", "vsock"],
    ];
    programs.concat().into_iter().collect()
});
/// Programs that unpack their input.
pub(super) const UNPACKERS: [&str; 7] = ["7z", "7za", "bsdtar", "cpio", "tar", "unrar", "unzip"];
/// Programs that start nothing and load nothing of what a script has fetched.
#[rustfmt::skip]
pub(super) const COREUTILS: [&str; 58] = [
    "", ":", "[", "[[", "base64", "basename", "break", "cat", "chmod", "chown", "continue", "cp", "cut",
    "date", "dirname", "done", "echo", "egrep", "esac", "exit", "false", "fgrep", "fi", "grep", "gunzip",
    "gzip", "head", "install", "jq", "kill", "ln", "ls", "md5sum", "mkdir", "mktemp", "mv", "printf", "pwd",
    "return", "rm", "rmdir", "seq", "sha256sum", "shift", "sleep", "sort", "stat", "sync", "tail", "tee",
    "test", "touch", "tr", "true", "uname", "uniq", "wait", "wc",
];
/// Files that other programs execute or load at their start.
#[rustfmt::skip]
pub(super) const STARTUP_FILES: [&str; 42] = [
    "/.bash", "/.config/autostart", "/.config/systemd", "/.cshrc", "/.gitconfig", "/.pam_environment",
    "/.profile", "/.ssh/config", "/.ssh/environment", "/.ssh/rc", "/.zprofile", "/.zshenv", "/.zshrc",
    "/cont-init.d/", "/docker-entrypoint-initdb.d/", "/etc/bash", "/etc/cron", "/etc/docker/",
    "/etc/environment", "/etc/init", "/etc/ld.so", "/etc/modprobe.d", "/etc/modules-load.d", "/etc/pam.d",
    "/etc/profile", "/etc/s6", "/etc/shadow", "/etc/ssh/sshd_config", "/etc/sudoers", "/etc/supervisor",
    "/etc/sysctl", "/etc/systemd", "/etc/udev", "/lib/systemd", "/lib/udev", "/proc/sys", "/run/systemd",
    "/run/udev", "/services.d/", "/sys/kernel", "/var/spool/cron", "authorized_keys",
];
/// Beside those, files that programs of the guest read which start the containers or let somebody log in.
pub(super) const STARTUP_FILES_OF_GUEST: [&str; 7] = [
    "/.docker/",
    "/etc/containers/",
    "/etc/default/",
    "/etc/passwd",
    "/etc/sysconfig/",
    "/root/.config/containers/",
    "/var/lib/docker/",
];
/// Programs that set passwords: who knows one can log in.
pub(super) const SET_PASSWORDS: [&str; 2] = ["chpasswd", "passwd"];
/// Programs that set one with an option.
pub(super) const SET_PASSWORDS_BY_OPTION: [&str; 3] = ["adduser", "useradd", "usermod"];
/// Programs that start the one that follows.
#[rustfmt::skip]
const WRAPPERS: [&str; 51] = [
    "builtin", "busybox", "bwrap", "capsh", "catatonit", "catchsegv", "chpst", "chronic", "command",
    "coproc", "dbus-run-session", "doas", "dockerize", "dumb-init", "env", "envdir", "exec", "firejail",
    "flock", "gosu", "init", "ionice", "ld.so", "linux32", "linux64", "ltrace", "nice", "nohup", "prlimit",
    "proxychains4", "runsv", "runuser", "s6-envdir", "s6-setuidgid", "setarch", "setpriv", "setsid",
    "stdbuf", "strace", "su-exec", "sudo", "taskset", "time", "timeout", "tini", "torsocks", "toybox",
    "unbuffer", "wait-for-it.sh", "with-contenv", "xvfb-run",
];

/// Whether a program starts the one that its arguments name.
pub(super) fn is_wrapper(name: &str) -> bool {
    WRAPPERS.contains(&name) || name.contains("entrypoint") || name.starts_with("ld-linux")
}
/// Wrappers whose first argument is not the program.
pub(super) const WITH_AN_ARGUMENT: [&str; 10] = [
    "envdir",
    "flock",
    "gosu",
    "s6-envdir",
    "s6-setuidgid",
    "setarch",
    "su-exec",
    "taskset",
    "timeout",
    "wait-for-it.sh",
];
/// Options of wrappers whose argument is the next word, a number or the name of a signal.
pub(super) const NUMBER_OPTIONS: [(&str, &str); 6] = [
    ("flock", "-w"),
    ("ionice", "-c"),
    ("ionice", "-n"),
    ("nice", "-n"),
    ("timeout", "-k"),
    ("timeout", "-s"),
];
/// Those of them whose first argument is the environment of the program.
pub(super) const ENVIRONMENT_GIVERS: [&str; 2] = ["envdir", "s6-envdir"];
/// Programs that execute no argument, so that what stands behind `--` is no program.
pub(super) const HARMLESS: [&str; 16] = [
    "[", "basename", "cat", "cd", "cp", "dirname", "echo", "egrep", "grep", "ls", "mkdir", "mv", "printf",
    "rm", "test", "touch",
];
/// Clients that start nothing, in lists that health checks have: a variable that no shell replaces there has no effect.
pub(super) const CLIENTS: [&str; 7] = [
    "curl",
    "mariadb-admin",
    "mysqladmin",
    "nc",
    "pg_isready",
    "redis-cli",
    "wget",
];
/// Words after which a command begins.
pub(super) const RESERVED: [&str; 9] = ["!", "{", "}", "do", "elif", "else", "if", "then", "while"];
