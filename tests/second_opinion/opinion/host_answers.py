"""What a script or a list executes that the host can send (docs/compose-places.md, "A script also executes what the host can choose")."""

import contextlib
import ipaddress
import posixpath
import re

from . import container_names

SHELL = r"(?:\S*/)?(?:ba|a|da|z|k)?sh"
INTERPRETER = rf"(?:{SHELL}|(?:\S*/)?(?:python|node|bun|perl|ruby|php)[0-9.]*)"
ADDRESS = re.compile(r"\b(dict|ftp|git|gopher|http|https|rsync|svn|tftp|ws)://(?:[^/\s\"'@]*@)?(\[[^\]]*\]|[^/\s:?#\"'`)]*)", re.I)
MANAGERS = re.compile(r"(?:pip3?|pipx|npm|pnpm|yarn|uv|gem|cargo|go|conda|bundle|composer)$")
BRINGS = {"add", "ci", "clone", "download", "fetch", "get", "i", "install", "pull", "require", "submodule", "update", "upgrade", "wheel"}
UNCHECKED = re.compile(
    r"--(insecure|trusted-host|allow-insecure-host|allow-untrusted|(?:[a-z]+-)*(?:no|skip|ignore|disable)-(?:[a-z]+-)*(?:certificate|ssl|tls|verify|gpg)\b(?!-host)"
    r"|(?:[a-z]+-)*(?:verify|ssl)[= ](?:false|no|off|0))\b|\bhttp\.sslverify[= ](false|0|no|off)|strict-ssl[= ]false", re.I)
# What a script sets for later commands: a text in it, and whom it concerns.
SETTINGS = [(r"(?:^|[\s\"'])(?:-k|--insecure|insecure)\b[^;\n|]*>+\s*\S*\.curlrc", "curl"), (r"(?:global|install)\.trusted-host\s", "pip3?|pipx"),
            (r"http\.sslverify[= ]+(?:false|0|no|off)\b", "git"), (r"ssl_verify_mode[= ]+0\b", "bundle|gem")]
# Programs that ask nobody, whatever their words are.
QUIET = re.compile(r"(?:echo|printf|sed|awk|grep|test|\[\[?|export|set|cat|perl|envsubst|jq|true|:|for|case)$")
# Commands that start nothing of what was brought.
STARTS_NOTHING = re.compile(r"(?:cat|cd|chmod|chown|cp|echo|exit|false|ln|ls|mkdir|mv|printf|rm|rmdir|sleep|test|touch|true|wait|:|\[|fi|done|esac|\})(?:\s|$)")
# Entries that turn a check off: what they then do not hold, and whom they concern.
ENTRIES = {"GIT_SSL_NO_VERIFY": (("", "0", "false"), "git"), "NODE_TLS_REJECT_UNAUTHORIZED": (("", "1"), "npm|npx|pnpm|yarn|bun"),
           "NPM_CONFIG_STRICT_SSL": (("", "true", "1"), "npm|npx|pnpm|yarn"), "PIP_TRUSTED_HOST": (("",), "pip3?|pipx")}


