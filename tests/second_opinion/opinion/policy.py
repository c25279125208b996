"""What the verifier is told: the arguments of a case (docs/options.md, `replay`)."""

import datetime
import re
import tomllib
from dataclasses import dataclass, field

from .unsupported import NotImplementedHere


class Usage(Exception):
    """A usage error: nothing is verified."""


STATUSES = {
    "OutOfDate", "OutOfDateConfigurationNeeded", "ConfigurationNeeded", "ConfigurationAndSWHardeningNeeded",
    "SWHardeningNeeded", "TDRelaunchAdvised", "TDRelaunchAdvisedConfigurationNeeded",
}
LAYOUTS = {
    "auto", "raw", "ascii", "left-padded", "app-data-raw", "app-data-ascii", "sha256-raw", "sha256-ascii", "hex-sha256-raw",
    "hex-sha256-ascii", "nonce-then-key", "key-then-nonce", "private-ai",
}


@dataclass
class Policy:
    compose_hash: bytes | None = None
    also_compose_hash: tuple | None = None
    app_id: bytes | None = None
    instance_ids: list = field(default_factory=list)
    os_image: object = None
    key_provider: list | str | None = None
    platform_ids: list = field(default_factory=list)
    accept_tcb: list = field(default_factory=list)
    min_tcb: int = 0
    freshness: str = "required"
    image_pins: str = "required"
    launch_inputs: str = "warn"
    mr_config_id: str = "auto"
    report_data: str = "auto"
    report_data_key: bytes | None = None
    report_data_value: bytes | None = None
    assurance: str = "code"
    tls_binding: str = "auto"
    at: datetime.datetime | None = None
    gpu: str = "auto"
    gpu_count: int | None = None
    gpu_models: list = field(default_factory=list)
    gpu_switches: str = "auto"
    gpu_verifier: str = "local"
    nvidia_root: bytes | None = None
    nras_root: bytes | None = None
    images: list = field(default_factory=list)
    source_repository: str | None = None
    source_workflow: str | None = None
    source_refs: list = field(default_factory=list)
    source_commit: str | None = None
    sigstore_root: bytes | None = None
    governance: str = "auto"
    governance_settings: dict = field(default_factory=dict)
    kms: str = "auto"
    kms_settings: dict = field(default_factory=dict)
    lock: dict = field(default_factory=dict)
    reference: dict = field(default_factory=dict)
    named: set = field(default_factory=set)  # the options that were given


def hex_of(text, *lengths):
    text = text.removeprefix("0x")
    if not re.fullmatch("([0-9a-fA-F]{2})+", text) or len(text) // 2 not in lengths:
        raise Usage(f"{text}: hex of {lengths} bytes is expected")
    return bytes.fromhex(text)


def word(text, allowed):
    if text not in allowed:
        raise Usage(f"{text}: one of {sorted(allowed)} is expected")
    return text


def os_image(text):
    if text in ("known", "unchecked", "lock"):
        return text
    if "=" in text:
        tuple_ = {}
        for part in text.split(","):
            name, _, value = part.partition("=")
            if name in tuple_:
                raise Usage(f"{name} twice")
            tuple_[word(name, {"mrtd", "rtmr0", "rtmr1", "rtmr2", "rtmr3"})] = hex_of(value, 48).hex()
        if set(tuple_) != {"mrtd", "rtmr0", "rtmr1", "rtmr2"}:
            raise Usage("four registers are expected")
        return tuple_
    return text


def key_provider(text):
    if text == "unchecked":
        return text
    entries = []
    for part in text.split(","):
        name, colon, identity = part.partition(":")
        if not name:
            raise Usage("a key provider without a name")
        entries.append((name, identity.lower() if colon else None))
    return entries


def last_day(text, now):
    try:
        until = datetime.date.fromisoformat(text)
    except ValueError as error:
        raise Usage(str(error)) from error
    if until > max(now, datetime.datetime.now(datetime.UTC)).date() + datetime.timedelta(days=90):
        raise Usage("more than 90 days ahead")
    return until


def exception(text, now):
    status, *rest = text.split(":")
    word(status, STATUSES)
    fields = dict(part.partition("=")[::2] for part in rest)
    if "until" not in fields or set(fields) - {"until", "advisories"}:
        raise Usage("until=YYYY-MM-DD is expected")
    until = last_day(fields["until"], now)
    advisories = fields["advisories"].split(",") if "advisories" in fields else None
    return status, until, advisories


def second_hash(text, now):
    """The second compose hash, and the last day on which it is accepted."""
    value, marker, day = text.strip().partition(":until=")
    if not marker:
        raise Usage("HEX:until=YYYY-MM-DD is expected")
    return hex_of(value, 32), last_day(day.strip(), now)


def file_of(text, files):
    name = text.rpartition("/")[2]
    if name not in files:
        raise Usage(f"{text} is not there")
    return files[name]


def toml(text, files):
    return tomllib.loads(file_of(text, files).decode())


