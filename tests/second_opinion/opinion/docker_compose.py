"""Which places of a docker compose file others fill in, and what they decide (docs/compose-places.md; docs/threats.md, T38, T39).

The classes of the places are read from the table in docs/compose-places.md; what a value is and does is judged here."""

import functools
import pathlib
import posixpath
import re
import shlex

from . import arguments, config_language, container_names, host_answers, interpolation, programs, script_uses
from .compose_yaml import Unreadable, read as read_yaml

__all__ = ["Unreadable", "judge"]

DOCS = pathlib.Path(__file__).resolve().parents[3] / "docs/compose-places.md"
DIGEST = re.compile(r"[^\s@]+@sha256:[0-9a-f]{64}")


@functools.cache
def places():
    """The table: path: its classes."""
    rows = {}
    for line in DOCS.read_text().splitlines():
        match = re.fullmatch(r"\| `([^`]+)` \| (.+?) \| (.+) \|", line)
        if match:
            rows.setdefault(match.group(1), match.group(2))
    return rows


@functools.cache
def risky_rows():
    from .os_image import risky_rows as read_rows
    return read_rows()


# What the guest itself has in the environment of Docker Compose. No document lists it; these are what systemd and the guest's
# units set.
GUEST_SETS = {"HOME", "PATH", "USER", "LOGNAME", "SHELL", "HOSTNAME", "SHLVL", "_", "LANG", "PCCS_URL", "INVOCATION_ID", "JOURNAL_STREAM"}

# What the host hands in (docs/compose-places.md).
HANDED_IN = ["/dstack/.decrypted-env", "/dstack/.decrypted-env.json", "/dstack/persistent/dstack", "/dev/mem","/dstack/.host-shared", "/dstack/.user-config", "/dstack/user_config", "/sys/firmware", "/var/volatile/dstack"]
DISK = re.compile(r"/dev/(vd|sd|hd|xvd|nvme|disk|loop|sr|mmcblk|pmem|block)")
PROC = re.compile(r"/proc/[^/]+/(root|cwd)(/|$)")
LINKS = [("/tapp", "/dstack"), ("/var/run", "/run"), ("/var/volatile/dstack", "/dstack")]
# dstack, `sdk/curl/api.md`: /var/run/dstack is the folder of the socket in 0.6.
AGENT = {"/run/dstack.sock", "/run/tappd.sock", "/run/dstack", "/run/dstack/dstack.sock"}
DOCKER_SOCKETS = ["/run/docker.sock", "/run/containerd/containerd.sock"]
BUILT_OR_ELSEWHERE = ("build", "extends", "provider", "include")
STRENGTHENS = re.compile(r"no-new-privileges([:=]true)?")
SHELL_OPTION = re.compile(r"-[a-z]*c$")
QUOTED = r"[\"']?\$\{?"
SHELLS = r"(?:\S*/)?(?:sh|bash|ash|dash|zsh|ksh|python[0-9.]*|node|perl|ruby)"


def inside(path, folder):
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def resolved(source):
    if source.startswith("~"):
        # No document says where the home is: from it `..` may lead anywhere.
        if ".." in source.split("/"):
            return "/"
        source = "/root" + source[1:]
    # A link is followed before what comes behind it.
    path = posixpath.normpath(posixpath.join("/dstack", source))
    path = "/" + path.lstrip("/")
    match = PROC.match(path)
    if match:
        path = ("/" if match.group(1) == "root" else "/dstack/") + path[match.end():]
    for link, target in LINKS * 2:
        if inside(path, link):
            path = target + path[len(link):] or "/"
    return path


