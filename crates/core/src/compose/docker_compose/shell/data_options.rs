//! Options and operands that are known to take data, whatever it holds. The lists are short on purpose: what is not in them is not known.

use super::download_output::{curl_keeps_nothing, wget_keeps_nothing};
use super::word::Word;

/// Last parts of the names of options that take data: `--port`, `--rpc-port`, `--web.listen-address`.
#[rustfmt::skip]
pub(super) const OF_DATA: [&str; 96] = [
    "accesskey", "addr", "address", "alias", "apikey", "authkey", "authtoken", "backlog", "block", "bucket",
    "concurrency", "connections", "contract", "count", "database", "db", "domain", "dtype", "email",
    "endpoint", "expiration", "fqdn", "host", "hostname", "id", "interval", "ip", "key", "layers", "len",
    "length", "level", "limit", "listen", "login", "loglevel", "masterauth", "max", "maxmemory", "memory",
    "min", "mnemonic", "mode", "model", "name", "network", "networkid", "origin", "origins", "owner",
    "parallel", "pass", "passwd", "password", "peers", "port", "ports", "processes", "rate", "ratio",
    "region", "replicas", "requests", "requirepass", "retention", "retries", "rpcpass", "secret", "seed",
    "seqs", "shard", "shards", "size", "slots", "tag", "tags", "temperature", "threads", "time", "timeout",
    "timezone", "token", "tokens", "topic", "tries", "ttl", "uri", "url", "urls", "user", "username",
    "utilization", "vhost", "vhosts", "workers", "zone",
];
/// Of these, last parts that name an address. What a program is told to call may send it code, so that only the address that it listens
/// at, or is reached at, is data: `--listen-address`, `--public-url`.
pub(super) const OF_ADDRESS: [&str; 6] = ["addr", "address", "endpoint", "uri", "url", "urls"];
/// Parts that say that an address is the program's own.
pub(super) const OF_LISTENERS: [&str; 6] =
    ["advertise", "advertised", "bind", "external", "listen", "public"];
/// Agents that run what another machine tells them.
#[rustfmt::skip]
pub(super) const AGENTS: [&str; 23] = [
    "act_runner", "actions-runner", "ansible-pull", "bamboo-agent", "buildkite-agent", "chef-client",
    "circleci-agent", "circleci-runner", "config.sh", "drone-runner-docker", "drone-runner-exec",
    "forgejo-runner", "gitea-runner", "gitlab-runner", "jenkins-agent", "nomad", "puppet", "ray",
    "salt-minion", "sshx", "teleport", "tmate", "woodpecker-agent",
];
/// Other programs that run, or bring, what another machine tells them. No value of theirs or of an agent is data.
#[rustfmt::skip]
pub(super) const OF_OTHERS: [&str; 24] = [
    "awscli", "chef-solo", "code-server", "consul-template", "dagster", "debugpy", "dlv", "envconsul",
    "flyway", "gdbserver", "git-sync", "gotty", "liquibase", "lldb-server", "mlflow", "modelscope",
    "openssl", "prefect", "s5cmd", "shellinaboxd", "tailscale", "tailscaled", "torchrun", "wetty",
];
/// Parts of the names of options whose value leads to code, whatever the last part is: `--plugin-url`, `--config-name`.
#[rustfmt::skip]
pub(super) const OF_CODE: [&str; 51] = [
    "bin", "binary", "class", "classpath", "cmd", "code", "command", "conf", "config", "custom",
    "datasource", "driver", "jdbc", "engine", "eval", "exec", "executable", "ext", "extension", "extensions",
    "factory", "file", "handler", "hook", "hooks", "image", "import", "include", "index", "init",
    "interpreter", "lib", "library", "load", "loader", "middleware", "mirror", "module", "modules",
    "package", "packages", "plugin", "plugins", "preload", "program", "providers", "registry", "repo",
    "repository", "script", "template",
];

/// What a program takes as data beside the options that are named for it.
pub(super) struct Takes {
    pub(super) programs: &'static [&'static str],
    /// Options whose value is the next word, or stands behind a letter in the same one.
    pub(super) options: &'static [&'static str],
    pub(super) operands: Operands,
}

pub(super) enum Operands {
    None,
    /// `http://…`, where the program keeps nothing of what it gets.
    Addresses(fn(&[Word]) -> bool),
    /// The model behind `serve`.
    Model,
    /// A host or a port behind `-z`, by which nothing is sent.
    ReachedPort,
    /// `0.0.0.0:…` behind `manage.py runserver`.
    OwnAddress,
}

