"""In which language the text of a config is read (docs/compose-places.md), and whether it executes a value there."""

import posixpath
import re

INTERPRETERS = {"py": r"(?:python|pypy)[0-9.]*", "js": r"node(?:js)?", "mjs": r"node(?:js)?", "cjs": r"node(?:js)?", "rb": r"ruby", "pl": r"perl", "php": r"php"}
EXECUTES = re.compile(r"\b(eval|exec|execSync|execfile|system|popen|Popen|getoutput|check_output|check_call|run|spawn|spawnSync|Function|__import__"
                      r"|import_module|require|include|passthru|shell_exec|proc_open|putenv|createRequire|load|loadModule|fileConfig|readpipe|splice)\b")
# Scripts in languages that are not read: a variable in one decides code.
NOT_READ = re.compile(r"(^|/)(GNUmakefile|Makefile|makefile|justfile|Procfile|Gemfile|Rakefile)$"
                      r"|\.(awk|clj|exs?|go|groovy|java|jl|lua|mk|nim|nu|ps1|[rR]|rkt|scala|scm|tcl|zig)$")
RUNS_NOT_READ = re.compile(r"(^|[\s/])(awk|gawk|mawk|lua|make|gmake|just|go|tclsh|Rscript|julia|elixir|erl|groovy|guile|nu|pwsh|xonsh|elvish|openresty)(\s|$)")
SETTING = re.compile(r"""^\s*(?:- )?["']?[\w-]*?(?:cmd|commands?|entrypoint|exec|hook|programs?|run|script|shell)["']?\s*[=:]\s*(.*)$""", re.M)


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


LOADS = re.compile(r"""^\s*(?:- )?["']?(?:\w*[_-])?(?:extension|import|include|loadmodule|module|plugin|preload|auto_prepend_file|ssl_engine|lua_package_path)["']?"""
                   r"\s*[=: ]\s*(.*)$", re.M | re.I)


def commands_of_settings(content):
    for match in LOADS.finditer(content):
        yield "eval " + match.group(1)
    for match in SETTING.finditer(content):
        value = re.sub(r"%\(ENV_(\w+)\)s", r"${\1}", match.group(1)).replace("${env:", "${")
        yield re.sub(r"""["'],""", '" ', value.strip("[]")) if value.startswith("[") else value


def language_of(name, content, document, targets, services):
    first = re.match(r"#!\s*(?:\S*/env\s+(?:-S\s+)?)?(\S+)", content)
    if content.startswith("#!"):
        program = posixpath.basename(first.group(1)) if first else ""
        language = next((each for each in INTERPRETERS.values() if re.fullmatch(each, program)), None)
    else:
        languages = {INTERPRETERS.get(posixpath.splitext(each)[1].lstrip(".")) for each in targets}
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
