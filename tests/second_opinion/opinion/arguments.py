"""Whether an argument is known to be data (docs/compose-places.md: the options that are named for data, the programs that are known)."""

import posixpath
import re

DATA = set("""address addr apikey authkey authtoken concurrency connections count domain email endpoint host hostname id
interval ip key length len level limit listen loglevel masterauth maxmemory memory model name network origin origins password passwd port ports
processes region replicas requirepass retention secret seed seqs size threads time timeout token tokens ttl uri url urls user username
utilization vhost vhosts workers zone networkid shard shards dtype layers parallel requests database db bucket timezone tries mode""".split())
CODE = set("""bin binary class classpath cmd code command conf config custom driver engine eval exec executable extension extensions factory
file handler hook hooks image import include index init interpreter lib library load loader middleware mirror module modules package packages
plugin plugins preload program providers registry repo repository script template""".split())
# What a program is told to call may send it code: only its own address is data.
ADDRESSES, LISTENERS = {"addr", "address", "endpoint", "uri", "url", "urls"}, {"advertise", "advertised", "bind", "external", "listen", "public"}
OTHERS = set("""actions-runner config.sh debugpy dlv drone-runner-exec forgejo-runner gdbserver git-sync lldb-server woodpecker-agent
act_runner ansible-pull awscli buildkite-agent chef-client chef-solo consul-template dagster drone-runner-docker envconsul flyway
gitlab-runner liquibase mlflow modelscope nomad openssl prefect puppet ray s5cmd salt-minion tailscale tailscaled teleport torchrun""".split())
MAX_OPEN_LIST = 256
WRAPPERS = {"env", "exec", "nice", "nohup", "setsid", "tini", "dumb-init", "sudo", "timeout", "gosu", "su-exec", "docker-entrypoint.sh"}
EXECUTE = {"make", "gmake", "npx", "uvx", "pip", "pip3", "xargs", "find", "ssh", "docker", "podman", "nerdctl", "eval", "git", "watch", "su", "script",
           "trap", "source", ".", "socat", "ansible-playbook", "rake", "just", "mvn", "gradle", "terraform", "sqlite3", "expect"}
BRING = {"aws", "gsutil", "rclone", "rsync", "scp", "mc", "oras", "ipfs", "az", "gcloud", "tar", "unzip", "cpio", "curl", "wget", "aria2c"}
SHELL = re.compile(r"(ba|a|da|z|k|mk|c|tc|fi)?sh$")
INTERPRETER = re.compile(r"(python|pypy)[0-9.]*$|(node|nodejs|perl|ruby|irb|php|lua|java|deno|bun|tsx|ts-node|julia|Rscript|tclsh|g?awk)$")
LETTERS = {"pg_isready": "Udhp", "psql": "Udhp", "redis-cli": "ahnpu", "mysqladmin": "Phu", "mysql": "Phu", "mariadb": "Phu",
           "gunicorn": "btw", "celery": "Qcln", "mongosh": "up", "next": "Hp", "puma": "ptw", "rails": "ptw",
           "daphne": "p", "http-server": "p", "serve": "l", "sidekiq": "c"}
# Options that one program takes as data.
OWN = {"lighthouse": "checkpoint-sync-url execution-endpoint suggested-fee-recipient", "anvil": "accounts fork-url", "mongod": "replSet wiredTigerCacheSizeGB",
       "traefik": "entrypoints.web.address entrypoints.websecure.address", "minio": "address console-address", "text-generation-launcher": "quantize",
       "vllm": "quantization", "redis-server": "appendfsync bind databases maxmemory-policy", "mysqld": "character-set-server collation-server",
       "bitcoind": "dbcache rpcauth rpcpassword rpcport rpcuser", "celery": "max-tasks-per-child prefetch-multiplier", "uvicorn": "forwarded-allow-ips",
       "gunicorn": "keep-alive max-requests-jitter", "reth": "rollup.sequencer-http nat", "geth": "nat", "op-geth": "rollup.sequencerhttp", "op-reth": "rollup.sequencer-http"}
