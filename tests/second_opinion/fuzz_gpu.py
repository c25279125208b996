"""Kind `gpu` of fuzz.py: an honest set of GPUs and switches of which some things are changed, signed anew."""

import functools
import hashlib
import json

import machine
import nvidia_machine
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from nvidia_machine import Device, block


@functools.cache
def maker():
    return nvidia_machine.Maker()


def change_device(rng, device):
    """One change of a device. What NVIDIA would sign is signed."""
    made = device.maker
    match rng.randrange(27):
        case 0:
            device.nonce = rng.choice([bytes(32), rng.randbytes(32), device.nonce[::-1], hashlib.sha256(device.nonce).digest(),
                                       hashlib.sha256(b"cvm-verify-gpu-v1" + device.nonce).digest()])
        case 1:
            device.signing_key = made.stranger
        case 2:
            device.rom_ca = rng.choice([False, None])
        case 3:
            device.identity_of = rng.choice([made.other_root, made.root])
        case 4:
            device.root = rng.choice([made.other_root, made.identity])
        case 5:
            device.firmware = rng.choice([None, bytes(48), bytes(47), FIRMWARE_LONGER])
        case 6:
            device.fields[20] = rng.choice([bytes(48), b"", b"\x01", nvidia_machine.FIRMWARE[:47]])
        case 7:
            device.fields.pop(rng.choice(list(device.fields)))
        case 8:
            device.label = rng.choice(["GH100 A01 GSP FMC LF", "GB100 A01 GSP FMC LF", "GB202 A01", "LS_10 A01 FSP FMC LF", "GH", "GH100", "gh100 x", "XGH100",
                                       "GH1", "GB300 A01"])
        case 9:
            device.arch = rng.choice(["HOPPER", "BLACKWELL", "LS10", "hopper", "ADA", "", None])
        case 10:
            device.head = rng.choice([b"\x11\xe0\x00\xff", b"\x12\xe0\x01\xff", b"\x11\xe1\x01\xff", b"\x11\xe0\x01\x01", b"\x11\xe0\x03\xff"])
        case 11:
            device.middle = rng.choice([b"\x12\x60\x00\x00", b"\x11\x61\x00\x00", b"\x11\x60\x01\x00", b"\x11\x60\x00\x01", b"\x11\x7f\x00\x00"])
        case 12:
            at = rng.randrange(len(device.blocks))
            device.blocks[at] = block(rng.choice([0, 1, 64, 65, 255, at + 1]), rng.choice([b"", b"a", bytes(48), bytes(49), bytes(64)]),
                                      rng.choice([0, 1, 2, 0x81]), rng.choice([1, 1, 1, 0, 2]))
        case 13:
            device.count += rng.choice([-1, 1])
        case 14:
            device.blocks = rng.choice([[], device.blocks[:1], device.blocks[:-1], device.blocks[::-1]])
            device.count = len(device.blocks)
        case 15:
            device.tail = rng.choice([b"\0", bytes(96)])
        case 16:
            device.after = rng.choice([b"\0", b"\n", bytes(96)])
        case 17:
            device.opaque = rng.choice([b"NVDAOD" + bytes(2) + b"\x02\0\0\0", b"NVDAOD", b"", b"\x03", b"\x03\0\x01\0", b"\x03\0\x01\0a\x03\0\x01\0b", b"\x03\0\x02\0a"])
        case 18:
            device.fields[3] = rng.choice([b"", b"\0", b"570", b"\xff\0", b"a" * 300, b"57\n0\0", b"570\0\0", b"570\0001"])
        case 19:
            device.fields[6] = rng.choice([b"", b"\0", bytes(8), bytes(300)])
        case 20:
            device.fields[21] = rng.choice([b"\xaa", b"\x55", b"", b"\xaa\xaa", b"\x00"])
        case 21:
            device.fields[36] = rng.choice([b"\x02\0", b"\x02", b"\x01\0", b"", b"\x00\x02"])
        case 22:
            pdis = device.fields.get(22, b"")
            device.fields[22] = rng.choice([pdis[:8], pdis[8:], b"", bytes(144), pdis[::-1], pdis + b"a", b"a" * 8 + pdis[8:], pdis * 2])
        case 23:
            device.serial = rng.choice([1000, 1001, 1])
        case 24:
            device.digest = rng.choice([hashes.SHA256(), hashes.SHA512()])
        case 25:
            device.key = rng.choice([EC256, device.maker.stranger])
            device.signing_key = device.signing_key if device.key is EC256 else device.key
        case 26:  # another firmware of the first device
            device.rom_key, device.number = made.device_keys[0][0], 0


FIRMWARE_LONGER = b"x" + nvidia_machine.FIRMWARE + b"x"
EC256 = ec.generate_private_key(ec.SECP256R1())
PAYLOADS = [None, "", [], {}, "[]", "{}", "null", 5, True, "x", [None], [{}], {"evidence_list": None}, {"evidence_list": {}}, {"bundles": []}]


