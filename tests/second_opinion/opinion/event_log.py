"""The event log replays to the quote (dstack, `cc-eventlog/src`; docs/threats.md, T5–T12; docs/checks/event-log.md)."""

import hashlib
import json
import re

RUNTIME = 0x08000001
NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")

# The claims (dstack, `dstack-util/src/system_setup.rs`).
RESERVED = {
    "system-preparing", "rootfs-hash", "app-id", "upgraded-app-id", "compose-hash", "ca-cert-hash", "init-script-hash",
    "gpu-policy-hash", "gpu-attestation", "instance-id", "boot-mr-done", "mr-kms", "os-image-hash", "key-provider",
    "storage-fs", "system-ready",
}


class Refused(Exception):
    def __init__(self, reason, status="fail"):
        super().__init__(reason)
        self.reason, self.status = reason, status


def sha384(data):
    return hashlib.sha384(data).digest()


def canonical(name, payload):
    """The preimage of a version 2 event: RFC 8785, whose escapes are those of Python's encoder but for DEL and non-ASCII."""
    text = json.dumps({"name": name, "payload": payload.hex(), "type": RUNTIME}, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8")


def preimage(event):
    if event.version == 2:
        return canonical(event.name, event.payload)
    return RUNTIME.to_bytes(4, "little") + b":" + event.name.encode() + b":" + event.payload


def replayed(digests):
    register = bytes(48)
    for digest in digests:
        register = sha384(register + digest)
    return register


def replay(events, quote, only_runtime=False):
    """The runtime events, in order, of a log that gives the quote's registers."""
    if events is None:
        raise Refused("no-event-log", "error")
    for event in events:
        if (event.imr == 3) != (event.event_type == RUNTIME):
            raise Refused("wrong-event-type")
        if event.imr != 3 and event.name in RESERVED:
            raise Refused("reserved-name")
    runtime = [event for event in events if event.imr == 3]
    ready = next((at for at, event in enumerate(runtime) if event.name == "system-ready"), len(runtime))
    for event in runtime[:ready]:
        if not NAME.fullmatch(event.name):
            raise Refused("bad-event-name")
    digests = {index: [] for index in range(4)}
    for event in events:
        if event.imr != 3:
            if not event.digest:
                raise Refused("missing-digest")
            digests[event.imr].append(event.digest)
            continue
        text = preimage(event)
        if event.preimage is not None and event.preimage != text:
            raise Refused("preimage-mismatch")
        digest = sha384(text)
        if event.digest and event.digest != digest:
            raise Refused("digest-mismatch")
        digests[3].append(digest)
    given = [replayed(digests[index]) for index in range(4)]
    if not only_runtime and not digests[1] and not digests[2] and given[3] == quote.rtmr(3):
        if any(given[index] != quote.rtmr(index) for index in range(3)):
            raise Refused("no-boot-events", "error")
    for index in [3] if only_runtime else range(4):
        if given[index] != quote.rtmr(index):
            raise Refused("rtmr-mismatch")
    return runtime