class Judge:
    def __init__(self, settable, nerdctl=False):
        self.settable = settable
        self.nerdctl = nerdctl
        self.unpinned = self.unmeasured = self.host_access = False
        self.holds_socket = self.labels_from_outside = False
        self.script_values = []
        self.interactive = False
        self.open_names = 0

    # ---------------------------------------------------------------- values
    def fill(self, text):
        try:
            return interpolation.fill(text, self.settable)
        except interpolation.Bad:
            return text, True

    def outside(self, value):
        """Whether something outside the document sets a part of the value."""
        if isinstance(value, str):
            return self.fill(value)[1]
        if isinstance(value, dict):
            return any(self.outside(each) for each in value.values())
        return isinstance(value, list) and any(self.outside(each) for each in value)

    def text(self, value):
        return self.fill(value)[0] if isinstance(value, str) else value

    def image(self, value):
        if not isinstance(value, str):
            self.unpinned = True
            return
        text, outside = self.fill(value)
        if outside or not DIGEST.fullmatch(text):
            self.unpinned = True

    # ---------------------------------------------------------------- the walk
    def walk(self, value, path, context):
        """A value at a place of the table; items of a list stand at the list's place."""
        if isinstance(value, list):
            for each in value:
                self.walk(each, path, context)
        elif isinstance(value, dict):
            for key, member in value.items():
                # Names of networks, volumes, configs, secrets and environment are the author's: `x-` is no extension there.
                if key.startswith("x-") and f"{path}.*" not in places():
                    continue
                place = next((each for each in (f"{path}.{key}", f"{path}.*") if each in places()), None)
                if place is None:
                    self.unmeasured = True
                else:
                    self.place(member, place, key, context)

    def place(self, value, place, key, context):
        kind = places()[place]
        handler = getattr(self, "at_" + re.sub(r"[^a-z]", "_", place.lower()), None)
        if handler:
            handler(value, context)
            return
        if value is None:
            if kind == "decides code" and "*" not in place:
                return
            return
        outside = self.outside(value)
        if kind.startswith("no value decides code"):
            pass
        elif kind == "fixed; a variable decides code if it may be the name of another container":
            self.open_names += sum(map(self.outside, value if isinstance(value, list) else [value]))
            return
        elif kind == "decides code":
            if place.split(".")[-1] in BUILT_OR_ELSEWHERE or any(f".{each}" in place for each in BUILT_OR_ELSEWHERE):
                self.unpinned = True
            else:
                self.unmeasured = True
            return
        elif kind.startswith("decides code unless false"):
            if value is not False:
                self.unmeasured = True
            return
        elif kind.startswith("as `ports`"):
            self.labels_from_outside |= outside
        elif kind.startswith("fixed; `host` and `container:`"):
            self.unmeasured |= outside
            text = self.text(value)
            if outside or text == "host" or isinstance(text, str) and text.startswith("container:"):
                self.host_access = True
        elif kind.startswith("host access"):
            self.unmeasured |= outside
            if value not in (False, [], {}, ""):
                self.host_access = True
        elif kind.startswith("fixed, but for an item of a list"):
            self.unmeasured |= outside and isinstance(value, str) or isinstance(value, dict) \
                or isinstance(value, list) and any(isinstance(each, (dict, list)) for each in value)
            if isinstance(value, list) and place not in ("SERVICE.command", "SERVICE.entrypoint"):
                check = place.endswith("healthcheck.test")
                if check and (self.nerdctl or value[:1] == ["CMD-SHELL"]):
                    self.unmeasured |= outside
                else:
                    self.arguments(value[1:] if check and value[:1] == ["CMD"] else value, False)
            self.script_values.append((place, value))
            return
        elif outside and kind.startswith("fixed") and not isinstance(value, dict):
            # The members of a mapping have rows of their own.
            self.unmeasured = True
        if "shell executes" in kind:
            self.script_values.append((place, value))
        self.walk(value, place, context)

    def words(self, value):
        """The words of `command` or `entrypoint`: a text is split."""
        if isinstance(value, str):
            try:
                return shlex.split(value)
            except ValueError:
                return [value]
        return value if isinstance(value, list) else []

    def command_line(self, service):
        """`entrypoint` and `command` are one list of arguments. An entrypoint without a word is none."""
        entrypoint = self.words(service.get("entrypoint"))
        if not any(self.outside(each) or str(self.text(each)).strip() for each in entrypoint):
            entrypoint = []
        self.arguments(entrypoint + self.words(service.get("command")), not entrypoint)

    def arguments(self, words, behind_image):
        """A list of arguments: an item is one argument whatever its variable holds, and decides code unless it is known to be data."""
        texts = [self.text(word) if isinstance(word, str) else str(word) for word in words]
        is_open = [isinstance(word, str) and self.outside(word) for word in words]
        for at, word in enumerate(words):
            if is_open[at] and not self.is_data(texts, at, word, is_open, behind_image):
                self.unmeasured = True

    def is_data(self, texts, at, word, is_open, behind_image):
        from .compose_document import risky
        if at == 0 or "$$" in word:
            return False
        if behind_image and (texts[0][:1] in ("-", "+") or at == 1 and texts[0] in ("run", "exec", "x", "eval", "dlx", "build", "task", "tool")):
            return False
        name, equals, _ = texts[at].partition("=")
        if equals and re.fullmatch(r"\w+", name) and (name == "ENV" or risky(name, risky_rows())):
            return False
        return arguments.is_data(texts, at, lambda each: is_open[each])

    # ---------------------------------------------------------------- places with rules of their own
    def at_service_image(self, value, context):
        self.image(value)

    def at_service_pull_policy(self, value, context):
        text, outside = self.fill(value) if isinstance(value, str) else (value, False)
        self.unmeasured |= outside
        if text == "build":
            self.unpinned = True

    def at_service_runtime(self, value, context):
        text, outside = self.fill(value) if isinstance(value, str) else (value, False)
        if outside or text not in ("runc", "nvidia", None):
            self.unmeasured = True

    def at_service_pre_start(self, value, context):
        for each in value if isinstance(value, list) else [value]:
            self.service(each, has_image=True, environment=context)

    def at_service_post_start(self, value, context):
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, dict):
                inner = {**context, **self.environment(each.get("environment"))}
                self.commands_of(inner, lambda: self.walk(each, "HOOK", inner))
            else:
                self.unmeasured = True

    at_service_pre_stop = at_service_post_start

    def at_service_environment(self, value, context):
        """The names and values are in the context; here the names that programs load code by, and other forms."""
        if isinstance(value, dict):
            for each in value.values():
                if isinstance(each, (dict, list)):
                    self.unmeasured = True
        elif not (value is None or isinstance(value, list) and all(isinstance(each, str) for each in value)):
            self.unmeasured = True
        if isinstance(value, list):
            self.unmeasured |= any(self.outside(each.partition("=")[0]) for each in value if isinstance(each, str))
        from .compose_document import risky
        for name, outside in self.environment(value).items():
            if (outside or self.carries(value, name, context)) and (risky(name, risky_rows()) or name == "ENV" and self.interactive):
                self.unmeasured = True

    at_hook_environment = at_service_environment

    def carries(self, value, name, context):
        """Whether a fixed value names a variable of the container that is set from outside."""
        entries = value.items() if isinstance(value, dict) else (each.partition("=")[::2] for each in value or [] if isinstance(each, str))
        text = next((each for own, each in entries if own == name and isinstance(each, str)), "")
        return mentions(unescape(text), {own for own, outside in context.items() if outside})

    def environment(self, value):
        """Name: whether something outside the document sets it."""
        result = {}
        if isinstance(value, dict):
            for name, each in value.items():
                result[name] = self.settable(name) if each is None else self.outside(each)
        elif isinstance(value, list):
            for each in value:
                if isinstance(each, str):
                    text, outside = self.fill(each)
                    name, equals, _ = text.partition("=")
                    result[name] = outside if equals else self.settable(name)
        return result

    def at_service_volumes(self, value, context):
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, str):
                self.short_volume(each)
            elif isinstance(each, dict):
                self.long_volume(each, context)
            elif each is not None:
                self.unmeasured = True

    def short_volume(self, value):
        text, outside = self.fill(value)
        if outside:
            self.unmeasured = True
            return
        source, colon, _ = text.partition(":")
        if colon and source[:1] in ("/", ".", "~"):
            self.mount(source)

    def long_volume(self, value, context):
        for key in value:
            if not key.startswith("x-") and f"SERVICE.volumes.{key}" not in places():
                self.unmeasured = True
        for key in ("bind", "volume", "tmpfs", "image"):
            if key in value:
                self.place(value[key], f"SERVICE.volumes.{key}", key, context)
        kind, source = value.get("type"), value.get("source")
        if kind == "image":
            self.image(source)
            return
        if any(self.outside(value.get(key)) for key in ("type", "source", "target", "read_only", "consistency")):
            self.unmeasured = True
            return
        if kind is None and isinstance(source, str) and source[:1] in ("/", ".", "~"):
            kind = "bind"
            self.unmeasured = True
        if kind == "bind":
            self.mount(self.text(source)) if isinstance(source, str) else None
            self.unmeasured |= not isinstance(source, str)
        elif kind not in ("volume", "tmpfs"):
            self.unmeasured = True
        elif kind == "volume" and isinstance(source, str) and source.startswith("/"):
            self.mount(self.text(source))

    def mount(self, source):
        path = resolved(source)
        if path in AGENT:
            return
        if any(inside(path, each) or inside(each, path) for each in HANDED_IN) or inside("/dev", path) or DISK.match(path):
            self.unmeasured = True
        if any(inside(each, path) for each in DOCKER_SOCKETS):
            self.holds_socket = True
        self.host_access = True

    def at_service_use_api_socket(self, value, context):
        if self.outside(value):
            self.unmeasured = True
        elif value not in (False, None):
            self.host_access = self.holds_socket = True

    def at_service_volumes_from(self, value, context):
        for each in value if isinstance(value, list) else [value]:
            if self.outside(each) or not isinstance(each, str) or each.startswith("container:"):
                self.unmeasured = True

    def at_service_devices(self, value, context):
        for each in value if isinstance(value, list) else [value]:
            source = each.get("source") if isinstance(each, dict) else each
            if isinstance(each, dict):
                self.unmeasured |= any(not key.startswith("x-") and f"SERVICE.devices.{key}" not in places() for key in each)
            if self.outside(each) or not isinstance(source, str):
                self.unmeasured = True
                continue
            source = self.text(source).split(":")[0]
            if DISK.match(resolved(source)) or inside("/dev", resolved(source)):
                self.unmeasured = self.host_access = True
            elif not (source.startswith("/dev/nvidia") or source.startswith("nvidia.com/gpu")):
                self.host_access = True

    def at_service_gpus(self, value, context):
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, dict):
                self.unmeasured |= any(not key.startswith("x-") and f"SERVICE.gpus.{key}" not in places() for key in each)
                self.request(each)

    def request(self, value):
        """A request of devices: for GPUs alone, or for others of the VM."""
        driver = value.get("driver") or ""
        self.unmeasured |= self.outside(driver) or self.outside(value.get("options"))
        wanted = [inner for item in value.get("capabilities") or [] for inner in (item if isinstance(item, list) else [item])]
        ids = value.get("device_ids") or []
        if driver == "cdi":
            is_gpu = bool(ids) and all(str(each).startswith("nvidia.com/gpu=") for each in ids)
        else:
            is_gpu = driver == "nvidia" or driver == "" and ("gpu" in wanted or "capabilities" not in value)
        self.host_access |= not is_gpu

    def at_service_deploy_resources_reservations_devices(self, value, context):
        for each in value if isinstance(value, list) else [value]:
            if not isinstance(each, dict):
                self.unmeasured = True
                continue
            path = "SERVICE.deploy.resources.reservations.devices"
            self.unmeasured |= any(not key.startswith("x-") and f"{path}.{key}" not in places() for key in each)
            self.request(each)

    def at_service_security_opt(self, value, context):
        for each in value if isinstance(value, list) else [value]:
            if self.outside(each):
                self.unmeasured = True
            elif not isinstance(each, str) or not STRENGTHENS.fullmatch(each):
                self.host_access = True

    def at_networks___driver(self, value, context):
        if self.outside(value):
            self.unmeasured = self.host_access = True
        elif value not in (None, "bridge", "default"):
            self.host_access = True

    def at_volumes___driver(self, value, context):
        if self.outside(value) or value not in (None, "local"):
            self.unmeasured = True

    def at_volumes___driver_opts(self, value, context):
        if value and (self.outside(value) or not isinstance(value, dict) or value.get("type") != "tmpfs"):
            self.unmeasured = True
            if isinstance(value, dict) and "bind" in str(value.get("o", "")).split(",") and isinstance(value.get("device"), str):
                self.mount(self.text(value["device"]))

    # ---------------------------------------------------------------- services
    def service(self, value, has_image=False, environment=None):
        if not isinstance(value, dict):
            self.unmeasured = True
            return
        if "image" not in value and "build" not in value and not has_image:
            self.unpinned = True
        inner = {**(environment or {}), **self.environment(value.get("environment"))}
        before, self.interactive = self.interactive, self.interactive or may_be_interactive(value)
        others, self.holds_socket = self.holds_socket, False
        self.commands_of(inner, lambda: self.walk(value, "SERVICE", inner))
        if self.holds_socket:
            from .start_scripts import starts_an_image
            words = self.words(value.get("entrypoint")) + self.words(value.get("command"))
            words = [unescape(self.text(each)) for each in words if isinstance(each, str)]
            self.unpinned |= programs.has_the_engine_start(words, starts_an_image)
        self.holds_socket |= others
        self.command_line(value)
        self.unmeasured |= host_answers.in_service(value, self)
        self.interactive = before

    def commands_of(self, environment, walk):
        """Walks, and then looks whether a shell executes a variable of this environment that is set from outside."""
        before, self.script_values = self.script_values, []
        walk()
        names = {name for name, outside in environment.items() if outside}
        if names and any(executes(place, value, names) for place, value in self.script_values):
            self.unmeasured = True
        self.script_values = before

    def document(self, value):
        services = []
        for key, member in value.items():
            if key.startswith("x-"):
                continue
            if key in ("services", "jobs"):
                if not isinstance(member, dict):
                    raise Unreadable(f"{key} is not a mapping")
                services += list(member.values())
            elif key in ("networks", "volumes", "configs", "secrets"):
                self.walk(member, key, {})
            elif key in places():
                self.place(member, key, key, {})
            else:
                self.unmeasured = True
        configs = {name: each.get("content") for name, each in value["configs"].items() if isinstance(each, dict)} \
            if isinstance(value.get("configs"), dict) else {}
        if not services:
            self.unpinned = True
        everything, said = {}, {}
        for each in services:
            with host_answers.names_of([each] if isinstance(each, dict) else [], value, self):
                self.service(each)
            if isinstance(each, dict):
                for mount in each.get("configs") if isinstance(each.get("configs"), list) else []:
                    source = mount.get("source") if isinstance(mount, dict) else mount
                    said.setdefault(str(source), {}).update(host_answers.entries_of(each.get("environment"), self.text))
                everything.update({name: True for name, outside in self.environment(each.get("environment")).items() if outside})
        for name, each in configs.items():
            if isinstance(each, str):
                language, is_alone = config_language.of(name, each, value)
                handed = config_language.is_handed(name, value, self.outside)
                if language and handed and config_language.executes_arguments(unescape(each), language):
                    self.unmeasured = True
                if not language and handed and re.search(r"\$\{?argv\b", unescape(each)):
                    self.unmeasured = True
                if not language and config_language.is_not_read(name, each, value) and (handed or config_language.may_read(each, everything)):
                    self.unmeasured = True
                if config_language.filled_in(name, unescape(each), value, everything, language, is_alone):
                    self.unmeasured = True
                # A text of which nothing says the language: one that reads the environment by a word for it.
                if not language and not each.startswith("#!") and everything and config_language.executes(
                        unescape(each).replace("$", " "), set(everything)) and re.search(r"environ|getenv|process\.env|\bENV\b", each):
                    self.unmeasured = True
                with host_answers.names_of(host_answers.mounting(name, value), value, self):
                    judge = host_answers.code_executes if language else host_answers.script_executes
                    self.unmeasured |= judge(unescape(each), said.get(name, {}))
                if language and config_language.executes(unescape(each), set(everything)) \
                        or not (language and is_alone) and not config_language.is_document(name, unescape(each), value) \
                        and shell_executes(unescape(each), set(everything)):
                    self.unmeasured = True
        if (self.labels_from_outside or self.open_names) and self.holds_socket or self.open_names > container_names.harmless(value, self):
            self.unmeasured = True


