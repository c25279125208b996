"""Check `gpu`: genuine NVIDIA GPUs answered this run's nonce (docs/gpu.md; docs/checks/gpu.md)."""

import hashlib

from . import gpu_boot, nras, spdm, strict_json
from .spdm import Refused
from .strict_json import Members

# What proves nothing is a warning, and a failure where GPUs are required. The rest is forged, or is not what is expected.
PROVES_NOTHING = {"gpu-malformed", "gpu-nonce-mismatch", "gpu-unverified"}
DOCUMENT_LIMIT, GPUS, SWITCHES = 4 << 20, 16, 8


def parsed(text):
    try:
        return strict_json.parse(text)
    except strict_json.Malformed as error:
        raise Refused("gpu-malformed", "JSON expected") from error


def one(members, name):
    if len(members.all(name)) > 1:
        raise Refused("gpu-malformed", f"{name} twice")
    return members.get(name)


def entries_of_payload(payload):
    """The devices of `nvidia_payload`: an object, or its text."""
    if isinstance(payload, str):
        if len(payload) > DOCUMENT_LIMIT:
            raise Refused("gpu-malformed", "too large")
        payload = parsed(payload)
    if not isinstance(payload, Members):
        raise Refused("gpu-malformed", "an object expected")
    return entries_of_list(payload)


def entries_of(document):
    """The devices of what an endpoint serves, as (arch, evidence, certificate)."""
    if isinstance(document, Members):
        if one(document, "nvidia_payload") is not None:
            return entries_of_payload(one(document, "nvidia_payload"))
        if one(document, "bundles") is not None:
            return entries_of_bundles(one(document, "bundles"))
    return entries_of_list(document)


def entries_of_list(document):
    arch = None
    if isinstance(document, Members):
        lists = [each for name in ("evidence_list", "evidences") for each in document.all(name)]
        if len(lists) > 1:
            raise Refused("gpu-malformed", "two lists")
        arch, document = one(document, "arch"), lists[0] if lists else None
        if document is None:
            return []
        if arch is not None and not isinstance(arch, str):
            raise Refused("gpu-malformed", "arch is a text")
    if not isinstance(document, list) or isinstance(document, Members):
        raise Refused("gpu-malformed", "a list of evidence expected")
    return [entry_of(each, arch) for each in document]


def entries_of_bundles(bundles):
    if not isinstance(bundles, list) or isinstance(bundles, Members):
        raise Refused("gpu-malformed", "a list of bundles expected")
    found = []
    for bundle in bundles:
        if not isinstance(bundle, Members):
            raise Refused("gpu-malformed", "a bundle is an object")
        vendor = one(bundle, "vendor")
        if isinstance(vendor, str) and vendor != "nvidia":
            continue
        if vendor is None or one(bundle, "format") != "nvidia-nvattest-collect-evidence-json-v1":
            raise Refused("gpu-malformed", "evidence of NVIDIA's format expected")
        data = strict_json.hex_bytes(one(bundle, "evidence"))
        if data is None:
            raise Refused("gpu-malformed", "hex expected")
        found += entries_of_list(parsed(data))
    return found


def entry_of(value, arch):
    if not isinstance(value, Members):
        raise Refused("gpu-malformed", "an object for each device expected")
    own = one(value, "arch")
    return (own if own is not None else arch), one(value, "evidence"), one(value, "certificate")


def shown(run):
    """The devices that are shown: by an endpoint of their own, or beside the quote."""
    recorded = run.bundle.get("gpu")
    if recorded is not None and recorded.get("document") is None and recorded.get("problem") is not None:
        raise Refused("gpu-unreachable", "error")
    if recorded is not None and recorded.get("document") is not None:
        return entries_of(recorded.get("document"))
    body = run.bundle.get("attestation")
    payloads = body.all("nvidia_payload") if isinstance(body, Members) else []
    if len(payloads) > 1:
        raise Refused("gpu-malformed", "nvidia_payload twice")
    return entries_of_payload(payloads[0]) if payloads and payloads[0] not in (None, "") else []


def devices_of(run, entries):
    devices = []
    refused = None
    for arch, evidence, certificate in entries:
        if arch not in spdm.CHIPS:
            raise Refused("gpu-malformed", f"the architecture {arch}")
        try:
            devices.append(spdm.verify(arch, evidence, certificate, run.policy.nvidia_root))
        except Refused as error:
            # Forged evidence counts before evidence that cannot be read.
            if refused is None or refused.reason in PROVES_NOTHING:
                refused = error
    if refused:
        raise refused
    if sum(device.is_switch for device in devices) > SWITCHES or sum(not device.is_switch for device in devices) > GPUS:
        raise Refused("gpu-malformed", "too many devices")
    keys = [key for device in devices for key in set(device.keys)]
    if len({device.ueid for device in devices}) < len(devices) or len(set(keys)) < len(keys):
        raise Refused("gpu-duplicate")
    nonces = [run.nonce, hashlib.sha256(b"cvm-verify-gpu-v1" + run.nonce).digest()] if run.nonce else []
    if not any(all(device.nonce == nonce for device in devices) for nonce in nonces):
        raise Refused("gpu-nonce-mismatch")
    if run.checks["freshness"][0] != "pass":
        # The quote holds the nonce in a layout that the policy does not accept: the policy must say what it means.
        in_another_layout = run.checks["freshness"] == ("error", "other-layout")
        raise Refused("gpu-nonce-mismatch", "undetermined" if in_another_layout else "nothing")
    return devices


