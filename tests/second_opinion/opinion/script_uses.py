"""What a script or a list executes of a value beyond programs and `eval` (docs/compose-places.md, "What a script executes")."""

import posixpath
import re

from . import programs

NOT_READ = re.compile(r"(g|m)?awk$|lua|luajit|(Rscript|R|julia|elixir|erl|pwsh|groovy|guile|racket|expect|emacs|n?vim?|ex|ed|gdb|lldb|sqlite3|duckdb"
                      r"|execlineb|make|gmake|m4|bc|dc|lftp|swipl|gnuplot)$|tclsh")
READ = re.compile(r"(python|pypy)[0-9.]*$|(node|nodejs|bun|deno|tsx|ts-node|ruby|perl|php)$")
CLIENTS = re.compile(r"(psql|mysql|mariadb|mongo|mongosh|sqlite3|duckdb|ftp|sftp|lftp|smbclient|dc|at|batch|gdb|ed|ex|vim?|sqlcmd|sqlplus|cqlsh)$")
WRAPPERS = {"exec", "env", "sudo", "timeout", "nice", "nohup", "gosu", "su-exec", "command", "time", "setsid", "busybox", "!", "then", "do", "else", "{"}
FETCHES = re.compile(r"(pip3?|npm|apk|apt|apt-get|git|gem|cargo|go|yarn|pnpm|uv|conda|docker|npx|sh|bash|python3?|node)$")
COMPARES = r"-(?:eq|ne|lt|le|gt|ge)"
# Programs whose options name code, with those that execute what an option names without a file in the container.
OBEY = re.compile(r"(vllm|consul|nomad|torchrun|accelerate|deepspeed|chromium|chrome|google-chrome|rackup|unicorn|jupyter|rsync|scp|sftp|fluentd)$")
ROWS = re.compile(r"(uvicorn|gunicorn|hypercorn|celery|flask|puma|rails|sidekiq|streamlit|caddy|envoy|vault|haproxy|supervisord|pm2-runtime|locust)$")
CODE_OPTIONS = {"consul": ("-config", "-hcl"), "nomad": ("-config",), "vault": ("-config",), "envoy": ("-c", "--config"), "sshd": ("-o", "-f"),
                "pandoc": ("--lua-filter", "--filter", "-F", "-L"), "aria2c": ("--on-", "--conf-path"), "webhook": ("-hooks",), "xinetd": ("-f",),
                "acme.sh": ("--reloadcmd", "--pre-hook", "--post-hook"), "overmind": ("-f",), "process-compose": ("-f",)}
RUN_ARGUMENTS = {"multirun", "circusd", "svscan", "tcpserver", "consul-template", "ansible-pull", "hivemind", "pm2-runtime"}


# Of clients of databases: letters whose argument is executed, letters that take data, and long options whose argument is executed.
OPTIONS_OF_CLIENTS = {
    "psql": ("c", "dFhLpPRTUvfo", "command"), "mysql": ("e", "DhPSup", "execute|init-command|pager|plugin-dir|defaults-file"),
    "mariadb": ("e", "DhPSup", "execute|init-command|pager|plugin-dir|defaults-file"), "mongosh": ("", "hupf", "eval"), "mongo": ("", "hupf", "eval"),
    "clickhouse-client": ("q", "dfhu", "query|config"), "sqlcmd": ("Qqi", "FHKPSUYZadfhlmostvwyz", "query|input")}
# Programs that write a setting of theirs, and settings that are data.
WRITES_SETTINGS = re.compile(r"\b(?:(?:npm|pnpm|yarn)\s+(?:config\s+)?set|(?:pip3?|pipx|bun)\s+config\s+set|(?:conda|mamba)\s+config|gem\s+sources?|bundle\s+config"
                             r"|(?:poetry|pdm)\s+config|composer\s+config|go\s+env\s+-w|aws\s+configure\s+set|add-apt-repository|nix-channel)\s+([^;&|\n]*)")
DATA_SETTING = re.compile(r"^(//\S*:_auth\w*|\S*(token|auth|password|email|user|username|timeout|loglevel)|(http-basic|pypi-token|github-oauth)\.\S+(\s+[\w-]+)?)[\s=]", re.I)