def unescape(text):
    return text.replace("$$", "$")


def texts_of(value):
    if isinstance(value, (dict, list)):
        return " ".join(texts_of(each) for each in (value.values() if isinstance(value, dict) else value))
    return value if isinstance(value, str) else ""


def may_be_interactive(service):
    """Whether a shell of the container may be interactive, which executes the file that ENV names."""
    if any(service.get(key) not in (None, False, "", "false", "no", "off", "n") for key in ("tty", "stdin_open")):
        return True
    commands = [texts_of([service.get("entrypoint"), service.get("command")])]
    commands += [texts_of(service.get(key)) for key in ("healthcheck", "post_start", "pre_stop")]
    option = r"(-o\s+\w+\s+|[-+]\S+\s+)*-[a-zA-Z]*i"
    return any(re.search(r"(^|[\s;|&(/])(dtach|empty|expect|screen|script|socat|tmux|ttyd|unbuffer|zellij)(\s|$)", each) or re.match(r"\s*-[a-zA-Z]*i", each) or re.search(rf"(^|[\s;|&('\"/])(ba|a|da|z|k)?sh\s+{option}", each) for each in commands)


def executes(place, value, names):
    """Whether the words of a command make a shell execute one of the variables."""
    if isinstance(value, str):
        if place.endswith("healthcheck.test"):
            return shell_executes(unescape(value), names)
        try:
            words = shlex.split(unescape(value))
        except ValueError:
            return mentions(unescape(value), names)
    elif isinstance(value, list):
        words = [unescape(each) for each in value if isinstance(each, str)]
    else:
        return False
    if place.endswith("healthcheck.test") and words[:1] == ["CMD-SHELL"]:
        return any(shell_executes(each, names) for each in words[1:])
    if place.endswith("healthcheck.test") and words[:1] in (["CMD"], ["NONE"]):
        words = words[1:]
    if words and mentions(words[0], names) or script_uses.code_executes(words, names):
        return True
    for at, word in enumerate(words):
        if re.fullmatch(r"-[a-zA-Z]*[ce]", word) and any(shell_executes(each, names) for each in words[at + 1:at + 2]):
            return True
    return False


