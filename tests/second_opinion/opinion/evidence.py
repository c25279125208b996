"""What the deployment handed over: the two bodies (dstack, `sdk/curl/api.md`; dstack, `cc-eventlog/src/tdx.rs`; docs/threats.md, T13)."""

import base64
import binascii
import re
from dataclasses import dataclass, field

from . import strict_json, versioned
from .strict_json import Malformed, Members, hex_bytes, is_integer


class Refused(Exception):
    """Check `evidence` does not pass."""

    def __init__(self, status, reason):
        super().__init__(reason)
        self.status, self.reason = status, reason


MALFORMED = ("fail", "malformed-field")
DUPLICATE = ("fail", "duplicate-field")
OTHER_TYPE = ("error", "other-type")
TOO_LARGE = ("error", "too-large")


@dataclass
class Event:
    imr: int
    event_type: int
    digest: bytes
    name: str
    payload: bytes
    version: int = 1
    preimage: bytes | None = None


@dataclass
class Evidence:
    quote: bytes
    events: list | None
    echo: object  # None, or the text that stands beside the quote
    vm_config: object
    body: Members = field(default_factory=Members)
    only_runtime_events: bool = False


def one(body, *names):
    """The value of the one member of these names; None where there is none, or where it is null."""
    values = body.all(*names)
    if len(values) > 1:
        raise Refused(*DUPLICATE)
    return values[0] if values else None


def quote_bytes(text):
    if not isinstance(text, str):
        raise Refused(*MALFORMED)
    text = text.strip(" \t\r\n")
    digits = text[2:] if text[:2] in ("0x", "0X") else text
    data = hex_bytes(digits)
    if data is None:
        try:
            data = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError) as error:
            raise Refused(*MALFORMED) from error
    return data


def unsigned_hex(text):
    """The bytes of a text in hex that nothing signs: what is no hex is a form of the app's own, half a byte is not."""
    if isinstance(text, str) and text[:2] in ("0x", "0X"):
        text = text[2:]
    if not isinstance(text, str) or not re.fullmatch("[0-9a-fA-F]*", text):
        raise Refused(*OTHER_TYPE)
    if len(text) % 2:
        raise Refused(*MALFORMED)
    return bytes.fromhex(text)


def event_of(value):
    if not isinstance(value, Members):
        raise Refused(*OTHER_TYPE)
    known = {"imr", "event_type", "digest", "event", "event_payload", "version", "preimage"}
    if value.repeated() & known:
        raise Refused(*DUPLICATE)
    imr, kind = value.get("imr"), value.get("event_type")
    for number, limit in ((imr, 4), (kind, 1 << 32)):
        if isinstance(number, bool) or not isinstance(number, (int, float)):
            raise Refused(*OTHER_TYPE)
        if not is_integer(number) or not 0 <= number < limit:
            raise Refused(*MALFORMED)
    name, payload, digest = value.get("event", ""), value.get("event_payload", ""), value.get("digest")
    digest = "" if digest is None else digest
    if not isinstance(name, str):
        raise Refused(*OTHER_TYPE)
    if len(name.encode()) > 256:
        raise Refused(*TOO_LARGE)
    written, digest = digest, unsigned_hex(digest)
    if written and len(digest) != 48:
        raise Refused(*MALFORMED)
    payload = unsigned_hex(payload)
    if len(payload) > 65536:
        raise Refused(*TOO_LARGE)
    version = value.get("version")
    version = {None: 1, 1: 1, 2: 2, "v1": 1, "v2": 2}.get(version if isinstance(version, (str, int)) else None if version is None else -1)
    if version is None or isinstance(value.get("version"), bool):
        raise Refused(*MALFORMED)
    preimage = value.get("preimage")
    if preimage is not None:
        preimage = unsigned_hex(preimage)
    return Event(imr, kind, digest, name, payload, version, preimage)


def events_of(value):
    if value is None or value == "":
        return None
    if isinstance(value, str):
        try:
            value = strict_json.parse(value)
        except Malformed as error:
            raise Refused(*OTHER_TYPE) from error
    if not isinstance(value, list) or isinstance(value, Members):
        raise Refused(*OTHER_TYPE)
    if len(value) > 4096:
        raise Refused(*TOO_LARGE)
    # A log without events says nothing.
    return [event_of(each) for each in value] or None


def beside(inner, quote, events):
    """The events of a log, and whether the boot's are left out: those of a versioned attestation, unless the log beside it has all."""
    if inner is None:
        return events, False
    runtime = [Event(3, 0x08000001, b"", name, payload, version) for name, payload, version in inner["runtime"]]
    said = [(event.name, event.payload, event.version) for event in events or [] if event.imr == 3]
    if (quote is not None and quote != inner["quote"]) or (events and said != [(event.name, event.payload, event.version) for event in runtime]):
        raise Refused(*MALFORMED)
    if any(event.imr in (1, 2) for event in events or []):
        return events, False
    return runtime, True