# This machine, and the networks of containers.
INSIDE = {4: [ipaddress.ip_network(each) for each in ("0.0.0.0/32", "10.0.0.0/8", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")],
          6: [ipaddress.ip_network(each) for each in ("::/128", "::1/128", "fc00::/7")]}
# The names without a dot that lead to a container, where a script is judged.
CONTAINERS = set()


@contextlib.contextmanager
def names_of(containers, document, judge):
    """Judges with the names that each of these containers finds."""
    before = set(CONTAINERS)
    found = [found_by(each, document, judge) for each in containers]
    CONTAINERS.clear()
    CONTAINERS.update(set.intersection(*found) if found else set())
    try:
        yield
    finally:
        CONTAINERS.clear()
        CONTAINERS.update(before)


def mounting(config, document):
    """The containers that mount a config."""
    for each in [*(document.get("services") or {}).values(), *(document.get("jobs") or {}).values()]:
        parts = [each, *(each.get("pre_start") or [])] if isinstance(each, dict) else []
        mounts = [mount for part in parts if isinstance(part, dict) and isinstance(part.get("configs"), list) for mount in part["configs"]]
        if any(config == (mount.get("source") if isinstance(mount, dict) else mount) for mount in mounts):
            yield each


def networks_of(container, document):
    mode = container.get("network_mode")
    if isinstance(mode, str) and mode.startswith("service:"):
        container = (document.get("services") or {}).get(mode[8:]) or {"network_mode": "none"}
    if container.get("network_mode") is not None or "ndots" in str(container.get("dns_opt")):
        return set()
    named = container.get("networks")
    return set(map(str, named)) if isinstance(named, (dict, list)) and named else {"default"}


def starts(container):
    counts = [container.get("scale"), (container.get("deploy") or {}).get("replicas") if isinstance(container.get("deploy"), dict) else None]
    return not container.get("profiles") and not any(str(each) == "0" for each in counts)


def found_by(container, document, judge):
    names, own = set(), networks_of(container, document)
    order, project = container_names.waits(document), container_names.project(document, judge)
    asking = next((name for section, name, each in container_names.containers(document) if each is container and section == "services"), None)
    for section in ("services", "jobs"):
        for name, other in (document.get(section) or {}).items():
            if not isinstance(other, dict) or not starts(other) or str(other.get("network_mode")).startswith("service:"):
                continue
            if section == "services" and asking is not None and container_names.is_down(name, asking, order):
                continue
            shared = own & networks_of(other, document)
            names.update({f"{project}-{name}-1"} if shared and project and "container_name" not in other else [])
            for network in shared:
                settings = other["networks"].get(network) if isinstance(other.get("networks"), dict) else None
                settings = settings or {}
                names.update([] if settings.get("use_service_name_alias") is False else [name])
                names.update([other["container_name"]] if isinstance(other.get("container_name"), str) else [])
                names.update(settings.get("aliases") or [])
    names = {container_names.fixed(name, judge) for name in names} - {None}
    for link in container.get("links") or []:
        other, _, name = link.partition(":")
        if other.lower() in names:
            names.add((name or other).lower())
        else:
            names.discard((name or other).lower())
    hosts = container.get("extra_hosts") or []
    if isinstance(hosts, dict):
        pairs = [(name, each) for name, given in hosts.items() for each in (given if isinstance(given, list) else [given])]
    else:
        pairs = [tuple(re.split("[=:]", each, maxsplit=1)) for each in hosts if re.search("[=:]", each)]
    away = {name.lower() for name, address in pairs if address != "host-gateway" and is_machine(address)}
    return (names | {name.lower() for name, _ in pairs}) - away


def is_name_of_a_machine(host):
    """Whether a name without a dot is one that Docker asks the host for."""
    host = host.rstrip(".").lower()
    return bool(re.fullmatch("[a-z0-9][a-z0-9_-]*", host)) and host != "localhost" and host not in CONTAINERS


def is_machine_of_address(host):
    return is_machine(host) or is_name_of_a_machine(host)


def is_machine(host):
    """Whether a host is none of the VM and its containers."""
    host = host.strip("[]").rstrip(".").lower()
    try:
        address = ipaddress.ip_address(host)
        if address.version == 4 and address in ipaddress.ip_network("10.0.2.0/24"):
            return True
        return not any(address in network for network in INSIDE[address.version])
    except ValueError:
        return "$" in host or "{" in host or host.isdigit() or "." in host and host not in CONTAINERS


def unprotected(text):
    return any(scheme.lower() != "https" and is_machine_of_address(host) for scheme, host in ADDRESS.findall(text))


def elsewhere(text):
    return any(is_machine_of_address(host) for _, host in ADDRESS.findall(text))


def filled(text, values):
    """The text with the values of fixed variables."""
    return re.sub(r"\$(?:\{(\w+)\}|(\w+))", lambda match: values.get(match.group(1) or match.group(2), match.group(0)), text)


def leaves_the_vm(address):
    """Whether an address of socat is none that is known to stay in the VM."""
    kind, colon, rest = address.lower().partition(":")
    if not colon or re.search("[/,]", kind):
        return not colon and "$" in address
    if re.fullmatch("creat|create|echo|exec|fd|fifo|file|gopen|open|pipe|pty|shell|system|unix.*|abstract.*", kind):
        return False
    host = re.match(r"\[([^\]]*)|([^:,]*)", rest)
    return not re.fullmatch("(openssl|ssl|tcp|udp)[46]?(-connect)?", kind) or is_machine_of_address(host.group(1) or host.group(2) or "")


# Letters of each program that take the next word, and long options of the two clients that do.
TAKE_NEXT = {"curl": "AbcCdDeEFhHKmoPQrtTuUwxXyYz", "wget": "aoetOTwQPUlADRIXYiB", "nc": "cegGIimMoOpPqsTVwWxX"}
LONG_TAKE_NEXT = re.compile(
    r"--(?:proxy-?|ftp-|http-|dns-|tls|proto|max-|retry|speed-|connect-|keepalive-|data|form|cookie|limit-|socks|ca|cert|key|trace|output|user|local-|mail-|body-|post-|warc-"
    r"|ssl-cert|read-|private-|reject|accept|progress|tries|timeout|wait|quota|level|header|request|referer|json|resolve|interface|range|rate|write-out|upload-file"
    r"|netrc-file|pass|password|method|directory-prefix|execute|noproxy|config|stderr|etag-|hsts|variable|ciphers|curves|dump-header|unix-socket|pinnedpubkey|oauth2-bearer)"
    r"(?!-(?:connrefused|all-errors|insecure|negotiate|ntlm|basic|digest|anyauth)\b)[a-z0-9.-]*$")
WRAPPER = re.compile(r"(?:\S*/)?(?:sudo|env|exec|command|nohup|time|timeout|nice|busybox|doas|setsid|stdbuf|if|then|else|do|while|until|\{|\(|!)$")


def says_where(words):
    """`command -v curl wget`"""
    return words[:1] == ["command"] and words[1:2] in (["-v"], ["-V"])


def operands(program, words):
    """The words that a program takes for addresses: neither options nor their arguments."""
    found, is_argument = [], False
    for word in words:
        if is_argument:
            is_argument = False
        elif re.match(r"[<>|&;]|\d*>", word):
            break
        elif word.startswith("--"):
            option, equals, value = word.partition("=")
            is_argument = not equals and bool(LONG_TAKE_NEXT.match(word))
            found += [value] if equals and option == "--url" else []
        elif word.startswith("-") and len(word) > 1:
            taking = re.search(f"[{TAKE_NEXT[program]}]", word[1:])
            is_argument = bool(taking) and taking.end() + 1 == len(word)
        else:
            found.append(word)
    return found


def is_started(words, at):
    """Whether the word at a place is surely the program of the command: before it stand assignments and what starts another program."""
    return all(re.match(r"\w+=|-|\d+[smh]?$", each) or WRAPPER.match(each) or index and words[index - 1].startswith("-")
               for index, each in enumerate(words[:at]))


def without_scheme(text, starts_it):
    """Whether a client asks another machine for an address without a scheme. Of a word that may not be the client's only one with a path counts."""
    if "://" in text:
        return False
    host = re.sub(r"^[^/?#]*@", "", text)
    host = re.match(r"\[([^\]]*)|([^/?#:]*)", host)
    host = host.group(1) or host.group(2) or ""
    if re.search("[$%{*]", host):
        return False
    if starts_it:
        return bool(host) and is_machine_of_address(host)
    return is_machine(host) and bool(re.search(r"\.[a-z]{2,}$|^[\d.]+$", host)) or bool(re.match(r"[\w-]+(?:/[^/]|:\d+)", text)) and is_name_of_a_machine(host)


def takes(command, unchecked):
    """Whether a simple command shows or keeps what anyone may answer."""
    words = [each.strip("\"'") for each in command.split()]
    names = [posixpath.basename(each) for each in words]
    for name in ("curl", "wget"):
        if name in names:
            rest = " ".join(words[names.index(name) + 1:])
            asked = [] if says_where(words) else operands(name, words[names.index(name) + 1:])
            starts_it = is_started(words, names.index(name))
            rest = re.sub(r"(?:^|\s)(?:-x|--proxy|-A|-H|--header|--user-agent|-e|--referer)[= ]\S+", " ", rest)
            insecure = UNCHECKED.search(rest) or name == "curl" and re.search(r"(^|\s)-[a-zA-Z]*k", rest) or name in unchecked
            if re.search(r"\s(?:-i|--input-file)[= ]", rest) and name == "wget":
                return unprotected(rest)
            if name == "curl" and re.search(r"--(?:abstract-)?unix-socket", rest) and not re.search(r"(^|\s)(--ne|-\w*:)", rest):
                return False
            has_tls = not insecure and re.search(r"--proto-default\s+(?:https|ftps|imaps|scp|sftp)\b", rest)
            bare = not has_tls and any(without_scheme(each, starts_it) for each in asked)
            return unprotected(rest) or bool(insecure) and elsewhere(rest) or bare
    if any(each in ("nc", "ncat", "netcat") for each in names):
        at = next(index for index, each in enumerate(names) if each in ("nc", "ncat", "netcat"))
        hosts = operands("nc", words[at + 1:])
        hosts = hosts[:-1] if len(hosts) > 1 else hosts
        by_name = is_started(words, at) and any(is_machine_of_address(each) for each in hosts[-1:])
        return not re.search(r"\s-\w*z", command) and not re.search(r"\s-\w*U", command) \
            and (bool(re.search(r"\s-\w*l", command)) or by_name or any(each == "--vsock" or is_machine(each) for each in words))
    if "socat" in names:
        return any(leaves_the_vm(each) for each in words[names.index("socat") + 1:])
    if any(each in ("dig", "drill", "nslookup", "telnet") for each in names):
        return any(is_machine(each.split(":")[1] if each.count(":") else each) or "listen:" in each.lower() for each in words[1:])
    # Whatever other program has such an address among its words shows what is answered there.
    plain = [each for each in words if each and not re.match(r"\w+=", each)]
    program = posixpath.basename(plain[0]) if plain else ""
    manages = MANAGERS.match(program) or program in ("git", "npx", "uvx", "bunx", "deno", "apt", "apt-get", "apk", "dnf", "microdnf", "yum", "zypper")
    return bool(program) and not QUIET.match(program) and not manages and unprotected(" ".join(plain[1:])) or "::" in command and "rsync" in names


def brings_packages(words, unchecked):
    """Whether a package manager or a runner fetches and starts from where anyone may answer."""
    names = [posixpath.basename(each) for each in words]
    for at, name in enumerate(names):
        rest = [each for each in words[at + 1:] if "proxy" not in each.split("=")[0].lower()]
        text = " ".join(rest)
        off = bool(UNCHECKED.search(text)) or any(re.fullmatch(each, name) for each in unchecked)
        named = [each for each in rest if re.match(r"\w+://", each)]
        if name in ("dnf", "microdnf", "yum") and {"install", "localinstall", "reinstall", "upgrade", "update"} & set(rest) \
                and "config-manager" not in rest and not re.search(r"localpkg_gpgcheck=(1|True)", text) and any(map(unprotected, named)):
            return True
        if name == "zypper" and off and any(map(unprotected, named)) or name in ("mvn", "mvnw") and re.search(r"-D\S*\b(insecure|allowall)(=true)?(\s|$)", text):
            return True
        if name == "git" and "clone" in rest or MANAGERS.match(name) and BRINGS & set(rest):
            return unprotected(text) or off and (elsewhere(text) or not ADDRESS.search(text))
        if name in ("npx", "uvx", "bunx"):
            options = " ".join(re.findall(r"--(?:registry|index|index-url|default-index|extra-index-url|from)[= ](\S+)", text))
            return unprotected(options) or off
        if name == "uv" and rest[:1] == ["run"]:
            return unprotected(" ".join(re.findall(r"--(?:index|index-url|default-index|extra-index-url)[= ](\S+)", text)))
        if name == "deno" and "run" in rest:
            first = next((each for each in rest[rest.index("run") + 1:] if not each.startswith("-")), "")
            return unprotected(first) or off and elsewhere(first)
    return False


def code_executes(text, entries):
    """Whether code of Python or Node executes what an address answers."""
    text = re.sub(r"(?:os\.environ\[|os\.getenv\(|process\.env\.)[\"']?(\w+)[\"']?[\])]?", lambda match: repr(entries.get(match.group(1), "")), text)
    asks = r"urlopen|urlretrieve|requests|httpx|aiohttp|fetch|axios|https?\.get"
    executes = r"\b(exec|eval|os\.system|compile|Function)\s*\("
    if not (re.search(asks, text) and re.search(executes, text)):
        return False
    off = re.search(r"verify\s*=\s*False|CERT_NONE|_create_unverified_context|rejectUnauthorized\s*:\s*false", text)
    held = set()
    statements = re.split(r"[;\n]", text)
    for _ in range(4):
        for each in statements:
            assigned = re.match(r"\s*(?:const|let|var)?\s*(\w+)\s*=(?!=)", each)
            if assigned and (unprotected(each) or off and re.search(asks, each) and elsewhere(each)
                             or any(re.search(rf"\b{name}\b", each.split("=", 1)[1]) for name in held)):
                held.add(assigned.group(1))
    return any(re.search(executes, each) and (re.search(asks, each) and (unprotected(each) or off and elsewhere(each))
                                              or any(re.search(rf"\b{name}\b", each) for name in held)) for each in statements)


def script_executes(text, entries, depth=0):
    """Whether a script of a shell executes what the host can send. `entries` are the fixed ones of its environment."""
    text = re.sub(r"\\\n", " ", text)
    values = dict(entries)
    values.update({name: value.strip("\"'") for name, value in re.findall(r"(?:^|[\s;&(])(\w+)=(\"[^\"$`]*\"|'[^']*'|[^\s;&\"'$`(]+)(?=[\s;&]|$)", text)})
    text = filled(text, values)
    unchecked = {programs for name, (harmless, programs) in ENTRIES.items() if values.get(name, "").lower() not in harmless}
    unchecked |= {programs for setting, programs in SETTINGS if re.search(setting, text, re.I | re.M)}
    # What is opened by a number, and what a program starts for another machine.
    opened = {number or "0" for number, command in re.findall(r"\bexec\s+(\d*)<>?\s*(<\([^)]*\)|/dev/(?:tcp|udp)/\S+)", text)
              if command.startswith("/dev") and is_machine(command.split("/")[3]) or takes(command[2:-1], unchecked)}
    if any(re.search(rf"{INTERPRETER}[^;|\n]*<&{number}\b|<&{number}\s*\|\s*{INTERPRETER}|(?:{SHELL}|\.|source)\s+/dev/fd/{number}\b", text)
           for number in opened) or "0" in opened and re.search(rf"[;\n]\s*{INTERPRETER}\s*(?:[;\n]|$)", text):
        return True
    if re.search(rf"\b(?:socat|websocat)\b[^;\n]*\s[\"']?(?:exec|system|cmd):[\"']?{SHELL}(?:[\s,;\"']|$)", text, re.I) \
            or re.search(rf"\b(?:nc|ncat|netcat)\b[^;\n|]*\s(?:-\w*[ec]|--exec|--sh-exec)[ =]{SHELL}(?:\s|;|$)", text):
        return True
    if depth < 4:
        for inner in re.findall(rf"{SHELL}\s+(?:-\w+\s+)*-\w*c\s+(\"(?:\\.|[^\"\\])*\"|'[^']*')", text):
            if script_executes(inner[1:-1], values, depth + 1):
                return True
        for inner in re.findall(r"\b(?:python[0-9.]*|node|bun)\s+-[ce]\s+(\"(?:\\.|[^\"\\])*\"|'[^']*')", text):
            if code_executes(inner[1:-1], values):
                return True
    # Values and files that hold such an answer.
    held = {name for name, command in re.findall(r"(\w+)=\"?(?:\$\(|`)([^)`]*)", text) if any(takes(each, unchecked) for each in re.split(r"\||;", command))}
    files = set()
    for host, folder in re.findall(r"\bmount\s+-t\s+(?:nfs4?|cifs)\s+(?://)?([\w.-]+):?/\S*\s+([^\s;&|]+)", text) \
            + [("192.0.2.1", each) for each in re.findall(r"\bmount\s+-t\s+(?:9p|virtiofs)\s+\S+\s+([^\s;&|]+)", text)]:
        if is_machine_of_address(host):
            files |= set(re.findall(rf"(?<=\s){re.escape(folder)}/[^\s;&|]+", text))
    statements = re.split(r";|\n|&&|\|\|", text)
    for index, statement in enumerate(statements):
        parts = statement.split("|")
        for at, part in enumerate(parts):
            if not takes(part, unchecked):
                continue
            # What is unpacked may be what starts behind it.
            if any(re.match(r"\s*(?:sudo\s+)?(?:tar|bsdtar|cpio|unzip|7z)\b", each) for each in parts[at + 1:]) \
                    and any(each.strip() and not STARTS_NOTHING.match(each.strip()) for each in statements[index + 1:]):
                return True
            if any(re.match(rf"\s*(?:sudo\s+)?(?:{INTERPRETER}(?!\s+(?:-\w+\s+)*-\w*[ce]\s)|[\"']?\$\{{?SHELL\S*)(\s+-\S*)*(\s|$)", each)
                   or re.match(r"\s*awk\s.*system", each) or re.match(rf"\s*tee\s.*>\(\s*{SHELL}", each) for each in parts[at + 1:]) \
                    or re.search(rf">\s*>\(\s*{SHELL}\s*\)", part):
                return True
            files |= set(re.findall(r"(?:\s-\w*[oO]\s*|--output[= ]|--output-document=|>\s*)([^\s>;&]+)", part))
            files |= {posixpath.basename(each) for each in re.findall(r"\s-\w*O\s+\S*/(\S+)", part)} if "curl" in part else set()
        if brings_packages([each.strip("\"'") for each in statement.split()], unchecked):
            return True
        if re.search(rf"\b(eval|{SHELL}\s+-c)\b", statement) and (any(takes(each, unchecked) for each in re.findall(r"\$\(([^)]*)\)", statement))
                                                              or any(re.search(rf"\${{?{name}\b", statement) for name in held)):
            return True
        if re.search(rf"(?:{SHELL}|\.|source)\s+<?\(?<\(([^)]*)\)", statement) and takes(re.search(r"<\(([^)]*)\)", statement).group(1), unchecked):
            return True
    return any(path not in ("-", "/dev/null") and re.search(rf"(?:(?:^|[;&|\n]|\bexec)\s*|{INTERPRETER}\s+|chmod\s+\S+\s+|tar\s+\S+\s+|\.\s+|source\s+){re.escape(path)}(?=[\s;&|]|$)", text)
               for path in files)


def list_executes(words, entries):
    """Whether the list of a command does."""
    if brings_packages(words, {programs for name, (harmless, programs) in ENTRIES.items() if entries.get(name, "").lower() not in harmless}):
        return True
    for at, word in enumerate(words[:-1]):
        name = posixpath.basename(words[at - 1]) if at else ""
        if re.fullmatch(SHELL, name) and re.fullmatch(r"-\w*c\w*", word) and script_executes(words[at + 1], entries):
            return True
        if re.fullmatch(r"(python[0-9.]*|node|bun)", name) and word in ("-c", "-e", "--eval") and code_executes(words[at + 1], entries):
            return True
    return False


def entries_of(environment, text):
    """The fixed entries of an `environment`."""
    pairs = environment.items() if isinstance(environment, dict) else (each.partition("=")[::2] for each in environment or [] if isinstance(each, str))
    return {name: text(value) if isinstance(value, str) else str(value) for name, value in pairs if isinstance(value, (str, int, float)) and "proxy" not in name.lower()}


def in_service(service, judge):
    """Whether a container does in its command, its health check or its hooks."""
    from .compose_document import risky
    from .docker_compose import risky_rows, unescape
    fill = lambda value: unescape(judge.text(value)) if isinstance(value, str) else str(value)
    entries = entries_of(service.get("environment"), fill)
    lists = [[fill(each) for each in judge.words(service.get("entrypoint")) + judge.words(service.get("command"))]]
    for hook in (service.get("post_start") or []) + (service.get("pre_stop") or []):
        if isinstance(hook, dict):
            lists.append([fill(each) for each in judge.words(hook.get("command"))])
    test = (service.get("healthcheck") or {}).get("test") if isinstance(service.get("healthcheck"), dict) else None
    if isinstance(test, str) or isinstance(test, list) and test[:1] == ["CMD-SHELL"]:
        if any(script_executes(fill(each), entries) for each in ([test] if isinstance(test, str) else test[1:])):
            return True
    elif isinstance(test, list):
        lists.append([fill(each) for each in test[1:]])
    return any(list_executes(words, entries) for words in lists) \
        or any(re.match(r"[a-z]*://", value, re.I) and unprotected(value) and risky(name, risky_rows()) for name, value in entries.items())