def mentions(text, names):
    return any(re.search(r"\$(\{" + re.escape(name) + r"\b|" + re.escape(name) + r"\b)", text) for name in names)


def held(text, names):
    """The names, and the script's own variables that hold what they hold."""
    names = set(names)
    for _ in range(4):
        for match in re.finditer(r"(?:^|[\s;&|(`])(\w+)=(\S*)", text):
            if mentions(match.group(2), names) or match.group(2).startswith(("$(", '"$(', "`")) and mentions(text, names):
                names.add(match.group(1))
        for match in re.finditer(r"\bfor\s+(\w+)\s+in\s+([^;\n]*)", text):
            if mentions(match.group(2), names):
                names.add(match.group(1))
        for match in re.finditer(r"\bread\s+(?:-\w+\s+)*(\w+)", text):
            if mentions(text, names):
                names.add(match.group(1))
    return names


ENVIRONMENT = re.compile(r"/proc/[^/\s\"']+(?:/task/[^/\s\"']+)?/environ(?![\w./-])")


def is_started(path, text):
    return re.search(rf"(?:(?:^|[;&|\n]|\bexec)\s*|{SHELLS}\s+|chmod\s+\S+\s+|\.\s+|source\s+){re.escape(path)}(?=[\s;&|]|$)", text)


