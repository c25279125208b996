"""In which language the text of a config is read (docs/compose-places.md), and whether it executes a value there."""

import posixpath
import re

INTERPRETERS = {"py": r"(?:python|pypy)[0-9.]*", "js": r"node(?:js)?", "mjs": r"node(?:js)?", "cjs": r"node(?:js)?", "rb": r"ruby", "pl": r"perl", "php": r"php"}
EXECUTES = re.compile(r"\b(eval|exec|execSync|execfile|system|popen|Popen|getoutput|check_output|check_call|run|spawn|spawnSync|Function|__import__"
                      r"|import_module|require|include|passthru|shell_exec|proc_open)\b")


def words(value):
    if isinstance(value, dict):
        return [word for each in value.values() for word in words(each)]
    if isinstance(value, list):
        return [word for each in value for word in words(each)]
    return value.replace("$$", "$").split() if isinstance(value, str) else []


def of(name, content, document):
    """(the interpreter of the language, whether nothing else names the file); nothing for a text of a shell."""
    services = [each for key in ("services", "jobs") for each in (document.get(key) or {}).values() if isinstance(each, dict)]
    targets = set()
    for service in services + [each for service in services for each in service.get("pre_start") or [] if isinstance(each, dict)]:
        for mount in service.get("configs") or []:
            source = mount if isinstance(mount, str) else mount.get("source")
            if source == name:
                targets.add(source if isinstance(mount, str) else mount.get("target", source))
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
        is_alone &= run > 0 and run + checked == named
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
    starts = EXECUTES.search(text)
    return any(uses(line, held, names) and (EXECUTES.search(line) or renames or starts and re.search(r"write", line)) for line in re.split(r"[;\n]", text))


def uses(line, held, names):
    return any(re.search(r"(?<![\w$])\$?\{?" + re.escape(each) + r"\b", line) for each in held - set(names)) \
        or any(re.search(r"\$\{?" + re.escape(each) + r"\b|(environ|getenv|env|ENV|\be\b)\W{1,6}" + re.escape(each) + r"\b", line) for each in names)
