"""What the guest of dstack 0.6 measured about its GPUs while it booted (dstack 0.6, `requirements.gpu_policy`; docs/gpu.md)."""

import hashlib
import json

from . import strict_json
from .spdm import Refused
from .strict_json import Members

LOOSENING = ("allow_devtools", "allow_debug", "allow_insecure_boot")
FORMAT = "nvidia-nvattest-boottime-json-v1"
POLICY = {"attest_gpu": bool, "rego": str, **{name: bool for name in LOOSENING}}
CHAINS = ("x-nvidia-gpu-attestation-report-cert-chain", "x-nvidia-gpu-driver-rim-cert-chain", "x-nvidia-gpu-vbios-rim-cert-chain")
TRUE = ["secboot", "x-nvidia-gpu-arch-check", "x-nvidia-gpu-vbios-index-no-conflict", "x-nvidia-gpu-attestation-report-cert-chain-fwid-match",
        *[f"x-nvidia-gpu-attestation-report-{each}" for each in ("parsed", "nonce-match", "signature-verified")],
        *[f"x-nvidia-gpu-{rim}-rim-{each}" for rim in ("driver", "vbios") for each in
          ("fetched", "signature-verified", "measurements-available", "version-match")]]


def compose_document(run, claims):
    """The measured compose document; None where it is not shown."""
    text = run.info.app_compose
    if text is None or hashlib.sha256(text.encode()).digest() != claims.compose_hash:
        return None
    try:
        document = strict_json.parse(text)
    except strict_json.Malformed:
        return None
    return document if isinstance(document, Members) else None