def texts_executed_later(text):
    """Fixed texts that a command prints, or that a variable holds, which a shell executes a step later."""
    printed = r"\b(?:echo|printf)\s+(?:-\w+\s+|'%s[^']*'\s+)*('[^']*'|\"(?:\\.|[^\"\\])*\")"
    for match in re.finditer(printed + r"\s*([|>]+)\s*([^\s;&|]+)", text):
        literal, into, target = match.groups()
        if "|" in into and re.fullmatch(SHELLS, target) or ">" in into and (is_started(target, text[match.end():]) or AT_START.search(target)):
            yield literal
    for match in re.finditer(r"(?:^|[\s;&|(])(\w+)=('[^']*')", text):
        if re.search(rf"(?:\beval\s+\"?|[;&|\n]\s*)\$\{{?{match.group(1)}\b", text[match.end():]):
            yield match.group(2)
    yield from re.findall(rf"{SHELLS}\s[^;|\n]*<<<\s*('[^']*')", text)


def shell_executes(text, names):
    """Whether the text, executed by a shell, executes the value of one of the variables."""
    for literal in texts_executed_later(text):
        inner = literal[1:-1] if literal[0] == "'" else literal[1:-1].replace("\\$", "$").replace('\\"', '"')
        if mentions(inner, names) and shell_executes(inner, names):
            return True
    # The variable that another one names may be any.
    if names:
        text = re.sub(r"\$\{!(\w+)(?::?-[^}]*)?\}",
                      lambda match: match.group(0) if match.group(1) in names else "$" + min(names), text)
    names = held(text, names)
    if any(mentions(re.sub(r"\\\$|'[^']*'", "", match.group(1)), names) and is_started(match.group(2), text[match.end():])
           for match in re.finditer(r"((?:^|[;&|\n(])[^;&|\n>]*)>\s*([^\s;&|>]+)", text)):
        return True
    if script_uses.script_executes(text, names, lambda each: shell_executes(each, names)):
        return True
    if re.search(r"\$?\(\([^)]*\b(" + "|".join(map(re.escape, names)) + r")\b", text) or re.search(r"\$\{!(" + "|".join(map(re.escape, names)) + r")\b", text):
        return True
    if any(re.search(r"\bprintenv\s+" + re.escape(name) + r"\b", text) for name in names):
        text = re.sub(r"\bprintenv\s+(\w+)", r"echo $\1", text)
    # An interactive shell executes the file that ENV names.
    if "ENV" in names and re.search(rf"(^|[\s;|&('\"/])(ba|a|da|z|k)?sh\s+([-+]\S+\s+)*-[a-zA-Z]*i", text):
        return True
    # The file of the whole environment, whichever way it is read.
    shown = bool(names) and ENVIRONMENT.search(text)
    if shown and re.search(rf"(^|[\s;|&(`]){SHELLS}\s+(-\S+\s+)*{ENVIRONMENT.pattern}", text):
        return True
    if not mentions(text, names) and not shown:
        return False
    if writes_what_a_program_reads(text, names):
        return True
    # An operand of a client of databases may be an option that executes.
    if re.search(r"\b(psql|mysql|mariadb|mongosh)(\s+(-[A-Za-z]?[DLPUdfhpu]\s+\S+|--\w[\w-]*(=\S+|\s+\S+)|-\w+))*\s+[\"']?\$", text) \
            and not re.search(r"\b(psql|mysql|mariadb|mongosh)\s[^;|&]*-[A-Za-z]?[DLPUdfhpu]\s+[\"']?\$", text):
        return True
    # Without quotes a value may be another option.
    for match in re.finditer(r"\b(redis-server|valkey-server|mysqld|openvpn|traefik|telegraf|logstash|nginx|postgres)\s[^;|&\n]*", text):
        if mentions(re.sub(r"\"[^\"]*\"", "", match.group(0)), names):
            return True
    # What `find` starts, what bash evaluates, the file of a shell's start, and functions and scripts that go through their arguments.
    if re.search(r"\bfind\b[^;\n]*\s-(exec|ok)", text) or re.search(r"\bprintf\s+-v\b", text) \
            or any(re.search(r"\b(BASH_)?ENV=" + QUOTED + re.escape(name) + r"\b", text) for name in names):
        return True
    if re.search(r"\(\)\s*\{", text) and re.search(r"\bfor\s+\w+\s*(;|\n|do\b)|\bgetopts\b|\bshift\b|(^|[;{(&|]\s*)\"?\$(\{?[@*1-9])", text):
        return True
    if re.search(rf"(^|[\s;|&(`]){SHELLS}\s*<", text):
        return True
    if re.search(rf"(^|[\s;|&(`])(eval|source|\.)\s", text) or re.search(rf"{SHELLS}\s+(-\S+\s+)*-[a-z]*c\b", text) \
            or re.search(rf"\|\s*{SHELLS}(\s|$)", text):
        return True
    for name in names:
        variable = r"[\"']?\$(\{" + re.escape(name) + r"\b|" + re.escape(name) + r"\b)"
        if re.search(r"(^|[;|&(`\n{!]|\b(then|do|else|if|while|until|exec|command|nohup|env|sudo|time|xargs)\b)\s*" + variable, text):
            return True
    return False


