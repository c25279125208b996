"""What programs install, bring, obey and compile (docs/compose-places.md, "In addition to programs, `eval` and scripts of a shell", and the
paragraphs on files that a script writes)."""

import posixpath
import re

# Programs that execute no file of code that they are handed.
QUIET = re.compile(r"(echo|printf|cat|cp|mv|ln|install|rm|mkdir|touch|test|\[\[?|chmod|chown|stat|wc|head|tail|tee|grep|sort|base64|\w*sum|sed|awk|envsubst|gzip|brotli|zstd"
                   r"|xz|zip|tar|unzip|curl|wget|aws|gsutil|rclone|rsync|scp|git|gpg|openssl|cmp|diff|find|less|python3?|node|ruby|perl|php|sh|bash|java)$")
CODE = re.compile(r"\.(c|cc|cpp|rs|go|java|kt|hs|lua|pl|rb|py|php|sh|bash|js|mjs|cjs|ts|jar|war|class|dll|exe|so|a|o|wasm|ex|exs|jl|nim|zig|tf|ipynb|r|R)$")
COMPILERS = re.compile(r"(gcc|g\+\+|cc|c\+\+|clang|tcc|rustc|javac|ghc|runhaskell|rust-script|bb|bats|ansible-playbook|just|task|papermill)(-[0-9.]+)?$")
GROUPS = {"addon", "addons", "app", "apps", "archive", "component", "components", "extension", "extensions", "module", "modules", "package", "packages",
          "plugin", "plugins", "theme", "themes", "tool", "tools", "skill", "skills"}
ALONE = {"--activate", "--batch", "--yes", "--force", "--global", "--quiet", "--user", "--system", "--dev", "--classic", "--allow-root"}
AGENTS = re.compile(r"(gitlab-runner|act_runner|gitea-runner|forgejo-runner|buildkite-agent|woodpecker-agent|circleci-(agent|runner)|config\.sh|drone-runner-\w+|jenkins-agent"
                    r"|puppet|salt-minion|chef-client|ray|teleport)$")
SENDERS = {"address", "authkey", "endpoint", "host", "instance", "join", "key", "master", "secret", "server", "token", "uri", "url"}
TARGETS = {"-o", "-O", "--output", "--out", "--outfile", "--output-dir", "--output-file", "--output-document", "--output-directory", "--dest", "--destination",
           "--local-dir", "--local_dir", "--download-dir"}
ANY_WORD = re.compile(r"(pacman|nix-env|zypper|yay|paru)$")
RUNS_WHAT_IT_IS_NAMED = {"k6": ("run",), "bentoml": ("serve",), "marimo": ("run", "edit")}


def brings_code(name, texts, is_open):
    """Whether a program installs, clones or obeys what a variable names."""
    if QUIET.match(name) and name != "php":
        return False
    following = texts[1:] + [""]
    if any(each.startswith("--") and _names_plugins(each) and (is_open(each) if "=" in each else is_open(after)) for each, after in zip(texts, following)):
        return True
    if name in ("tailscale", "tailscaled") and "--ssh" in texts and any(map(is_open, texts)):
        return True
    if AGENTS.match(name):
        for each, after in zip(texts, following):
            parts = re.split(r"[-_.]", each.partition("=")[0].lower())
            if each.startswith("-") and parts[-1] in SENDERS and not {"node", "listen", "bind", "public", "external", "dashboard"} & set(parts) \
                    and (is_open(each) if "=" in each else is_open(after)):
                return True
    if ANY_WORD.match(name) and any(map(is_open, texts)):
        return True
    operands = [each for each in texts if not each.startswith("-")]
    if name in RUNS_WHAT_IT_IS_NAMED and operands[:1] and operands[0] in RUNS_WHAT_IT_IS_NAMED[name] and any(map(is_open, operands[1:2])):
        return True
    if "clone" in operands[:2] and any(map(is_open, operands[operands.index("clone") + 1:])):
        return True
    if name == "composer" and "create-project" in operands and any(map(is_open, operands)):
        return True
    group, found, count = "", False, 0
    for before, each in zip([""] + texts, texts):
        if each.startswith("-"):
            continue
        if found and is_open(each) and not (before.startswith("--") and "=" not in before and before not in ALONE):
            return True
        own, _, verb = each.rpartition(":")
        own = own or (each.rpartition(".")[0] if each.endswith(".install") else "")
        verb = "install" if each.endswith(".install") else verb
        found |= verb == "install" and (own in GROUPS if own else count == 0 or group in GROUPS) or verb == "add" and (own or group) in GROUPS
        group, count = each, count + 1
    return False