pub(super) const OF_CLIENTS: [Takes; 32] = [
    Takes {
        programs: &["pg_isready", "psql"],
        options: &["-U", "-d", "-h", "-p"],
        operands: Operands::None,
    },
    Takes {
        programs: &["redis-cli", "valkey-cli"],
        options: &["-a", "-h", "-n", "-p", "-u"],
        operands: Operands::None,
    },
    Takes {
        programs: &["mariadb", "mariadb-admin", "mysql", "mysqladmin"],
        options: &["-P", "-h", "-u"],
        operands: Operands::None,
    },
    Takes {
        programs: &["curl"],
        options: &["--header", "--user", "-H", "-u"],
        operands: Operands::Addresses(curl_keeps_nothing),
    },
    Takes {
        programs: &["wget"],
        options: &["--header"],
        operands: Operands::Addresses(wget_keeps_nothing),
    },
    Takes {
        programs: &["gunicorn", "hypercorn"],
        options: &[
            "--bind",
            "--keep-alive",
            "--max-requests-jitter",
            "-b",
            "-t",
            "-w",
        ],
        operands: Operands::None,
    },
    Takes {
        programs: &["uvicorn"],
        options: &["--forwarded-allow-ips", "--root-path"],
        operands: Operands::None,
    },
    Takes {
        programs: &["celery"],
        options: &[
            "-Q",
            "-c",
            "-l",
            "-n",
            "--queues",
            "--basic_auth",
            "--max-tasks-per-child",
            "--prefetch-multiplier",
        ],
        operands: Operands::None,
    },
    // What these call sends blocks and states of a chain, of which none is a program of the machine.
    Takes {
        programs: &["beacon-chain", "lighthouse", "validator"],
        options: &[
            "--checkpoint-sync-url",
            "--execution-endpoint",
            "--suggested-fee-recipient",
        ],
        operands: Operands::None,
    },
    Takes {
        programs: &["geth", "op-geth", "op-reth", "reth"],
        options: &["--nat", "--rollup.sequencer-http", "--rollup.sequencerhttp"],
        operands: Operands::None,
    },
    Takes {
        programs: &["anvil"],
        options: &["--accounts", "--fork-url"],
        operands: Operands::None,
    },
    Takes {
        programs: &["bitcoind"],
        options: &[
            "-dbcache=",
            "-rpcauth=",
            "-rpcpassword=",
            "-rpcport=",
            "-rpcuser=",
        ],
        operands: Operands::None,
    },
    Takes {
        programs: &["traefik"],
        options: &["--entrypoints.web.address", "--entrypoints.websecure.address"],
        operands: Operands::None,
    },
    Takes {
        programs: &["minio"],
        options: &["--address", "--console-address"],
        operands: Operands::None,
    },
    Takes {
        programs: &["mongod"],
        options: &["--replSet", "--wiredTigerCacheSizeGB"],
        operands: Operands::None,
    },
    Takes {
        programs: &["mongo", "mongosh"],
        options: &["-p", "-u"],
        operands: Operands::None,
    },
    Takes {
        programs: &["mariadbd", "mysqld"],
        options: &["--character-set-server", "--collation-server"],
        operands: Operands::None,
    },
    Takes {
        programs: &["keydb-server", "redis-server", "valkey-server"],
        options: &["--appendfsync", "--bind", "--databases", "--maxmemory-policy"],
        operands: Operands::None,
    },
    Takes {
        programs: &["next"],
        options: &["-H", "-p"],
        operands: Operands::None,
    },
    Takes {
        programs: &["puma", "rails"],
        options: &["-p", "-t", "-w"],
        operands: Operands::None,
    },
    Takes {
        programs: &["grpc_health_probe"],
        options: &["-addr="],
        operands: Operands::None,
    },
    Takes {
        programs: &["text-generation-launcher"],
        options: &["--quantize"],
        operands: Operands::None,
    },
    Takes {
        programs: &["nc"],
        options: &[],
        operands: Operands::ReachedPort,
    },
    Takes {
        programs: &["manage.py", "python", "python3"],
        options: &[],
        operands: Operands::OwnAddress,
    },
    Takes {
        programs: &["daphne", "http-server"],
        options: &["-p"],
        operands: Operands::None,
    },
    Takes {
        programs: &["serve"],
        options: &["-l"],
        operands: Operands::None,
    },
    Takes {
        programs: &["llama-server"],
        options: &["-c", "-n", "-ngl", "-t"],
        operands: Operands::None,
    },
    Takes {
        programs: &["mosquitto_pub", "mosquitto_sub"],
        options: &["-P", "-i", "-u"],
        operands: Operands::None,
    },
    Takes {
        programs: &["helios"],
        options: &["--checkpoint", "--consensus-rpc", "--execution-rpc"],
        operands: Operands::None,
    },
    Takes {
        programs: &["sidekiq"],
        options: &["-c"],
        operands: Operands::None,
    },
    Takes {
        programs: &["op-node"],
        options: &["--l1", "--l1.beacon", "--l2", "--p2p.static"],
        operands: Operands::None,
    },
    Takes {
        programs: &["vllm"],
        options: &["--quantization"],
        operands: Operands::Model,
    },
];
/// Settings of Postgres that are numbers, sizes, addresses and the like.
#[rustfmt::skip]
pub(super) const OF_POSTGRES: [&str; 31] = [
    "autovacuum_max_workers", "checkpoint_timeout", "default_statistics_target", "effective_cache_size",
    "effective_io_concurrency", "hot_standby", "idle_in_transaction_session_timeout", "listen_addresses",
    "log_min_duration_statement", "log_min_messages", "log_statement", "log_timezone",
    "maintenance_work_mem", "max_connections", "max_locks_per_transaction", "max_parallel_workers",
    "max_parallel_workers_per_gather", "max_replication_slots", "max_wal_senders", "max_wal_size",
    "max_worker_processes", "min_wal_size", "port", "random_page_cost", "shared_buffers",
    "statement_timeout", "synchronous_commit", "timezone", "wal_keep_size", "wal_level", "work_mem",
];