# Programs that read a file as settings which can start something, or load it: what of its path says so.
READ = [(r"npm|npx|pnpm|yarn", r"npmrc|\.yarnrc"), (r"bunx?", r"npmrc|bunfig\.toml|\.env"), (r"pip3?|uv", r"pip\.conf|uv\.toml"), (r"apt(-get)?", r"/etc/apt/"),
        (r"apk", r"/etc/apk/"), (r"psql", r"psqlrc"), (r"(mysql|mariadb)(-?dump)?", r"my\.cnf"), (r"kubectl|helm", r"\.kube/"), (r"aws", r"\.aws/"),
        (r"wg-quick", r"/wireguard/"), (r"openvpn", r"/openvpn/"), (r"crond?|supercronic", r"/cron"), (r"php(-fpm)?|apache2-foreground", r"/php/.*\.ini|\.php"),
        (r"honcho|foreman|pm2(-runtime)?|overmind|hivemind", r"Procfile|ecosystem\.config"), (r"telegraf|vector|redpanda-connect", r"/telegraf/|/vector/|connect\.y"),
        (r"consul", r"/consul"), (r"fluentd|logstash", r"/fluent|/logstash"), (r"logrotate", r"/logrotate"), (r"webhook", r"hooks\.(json|yaml)"),
        (r"supervisord", r"supervisor"), (r"haproxy", r"haproxy\.cfg"), (r"postgres", r"postgresql(\.auto)?\.conf"),
        (r"httpd-foreground|httpd|apache2(ctl|-foreground)?", r"/etc/apache2/|/apache2/conf|httpd\.conf"), (r"uwsgi", r"uwsgi\.ini"), (r"patroni", r"patroni"),
        (r"keepalived", r"keepalived"), (r"monit", r"monitrc"), (r"dnsmasq", r"dnsmasq"), (r"collectd", r"collectd"), (r"zabbix_agentd", r"zabbix_agentd"),
        (r"rsyslogd", r"rsyslog"), (r"ofelia", r"ofelia"), (r"hass", r"configuration\.yaml"), (r"rclone", r"rclone\.conf"), (r"wget", r"wgetrc"), (r"curl", r"curlrc"),
        (r"mvn", r"\.m2/settings"), (r"cargo", r"\.cargo/config"), (r"gradle", r"init\.gradle"), (r"terraform", r"\.tf$"), (r"ansible-playbook", r"playbook"),
        (r"postfix", r"/etc/postfix/"), (r"tor", r"torrc"), (r"just|task", r"justfile|Taskfile"), (r"node\s[^;\n]*--env-file\S*", r"\.env"),
        (r"gunicorn|uvicorn|python3?|superset|celery|jupyter|flask", r"\.py"), (r"puma|rails|ruby", r"\.rb")]