def jcs(value):
    """RFC 8785 of what a GPU policy can hold: texts, booleans and objects."""
    return json.dumps(strict_json.plain(value), ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def policy(run, claims):
    """What is wrong with `requirements.gpu_policy` of the measured document, and whether it has one."""
    document = compose_document(run, claims)
    # A guest before 0.6 does not know the policy: `launch-inputs` names it.
    if document is None or claims.gpu_policy_hash is None and claims.gpu_attestation is None:
        return [], False
    requirements = document.get("requirements")
    value = requirements.get("gpu_policy") if isinstance(requirements, Members) else None
    found = []
    if value is not None and not isinstance(value, Members):
        return [("undetermined", "gpu-policy")], True
    if claims.gpu_policy_hash is not None:
        if hashlib.sha256(jcs(value if value is not None else Members())).digest() != claims.gpu_policy_hash:
            found.append(("fail", "gpu-policy"))
    if value is None:
        return found, False
    if value.repeated() or any(not fits(*member) for member in value):
        found.append(("undetermined", "gpu-policy"))
    elif value.get("attest_gpu") is False:
        found.append(("nothing", "gpu-policy"))
    elif any(value.get(name) is True for name in LOOSENING):
        found.append(("warn", "gpu-policy"))
    return found, True


def fits(name, value):
    return name in POLICY and isinstance(value, POLICY[name])


# Version 2.0 of the claims has no objects about chains, and other names (NVIDIA, claims 2.0).
TRUE_2 = ["secboot", "x-nvidia-gpu-arch-check", "x-nvidia-gpu-vbios-index-no-conflict",
          *[f"x-nvidia-gpu-attestation-report-{each}" for each in ("parsed", "nonce-match", "signature-verified", "cert-chain-validated")],
          *[f"x-nvidia-gpu-{rim}-rim-{each}" for rim in ("driver", "vbios") for each in
            ("fetched", "schema-validated", "signature-verified", "cert-validated", "measurements-available")]]


class Undetermined(Exception):
    """A form that is not known."""


def event(payload):
    """The members of a good event. One that says something bad is refused."""
    value = strict_json.parse(payload)
    if not isinstance(value, Members) or value.repeated():
        raise Undetermined
    members = strict_json.plain(value)
    wanted = {"provider": "nvidia", "cc_mode": "on", "devtools": False}
    if members.get("version") == 3:
        wanted |= {"dbgstat": "disabled", "secboot": True}
    elif members.get("version") != 2:
        raise Undetermined
    if set(members) - {"version", "devices", "evidence_sha256", "provider", "cc_mode", "devtools", "dbgstat", "secboot"}:
        raise Undetermined
    if not isinstance(members.get("dbgstat") or "", str):
        raise Undetermined
    digest = strict_json.hex_bytes(members.get("evidence_sha256"))
    if not strict_json.is_integer(members.get("devices")) or members["devices"] < 1 or digest is None or len(digest) != 32:
        raise Undetermined
    if any(members.get(name) != value or type(members.get(name)) is not type(value) for name, value in wanted.items()):
        raise Refused("gpu-event")
    return members


def record_of(run):
    """The bytes of the record of the boot, where it is shown."""
    shown = run.bundle.get("attestation").get("boottime_gpu_evidence")
    if shown in (None, []):
        return None
    if not isinstance(shown, list) or isinstance(shown, Members) or len(shown) > 8 or not all(isinstance(each, Members) for each in shown):
        raise Refused("gpu-malformed")
    records = [strict_json.hex_bytes(each.get("evidence")) for each in shown if each.get("vendor") == "nvidia"]
    if len(records) != 1 or records[0] is None or shown[0].get("format") != FORMAT:
        raise Refused("gpu-malformed")
    return records[0]


def judge_record(data, said):
    """The record is the measured one, and each of its claims is good."""
    if hashlib.sha256(data).hexdigest() != said["evidence_sha256"].lower():
        raise Refused("gpu-evidence-digest")
    try:
        claims = strict_json.plain(strict_json.parse(data)).get("claims")
    except (strict_json.Malformed, AttributeError) as error:
        raise Undetermined from error
    if not isinstance(claims, list) or len(claims) != said["devices"]:
        raise Refused("gpu-claim")
    unknown = [judge_claims(each) for each in claims]
    if any(unknown):
        raise Undetermined


def judge_claims(claims):
    """Refuses claims that say something bad. True: one is absent, or is of a form that is not known."""
    is_switch = claims.get("x-nvidia-device-type", "gpu") in ("nvswitch", "switch") or "x-nvidia-switch-arch-check" in claims
    kind = "switch" if is_switch else "gpu"
    version = claims.get(f"x-nvidia-{kind}-claims-version")
    if version is None:  # Version 2.0 does not say so.
        version = "2.0" if f"x-nvidia-{kind}-attestation-report-cert-chain-validated" in claims else "3.0"
    names, chains = (TRUE_2, ()) if version == "2.0" else (TRUE, CHAINS)
    if is_switch:  # It has a BIOS, and no driver.
        names = [name.replace("-gpu-vbios-", "-switch-bios-").replace("-gpu-", "-switch-") for name in names if "-driver-" not in name and "conflict" not in name]
        chains = [name.replace("-gpu-vbios-", "-switch-bios-").replace("-gpu-", "-switch-") for name in chains if "-driver-" not in name]
    wanted = {"measres": "success", "dbgstat": "disabled", **{name: True for name in names}}
    have = [(claims.get(name), value) for name, value in wanted.items()]
    if claims.get("measres") in ("not-run", "absent"):
        have[0] = (None, "success")  # Nothing was compared.
    for name in chains:
        chain = claims.get(name)
        chain = chain if isinstance(chain, dict) else {}
        have += [(chain.get("x-nvidia-cert-status"), "valid"), (chain.get("x-nvidia-cert-ocsp-status"), "good")]
    if any(isinstance(value, type(good)) and value != good for value, good in have):
        raise Refused("gpu-claim")
    return any(value is not good and value != good or type(value) is not type(good) for value, good in have)


def judge(run, claims):
    """What is found as (status, reason), how many GPUs the guest attested at boot, and whether any are claimed."""
    found, claimed = policy(run, claims) if claims else ([], False)
    try:
        data = record_of(run)
    except Refused as error:
        found.append(("nothing", error.reason))
        data, claimed = None, True
    if claims is None or claims.gpu_attestation is None:
        return found, 0, claimed
    if run.checks["os-image"][0] != "pass":
        return [*found, ("nothing", "gpu-unverified")], 0, True
    reason = "gpu-event"
    try:
        said = event(claims.gpu_attestation)
        reason = "gpu-claim"
        if data is not None:
            judge_record(data, said)
    except Undetermined:
        return [*found, ("undetermined", reason)], said["devices"] if reason == "gpu-claim" else 0, True
    except Refused as error:
        return [*found, ("fail", error.reason)], 0, True
    return found, said["devices"], True