RUN_TOOLS = {"bundle", "hatch", "pdm", "pipenv", "poetry", "uv"}
NUMBERS = re.compile(r"(max_\w+|min_wal_size|shared_buffers|\w*work_mem|effective_\w+|port|listen_addresses|\w+_timeout|checkpoint_timeout"
                     r"|wal_level|log_min_messages|timezone|hot_standby|synchronous_commit|wal_keep_size"
                     r"|log_min_duration_statement|log_statement|log_timezone|random_page_cost|default_statistics_target|autovacuum_max_workers)$")


def is_for_data(option, models=False):
    name = option.lstrip("-").lower()
    parts = re.split(r"[-_.:]", name)
    return option.startswith("-") and len(name) > 1 and re.fullmatch(r"[\w.:-]+", name) is not None and parts[-1] in DATA and not CODE & set(parts) \
        and (parts[-1] not in ADDRESSES or bool(LISTENERS & set(parts))) and (models or not {"model", "models"} & set(parts))


def serves_models(name, arguments):
    """vLLM executes the code of a model with --trust-remote-code alone, of which a beginning is enough."""
    module = any(each == "-m" and after.startswith("vllm.") for each, after in zip(arguments, arguments[1:]))
    trusts = any(len(each) > 3 and "--trust-remote-code".startswith(each.partition("=")[0].replace("_", "-")) and each.startswith("--t")
                 for each in arguments)
    return (name == "vllm" or name.startswith("python") and module) and not trusts


def program_at(texts):
    """Where the program stands, behind wrappers and what is theirs; nothing if it is not sure."""
    at = 0
    while at < len(texts):
        name = posixpath.basename(texts[at])
        if name not in WRAPPERS and "entrypoint" not in name:
            return at
        at += 1
        if name == "env":
            while at < len(texts) and re.match(r"[A-Za-z_]\w*=", texts[at]):
                at += 1
        elif name in ("tini", "dumb-init"):
            at += 1 if texts[at:at + 1] == ["--"] else 0
        elif name in ("gosu", "su-exec", "timeout"):
            at += 1
        if at < len(texts) and texts[at].startswith("-"):
            return None
    return None