AT_START = re.compile(r"/[^/\s]*(?:boot|entrypoint|finish|hook|init|start|service)[^/\s]*\.d/|/[^/\s]*entrypoint[^/\s]*/|/cont-init\.d/|/services\.d/|/etc/(docker|sudoers|udev|sysctl|modprobe\.d|cron|systemd|profile|init)|/(lib|run)/systemd|/proc/sys|/sys/kernel")


def is_for_browsers(path, text):
    """A script below a folder for browsers, in which no program starts; bundlers and compilers share some of these."""
    in_either = re.search(r"/(dist|build|out)/", path)
    started = re.findall(r"\b(?:node|tsx|bun|deno run)\s+(\S+)", text)
    if re.search(r"/(public|static|html|assets)/", path):
        return True
    return bool(in_either) and not re.search(r"\b(npm|next|yarn|pnpm|pm2-runtime)\b", text) and not any(in_either.group(0) in "/" + each + "/" for each in started)


def is_no_setting(path):
    """A file of certificates, keys or passwords by its name."""
    name = path.rsplit("/", 1)[-1].strip("\"'")
    return bool(re.search(r"\.(cer|crt|csr|key|p12|pem)$|passwd$", name)) or name in ("passwd.client", "users")


def writes_what_a_program_reads(text, names):
    """A value in a file that a program reads, which the same script starts."""
    written = [match.group(1) for line in text.split("\n") for each in re.split(r";|&&", line) if mentions(each, names)
               for match in re.finditer(r">>?\s*([^\s>]\S*)", each)]
    if re.search(r"<<-?\s*\w+", text):
        written += re.findall(r">\s*(\S+)", text)
    started = r"(^|[\s;|&(/])(%s)(\s|$|;)"
    statements = [[word for word, _ in script_uses.words_of(each)] for each in re.split(r";|\n|&&", text)]
    if any(AT_START.search(each) for each in written) or programs.gets_code(statements, set(written)):
        return True
    # Files of scripts that no browser is sent.
    loads = re.search(started % r"node|npm|pm2-runtime|next|tsx", text) and any(
        re.search(r"\.[cm]?[jt]s$", each) and not is_for_browsers(each, text) for each in written)
    return bool(loads) or any(re.search(started % programs, text) and any(re.search(files, each) and not is_no_setting(each) for each in written) for programs, files in READ)


