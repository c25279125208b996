"""The grammar of the boot (dstack, `dstack-util/src/system_setup.rs`; docs/checks/boot-order.md)."""

from dataclasses import dataclass, field

from . import strict_json
from .event_log import RESERVED
from .strict_json import Malformed, Members

# The order of all releases laid over each other; each name once, but for init-script-hash. gpu-attestation stood before
# instance-id in the pre-releases of 0.6, and stands after boot-mr-done since.
ORDER = [
    "system-preparing", "rootfs-hash", "app-id", "compose-hash", "init-script-hash", "gpu-policy-hash", "gpu-attestation",
    "instance-id", "boot-mr-done", "mr-kms", "os-image-hash", "gpu-attestation", "key-provider", "storage-fs",
    "system-ready",
]
REQUIRED = ["system-preparing", "app-id", "compose-hash", "instance-id", "boot-mr-done", "key-provider"]
ONLY_0_3 = {"ca-cert-hash", "upgraded-app-id"}


class Refused(Exception):
    def __init__(self, reason):
        super().__init__(reason)
        self.reason = reason


@dataclass
class Claims:
    app_id: bytes = b""
    compose_hash: bytes = b""
    instance_id: bytes = b""
    key_provider: dict = field(default_factory=dict)
    gpu_policy_hash: bytes | None = None
    init_scripts: list = field(default_factory=list)
    gpu_attestation: bytes | None = None
    mr_kms: bytes | None = None
    unknown: list = field(default_factory=list)


def key_provider(payload):
    try:
        value = strict_json.parse(payload)
    except Malformed as error:
        raise Refused("bad-payload") from error
    if not isinstance(value, Members) or value.repeated():
        raise Refused("bad-payload")
    name, identity = value.get("name"), value.get("id")
    if not isinstance(name, str) or not isinstance(identity, str):
        raise Refused("bad-payload")
    return {"name": name, "id": identity}


def check_payload(name, payload):
    lengths = {
        "app-id": (20,), "instance-id": (0, 20), "compose-hash": (32,), "rootfs-hash": (32,), "init-script-hash": (32,),
        "gpu-policy-hash": (32,), "mr-kms": (32,), "os-image-hash": (32,),
        "system-preparing": (0,), "boot-mr-done": (0,), "system-ready": (0,),
    }
    if name in lengths and len(payload) not in lengths[name]:
        raise Refused("bad-payload")
    if name == "key-provider":
        key_provider(payload)
    if name == "gpu-attestation":
        try:
            if not isinstance(strict_json.parse(payload), Members):
                raise Refused("bad-payload")
        except Malformed as error:
            raise Refused("bad-payload") from error


def read(events):
    """The claims of the boot. `events` are those of RTMR3, replayed."""
    names = [event.name for event in events]
    if "system-ready" not in names:
        if ONLY_0_3 & set(names) or names[:1] == ["rootfs-hash"]:
            raise Refused("unsupported-generation")
        raise Refused("no-system-ready")
    ready = names.index("system-ready")
    if RESERVED & set(names[ready + 1:]):
        raise Refused("reserved-after-ready")
    boot = events[:ready + 1]
    if ONLY_0_3 & set(names[:ready]) and names[0] != "system-preparing":
        raise Refused("unsupported-generation")

    claims = Claims(unknown=[event.name for event in boot if event.name not in ORDER])
    known = [event for event in boot if event.name in ORDER]
    known_names = [event.name for event in known]
    for event in known:
        check_payload(event.name, event.payload)
    for name in known_names:
        if known_names.count(name) > (5 if name == "init-script-hash" else 1):
            raise Refused("duplicate-event")
    for name in REQUIRED:
        if name not in known_names:
            raise Refused("missing-event")
    at = 0
    for name in known_names:
        while at < len(ORDER) and ORDER[at] != name:
            at += 1
        if at == len(ORDER):
            raise Refused("out-of-order")
    for event in known:
        if event.name == "app-id":
            claims.app_id = event.payload
        elif event.name == "compose-hash":
            claims.compose_hash = event.payload
        elif event.name == "instance-id":
            claims.instance_id = event.payload
        elif event.name == "gpu-policy-hash":
            claims.gpu_policy_hash = event.payload
        elif event.name == "init-script-hash":
            claims.init_scripts.append(event.payload)
        elif event.name == "gpu-attestation":
            claims.gpu_attestation = event.payload
        elif event.name == "mr-kms":
            claims.mr_kms = event.payload
        elif event.name == "key-provider":
            claims.key_provider = key_provider(event.payload)
    return claims
