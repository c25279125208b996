"""MRCONFIGID (dstack, `dstack-types/src/mr_config.rs`; docs/checks/mr-config-id.md)."""

import hashlib
import itertools
import json

from .keccak import keccak_256

KINDS = {"none": (0, "none"), "local-sgx": (1, "local"), "local": (1, "local"), "kms": (2, "kms"), "tpm": (3, "tpm")}


def form_02(claims):
    number, _ = KINDS[claims.key_provider["name"]]
    return keccak_256(claims.compose_hash + claims.app_id + bytes([number]) + bytes.fromhex(claims.key_provider["id"]))


def documents_03(claims):
    """Every launch document of form 03 that the events allow: the members that may be left out, each with and without."""
    _, kind = KINDS[claims.key_provider["name"]]
    always = {"version": 3, "compose_hash": claims.compose_hash.hex(), "key_provider": kind}
    optional = {"app_id": claims.app_id.hex(), "instance_id": claims.instance_id.hex(), "key_provider_id": claims.key_provider["id"],
                "init_script_hashes": [each.hex() for each in claims.init_scripts]}
    if claims.gpu_policy_hash is not None:
        optional["gpu_policy_hash"] = claims.gpu_policy_hash.hex()
    for count in range(len(optional) + 1):
        for names in itertools.combinations(optional, count):
            members = {**always, **{name: optional[name] for name in names}}
            yield json.dumps(members, sort_keys=True, separators=(",", ":")).encode()


def judge(quote, claims, required):
    value = quote.mr_config_id
    if not any(value):
        return ("fail", "binding-required") if required else ("skip", "unbound")
    if value[0] not in (1, 2, 3):
        return "error", "unsupported-tag"
    if any(value[33:]):
        return "fail", "non-zero-tail"
    bound = value[1:33]
    if value[0] == 1:
        holds = bound == claims.compose_hash
    else:
        try:
            if value[0] == 2:
                holds = bound == form_02(claims)
            else:
                holds = any(bound == hashlib.sha256(b"dstack-mr-config-v3:\x00" + text).digest() for text in documents_03(claims))
        except (KeyError, ValueError):
            return "fail", "mismatch"
    return ("pass", None) if holds else ("fail", "mismatch")