def runs_unknown_script(document):
    """Whether a script that is in no table runs before the containers, or instead of them (runner `bash`)."""
    from .compose_document import known_script
    if document.get("runner") not in ("docker-compose", "nerdctl-compose"):
        return True
    script, init = document.get("pre_launch_script"), document.get("init_script")
    return bool(init) or isinstance(script, str) and bool(script.strip()) and not known_script(script) or bool(script) and not isinstance(script, str)


def settable_by(document, names):
    """Whether something can set a variable (docs/compose-places.md)."""
    from .compose_document import known_script
    script, init = document.get("pre_launch_script"), document.get("init_script")
    if init or isinstance(script, str) and script.strip() and not known_script(script) or script and not isinstance(script, str):
        return lambda name: True
    own = {each.strip() for each in names}
    with_script = isinstance(script, str) and bool(script.strip())
    return lambda name: name in own or name in GUEST_SETS or name.startswith("DSTACK_") and with_script


def judge(document, names):
    """(an image that is not pinned, an input that nothing measures, access to the host)."""
    from . import start_scripts
    text, runner = document.get("docker_compose_file"), document.get("runner")
    # A guest's shell reads other texts as one of these, a parser of JSON does not.
    if not isinstance(runner, str) or runner not in ("docker-compose", "nerdctl-compose", "bash"):
        raise Unreadable("a runner that is not known")
    if runner == "bash" or text is None:
        # There is no compose file: what the app starts is named nowhere.
        return True, False, False
    if not isinstance(text, str):
        raise Unreadable("a docker compose file that is no text")
    judge_ = Judge(settable_by(document, names), runner == "nerdctl-compose")
    judge_.document(read_yaml(text))
    unpinned, unmeasured = start_scripts.judge(document, names)
    return judge_.unpinned or unpinned, judge_.unmeasured or unmeasured, judge_.host_access

