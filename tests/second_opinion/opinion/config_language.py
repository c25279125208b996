"""In which language the text of a config is read (docs/compose-places.md), and whether it executes a value there."""

import json
import posixpath
import re

ENDS = {r"(?:python|pypy)[0-9.]*": "py pyi pyw wsgi ipynb", r"node(?:js)?": "js mjs cjs ts mts cts jsx tsx es6 vue svelte", r"ruby": "rb ru rake gemspec builder erb",
        r"perl": "pl pm psgi cgi t PL", r"php": "php phtml inc module phar php5 php7 php8"}
INTERPRETERS = {end: interpreter for interpreter, ends in ENDS.items() for end in ends.split()}
NAMES = {"Capfile": "ruby", "Guardfile": "ruby", "SConstruct": r"(?:python|pypy)[0-9.]*", "wscript": r"(?:python|pypy)[0-9.]*", "Jakefile": r"node(?:js)?"}
EXECUTES = re.compile(r"\b(eval|exec|execSync|execfile|system|popen|Popen|getoutput|check_output|check_call|run|spawn|spawnSync|Function|__import__"
                      r"|import_module|require|include|passthru|shell_exec|proc_open|putenv|createRequire|load|loadModule|fileConfig|readpipe|splice)\b")
# Scripts in languages that are not read: a variable in one decides code.
NOT_READ = re.compile(r"(^|/)(GNUmakefile|Makefile|makefile|justfile|Procfile|Gemfile|Rakefile)$"
                      r"|\.(awk|clj|exs?|go|groovy|java|jl|lua|mk|nim|nu|ps1|[rR]|rkt|scala|scm|tcl|zig)$")
RUNS_NOT_READ = re.compile(r"(^|[\s/])(execlineb|awk|gawk|mawk|lua|make|gmake|just|go|tclsh|Rscript|julia|elixir|erl|groovy|guile|nu|pwsh|xonsh|elvish|openresty)(\s|$)")


def words(value):
    if isinstance(value, dict):
        return [word for each in value.values() for word in words(each)]
    if isinstance(value, list):
        return [word for each in value for word in words(each)]
    return value.replace("$$", "$").split() if isinstance(value, str) else []


def of(name, content, document):
    """(the interpreter of the language, whether nothing else names the file); nothing for a text of a shell."""
    targets = targets_of(name, document)
    services = services_of(document)
    return language_of(name, content, document, targets, services)


def services_of(document):
    return [each for key in ("services", "jobs") for each in (document.get(key) or {}).values() if isinstance(each, dict)]


def targets_of(name, document):
    services = services_of(document)
    targets = set()
    for service in services + [each for service in services for each in service.get("pre_start") or [] if isinstance(each, dict)]:
        for mount in service.get("configs") or []:
            source = mount if isinstance(mount, str) else mount.get("source")
            if source == name:
                targets.add(source if isinstance(mount, str) else mount.get("target", source))
    return targets


def command_lines(document):
    """Entrypoint and command of each service as one text."""
    return [" ".join(words(service.get("entrypoint")) + words(service.get("command"))) for service in services_of(document)]


def is_not_read(name, content, document):
    first = content.split("\n", 1)[0] if content.startswith("#!") else ""
    return bool(RUNS_NOT_READ.search(first)) or any(
        NOT_READ.search(target) or any(posixpath.basename(target) in line and RUNS_NOT_READ.search(line) for line in command_lines(document))
        for target in targets_of(name, document))


def is_document(name, content, document):
    """A document of JSON that no shell is handed: it executes nothing."""
    try:
        if not isinstance(json.loads(content), (dict, list)):
            return False
    except ValueError:
        return False
    bases = {posixpath.basename(each) for each in targets_of(name, document)}
    return not any(re.search(r"(^|[\s/|;&])((ba|a|da|k|z)?sh|source|\.)\s+(-\w+\s+)*\S*" + re.escape(base), line) for base in bases for line in command_lines(document))


def may_read(content, names):
    return any(re.search(r"\b" + re.escape(each) + r"\b", content) for each in names) or bool(names) and "env" in content.lower()


