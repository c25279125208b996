"""What a script of the compose document that runs in the guest itself takes from outside the document (docs/compose-places.md, "Scripts
before the containers"), and the fields around the docker compose file (dstack, `dstack-types/src/lib.rs`, `AppCompose`)."""

import re

from . import docker_compose, host_answers, programs

# The files and disks whose content the host chooses.
HOST = re.compile(r"\.host-shared|\.?user[_-]config|\.decrypted-env|/sys/firmware|/sys/class/dmi|/sys/devices/virtual/dmi|/proc/device-tree|/run/credentials|/dev/(disk/|fd0|hd|mmcblk|nvme|pmem|sd|sr|vd|virtio-ports|xvd)")
PINNED = re.compile(r"[^\s@]+@sha256:[0-9a-f]{64}$")
COMPOSE_FILE = re.compile(r"(?:^|[\s/'\"=>])(?:docker-)?compose(?:\.override)?\.ya?ml\b|app-compose\.json\b")
READERS = {"[", "[[", "test", "cat", "grep", "jq", "ls", "echo", "head", "tail", "sha256sum", "md5sum", "stat", "wc", "diff", "cmp", "cut", "docker"}
ALONE = {"--rm", "--privileged", "--init", "--detach", "--interactive", "--tty", "--read-only", "--quiet", "--publish-all"}
NOTHING_STARTED = {"login", "logout", "image", "images", "volume", "network", "system", "info", "inspect", "logs", "ps", "rm", "rmi", "stop", "kill",
                   "tag", "cp", "version", "exec", "restart", "start", "wait", "stats", "port", "rename", "diff", "events", "top", "pause", "unpause", "update"}
SPLIT = re.compile(r"&&|\|\||[;|&\n]")
FIELDS = {
    "allowed_envs": None, "bash_script": None, "docker_compose_file": None, "docker_config": None, "init_script": None, "no_instance_id": None,
    "pre_launch_script": None, "public_logs": None, "public_sysinfo": None, "requirements": dict, "runner": None, "salt": None,
    "secure_time": None, "verity_volumes": None, "version": None,
    "default_gateway_domain": str, "key_provider_id": str, "launch_token_hash": str, "name": str,
    "event_log_version": (int, float, str), "manifest_version": (int, float, str), "swap_size": (int, float, str),
    "gateway_enabled": bool, "kms_enabled": bool, "local_key_provider_enabled": bool, "public_tcbinfo": bool, "storage_discard": bool,
    "tproxy_enabled": bool, "features": list, "port_policy": dict,
    "key_provider": {"kms", "local", "none", "tpm"}, "snapshotter": {"overlayfs", "stargz"}, "storage_fs": {"", "ext4", "zfs"},
}
# What guests read in a field, or in each item of one that is a list.
MEMBERS = {
    "docker_config": {"password", "registry", "token_key", "username"},
    "port_policy": {"ports", "restrict_mode"},
    "port_policy.ports": {"port", "pp"},
    "requirements": {"gpu_policy", "health_check", "health_status_file", "launch_token_hash", "os_version", "platforms", "tdx_measure_acpi_tables"},
    "requirements.gpu_policy": {"allow_debug", "allow_devtools", "allow_insecure_boot", "attest_gpu", "rego"},
    "verity_volumes": {"source", "target", "verity_root"},
}


def scripts(document):
    """Each text that runs before the containers and is in no table."""
    from .compose_document import known_script
    script, init = document.get("pre_launch_script"), document.get("init_script")
    if not (script is None or isinstance(script, str) and known_script(script)):
        yield script
    for each in init if isinstance(init, list) else [init]:
        if each is not None:
            yield each


def judge(document, names):
    """(an image that is not pinned is started, something else from outside decides what runs)."""
    unpinned = unmeasured = False
    for text in scripts(document):
        if not isinstance(text, str):
            unmeasured = True
            continue
        unpinned |= any(map(starts_an_image, programs.spelled_out(text))) or programs.asks_at_the_socket(text)
        unmeasured |= docker_compose.shell_executes(text, set(names) | {"PCCS_URL"}) if names or "PCCS_URL" in text else False
        unmeasured |= executes_a_file_of_the_host(text) or writes_the_compose_file(text) or sets_the_environment_of_compose(text)
        unmeasured |= any(docker_compose.mentions(line, set(names)) and re.match(r"\s*(sysctl|chpasswd|usermod)\s", line) for line in SPLIT.split(text))
        unmeasured |= any(docker_compose.mentions(line, set(names)) and re.search(r">\s*\S*(/\.docker/|/etc/(containers|default|sysconfig)/|/etc/ssh/sshd_config)", line)
                          for line in SPLIT.split(text))
        unmeasured |= mounts_what_a_script_writes(text, document) or host_answers.script_executes(text, {})
    return unpinned, unmeasured or any(may_be_a_script(name, value) for name, value in unknown_members("", document))