def client_executes(name, arguments, names):
    """Whether an option of a client takes the value as a command, in a cluster as well."""
    code, data, long = OPTIONS_OF_CLIENTS[name]
    if name in ("psql", "mysql", "mariadb", "mongosh", "mongo") and any(split and has(each, names) for each, split in arguments):
        return True
    texts = [each for each, _ in arguments]
    for each, following in zip(texts, texts[1:] + [""]):
        if re.match(rf"--({long})", each) and (has(each, names) or "=" not in each and has(following, names)):
            return True
        if not re.match(r"-\w", each):
            continue
        for at, letter in enumerate(each[1:], 2):
            if letter in code:
                if has(each[at:] or following, names):
                    return True
                break
            if letter in data:
                break
    return False


def writes_a_setting(text, names):
    return any(has(each, names) and not (DATA_SETTING.match(each) and "aws configure" not in text) for each in WRITES_SETTINGS.findall(text))


def evaluates_names(text, names):
    """A name that stands for another, a list in quotes, and names in fixed values that are calculated with."""
    one = "(?:" + "|".join(map(re.escape, names)) + ")"
    if re.search(rf"\b(?:declare|typeset|local)\s+-\w*n\w*\s+\w+=\S*\b{one}\b", text) or re.search(rf"\b(?:declare|typeset|local|readonly)\s+(?:-\w+\s+)?\"\w+=\([^\"]*\${one}\b", text) \
            or re.search(rf"\bcompgen\s[^;\n]*\${one}\b", text):
        return True
    reached = set(re.findall(r"\w+", " ".join(re.findall(r"\(\(([^)]*)\)\)", text))))
    for _ in range(4):
        for name, value in re.findall(r"(?:^|[\s;&|(])(\w+)=([A-Za-z_]\w*)(?=[\s;]|$)", text):
            if name in reached:
                reached.add(value)
    return bool(reached & set(names))


def has(text, names):
    return any(re.search(r"\$(\{" + re.escape(each) + r"\b|" + re.escape(each) + r"\b)", text) for each in names)


def named(text, names):
    return any(re.search(r"\b" + re.escape(each) + r"\b", text) for each in names)


def code_executes(words, names):
    """Whether a program executes code among its arguments: a language that is read, or one that is not."""
    from . import config_language
    while words and posixpath.basename(words[0]) in WRAPPERS:
        words = words[1:]
    if not words or not names:
        return False
    name, arguments = posixpath.basename(words[0]), words[1:]
    code = [each for each in arguments if re.search(r"[^\w\-./:=,@+%~]", each)]
    if READ.match(name):
        return any(config_language.executes(re.sub(r"\benv\.get\(", "env(", each), names) for each in code)
    if not NOT_READ.match(name):
        return False
    if name.endswith("awk") and not any(re.search(r"system|\||getline|@|>", each) for each in arguments):
        return False
    return any(re.search(r"env", each, re.I) or named(each, names) for each in code)


def words_of(command):
    """The words of a simple command, each with its quotes: (text, whether a variable in it is outside of quotes)."""
    found = []
    for match in re.finditer(r"(?:\"(?:\\.|[^\"\\])*\"|'[^']*'|\\.|[^\s\"'\\])+", command, re.S):
        raw = match.group(0)
        bare = re.sub(r"\"(?:\\.|[^\"\\])*\"|'[^']*'", "", raw)
        found.append((re.sub(r"[\"']", "", raw), "$" in bare))
    return found


def split_outside_quotes(text, signs):
    parts, start = [], 0
    for match in re.finditer(r"\"(?:\\.|[^\"\\])*\"|'[^']*'|" + signs, text, re.S):
        if match.group(0)[0] not in "\"'":
            parts.append(text[start:match.start()])
            start = match.end()
    return parts + [text[start:]]


def here_documents(text):
    """The text without its here-documents, and each with the line that it belongs to and whether its end is quoted."""
    documents = []
    while match := re.search(r"<<-?[ \t]*([\"']?)(\w+)\1([^\n]*)\n(.*?)(?:\n|^)[ \t]*\2[ \t]*(?:\n|$)", text, re.S | re.M):
        line = text[:match.start()].rsplit("\n", 1)[-1] + match.group(3)
        documents.append((line, match.group(4), bool(match.group(1))))
        text = text[:match.start()] + match.group(3) + "\n" + text[match.end():]
    return text, documents


def arithmetic(text, names):
    one = "(?:" + "|".join(map(re.escape, names)) + ")"
    numbers = re.findall(r"\b(?:declare|typeset|local)\s+-\w*i\w*\s+(\w+)", text)
    return bool(re.search(rf"(^|[\s;&|(])let\s[^;\n]*\b{one}\b", text) or re.search(rf"\[\[[^\]]*\b{one}\"?\s+{COMPARES}\b", text)
                or re.search(rf"\[\[[^\]]*{COMPARES}\s+[\"$]*\b{one}\b", text) or re.search(rf"(^|[\s;&|(])\w*\[[^\]\s]*\b{one}\b[^\]\s]*\]\+?=", text)
                or re.search(rf"\$\[[^\]]*\b{one}\b", text)
                or any(re.search(rf"\b{each}=\S*\b{one}\b", text) for each in numbers))