def is_handed(name, document, outside):
    """Whether a list that names the config, which it may start, has a variable."""
    bases = {posixpath.basename(each) for each in targets_of(name, document)}
    lists = [(service.get("entrypoint"), service.get("command")) for service in services_of(document)]
    return any(any(base in " ".join(words(list(each))) for base in bases) and outside(list(each)) for each in lists)


def executes_arguments(content, language):
    """Whether a script of another language may execute what it is handed."""
    reads = language == "perl" or re.search(r"arg|opt|click|fire|typer|shift|pop|gets|<>", content, re.I)
    return bool(reads) and any(EXECUTES.search(line) and not line.strip().startswith(("import", "use ", "from")) for line in re.split(r"[;\n]", content))


NAMED = r"""(?:^|[\s{(,;\[-])(["']?)((?:[\w.-]*[^a-zA-Z0-9\s"'])?(?:%s))\1(?![\w.-])"""
STARTS = re.compile(NAMED % "cmd|command|entrypoint|exec|execstart|hook|init|interpreter|program|run|script|shell|spawn|cmds|commands|hooks|programs|scripts",
                    re.I | re.M)
LOADS = re.compile(NAMED % "auto_append_file|auto_prepend_file|code|extension|import|include|loadmodule|lua-load|lua-load-per-thread|lua-prepend-path"
                   "|lua_package_c?path|module|plugin|preload|require|ssl_engine|hook-[\\w-]+|wsgi-file|attach-daemon2?|sendmail_path|include_path|extfilterdefine"
                   "|scriptalias(?:match)?|wsgiscriptalias|luahook\\w+|logging\\.config", re.I | re.M)
ARGUMENTS = re.compile(NAMED % "args|arguments", re.I | re.M)
PIPES = re.compile(r"^\s*(?:Custom|Error|Forensic|Global|Transfer)Log\s+[\"']?[$|](.*)$", re.I | re.M)
DATA_OF_SUPERVISORD = re.compile(r"(autorestart|autostart|exitcodes|loglevel|\w*logfile_(backups|maxbytes)|minfds|minprocs|nodaemon|numprocs(_start)?|password|port"
                                 r"|priority|redirect_stderr|silent|start(retries|secs)|stopsignal|stopwaitsecs|umask|user(name)?)\s*=")
# Programs that fill in a text before they read it, and start programs by their settings.
FILLS_IN = re.compile(r"(^|[/\s])(telegraf|telegraf\.conf|vector|vector\.(ya?ml|toml)|benthos|benthos\.yaml|redpanda-connect|apisix)(?=$|[/\s@:])"
                      r"|redpandadata/connect")


def refers(text, name):
    """Whether a text names a variable as shells, templates or programs do."""
    for match in re.finditer(r"\b(?:ENV_)?" + re.escape(name) + r"\b", text):
        before = text[:match.start()].rstrip(". ")
        if before.endswith(("$", "{", "%", "@", "%(", "$(")) or "env" in text.lower():
            return True
    return False


def value_at(content, at):
    """The separator behind a name and its value: a list, or a text that goes on over the deeper lines."""
    match = re.compile(r"\s*=>\s*|[ \t]*:=?[ \t]*|[ \t]+=[ \t]*|=[ \t]*|[ \t]+").match(content, at)
    if not match:
        return None, ""
    separator, rest = match.group(0), content[match.end():]
    line = rest.split("\n", 1)[0]
    if separator.strip() and rest[:1] in ("[", "{") and not rest.startswith(("{{", "{$", "{env")):
        depth = 0
        for end, each in enumerate(rest[:4096]):
            depth += (each in "[{") - (each in "]}")
            if depth == 0:
                break
        inner = rest[1:end]
        return separator, [each.strip(" \"'`[") for each in re.split(r",|\n", inner) if each.strip()] if rest[0] == "[" else inner
    if ":" in separator and (not line.strip() or re.fullmatch(r"[|>][-+]?", line.strip())):
        own = re.search(r"[^\n]*$", content[:at]).group(0)
        indent = len(own) - len(own.lstrip())
        below = []
        for each in rest.split("\n")[1:]:
            deeper = len(each) - len(each.lstrip()) > indent
            if each.strip() and not deeper and not (each[indent:].startswith("- ") and not each[:indent].strip()):
                break
            below.append(each.strip())
        below = [each for each in below if each]
        return separator, [each[1:].strip().strip("\"'") for each in below] if below and all(each.startswith("-") for each in below) else "\n".join(below)
    quoted = re.match(r"""(["'])(?:(?!\1).)*\1(?=\s*($|[,}\]);#]|[a-zA-Z]))""", line)
    return separator, quoted.group(0) if quoted else line