def _names_plugins(option):
    parts = re.split(r"[-_.]", option[2:].partition("=")[0].lower())
    return parts[0] not in ("enable", "disable", "no", "list") and (bool({"plugin", "plugins", "extension", "extensions"} & set(parts))
                                                                   or parts[0] == "install" and not any("cert" in each for each in parts))


def puts_and_starts(statements, is_open):
    """Whether a program puts what a variable names into a file or a folder from which the script starts something. `statements`: words of each."""
    targets = set()
    for words in statements:
        if not words or not any(map(is_open, words[1:])) or QUIET.match(posixpath.basename(words[0])):
            continue
        operands = [each for each in words[1:] if not each.startswith("-")]
        for before, each in zip(words, words[1:]):
            option, equals, value = each.partition("=")
            if equals and option in TARGETS:
                targets.add(value)
            elif before in TARGETS and not each.startswith("-"):
                targets.add(each)
        verb = next((each for each in operands[:3] if each in ("download", "get", "fetch", "pull", "clone", "restore", "copy", "cp", "sync", "mirror")), None)
        if verb in ("copy", "cp", "sync", "mirror"):
            targets |= {each for each in operands[-1:] if each.startswith("/")}
        elif verb:
            targets |= {each for each in operands if each.startswith("/")}
            targets |= {each.partition("=")[2] for each in words[1:] if each.partition("=")[2].startswith("/")}
    return any(_starts(words, target) for words in statements for target in targets)


def _starts(words, target):
    names = [each for each in words if each != "exec"]
    started = names[:1]
    if names and re.match(r"(\S*/)?(python[0-9.]*|node|sh|bash|ruby|perl|php|\.|source)$", names[0]):
        started += [each for each in names[1:] if not each.startswith("-")][:1]
    return any(each == target or each.startswith(target.rstrip("/") + "/") for each in started)


def gets_code(statements, written):
    """Whether a program that may execute or compile it names a file of code that was written."""
    for words in statements:
        words = [each for each in words if each != "exec"]
        if not words:
            continue
        name = posixpath.basename(words[0])
        for word in words[1:]:
            for path in (word, word.rpartition("=")[2]):
                if path in written and (COMPILERS.match(name) or CODE.search(path) and not QUIET.match(name)):
                    return True
    return False


def spelled_out(text):
    """A script of an engine in which variables of a fixed value, aliases and texts that are written out stand as what they say."""
    more = []
    values = re.findall(r"(?:^|[\s;&|(])(\w+)=(\"[^\"$]*\"|'[^']*'|[\w./-]+)", text)
    for name, value in values:
        more += [text.replace("${" + name + "}", value.strip("\"'")).replace("$" + name, value.strip("\"'"))]
    for name, value in re.findall(r"\balias\s+(\w+)=(\"[^\"]*\"|'[^']*'|\S+)", text):
        more += [re.sub(rf"(^|[\s;&|]){name}\s", rf"\1{value.strip(chr(34) + chr(39))} ", text)]
    more += [each[1] for each in re.findall(r"<<-?\s*['\"]?(\w+)['\"]?.*?\n(.*?)\n\1\b", text, re.S)]
    more += [each[1:-1] for each in re.findall(r"\becho\s+('[^']*'|\"[^\"]*\")\s*(?:\|\s*(?:ba|da)?sh\b|>>?(?!>)\s*(?!\S*\.log|&|/dev/)\S)", text)]
    return [text] + more


def asks_at_the_socket(text):
    return any("docker.sock" in line and re.search(r"/(images/create|images/load|containers/create|build)\b", line) and "sha256" not in line
               for line in re.split(r"\n|;|&&", text))


def has_the_engine_start(words, starts_an_image):
    """Whether the command line of a container with the socket of the engine starts, fetches or builds what is not pinned."""
    for text in [" ".join(words)] + [each for each in words if " " in each]:
        for each in spelled_out(text):
            if starts_an_image(each) or re.search(r"\b(docker\s+compose|docker-compose)\b[^;\n]*\s(up|pull|run|build|create)\b", each):
                return True
    return any(asks_at_the_socket(each) for each in words)
