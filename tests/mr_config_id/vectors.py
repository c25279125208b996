#!/usr/bin/env python3
"""Expected values of MRCONFIGID, computed without the code that is tested (dstack,
`dstack-types/src/mr_config.rs`). Standard library alone; Keccak-256 is written out, because hashlib has only its successor SHA3-256.

Prints vectors.json. tests/mr_config_id/run compares it with the file that the Rust tests read."""

import hashlib
import json


def keccak_f(lanes):
    """Keccak-f[1600] on 25 lanes of 64 bits (FIPS 202, section 3)."""
    mask = (1 << 64) - 1

    def rotate(value, by):
        by %= 64
        return ((value << by) | (value >> (64 - by))) & mask if by else value

    constant = 1
    for _ in range(24):
        # theta
        column = [lanes[x] ^ lanes[x + 5] ^ lanes[x + 10] ^ lanes[x + 15] ^ lanes[x + 20] for x in range(5)]
        for x in range(5):
            mixed = column[(x + 4) % 5] ^ rotate(column[(x + 1) % 5], 1)
            for y in range(5):
                lanes[x + 5 * y] ^= mixed
        # rho and pi
        x, y, current = 1, 0, lanes[1]
        for step in range(24):
            x, y = y, (2 * x + 3 * y) % 5
            current, lanes[x + 5 * y] = lanes[x + 5 * y], rotate(current, (step + 1) * (step + 2) // 2)
        # chi
        for y in range(5):
            row = lanes[5 * y:5 * y + 5]
            for x in range(5):
                lanes[x + 5 * y] = row[x] ^ (~row[(x + 1) % 5] & mask & row[(x + 2) % 5])
        # iota: the round constants come from a shift register
        for bit in range(7):
            if constant & 1:
                lanes[0] ^= 1 << ((1 << bit) - 1)
            constant = (constant << 1) ^ (0x171 if constant & 0x80 else 0)
    return lanes


def keccak_256(data):
    rate = 136
    padded = bytearray(data) + b"\x01"
    padded += bytes(-len(padded) % rate)
    padded[-1] |= 0x80
    lanes = [0] * 25
    for start in range(0, len(padded), rate):
        for lane in range(rate // 8):
            lanes[lane] ^= int.from_bytes(padded[start + 8 * lane:start + 8 * lane + 8], "little")
        lanes = keccak_f(lanes)
    return b"".join(lane.to_bytes(8, "little") for lane in lanes[:4])


KINDS = {"none": (0, "none"), "local-sgx": (1, "local"), "kms": (2, "kms"), "tpm": (3, "tpm")}


def value_of(tag, digest):
    return (bytes([tag]) + digest + bytes(15)).hex()


def form_01(case):
    return value_of(1, hashlib.sha256(case["app_compose"].encode()).digest())


def form_02(case):
    kind, _ = KINDS[case["key_provider"]]
    return value_of(2, keccak_256(
        hashlib.sha256(case["app_compose"].encode()).digest()
        + bytes.fromhex(case["app_id"])
        + bytes([kind])
        + bytes.fromhex(case["key_provider_id"])
    ))


def document(case, leave_out=()):
    """The launch document of form 03: canonical JSON (RFC 8785), which for these members is the sorted and compact one."""
    compose = json.loads(case["app_compose"])
    _, kind = KINDS[case["key_provider"]]
    members = {
        "version": 3,
        "compose_hash": hashlib.sha256(case["app_compose"].encode()).hexdigest(),
        "key_provider": kind,
        "app_id": case["app_id"],
        "instance_id": case["instance_id"],
        "key_provider_id": case["key_provider_id"],
    }
    if compose["manifest_version"] == "3":
        scripts = compose.get("init_script", [])
        scripts = [scripts] if isinstance(scripts, str) else scripts
        members["init_script_hashes"] = [hashlib.sha256(script.encode()).hexdigest() for script in scripts]
    if case["gpus"]:
        policy = compose.get("requirements", {}).get("gpu_policy", {})
        text = json.dumps(policy, sort_keys=True, separators=(",", ":"))
        members["gpu_policy_hash"] = hashlib.sha256(text.encode()).hexdigest()
    members = {name: value for name, value in members.items() if value != "" and name not in leave_out}
    return json.dumps(members, sort_keys=True, separators=(",", ":"))


def form_03(text):
    return value_of(3, hashlib.sha256(b"dstack-mr-config-v3:\x00" + text.encode()).digest())


def compose(**members):
    document = {
        "docker_compose_file": "services:\n  app:\n    image: docker.io/example/app@sha256:" + "ab" * 32 + "\n",
        "kms_enabled": True,
        "manifest_version": 2,
        "name": "vector",
        "runner": "docker-compose",
    }
    document.update(members)
    return json.dumps(document, sort_keys=True, separators=(",", ":"))


def cases():
    kms = "3059301306072a8648ce3d020106082a8648ce3d03010703420004" + "5a" * 64
    base = {
        "app_compose": compose(),
        "app_id": "a1" * 20,
        "instance_id": "b2" * 20,
        "key_provider": "kms",
        "key_provider_id": kms,
        "gpus": False,
    }
    yield "kms", base
    yield "kms pinned by the compose document", {**base, "app_compose": compose(key_provider="kms", key_provider_id=kms)}
    yield "local key provider", {**base, "key_provider": "local-sgx", "key_provider_id": "1b" * 32}
    yield "no key provider", {**base, "key_provider": "none", "key_provider_id": ""}
    yield "tpm", {**base, "key_provider": "tpm", "key_provider_id": ""}
    yield "no instance id", {**base, "instance_id": "", "app_compose": compose(no_instance_id=True)}
    yield "manifest version 3 without init scripts", {**base, "app_compose": compose(manifest_version="3")}
    yield "manifest version 3 with init scripts", {
        **base, "app_compose": compose(manifest_version="3", init_script=["echo one", "echo \"two\""])}
    yield "GPUs and no policy", {**base, "gpus": True}
    yield "GPUs and a policy", {
        **base,
        "gpus": True,
        "app_compose": compose(
            manifest_version="3", init_script="true", requirements={"gpu_policy": {"allow_devtools": False, "attest_gpu": True}}),
    }


def main():
    # The known answers of Keccak-256 for nothing and for "abc", and that of a vector of dstack's own SDK.
    assert keccak_256(b"").hex() == "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
    assert keccak_256(b"abc").hex() == "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"
    sdk = bytes(range(32)) + bytes(range(20)) + b"\x02" + bytes.fromhex("aabbccdd")
    assert keccak_256(sdk).hex() == "e472ed80a08042f044ba63b53b798e98e3ea5219cd078007b1ac8b3dfc762b94"

    vectors = []
    for name, case in cases():
        text = document(case)
        vectors.append({
            "name": name,
            **case,
            "document": text,
            "form_01": form_01(case),
            "form_02": form_02(case),
            "form_03": form_03(text),
            "form_03_without_app_and_instance": form_03(document(case, ("app_id", "instance_id"))),
        })
    print(json.dumps(vectors, indent=1))


main()