def read(body):
    """The parts of the body of /attestation that a verdict rests on."""
    if not isinstance(body, Members):
        raise Refused("error", "not-json")
    quote = one(body, "quote")
    attestation = one(body, "attestation")
    log = one(body, "event_log", "eventlog")
    echo = one(body, "report_data")
    for value in (quote, one(body, "intel_quote"), attestation, echo):
        if value is not None and not isinstance(value, str):
            raise Refused(*OTHER_TYPE)
    if log is not None and (isinstance(log, Members) or not isinstance(log, (str, list))):
        raise Refused(*OTHER_TYPE)

    inner = None
    if attestation not in (None, "", "0x"):
        try:
            inner = versioned.decode(unsigned_hex(attestation))
        except versioned.Malformed as error:
            raise Refused(*MALFORMED) from error
    private = one(body, "intel_quote")  # NEAR AI, `nearai-cloud-verifier`
    if private not in (None, "") and quote in (None, ""):
        quote, private = private, None
    if private not in (None, "") and quote_bytes(private) != quote_bytes(quote):
        raise Refused(*MALFORMED)
    if quote in (None, ""):
        if inner is None:
            raise Refused("error", "no-quote")
        data = inner["quote"]
    else:
        data = quote_bytes(quote)
        if len(data) > 16 << 10:
            raise Refused(*TOO_LARGE)
    if isinstance(log, str) and log and not log.lstrip().startswith("["):
        raise Refused(*OTHER_TYPE)
    if inner is not None and inner["quote"] != data:
        raise Refused(*MALFORMED)
    events = events_of(log)
    if isinstance(echo, str):
        unsigned_hex(echo)
    events, only_runtime = beside(inner, None, events)
    if inner is not None:
        shown = hex_bytes((echo or "").removeprefix("0x"))
        if shown and shown + bytes(max(0, 64 - len(shown))) != inner["report_data"]:
            raise Refused(*MALFORMED)
        echo = echo if shown else inner["report_data"].hex()
    vm_config = body.all("vm_config")
    vm_config = vm_config[0] if len(vm_config) == 1 else None
    if vm_config in (None, "") and inner is not None:
        vm_config = inner["config"]
    elif inner is not None and inner["config"] and isinstance(vm_config, (str, Members)) and vm_config != inner["config"]:
        said = [strict_json.plain(as_object(each)) for each in (vm_config, inner["config"])]
        # An object without members says nothing. Guests of 0.5 have the whole .sys-config.json within (dstack 0.5, `dstack-attest`).
        within = strict_json.plain(as_object(said[1].get("vm_config"))) if isinstance(said[1], dict) else None
        if {} not in said and (said[0] is None or said[0] not in (said[1], within)):
            raise Refused(*MALFORMED)
    return Evidence(data, events, echo or None, vm_config, body, only_runtime)


def as_object(value):
    """An object that is written as itself or as JSON text; None if it is neither."""
    if isinstance(value, str):
        try:
            value = strict_json.parse(value)
        except Malformed:
            return None
    return value if isinstance(value, Members) else None


@dataclass
class Info:
    app_compose: str | None = None
    instance_id: str | None = None
    registers: dict = field(default_factory=dict)
    events: list | None = None
    usable: bool = True


def read_info(body):
    """The parts of the body of /info that are compared. Nothing that is proven rests on it."""
    if body is None:
        return Info()
    if not isinstance(body, Members):
        return Info(usable=False)
    if body.repeated() & {"tcb_info", "app_compose", "instance_id"}:
        return Info(usable=False)
    info = Info()
    tcb_info = as_object(body.get("tcb_info"))
    if tcb_info is None and body.get("tcb_info") not in (None, ""):
        return Info(usable=False)
    text = body.get("app_compose")
    if tcb_info is not None:
        if tcb_info.repeated():
            return Info(usable=False)
        text = tcb_info.get("app_compose", text)
        # Not RTMR3: apps may extend it between the two answers.
        for name in ("mrtd", "rtmr0", "rtmr1", "rtmr2"):
            value = tcb_info.get(name)
            if value not in (None, "") and (hex_bytes(value) is None or len(value) != 96):
                return Info(usable=False)
            if value:
                info.registers[name] = value.lower()
        try:
            info.events = events_of(tcb_info.get("event_log"))
        except Refused:
            return Info(usable=False)
    info.app_compose = text if isinstance(text, str) and text else None
    instance = body.get("instance_id")
    if instance is not None:
        if not isinstance(instance, str) or not re.fullmatch("((0x)?[0-9a-fA-F]{40})?", instance):
            return Info(usable=False)
        info.instance_id = instance.lower().removeprefix("0x") or None
    return info