def read_file(policy, target, files):
    """The one target of a policy file, as far as it says what options cannot."""
    for name, value in target.items():
        kind, _, rest = name.partition("-")
        if name == "images":
            policy.images = value
        elif name == "app-id":
            policy.app_id = hex_of(value, 20)
        elif name in ("governance", "kms"):
            setattr(policy, name, word(value, {"required", "unchecked"}))
        elif kind == "governance":
            policy.governance_settings[rest] = value
        elif kind == "kms":
            policy.kms_settings[rest] = value
        elif name == "lock":
            policy.lock = toml(value, files)
        elif name == "reference-values":
            policy.reference = toml(value, files)
        elif name not in ("name", "url"):
            raise NotImplementedHere(f"policy file: {name}")
    if set(policy.lock) - {"schema", "governance", "kms", "os_image", "accepted", "gpus"}:
        raise NotImplementedHere(f"lock: {sorted(policy.lock)}")


def read(arguments, now, files=None):
    """The policy of these arguments. `now` is the time of appraisal: an exception may be 90 days longer than that or today; `files` are the
    bytes of the files that arguments name."""
    files = files or {}
    policy = Policy()
    words = list(arguments)
    while words:
        name = words.pop(0)
        name, equals, value = name.partition("=")
        if name == "--require-kms":
            policy.kms = "required"
            continue
        if not name.startswith("--"):
            raise Usage(f"{name} is not expected")
        if not equals:
            if not words:
                raise Usage(f"{name} needs a value")
            value = words.pop(0)
        policy.named.add(name.removeprefix("--"))
        match name:
            case "--compose-hash":
                policy.compose_hash = hex_of(value, 32)
            case "--also-compose-hash":
                policy.also_compose_hash = second_hash(value, now)
            case "--app-id":
                policy.app_id = hex_of(value, 20)
            case "--instance-id":
                policy.instance_ids.append(hex_of(value, 20))
            case "--os-image":
                policy.os_image = os_image(value)
            case "--key-provider":
                policy.key_provider = key_provider(value)
            case "--platform-id":
                policy.platform_ids.append(hex_of(value, 32, 6))
            case "--accept-tcb":
                policy.accept_tcb.append(exception(value, now))
            case "--min-tcb-eval-data-number":
                if not value.isdigit():
                    raise Usage("a number is expected")
                policy.min_tcb = int(value)
            case "--freshness":
                policy.freshness = word(value, {"required", "unchecked"})
            case "--image-pins":
                policy.image_pins = word(value, {"required", "unchecked"})
            case "--launch-inputs":
                policy.launch_inputs = word(value, {"warn", "required", "unchecked"})
            case "--mr-config-id":
                policy.mr_config_id = word(value, {"auto", "required"})
            case "--report-data":
                policy.report_data = word(value, LAYOUTS)
            case "--report-data-key":
                policy.report_data_key = hex_of(value, 20, 32)
            case "--report-data-value":
                policy.report_data_value = hex_of(value, *range(1, 65)).ljust(64, b"\0")
            case "--tls-binding":
                policy.tls_binding = word(value, {"auto", "ratls", "app-key", "ingress"})
            case "--require-assurance":
                policy.assurance = word(value, {"hardware", "code", "code+endpoint", "code+endpoint-replayable", "code+source"})
            case "--verifier":
                if word(value, {"local", "both"}) == "both":
                    raise NotImplementedHere("--verifier both")
            case "--at":
                try:
                    policy.at = datetime.datetime.fromisoformat(value.replace("Z", "+00:00"))
                except ValueError as error:
                    raise Usage(str(error)) from error
            case "--gpu":
                policy.gpu = word(value, {"auto", "required", "unchecked"})
            case "--gpu-count":
                if not value.isdigit() or int(value) > 16:
                    raise Usage("0 to 16 is expected")
                policy.gpu_count = int(value)
            case "--gpu-model":
                policy.gpu_models.append(value.upper())
            case "--gpu-switches":
                policy.gpu_switches = word(value, {"auto", "required"})
            case "--gpu-verifier":
                policy.gpu_verifier = word(value, {"local", "nras", "both"})
            case "--insecure-trust-root":
                kind, equals, path = value.partition("=")
                if not equals or kind not in ("nvidia", "nras"):
                    raise Usage(value)
                setattr(policy, f"{kind}_root", file_of(path, files))
            case "--source-repository":
                policy.source_repository = value
            case "--source-workflow":
                policy.source_workflow = value
            case "--source-ref":
                policy.source_refs.append(value)
            case "--source-commit":
                policy.source_commit = hex_of(value, 20).hex()
            case "--sigstore-root":
                policy.sigstore_root = file_of(value, files)
            case "--config":
                (target,) = toml(value, files)["target"]
                read_file(policy, target, files)
            case "--target":
                pass  # the file has one target
            case "--governance":
                policy.governance = word(value, {"required", "unchecked"})
            case "--lock" | "--docker-compose" | "--app-compose-file" \
                    | "--reference-values":
                raise NotImplementedHere(name)
            case _:
                raise Usage(f"{name} is no option")
    if policy.report_data_key is not None:
        if policy.report_data not in ("nonce-then-key", "key-then-nonce", "private-ai"):
            raise Usage("the layout has no place for a key")
        if len(policy.report_data_key) == 20 and policy.report_data != "private-ai":
            raise Usage("a key has 32 bytes")
        policy.report_data_key = policy.report_data_key.ljust(32, b"\0")
    second = policy.also_compose_hash
    if second is not None and policy.compose_hash in (None, second[0]):
        raise Usage("a second hash needs a first one, and another")
    return policy