def change_document(rng, entries):
    """One change of the list of entries as it is handed over."""
    if not entries:
        return
    entry = rng.choice(entries)
    match rng.randrange(8):
        case 0:
            entries.append(dict(entry))
        case 1:
            entries.remove(entry)
        case 2:
            entry.pop(rng.choice(list(entry)))
        case 3:
            entry[rng.choice([*entry, "nonce", "version"])] = rng.choice([None, 5, "", "x", [], {}, "AAAA"])
        case 4:
            key = rng.choice(["evidence", "certificate"])
            if isinstance(entry.get(key), str):
                entry[key] = rng.choice([entry[key] + "\n", entry[key] + "=", entry[key][:-4], entry[key].rstrip("="), entry[key].replace("+", "-"),
                                         "A" * (100 << 10), " " + entry[key]])
        case 5:
            rng.shuffle(entries)
        case 6:
            other = rng.choice(entries)
            entry["certificate"], other["certificate"] = other.get("certificate"), entry.get("certificate")
        case 7:
            entries.extend(dict(entry) for _ in range(rng.choice([8, 17])))


def form_of(rng, entries):
    """The entries in a form that is read, or in one that is not."""
    document = {"arch": "HOPPER", "evidence_list": entries}
    bundle = {"vendor": "nvidia", "format": "nvidia-nvattest-collect-evidence-json-v1", "evidence": json.dumps(entries).encode().hex()}
    match rng.randrange(14):
        case 0 | 1:
            return entries
        case 2 | 3 | 4:
            return document
        case 5:
            return json.dumps(document)
        case 6:
            return {"nvidia_payload": rng.choice([document, json.dumps(document), entries])}
        case 7 | 8:
            return {"bundles": [{**bundle, "evidence": json.dumps(document).encode().hex()} if rng.random() < 0.5 else bundle]}
        case 9:
            bundle[rng.choice(list(bundle))] = rng.choice(["amd", "", None, 5, "zz", "00"])
            return {"bundles": rng.choice([[bundle], [bundle, bundle], bundle])}
        case 10:
            text = json.dumps(document)
            return rng.choice([text[:-1] + ',"arch":"HOPPER"}', text[:-1] + ',"evidence_list":[]}', text[:-1] + ',"x":1,"x":2}', text + "x", "\ufeff" + text])
        case 11:
            return {**document, "nonce": "00" * 32, "arch": rng.choice(["BLACKWELL", "LS10", None, 5])}
        case 12:
            return {**document, "x": rng.choice([None, [], {}, "", entries])}
        case 13:
            return rng.choice(PAYLOADS)


def gpu(rng, made, arguments):
    """GPUs of one of four set-ups; zero to three changes."""
    nonce = bytes.fromhex(made.nonce)
    match rng.randrange(5):
        case 0:
            devices = [Device(maker(), 0, rng.choice(["HOPPER", "BLACKWELL"]), nonce)]
        case 1:
            devices = [Device(maker(), number, "HOPPER", nonce) for number in range(2)]
        case 2:
            devices = [Device(maker(), number, "HOPPER", nonce, protected=True) for number in range(2)]
        case _:
            devices = [Device(maker(), number, "HOPPER", nonce, protected=True) for number in range(2)]
            devices += [Device(maker(), 10 + number, "LS10", nonce) for number in range(4)]
    if rng.random() < 0.08:
        nonce = hashlib.sha256(b"cvm-verify-gpu-v1" + nonce).digest()
        for device in devices:
            device.nonce = nonce
    changes = rng.choice([0, 1, 1, 1, 1, 2])
    for _ in range(changes):
        if rng.random() < 0.75:
            change_device(rng, rng.choice(devices))
    entries = [device.entry() for device in devices]
    if rng.random() < 0.15:
        change_document(rng, entries)
    document = form_of(rng, entries) if rng.random() < 0.4 else {"arch": "HOPPER", "evidence_list": entries}
    if rng.random() < 0.5:
        made.attestation["nvidia_payload"] = rng.choice([document, json.dumps(document)])
    else:
        made.extra["gpu"] = {"document": document}
    if rng.random() < 0.03:
        made.fields.append((520, rng.randbytes(64)))
    options(rng, made, arguments)


def options(rng, made, arguments):
    if rng.random() < 0.5:
        arguments += ["--gpu", rng.choice(["auto", "required", "required", "unchecked"])]
    if rng.random() < 0.2:
        arguments += ["--gpu-count", rng.choice(["0", "1", "2", "3"])]
    if rng.random() < 0.2:
        arguments += ["--gpu-model", rng.choice(["GH100", "GB100", "GH1", "gh100", "H100"])]
    if rng.random() < 0.2:
        arguments += ["--gpu-switches", rng.choice(["auto", "required"])]
    made.files["nvidia.pem"] = maker().root_pem()
    arguments += ["--insecure-trust-root", "nvidia=nvidia.pem"]