def mounts_what_a_script_writes(text, document):
    """A copy of, or a link to, what the host hands in that a container mounts."""
    for words in commands(text):
        if words and words[0] in ("cp", "ln", "mv", "install") and any(HOST.search(each) for each in words[1:-1]):
            target = re.escape(words[-1].removeprefix("./").removeprefix("/dstack/"))
            if re.search(r"[\s'\"\[-](/dstack/|/tapp/|\./)" + target + r"(/[^\s:]*)?:", str(document.get("docker_compose_file"))):
                return True
    return False


def commands(text):
    return [each.strip().split() for each in SPLIT.split(text) if each.strip()]


def executes_a_file_of_the_host(text):
    folders = set()
    for words in commands(text):
        if not words:
            continue
        if words[0] == "mount" and (any(HOST.search(each) or ":/" in each or each.startswith(("LABEL=", "UUID=", "//")) for each in words[1:])
                                    or re.search(r"-t\s*(virtiofs|9p|nfs4?|cifs|smb3)\b", " ".join(words))):
            folders.add(words[-1].rstrip("/") + "/")
        if HOST.search(words[0]) or any(words[0].startswith(each) for each in folders):
            return True
        if words[0] in (".", "source", "eval") or re.fullmatch(docker_compose.SHELLS, words[0]):
            if any(HOST.search(each) or any(each.startswith(folder) for folder in folders) for each in words[1:]):
                return True
    return False


def starts_an_image(text):
    for words in commands(text):
        for at, word in enumerate(words):
            if word.rsplit("/")[-1] in ("docker", "nerdctl", "podman") and words[0] not in ("echo", "#"):
                rest = [each for each in words[at + 1:]]
                verb = next((each for each in rest if not each.startswith("-")), None)
                if verb is None or verb in NOTHING_STARTED or verb == "compose":
                    continue
                rest = rest[rest.index(verb) + 1:]
                if verb == "pull":
                    return any(not PINNED.match(each) for each in rest if not each.startswith("-"))
                if verb not in ("run", "create"):
                    return True
                while rest and rest[0].startswith("-"):
                    option = rest.pop(0)
                    alone = option in ALONE or "=" in option or re.fullmatch(r"-[ditPq]+", option)
                    if not alone and rest:
                        rest.pop(0)
                if rest and not PINNED.match(rest[0]):
                    return True
    return False


def writes_the_compose_file(text):
    for name, value in re.findall(r"(?:^|[\s;&|])(\w+)=([\w./-]+)", text):
        text = re.sub(r"\$(\{" + name + r"\}|" + name + r"\b)", value, text)
    for words in commands(text):
        line = " ".join(words)
        if not COMPOSE_FILE.search(line):
            continue
        if words[0] not in READERS and not (words[0] == "sed" and "-i" not in words) or re.search(r">\s*\S*(compose[^\s]*\.ya?ml|app-compose\.json)", line):
            return True
    return False


def sets_the_environment_of_compose(text):
    """`.env` in the folder where Docker Compose runs, but a fixed text that names nothing of Docker."""
    for line in SPLIT.split(text):
        if re.search(r">\s*(/dstack/|/tapp/|\./)?\.env(\s|$)|^\s*(cp|mv|tee|curl|wget|sed -i)\s.*(^|[\s/])\.env(\s|$)", line) \
                and (re.search(r"[$`]|COMPOSE_|DOCKER_", line) or not re.match(r"\s*(echo|printf)\s", line)):
            return True
    return False


def unknown_members(field, value):
    """(name, value) of each field, or member of a field, that no guest is known to read."""
    if isinstance(value, list):
        for each in value:
            yield from unknown_members(field, each)
    known = MEMBERS.get(field) if field else FIELDS
    if known is None or not isinstance(value, dict):
        return
    for name, each in value.items():
        if each is not None and name not in known:
            yield name, each
        elif each is not None:
            yield from unknown_members(f"{field}.{name}" if field else name, each)


def unknown_fields(document):
    """Whether a field or a member of one is not known, or holds what no guest reads there."""
    if any(True for _ in unknown_members("", document)):
        return True
    for name, value in document.items():
        if value is None:
            continue
        kind = FIELDS[name]
        if name == "bash_script" and value != "" and document.get("runner") != "bash":
            return True
        if kind is None:
            continue
        if isinstance(kind, set):
            if not isinstance(value, str) or value not in kind:
                return True
        elif not isinstance(value, kind) or isinstance(value, bool) and kind is not bool:
            return True
    return False


def may_be_a_script(name, value):
    if value in (None, False, "", [], {}):
        return False
    words = "bash boot cmds? commands? compose entrypoint exec hooks? images? init launch prelaunch postlaunch run scripts? shell sh start startup"
    if not isinstance(value, (bool, int, float)) and any(re.fullmatch("|".join(words.split()), each.lower()) for each in re.split(r"[^A-Za-z0-9]", name)):
        return True
    return holds_a_script(value)


def holds_a_script(value):
    if isinstance(value, str):
        return value.startswith("#!") or "\n" in value.strip()
    if isinstance(value, list):
        return any(holds_a_script(each) for each in value)
    return isinstance(value, dict) and any(may_be_a_script(name, each) for name, each in value.items())