def settings(content, pattern):
    for match in pattern.finditer(content):
        line = content[content.rfind("\n", 0, match.start() + 1) + 1:match.end()]
        if line.lstrip().startswith(("#", ";", "//")) and not line.lstrip().startswith("#{"):
            continue
        separator, value = value_at(content, match.end())
        if separator is not None and not (separator.isspace() and value[:1] in ("{", "")):
            # Words in the middle of a line are none of settings without a separator.
            if separator.isspace() and len(line.split()) > 2:
                continue
            yield match.group(2).lower(), separator, value


def filled_in(name, content, document, names, language, is_alone):
    """Whether a setting starts or loads what a variable holds, or the program fills in variables before it reads the text."""
    from . import arguments, docker_compose
    names = [each for each in names if re.search(r"\b(?:ENV_)?" + re.escape(each) + r"\b", content)]
    if not names:
        return False
    if language and is_alone:
        return any(docker_compose.shell_executes(value if isinstance(value, str) else " ".join(value), set(names))
                   for _, _, value in settings(content, STARTS))
    # The file of Logback below `logging`, the imports of Alloy, the programs of Monit.
    for pattern in (r"^logging:\n(?:[ \t]+.*\n?)*?[ \t]+config:(.*)$", r"^\s*check program(.*)$"):
        if any(any(refers(match.group(1), own) for own in names) for match in re.finditer(pattern, content, re.M)):
            return True
    if re.search(r"\bimport\.(file|git|http|string)\b", content) and any(
            any(refers(line, own) for own in names) for line in content.split("\n") if re.match(r"\s*(content|filename|repository|url)\b|.*\{\s*(content|filename)", line)):
        return True
    # supervisord.
    for line in content.split("\n"):
        if re.search(r"%\(ENV_(" + "|".join(map(re.escape, names)) + r")\)", line) and not DATA_OF_SUPERVISORD.match(line) and not line.startswith((";", "#")):
            return True
    for service in services_of(document):
        mounts = [each if isinstance(each, str) else each.get("source") for each in service.get("configs") or []]
        reads = [str(service.get("image"))] + words(service.get("entrypoint")) + words(service.get("command")) + sorted(targets_of(name, document))
        if name in mounts and any(FILLS_IN.search(each) for each in reads) and any(refers(content, each) for each in names):
            return True
    if any(docker_compose.mentions(match.group(0), set(names)) for match in PIPES.finditer(content)):
        return True
    # Tables of cron.
    has_user = any("/cron.d/" in each or each == "/etc/crontab" for each in targets_of(name, document))
    for line in content.split("\n"):
        match = re.match(r"\s*(?:@\w+|(?:[\d*?/,#lLwWhH~-]|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mon|tue|wed|thu|fri|sat|sun))+"
                         r"(?:\s+(?:[\d*?/,#lLwW~-]|\b[A-Za-z]{3}\b)+){4,6})\s+(.*)", line, re.I)
        if match and not line.lstrip().startswith("#"):
            command = match.group(1)
            if has_user or command.startswith("root "):
                command = command.partition(" ")[2]
            if docker_compose.shell_executes(re.sub(r"(?<!\\)%", "\n", command), set(names)):
                return True
    if any(any(refers(each, own) for own in names) for _, _, value in settings(content, LOADS) for each in ([value] if isinstance(value, str) else value)):
        return True
    for pattern in (STARTS, ARGUMENTS):
        for key, separator, value in settings(content, pattern):
            of_shells = separator.isspace() or separator == "="
            several = re.search(r"(cmds|commands|hooks|programs|scripts)$", key)
            if isinstance(value, list) and not several:
                items = (["app"] if pattern is ARGUMENTS else []) + value
                open_ = [any(refers(each, own) for own in names) for each in items]
                if any(own and (at == 0 or docker_compose.SHELL_OPTION.match(items[at - 1]) or not arguments.is_data(items, at, lambda each: open_[each]))
                       for at, own in enumerate(open_)):
                    return True
            elif isinstance(value, list):
                if any(refers(each, own) for each in value for own in names):
                    return True
            elif of_shells:
                if pattern is STARTS and docker_compose.shell_executes(value, set(names)) or pattern is STARTS and not language and any(
                        refers(value, own) and not docker_compose.mentions(value, {own}) for own in names):
                    return True
            elif any(refers(value, own) for own in names):
                return True
    return False