def judged_devices(run, devices):
    """Warnings about devices that are genuine."""
    gpus = [device for device in devices if not device.is_switch]
    switches = [device for device in devices if device.is_switch]
    if not gpus:
        raise Refused("gpu-topology", "nothing")  # No GPU is proven, and nothing is contradicted.
    policy = run.policy
    if policy.gpu_count is not None and len(gpus) != policy.gpu_count:
        raise Refused("gpu-count")
    if policy.gpu_models and any(device.model.upper() not in policy.gpu_models for device in gpus):
        raise Refused("gpu-model")
    unread = any(device.opaque is None for device in devices)
    readable = [device for device in gpus if device.opaque is not None]
    if switches:
        named = [switch.switch_pdis() for switch in switches if switch.opaque is not None]
        attested, unnamed = set().union(*named), len(switches) - len(named)
        for gpu in readable:
            seen = gpu.switch_pdis()
            if not attested <= seen or len(seen - attested) > unnamed:
                raise Refused("gpu-topology")
    if not switches and any(gpu.protected_pcie() for gpu in readable):
        if policy.gpu_switches == "required":
            raise Refused("gpu-switches-missing")
        yield "gpu-switches-missing"
    if unread:
        if policy.gpu_switches == "required":
            raise Refused("gpu-opaque-unread")
        yield "gpu-opaque-unread"
    yield from pinned(policy, gpus)


def pinned(policy, gpus):
    """The lock has the kind of each GPU with the same measurements; another kind is a warning."""
    pins = [{name: value for name, value in pin.items() if name != "measurements"} for pin in policy.lock.get("gpus", [])]
    known = [each for each in gpus if each.opaque is not None]
    others = [each for each in known if each.kind() not in pins]
    for each in known:
        measured = [pin["measurements"] for pin in policy.lock.get("gpus", []) if {**pin, **each.kind()} == pin]
        if measured and each.digest() not in measured:
            raise Refused("gpu-pins")
    if pins and len(known) < len(gpus):
        raise Refused("gpu-pins", "undetermined")
    if pins and others:
        yield "gpu-pins"


def is_claimed_by_host(run):
    config = run.evidence.vm_config
    if isinstance(config, str):
        try:
            config = strict_json.parse(config)
        except strict_json.Malformed:
            return False
    count = config.get("num_gpus") if isinstance(config, Members) else None
    return strict_json.is_integer(count) and count > 0


def judge(run, claims):
    """The result of check `gpu`. `claims` are those of the boot, or None where it is not proven."""
    policy = run.policy
    if policy.gpu == "unchecked":
        return "skip", "unchecked"
    of_reports = bool(policy.gpu_models) or policy.gpu_verifier != "local" or policy.gpu_switches == "required" or bool(policy.lock.get("gpus"))
    # Who expects something of the GPUs expects that there are some.
    expected = policy.gpu == "required" or bool(policy.gpu_count) or of_reports
    found, proven, shown_any = [], False, False
    try:
        entries = shown(run)
        shown_any = bool(entries)
        if shown_any:
            devices = devices_of(run, entries)
            found += nras.judge(run, devices) if policy.gpu_verifier != "local" else []
            found += [("warn", reason) for reason in judged_devices(run, devices)]
            proven = True
    except Refused as error:
        status = "nothing" if error.reason in PROVES_NOTHING else "fail"
        found.append((error.detail if error.detail in ("undetermined", "nothing", "error") else status, error.reason))
        shown_any = True
    at_boot, booted, claimed = gpu_boot.judge(run, claims)
    if proven:  # What stands beside proven reports leaves no GPU unproven.
        at_boot = [({"gpu-malformed": "undetermined"}.get(reason, "warn") if status == "nothing" else status, reason) for status, reason in at_boot]
    found += at_boot
    open_ = any(status == "undetermined" and reason != "gpu-policy" for status, reason in found)
    # The number that the guest measured counts, whatever reports say, where its record is judged.
    measured = booted if not any(reason in ("gpu-claim", "gpu-event") for _, reason in at_boot) else None
    differs = policy.gpu_count is not None and (policy.gpu_count != measured if measured else not proven and not open_ and policy.gpu_count != booted)
    unknown = claims is None and not shown_any  # Whether the guest attested GPUs while it booted.
    if unknown and not of_reports and (expected or policy.gpu_count is not None):
        found.append(("undetermined", run.why_not_proven()))
    elif differs and not unknown:
        found.append(("fail", "gpu-count"))
    elif not shown_any and (not booted and not open_ and (claimed or is_claimed_by_host(run)) or expected and (of_reports or not booted and not open_)):
        found.append(("nothing", "gpu-unverified"))
    statuses = {"undetermined": "error" if expected or policy.gpu_count is not None else "warn", "nothing": "fail" if expected else "warn"}
    found = [(statuses.get(status, status), reason) for status, reason in found]
    for worst in ("fail", "error", "warn"):
        if any(status == worst for status, _ in found):
            return worst, [reason for status, reason in found if status == worst]
    return ("pass", None) if proven or booted else ("skip", "no-gpu")