def is_data(texts, at, outside):
    """`texts` with nothing where a variable is open; `outside(at)` says of a word whether one is. The word at `at` has one."""
    text = texts[at]
    if len(texts) > MAX_OPEN_LIST:
        return False
    # `exec "$@"` executes the list behind it.
    if len(texts) > 4 and at > 3 and SHELL.match(posixpath.basename(texts[0])) and texts[1] == "-c" \
            and texts[2].replace("$$", "$").strip() == 'exec "$@"' and not any(map(outside, range(4))):
        return is_data(texts[4:], at - 4, lambda each: outside(each + 4))
    if texts[0] == "npm":
        return at > 4 and texts[1] in ("run", "run-script") and texts[3] == "--" and not any(map(outside, range(4))) and not outside(at - 1) \
            and texts[2][:1] != "-" and is_for_data(*([texts[at].partition("=")[0]] if texts[at].startswith("--") else [texts[at - 1]]))
    start = program_at(texts)
    if start is not None and texts[start] in RUN_TOOLS and texts[start + 1:start + 2] in (["run"], ["exec"]) and start + 2 < len(texts) \
            and not texts[start + 2].startswith("-"):
        start += 2
    if start is None or any(outside(each) for each in range(start + 1) if not re.match(r"[A-Za-z_]\w*=", texts[each]) or each == start):
        return False
    if at < start:
        return False
    name, arguments = posixpath.basename(texts[start]), texts[start + 1:]
    at -= start + 1
    before = arguments[at - 1] if at and not outside(start + at) else ""
    option, equals, _ = text.partition("=")
    if name in EXECUTE or "--trust-remote-code" in arguments:
        return False
    if is_handed_to_a_script(name, arguments[:at]):
        return False
    if name in ("postgres", "postmaster"):
        setting = text[2:] if text.startswith("--") else text if before == "-c" else ""
        return bool(NUMBERS.match(setting.partition("=")[0].replace("-", "_"))) and "=" in setting
    if name == "java" and re.match(r"-Xm[sx]|-Xss|-XX:((Max|Min|Initial)RAMPercentage|ActiveProcessorCount|MaxMetaspaceSize|ParallelGCThreads)=", text):
        return True
    if name == "nc":
        return reaches_a_port(arguments, [outside(start + 1 + each) for each in range(len(arguments))])
    if at == 2 and arguments[0].endswith("manage.py") and arguments[1] == "runserver" and re.match(r"(0\.0\.0\.0|127\.0\.0\.1|localhost):", text):
        return True
    own = OWN.get(name, "").split()
    if (option.lstrip("-") if equals else before.lstrip("-")) in own and (equals or not text.startswith("-")):
        return True
    if name in ("curl", "wget") and (text.startswith(("http://", "https://")) or before in ("-H", "--header")):
        return keeps_nothing(name, arguments)
    if name == "vllm" and before == "serve":
        return True
    letters = LETTERS.get(name, "")
    if re.match(r"-[a-zA-Z]", text) and not text.startswith("--"):
        return text[1] in letters or text[1] == "p" and "P" in letters
    if len(before) == 2 and before[0] == "-":
        return before[1] in letters
    if (BRING | OTHERS) & {posixpath.basename(each) for each in texts}:
        return False
    models = serves_models(name, arguments)
    return is_for_data(option.removeprefix("-D") if option.startswith("-D") else option, models) if equals and option.startswith("-") \
        else not text.startswith("-") and "=" not in before and is_for_data(before, models)


def is_handed_to_a_script(name, before):
    """Whether a script that stands among the words is handed what follows, or it is not known that a script stands before."""
    if SHELL.match(name):
        return any(re.match(r"-[a-z]*[cs]", each) for each in before) or not any(not each.startswith("-") for each in before)
    if not INTERPRETER.match(name):
        return False
    if any(re.fullmatch(r"-[a-zA-Z]*[ceEpr]|--eval|--print", each) for each in before):
        return True
    operands = [each for each in before if not each.startswith("-")]
    return not operands and name != "java"


def reaches_a_port(arguments, is_open):
    """`nc -z ${HOST} 5432`: a port that is open may be an option by which `nc` waits for the host and starts a command."""
    operands, reaches, skip = [], False, False
    for word, own in zip(arguments, is_open):
        if skip:
            if own:
                return False
            skip = False
        elif word == "-w":
            skip = True
        elif word in ("-z", "-zv", "-vz", "-v", "-n", "-4", "-6"):
            reaches |= "z" in word
        else:
            operands.append((word, own))
    return reaches and len(operands) == 2 and operands[0][1] and bool(re.fullmatch("[0-9]+", operands[1][0]))


def keeps_nothing(name, arguments):
    options = [each for each in arguments if each.startswith("-")]
    if name == "wget":
        return any(each in ("--spider", "-O-", "-qO-") for each in options) and all(
            re.fullmatch(r"-q|-S|-nv|--quiet|--spider|-O-|-qO-|--header.*|--tries.*|--timeout.*|-[Tt]", each) for each in options)
    for at, each in enumerate(arguments):
        if each in ("-o", "--output") or re.fullmatch(r"-[fgikLsSv]+o", each):
            if arguments[at + 1:at + 2] != ["/dev/null"]:
                return False
        elif each.startswith("-") and not re.fullmatch(r"-[fgikILsSv46]+|-[fgikLsSv]*[AHXmu].*|--(fail|silent|show-error|location|insecure|head"
                                                       r"|header|user|max-time|retry|request|connect-timeout)(=.*)?", each):
            return False
    return True