def claims(rng):
    """The appraisal of one GPU as the guest's record holds it."""
    from opinion import gpu_boot
    chain = {"x-nvidia-cert-status": "valid", "x-nvidia-cert-ocsp-status": "good", "x-nvidia-cert-expiration-date": "9999-12-31T23:59:59Z",
             "x-nvidia-cert-revocation-reason": None}
    made = {"measres": "success", "dbgstat": "disabled", "hwmodel": "GH100 A01 GSP BROM", "ueid": "1000", "eat_nonce": "11" * 32,
            "x-nvidia-device-type": "gpu", "x-nvidia-gpu-claims-version": "3.0", "x-nvidia-mismatch-measurement-records": None,
            "x-nvidia-gpu-driver-version": "580.159.03", "x-nvidia-gpu-vbios-version": "96.00.D9.00.01", "oemid": "5703",
            **{name: True for name in gpu_boot.TRUE}, **{name: dict(chain) for name in gpu_boot.CHAINS}}
    if rng.random() < 0.4:
        name = rng.choice(list(made))
        if name in gpu_boot.CHAINS and rng.random() < 0.7:
            made[name][rng.choice(list(chain))] = rng.choice(["revoked", "expired", None, "", True, "unknown"])
        elif rng.random() < 0.3:
            made.pop(name)
        else:
            made[name] = rng.choice([False, None, "fail", "enabled", "true", 1, True, {}, "gpu", "2.0", "4.0"])
    return made


POLICIES = [None, {}, {"attest_gpu": True}, {"attest_gpu": False}, {"allow_debug": True}, {"allow_debug": False, "allow_devtools": False},
            {"allow_insecure_boot": True}, {"rego": "package policy\n\"é\""}, {"x": 1}, {"allow_devtools": "true"}, [], "x", {"attest_gpu": None},
            {"rego": None}, {"attest_gpu": 0}, {"allow_debug": 1}]


def gpu_boot_events(rng, made, arguments):
    """What a guest of 0.6 measures about its GPUs: the event, the policy, the record behind it."""
    policy = rng.choice(POLICIES)
    document = json.loads(made.compose)
    document["requirements"] = rng.choice([{"gpu_policy": policy}, {"gpu_policy": policy}, {}, None]) if policy is None else {"gpu_policy": policy}
    made.compose = json.dumps(document, ensure_ascii=False)
    arguments[arguments.index("--compose-hash") + 1] = made.measure_compose()
    measured = policy if rng.random() < 0.85 else rng.choice(POLICIES)
    text = json.dumps({} if measured is None else measured, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    names = [event["event"] for event in made.events]
    at = names.index("gpu-policy-hash") if "gpu-policy-hash" in names else names.index("compose-hash") + 1
    if "gpu-policy-hash" in names:
        made.events.pop(at)
    if rng.random() < 0.9:
        made.events.insert(at, machine.runtime_event("gpu-policy-hash", hashlib.sha256(text).digest()))
    record = json.dumps({"claims": [claims(rng) for _ in range(rng.choice([1, 1, 2]))], "detached_eat": [], "result_code": 0}).encode() + b"\n"
    event = {"version": 3, "provider": "nvidia", "devices": len(json.loads(record)["claims"]), "cc_mode": "on", "devtools": False,
             "dbgstat": "disabled", "secboot": True, "evidence_sha256": hashlib.sha256(record).hexdigest()}
    if rng.random() < 0.3:
        event["version"] = 2
        event.pop("dbgstat")
        event.pop("secboot")
    if rng.random() < 0.4:
        name = rng.choice([*event, "x"])
        event[name] = rng.choice([None, 0, 1, 2, 4, 17, "", "off", "on", "amd", True, False, "enabled", "disabled", "AB" * 32, "00" * 32, 1.0, "1"])
    if rng.random() < 0.1:
        event.pop(rng.choice(list(event)))
    text = json.dumps(event)
    if rng.random() < 0.05:
        text = text[:-1] + rng.choice([',"version":3}', ',"devtools":false}', ',"devtools":true}', "} "])
    if rng.random() < 0.85:
        before = rng.choice(["instance-id", "key-provider", "key-provider", "storage-fs"] if rng.random() < 0.3 else ["key-provider"])
        made.events.insert([event["event"] for event in made.events].index(before), machine.runtime_event("gpu-attestation", text.encode()))
    shown = {"vendor": "nvidia", "format": "nvidia-nvattest-boottime-json-v1", "evidence": record.hex()}
    if rng.random() < 0.6:
        if rng.random() < 0.2:
            shown["evidence"] = rng.choice([record[:-1].hex(), "", "zz", (record + b" ").hex(), None])
        made.attestation["boottime_gpu_evidence"] = rng.choice([[shown], [shown], [shown], shown, [shown, shown], [], None, "x"])
    if rng.random() < 0.2:
        made.attestation["vm_config"] = json.dumps({"num_gpus": rng.choice([0, 1, 8, "1", -1, None, 1.5])})
    # A record of another form is judged alone: beside reports it hides what is wrong with them.
    if rng.random() < 0.3 and made.attestation.get("boottime_gpu_evidence") in (None, [], [shown]):
        gpu(rng, made, arguments)
    else:
        options(rng, made, arguments)


KINDS = {"gpu": gpu, "gpu-boot": gpu_boot_events}