def language_of(name, content, document, targets, services):
    first = re.match(r"#!\s*(?:\S*/env\s+(?:-S\s+)?)?(\S+)", content)
    if content.startswith("#!"):
        program = posixpath.basename(first.group(1)) if first else ""
        language = next((each for each in INTERPRETERS.values() if re.fullmatch(each, program)), None)
    else:
        languages = {NAMES.get(posixpath.basename(each)) or INTERPRETERS.get(posixpath.splitext(each)[1].lstrip(".")) for each in targets}
        language = languages.pop() if len(languages) == 1 else None
    if language is None:
        return None, False
    others = [each.get("content") for own, each in (document.get("configs") or {}).items() if own != name and isinstance(each, dict)]
    keys = ("entrypoint", "command", "healthcheck", "post_start", "pre_stop", "pre_start", "environment")
    read = [word for service in services for key in keys for word in words(service.get(key)) + ["\n"]] + words(others)
    is_alone = bool(targets)
    for target in targets:
        base = re.escape(posixpath.basename(target))
        text = " ".join(word for word in read if word not in ("-f", "test", "[", "&&", "exec"))
        named = len(re.findall(base, text)) + sum(word.startswith("/") and "*" in word for word in read)
        checked = len(re.findall(r"(?:test|\[) -f \S*" + base, " ".join(read)))
        run = len(re.findall(r"(?:^|\s|/)" + language + r"\s+(?:-\S+\s+)*\S*" + base + r"(?=\s|$)", text))
        # A shell, or what starts others, with a file that is not written out.
        hidden = re.search(r"(^|[\s;|&(/])((ba|a|da|z|k)?sh|source|\.)\s+(?!-)[^\s;|&)]*[*?\[{$]|\bxargs\b.*\bsh\b|-exec\s+\S*sh\b|\brun-parts\b", " ".join(read))
        is_alone &= run > 0 and run + checked == named and not hidden
    return language, is_alone


def executes(text, names):
    """Whether a statement hands a value, or a variable that holds one, to what executes it."""
    held = set(names)
    for _ in range(6):
        for line in re.split(r"[;\n]", text):
            match = re.match(r"\s*(?:const|let|var|my)?\s*\$?(\w+)\s*=[^=]", line)
            if match and uses(line[match.end() - 1:], held, names):
                held.add(match.group(1))
    renames = re.search(EXECUTES.pattern + r"\s+as\s|\.\s*" + EXECUTES.pattern + r"\s*($|[;\n])", text)
    starts = EXECUTES.search(text) or re.search(r"open\(.*\.(py|js|mjs|cjs|sh|rb|pl|php)[\"']", text)
    return any(uses(line, held, names) and (EXECUTES.search(line) or renames or starts and re.search(r"write", line)) for line in re.split(r"[;\n]", text))


def uses(line, held, names):
    return any(re.search(r"(?<![\w$])\$?\{?" + re.escape(each) + r"\b", line) for each in held - set(names)) \
        or any(re.search(r"\$\{?" + re.escape(each) + r"\b|(environ|getenv|env|ENV|\be\b)\W{1,6}" + re.escape(each) + r"\b", line) for each in names)