def script_executes(text, names, substituted):
    """`substituted(text)` says whether a shell that executes a text executes a value."""
    if not names:
        return False
    text, documents = here_documents(text)
    if arithmetic(text, names) or evaluates_names(text, names) or writes_a_setting(text, names):
        return True
    for line, body, quoted in documents:
        commands = re.findall(r"\$\(((?:[^()]|\([^()]*\))*)\)|`([^`]*)`", body)
        if not quoted and any(substituted(each) for pair in commands for each in pair if each):
            return True
        if has(body, names) and any(CLIENTS.match(posixpath.basename(word)) for word, _ in words_of(line)):
            return True
    statements = split_outside_quotes(text, r";|\n|&&|\|\|")
    if programs.puts_and_starts([[word for word, _ in words_of(each)] for each in statements], lambda each: has(each, names)):
        return True
    written = {path for each in statements if has(each, names) for path in re.findall(r">\s*(/[^\s;&]+)", each)}
    if any(each.startswith("/docker-entrypoint-initdb.d/") for each in written):
        return True
    for statement in statements:
        parts = split_outside_quotes(statement, r"\|")
        for at, part in enumerate(parts):
            if command_executes(words_of(part), has("|".join(parts[:at]), names), names, written):
                return True
    return False


def command_executes(words, input_is_open, names, written):
    while words and posixpath.basename(words[0][0]) in WRAPPERS | {"if", "while", "until"}:
        words = words[1:]
    if not words:
        return False
    name, arguments = posixpath.basename(words[0][0]), words[1:]
    texts = [each for each, _ in arguments]
    if code_executes([words[0][0]] + texts, names):
        return True
    if programs.brings_code(name, texts, lambda each: has(each, names)):
        return True
    if CLIENTS.match(name) and (input_is_open or any(path in each for path in written for each in texts)):
        return True
    if name in OPTIONS_OF_CLIENTS and client_executes(name, arguments, names):
        return True
    if name in ("xargs", "parallel") and input_is_open:
        return starts_input(name, texts)
    if name in RUN_ARGUMENTS and any(has(each, names) for each in texts):
        return True
    options = CODE_OPTIONS.get(name, ())
    for before, each in zip([""] + texts, texts):
        if has(each, names) and any(before.startswith(option) or each.startswith(option) for option in options):
            return True
    if name == "npm" and any(split and has(each, names) for each, split in arguments[:(texts + ["--"]).index("--")]):
        return True
    if name in ("tar", "bsdtar", "git") or name in ("rsync", "scp") and any(re.match(r"[^-$\s]+:", each) for each in texts):
        for before, each in zip([""] + texts, texts):
            if each == "--":
                break
            if each.startswith("$") and has(each, names) and not re.fullmatch(r"-\w*[CfXTm]|[cxt]\w*f", before) and "user." not in " ".join(texts):
                return True
    first = next((at for at, each in enumerate(texts) if not each.startswith("-") and (not at or not texts[at - 1].startswith("-"))), len(texts))
    for at, (each, split) in enumerate(arguments):
        alone = each.startswith("$") and not (at and texts[at - 1].startswith("-") and "=" not in texts[at - 1])
        if split and has(each, names) and (OBEY.match(name) or ROWS.match(name) and alone or name == "gunicorn" and at < first):
            return True
    return False


def starts_input(name, texts):
    """Whether a program that `xargs` starts executes one of its arguments."""
    place, at = "{}" if name == "parallel" else None, 0
    while at < len(texts) and texts[at].startswith("-"):
        option = texts[at]
        if option.startswith("-I"):
            place = option[2:] or (texts + [""])[at + 1]
        at += 2 if option in ("-I", "-n", "-P", "-L", "-d", "-a", "-j", "-s") else 1
    program = [each for each in texts[at:] for each in (each.split() if name == "parallel" else [each])]
    if not program:
        return name == "parallel"
    while program and posixpath.basename(program[0]) in WRAPPERS:
        program = program[1:]
        while program and (program[0].startswith("-") or re.fullmatch(r"[0-9.]+[smh]?", program[0])):
            program = program[1:]
    return not program or place is not None and program[0] == place or bool(FETCHES.match(posixpath.basename(program[0])))
