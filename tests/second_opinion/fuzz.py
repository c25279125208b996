#!/usr/bin/env python3
"""Deployments that no case has, judged by both implementations: a difference is printed with a bundle to replay it.

fuzz.py CORPUS --program FILE [--seed N] [--seconds N | --runs N] [--kind NAME,…] [--keep DIR] [--jobs N]

Each run changes one honest deployment by the random numbers of SEED and the run's number, signs what the hardware would have
signed (machine.py), and gives the bundle to both. Kinds: `log`, `report`, `collateral`, `compose`, `settings`, `bodies`, `bytes`,
and those of fuzz_gpu.py, fuzz_provenance.py and fuzz_contracts.py.

A difference between pass and not pass is an error (exit code 1). Other differences of a check are counted by what they are; with
--strict they are errors, too. Differences that accepted.toml names are counted and no errors."""

import argparse
import collections
import concurrent.futures
import copy
import hashlib
import json
import os
import pathlib
import random
import sys
import tempfile
import time
import tomllib

import compare
import fuzz_contracts
import fuzz_gpu
import fuzz_provenance
import machine
from opinion import appraise as appraisal
from opinion.collateral import Conflict
from opinion.event_log import RESERVED
from opinion.unsupported import NotImplementedHere

IMAGE = "ghcr.io/example/web@sha256:5d2f1f9d3c8a7b6e4f0a1b2c3d4e5f60718293a4b5c6d7e8f9010203040506aa"
NAMES = sorted(RESERVED) + ["surprise", "Compose-hash", "compose-hash ", "compose_hash", "a:b", "", "x" * 65, "é", "MINER_HOTKEY"]


# ------------------------------------------------------------------------------------------------ kinds
def log(rng, made, arguments):
    """A log that the hardware measured, in another order or with other events."""
    events = made.events
    runtime = [at for at, event in enumerate(events) if event["imr"] == 3]
    for _ in range(rng.choice([1, 1, 2, 3])):
        at = rng.choice(runtime)
        match rng.randrange(10):
            case 0:
                events.pop(at)
                runtime = [at for at, event in enumerate(events) if event["imr"] == 3]
            case 1:
                events.insert(at, copy.deepcopy(events[rng.choice(runtime)]))
            case 2:
                other = rng.choice(runtime)
                events[at], events[other] = events[other], events[at]
            case 3 | 4:
                payload = rng.choice([b"", b"\x00", b"zfs", b"ext4", b"{}", rng.randbytes(20), rng.randbytes(32), rng.randbytes(33)])
                events[at] = machine.runtime_event(events[at]["event"], payload, rng.choice([1, 2]))
            case 5 | 6:
                payload = rng.choice([b"", b"\x01", rng.randbytes(20), rng.randbytes(32), b'{"name":"kms","id":""}'])
                events.insert(rng.randrange(runtime[0], len(events) + 1), machine.runtime_event(rng.choice(NAMES), payload, rng.choice([1, 1, 2])))
            case 7:
                event = events[at]
                events[at] = machine.runtime_event(event["event"], bytes.fromhex(event["event_payload"]), 2)
            case 8:
                events[at]["event_type"] = rng.choice([1, 4, 0x08000001, 0x08000002])
            case 9:
                name = rng.choice(["none", "kms", "local", "local-sgx", "tpm", "KMS", ""])
                payload = json.dumps({"name": name, "id": rng.choice(["", "3059", "00"])}).encode()
                payload = rng.choice([payload, payload + b" ", b" " + payload, payload[:-1] + b',"x":1}', b"[]", b"\xff"])
                for index, event in enumerate(events):
                    if event["event"] == "key-provider":
                        events[index] = machine.runtime_event("key-provider", payload)
    if rng.random() < 0.3:
        for event in events:
            if event["imr"] == 3:
                made.stripped = True


def report(rng, made, arguments):
    """Another TD report, truly signed."""
    field = rng.choice([(0, 16), (16, 48), (64, 48), (112, 8), (120, 8), (128, 8), (136, 48), (184, 48), (232, 48), (280, 48), (520, 64)])
    offset, length = field
    if field == (184, 48) and rng.random() < 0.8:
        digest = bytes.fromhex(made.event("compose-hash")["event_payload"])
        value = bytearray(rng.choice([b"\x01" + digest, b"\x00" + digest, b"\x02" + digest, b"\x03" + digest, b"\x04" + digest, bytes(33)]) + bytes(15))
        if rng.random() < 0.5:
            value[rng.randrange(48)] ^= 1 << rng.randrange(8)
    elif field == (520, 64) and rng.random() < 0.8:
        nonce = bytes.fromhex(made.nonce)
        value = bytearray(rng.choice([
            nonce + bytes(32), nonce.hex().encode(), nonce.hex().upper().encode(), bytes(32) + nonce, nonce + nonce,
            hashlib.sha512(b"app-data:" + nonce).digest(), hashlib.sha256(nonce).digest() + bytes(32)]))
        if rng.random() < 0.3:
            value[rng.randrange(64)] ^= 1 << rng.randrange(8)
        if rng.random() < 0.4:
            arguments += ["--report-data", rng.choice(["raw", "ascii", "left-padded", "app-data-raw", "sha256-raw", "hex-sha256-raw"])]
        made.attestation.pop("report_data", None)
    else:
        value = bytearray(made.machine.sample.body[offset:offset + length])
        for _ in range(rng.choice([1, 1, 2])):
            value[rng.randrange(length)] ^= 1 << rng.randrange(8)
    made.fields.append((offset, bytes(value)))
    if rng.random() < 0.5:
        made.tcb_info.pop("mrtd", None)


STATUSES = ["UpToDate", "SWHardeningNeeded", "ConfigurationNeeded", "ConfigurationAndSWHardeningNeeded", "OutOfDate",
            "OutOfDateConfigurationNeeded", "Revoked", "TDRelaunchAdvised", "Unknown"]


def collateral(rng, made, arguments):
    """Other statements of Intel about the platform, truly signed."""
    tcb_info = json.loads(made.machine.template["collateral"]["tcb_info"])
    identity = json.loads(made.machine.template["collateral"]["qe_identity"])
    for _ in range(rng.choice([1, 1, 2, 3])):
        document = rng.choice([tcb_info, identity])
        levels = rng.choice([tcb_info["tcbLevels"], identity["tcbLevels"], *[each["tcbLevels"] for each in tcb_info["tdxModuleIdentities"]]])
        match rng.randrange(9):
            case 0:
                rng.choice(levels)["tcbStatus"] = rng.choice(STATUSES)
            case 1:
                rng.choice(levels)["advisoryIDs"] = rng.sample(["INTEL-SA-00001", "INTEL-SA-00002"], rng.randrange(3))
            case 2:
                tcb = rng.choice(levels)["tcb"]
                if "isvsvn" in tcb:
                    tcb["isvsvn"] = rng.randrange(16)
                else:
                    rng.choice(rng.choice([tcb["sgxtcbcomponents"], tcb["tdxtcbcomponents"]]))["svn"] = rng.randrange(12)
            case 3:
                rng.shuffle(levels)
            case 4:
                levels.pop(rng.randrange(len(levels))) if levels else None
            case 5:
                shift = rng.choice(["2026-10-01T11:59:59Z", "2026-10-01T12:00:00Z", "2026-10-01T12:00:01Z", "2026-10-08T12:00:00Z"])
                document[rng.choice(["issueDate", "nextUpdate"])] = shift
            case 6:
                document["tcbEvaluationDataNumber"] = rng.randrange(16, 24)
                if rng.random() < 0.5:
                    arguments += ["--min-tcb-eval-data-number", str(rng.randrange(16, 24))]
            case 7:
                name = rng.choice(["fmspc", "pceId", "id", "version", "tcbType"])
                tcb_info[name] = rng.choice([str(tcb_info[name]).lower(), str(tcb_info[name]).upper(), tcb_info[name], "SGX", 3, 0])
            case 8:
                module = rng.choice([tcb_info["tdxModule"], *tcb_info["tdxModuleIdentities"]])
                name = rng.choice(["id", "attributes", "attributesMask", "mrsigner"])
                if name in module:
                    module[name] = rng.choice([module[name].lower(), module[name].replace("0", "1", 1), module[name].replace("F", "0")])
    made.collateral.update(tcb_info=tcb_info, qe_identity=identity)
    if rng.random() < 0.15:
        made.collateral[rng.choice(["root_serials", "pck_serials"])] = [
            rng.choice([made.machine.leaf, made.machine.authority, made.machine.signer, made.machine.root]).serial_number]
    if rng.random() < 0.4:
        arguments += ["--accept-tcb", rng.choice(STATUSES[1:6]) + rng.choice([":until=2026-12-01", ":until=2026-10-01", ":until=2026-09-30",
                      ":until=2026-10-10", ":until=2026-12-01:advisories=INTEL-SA-00001", ":until=2026-12-30", ":until=2026-12-31"])]


VALUES = ["${X}", "$X", "$$X", "${NOBODY}", "${NOBODY:-a}", "${X:-a}", "${NOBODY:-${X}}", "${X:+a}", "a${X}b", "$", "${", "${X:?e}", "plain",
          "true", "1", "", "host", "container:other", "service:web", "/dev/vdb", "/etc", "${HOME}", "${DSTACK_APP_ID}"]
MOUNTS = ["/", "/dstack", "/tapp", ".", "./", "..", "../", "./.host-shared", "/dstack/.host-shared/x", "/var", "/var/run", "/var/run/docker.sock", "/run",
          "/run/docker.sock", "/var/run/dstack.sock", "/var/run/tappd.sock", "/run/dstack.sock", "/dev", "/dev/vdb", "/dev/shm", "/dev/null", "/sys",
          "/sys/firmware", "/sys/firmware/acpi", "/sys/kernel", "/proc", "/proc/1/root", "/proc/1/root/dstack", "/proc/self", "/etc", "/home", "~", "~/x", "data",
          "//dstack", "/dstack/../dstack", "/var/lib/docker", "/var/volatile", "/var/volatile/dstack", "/dstack/user_config", "/root", "/boot",
          "/tmp", "/usr/bin", "/dstack/data", "/var/run/dstack", "/run/containerd/containerd.sock", "/dev/nvidia0", "/mnt", "/sys/fs/cgroup", "${X}", "${NOBODY:-/etc}"]


BOOLEANS = {"privileged", "read_only", "init", "tty", "stdin_open", "use_api_socket", "external", "oom_kill_disable", "attach", "internal", "attachable",
            "nocopy", "create_host_path", "disable", "required", "enable_ipv4", "enable_ipv6", "restart", "use_service_name_alias", "per_replica"}
LISTS = {"cap_add", "cap_drop", "devices", "dns", "dns_search", "dns_opt", "env_file", "expose", "external_links", "extra_hosts", "group_add", "label_file",
         "links", "ports", "profiles", "security_opt", "tmpfs", "volumes_from", "device_cgroup_rules", "device_ids", "capabilities", "aliases",
         "link_local_ips", "constraints", "entitlements", "cache_from", "cache_to", "ssh", "tags", "platforms", "configs", "secrets", "models",
         "networks", "depends_on", "labels", "annotations", "sysctls", "command", "entrypoint", "test", "options"}
OBJECTS_IN_LISTS = {"devices", "gpus", "ports", "watch", "pre_start", "post_start", "pre_stop", "volumes", "config", "preferences", "device_read_bps",
                    "device_read_iops", "device_write_bps", "device_write_iops", "weight_device", "generic_resources", "include"}


def scalar(rng):
    return rng.choice([rng.choice(VALUES), rng.choice(VALUES), rng.choice(MOUNTS)])


def value_for(rng, key):
    """A value of a form that the Compose Specification allows at this key."""
    if key in BOOLEANS:
        return rng.choice([True, False, scalar(rng), "yes", "false"])
    if key in ("labels", "annotations", "sysctls", "options", "extra_hosts", "environment", "args", "driver_opts"):
        return rng.choice([["a=" + scalar(rng)], {"a": scalar(rng)}])
    if key in LISTS:
        return [scalar(rng) for _ in range(rng.choice([1, 1, 2]))]
    return rng.choice([scalar(rng), scalar(rng), scalar(rng), None, 1])


def leaves(prefix):
    paths = compare_places()
    return [path.removeprefix(prefix) for path in paths if path.startswith(prefix) and not any(other.startswith(path + ".") for other in paths)]


def compare_places():
    from opinion.docker_compose import places
    return list(places())


def nested(path, value):
    for key in reversed(path.split(".")):
        value = {"a" if key == "*" else key: value}
        if key in OBJECTS_IN_LISTS and isinstance(value[key], dict):
            value[key] = [value[key]]
    return value


def merged(into, value):
    for key, member in value.items():
        if isinstance(member, dict) and isinstance(into.get(key), dict):
            merged(into[key], member)
        else:
            into[key] = member
    return into


COMMANDS = ["run ${X}", "sh -c '$$NAME'", "run $$NAME", "sh -c 'echo $$NAME'", "sh -c 'echo x; $$NAME'", "sh -c 'test -n \"$$NAME\" && run'", "eval $$NAME",
            "sh -c 'run --token=$$NAME'", "sh -c '. $$NAME'", "sh -c 'exec run $$NAME'", "bash -lc \"$$NAME\"", "python -c '$$NAME'", "$$NAME",
            "sh -c 'run < $$NAME'", "sh -c 'A=$$NAME run'", "sh -c 'echo $$NAME | sh'", "sh -c 'run | tee $$NAME'", "sh -c 'if $$NAME; then run; fi'",
            "sh -c 'xargs $$NAME'", "sh -c '`$$NAME`'", "sh -c 'run $$(echo $$NAME)'", "sh -c 'run $$($$NAME)'", "sh -c 'env $$NAME'", "sh -c \"'$$NAME'\"",
            "pg_isready -U $$NAME", "curl -H \"x: $$NAME\" http://localhost", "sh -c 'run \"$${NAME}\"'", "sh -c '$${NAME:-run}'"]


def compose(rng, made, arguments):
    """Another docker compose file, measured."""
    service = {"image": IMAGE}
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        match rng.randrange(8):
            case 0 | 1 | 2:
                path = rng.choice(leaves("SERVICE."))
                merged(service, nested(path, value_for(rng, path.split(".")[-1])))
            case 3:
                service["volumes"] = [rng.choice([
                    f"{rng.choice(MOUNTS)}:/x{rng.choice(['', ':ro', ':rw,z'])}", f"{rng.choice(MOUNTS)}", {
                        "type": rng.choice(["bind", "volume", "tmpfs", "image", "npipe", "cluster", "${X}"]), "source": rng.choice([*MOUNTS, IMAGE]),
                        "target": "/x"}])]
            case 4:
                command = rng.choice(COMMANDS)
                words = rng.choice([command, command.split(), ["sh", "-c", command], ["/bin/bash", "-euxc", command]])
                service["environment"] = rng.choice([{"NAME": "${X}"}, ["NAME=${X}"], ["NAME"], {"NAME": None}, {"NAME": "fixed"}, {"NAME": "${NOBODY:-a}"}])
                place = rng.choice(["command", "entrypoint", "healthcheck.test", "post_start"])
                merged(service, {"post_start": [{"command": words}]} if place == "post_start" else nested(place, words))
                if place == "healthcheck.test" and isinstance(words, list) and rng.random() < 0.7:
                    service["healthcheck"]["test"] = [rng.choice(["CMD", "CMD-SHELL", "NONE"]), *words]
            case 5:
                service["image"] = rng.choice([IMAGE, IMAGE.upper(), IMAGE + "a", IMAGE[:-1], "a@sha256:${X}", IMAGE.replace("@", ":1.0@"), "${X:-" + IMAGE + "}",
                                               "${NOBODY:-" + IMAGE + "}", " " + IMAGE, IMAGE + " ", "a:1", None, 1, "@" + IMAGE.split("@")[1],
                                               IMAGE.replace("sha256", "sha512"), IMAGE.replace("sha256", "SHA256")])
            case 6:
                service["environment"] = {rng.choice(["PATH", "LD_PRELOAD", "API_KEY", "NODE_OPTIONS", "https_proxy", "x", "PYTHONPATH"]): scalar(rng)}
            case 7:
                service.update(rng.choice([
                    {"privileged": rng.choice([True, False, "${X}", "true"])}, {"cap_add": rng.choice([[], ["SYS_ADMIN"], ["${X}"]])},
                    {rng.choice(["pid", "ipc", "network_mode", "uts", "userns_mode", "cgroup"]): rng.choice(["host", "container:a", "service:b", "none", "${X}", "HOST", "${NOBODY:-host}", "shareable", "private", "bridge"])},
                    {"devices": [rng.choice(["/dev/nvidia0", "/dev/fuse:/dev/fuse", "/dev/vdb", "/dev/mem", "nvidia.com/gpu=all", "/dev/../dev/vdb:/x:r", "/dev/tdx_guest", "${X}", "/dev", "/dev/disk/by-id/x", "/dev/kvm", "/dev/zvol/a", "/dev/nbd0", "/dev/mapper/x", "/dev/nvme0n1"])]},
                    {"security_opt": [rng.choice(["no-new-privileges:true", "no-new-privileges", "no-new-privileges=true", "no-new-privileges:false", "apparmor:unconfined", "seccomp=unconfined", "seccomp:unconfined", "label:disable", "label=type:x", "systempaths=unconfined", "seccomp=./x.json", "apparmor=docker-default"])]},
                    {"gpus": rng.choice(["all", [{"driver": "nvidia", "count": 1}], [{"driver": "amd", "capabilities": ["gpu"]}], [{"capabilities": ["gpu"]}], [{"capabilities": ["tpu"]}]])},
                    {"runtime": rng.choice(["nvidia", "runc", "sysbox-runc", "${X}", "kata", "io.containerd.runc.v2"])},
                    {"pull_policy": rng.choice(["always", "never", "missing", "build", "daily", "every_12h", "if_not_present", "${X}", "${NOBODY:-build}"])},
                    {"volumes_from": [rng.choice(["container:a", "web:ro", "${X}", "service:web"])]},
                    {"labels": rng.choice([["a=${X}"], {"a": "${X}"}, ["a=b"]]), "volumes": [rng.choice(["/var/run/docker.sock:/s", "/run:/s:ro", "a:/s", "/var/run:/x", "/var/run/docker.sock:/s:ro"])]},
                    {"use_api_socket": rng.choice([True, False])}, {"extends": rng.choice(["web", {"service": "web"}])},
                    {"env_file": rng.choice([".env", [".env"], [{"path": "a", "required": False}]])}, {"build": rng.choice([".", {"context": "."}])},
                    {"deploy": {"resources": {"reservations": {"devices": [rng.choice([{"capabilities": ["gpu"]}, {"capabilities": [["gpu"]]}, {"capabilities": ["x"]}, {"driver": "nvidia", "capabilities": ["gpu"], "count": "all"}])]}}}},
                    {"tmpfs": rng.choice(["/tmp", ["/tmp:size=1m"], "${X}"])}, {"volumes": [{"type": "volume", "source": "a", "target": "/a", "volume": {"subpath": rng.choice(["a", "${X}"])}}]},
                ]))
    document = {"services": {"web": service}}
    if rng.random() < 0.3:
        top = rng.choice([each for each in leaves("") if each.split(".")[0] in ("volumes", "networks", "configs", "secrets", "name", "version", "include", "models")])
        merged(document, nested(top, value_for(rng, top.split(".")[-1])))
        if rng.random() < 0.3:
            document["volumes"] = {"a": rng.choice([None, {}, {"driver": "local"}, {"driver_opts": {"type": "tmpfs", "device": "tmpfs"}}, {"external": False}, {"name": "${X}"},
                                                    {"driver_opts": {"type": "none", "o": rng.choice(["bind", "rbind", "bind,ro"]), "device": rng.choice(MOUNTS)}}, {"driver_opts": {}}])}
    if rng.random() < 0.1:
        document[rng.choice(["x-a", "jobs", "tomorrow", "name"])] = rng.choice([{}, {"a": "${X}"}, "${X}", None])
    text = yaml_text(rng, document)
    settings(rng, made, arguments, {"docker_compose_file": text, "allowed_envs": ["X"]}, changes=rng.choice([0, 0, 0, 1]))


def yaml_text(rng, document):
    import yaml
    if rng.random() < 0.5:
        return json.dumps(document, ensure_ascii=False)
    text = yaml.safe_dump(document, sort_keys=False, default_flow_style=rng.choice([None, False]))
    if rng.random() < 0.15:
        at = rng.randrange(len(text))
        text = text[:at] + rng.choice(["\t", "#", "&a ", "*a", "!!str ", "\n", ":", "<<: ", "- ", "'", '"', "? ", "\r", "\u2028", "%", "@"]) + text[at:]
    return text


SETTINGS = {
    "public_logs": [True, False, None, "true", 1, 0], "public_sysinfo": [True, False, None], "secure_time": [True, False, None, "false", 0],
    "no_instance_id": [True, False, None, 1], "runner": ["docker-compose", "bash", "nerdctl-compose", None, "other", 1, "bash\n", "bash\0", "docker-compose\n"],
    "allowed_envs": [[], ["X"], None, "X", [1], ["LD_PRELOAD"], ["ld_preload"], ["API_KEY", "PATH"], {}],
    "pre_launch_script": ["", None, " ", "\n", "export A=1", 1, ["true"]], "init_script": ["", None, [], "true", ["true"], [""], 1],
    "requirements": [None, {}, {"gpu_policy": {}}, {"gpu_policy": None}, {"gpu_policy": {"attest_gpu": True}}, {"gpu_policy": {"allow_debug": False}},
                     {"gpu_policy": {"allow_debug": "false"}}, {"gpu_policy": []}, {"launch_token_hash": "00"}, []],
    "verity_volumes": [None, [], {}, [{}], [{"verity_root": "ab" * 32, "source": "a", "target": "/a"}], [{"verity_root": "AB" * 32}], ["a"]],
    "bash_script": ["", "id", None], "docker_compose_file": [None, "", 1, "{}", "services: {}", "services:", "a"], "tomorrow": [1, None, "x", "#!/bin/sh"], "later_script": ["", "true"], "snapshotter": ["stargz", "stargz\n", None],
    "launch_token_hash": ["00" * 32, None, 1], "manifest_version": [1, 2, 3, "3", None], "key_provider": ["kms", "none", None],
    "storage_fs": ["zfs", None, 1], "docker_config": [{}, {"a": 1}], "event_log_version": [1, 2], "kms_enabled": [True, False, None],
}


def settings(rng, made, arguments, base=None, changes=None):
    """Another compose document around the docker compose file, measured."""
    document = {**json.loads(made.compose), "pre_launch_script": "", **(base or {})}
    for _ in range(rng.choice([1, 1, 2]) if changes is None else changes):
        name = rng.choice(list(SETTINGS))
        document[name] = rng.choice(SETTINGS[name])
        if rng.random() < 0.1:
            document.pop(name)
    text = json.dumps(document, ensure_ascii=rng.random() < 0.5, separators=rng.choice([(",", ":"), (", ", ": ")]))
    if rng.random() < 0.05:
        text = text.replace("{", rng.choice(['{"docker_compose_file":"services: {}",', '{"x":1,"x":1,', '{"public_logs":false,', "\ufeff{", "{ \n"]), 1)
    made.compose = text
    arguments[arguments.index("--compose-hash") + 1] = made.measure_compose()
    if rng.random() < 0.2:
        arguments += ["--launch-inputs", rng.choice(["required", "unchecked", "warn"])]
    if rng.random() < 0.1:
        arguments += ["--image-pins", rng.choice(["required", "unchecked"])]


def bodies(rng, made, arguments):
    """Other forms of the two bodies: nothing that is signed changes."""
    made.reform = rng.random()
    made.rng = rng


WORDS = [None, True, False, 0, 1, 3, "", "0x", "00", "zz", [], {}, "null", "[]", "{}", 1.0, -1, 1e400 if False else 10**30, "v1", "v2", 2, 1.5]


def reformed(rng, bundle):
    attestation, info = bundle["attestation"], bundle["info"]
    events = json.loads(attestation["event_log"])
    for _ in range(rng.choice([1, 1, 2])):
        event = rng.choice(events)
        match rng.randrange(13):
            case 0:
                attestation[rng.choice(list(attestation))] = rng.choice(WORDS)
            case 1:
                info[rng.choice(list(info))] = rng.choice(WORDS)
            case 2:
                event[rng.choice([*event, "version", "preimage"])] = rng.choice(WORDS)
            case 3:
                event.pop(rng.choice(list(event)))
            case 4:
                event["digest"] = rng.choice([event.get("digest", "").upper() if isinstance(event.get("digest"), str) else "", "", None, "0x"])
            case 5:
                quote = attestation.get("quote")
                if isinstance(quote, str) and quote:
                    attestation["quote"] = rng.choice([quote.upper(), "0x" + quote, "0X" + quote, quote + "00" * 9, quote + "01", quote[:-2], " " + quote,
                                                       quote + "\n", quote + "0", quote + "00" * 12000])
            case 6:
                attestation[rng.choice(["eventlog", "attestation", "intel_quote", "Quote", "tcb_info", "hash_algorithm", "nvidia_payload", "vm_config"])] = rng.choice(WORDS)
            case 7:
                attestation["report_data"] = rng.choice([attestation.get("report_data"), "0x" + str(attestation.get("report_data")),
                                                         str(attestation.get("report_data")).upper(), *WORDS])
            case 8:
                tcb_info = json.loads(info["tcb_info"]) if isinstance(info.get("tcb_info"), str) and info["tcb_info"].startswith("{") else {}
                if tcb_info:
                    tcb_info[rng.choice([*tcb_info, "x"])] = rng.choice(WORDS)
                    info["tcb_info"] = rng.choice([json.dumps(tcb_info), tcb_info])
            case 9:
                info[rng.choice(["app_compose", "instance_id", "tcb_info", "vm_config", "registers"])] = rng.choice([*WORDS, "ab" * 20])
            case 10:
                bundle["collateral"][rng.choice(list(bundle["collateral"]))] = rng.choice(WORDS)
            case 11:
                name = rng.choice(["pck_crl_issuer_chain", "tcb_info_issuer_chain", "qe_identity_issuer_chain"])
                text = str(bundle["collateral"][name])
                parts = [each + "-----END CERTIFICATE-----\n" for each in text.split("-----END CERTIFICATE-----\n")[:-1]]
                bundle["collateral"][name] = rng.choice([text[::-1], "".join(parts[::-1]), "".join(parts[:1]), text + text, "junk\n" + text, text.replace("\n", "\r\n"),
                                                         text + "junk", "".join(parts[1:]), str(bundle["collateral"]["pck_crl_issuer_chain"])])
            case 12:
                name = rng.choice(["root_ca_crl", "pck_crl", "tcb_info_signature", "qe_identity_signature"])
                text = str(bundle["collateral"][name])
                bundle["collateral"][name] = rng.choice([text.upper(), text + "00", "0x" + text, text[:-2], text + " "])
    attestation["event_log"] = rng.choice([json.dumps(events), events]) if attestation.get("event_log") not in WORDS else attestation["event_log"]
    return bundle


def bytes_(rng, made, arguments):
    """One to three bytes of the bundle's text."""
    made.edits = rng.choice([1, 1, 2, 3])
    made.rng = rng


def edited(rng, text, count):
    data = bytearray(text.encode())
    for _ in range(count):
        at = rng.randrange(len(data))
        match rng.randrange(4):
            case 0:
                data[at] = rng.choice(b'0123456789abcdefABCDEF{}[]",:\\ntu xX\n')
            case 1:
                data[at] ^= 1 << rng.randrange(8)
            case 2:
                del data[at:at + rng.choice([1, 2, 2, 8])]
            case 3:
                data[at:at] = data[at:at + rng.choice([1, 2, 4, 64])]
    return bytes(data)


KINDS = {"log": log, "report": report, "collateral": collateral, "compose": compose, "settings": settings, "bodies": bodies, "bytes": bytes_,
         **fuzz_gpu.KINDS, **fuzz_provenance.KINDS, **fuzz_contracts.KINDS}

# ------------------------------------------------------------------------------------------------ one run
STATE = {}
BASES = ["pass-guest-0.4-v4", "pass-guest-0.5.5-v4", "pass-guest-0.5.5-v5-td15", "pass-guest-0.6.0-v4", "pass-guest-0.5.1-v5-td10"]
FITTING = {"gpu-boot": ["pass-guest-0.6.0-v4"], "provenance": ["pass-guest-0.5.5-v4"]}


def machine_of(corpus, rng, bases):
    name = rng.choice(bases)
    if name not in STATE:
        cases = STATE.setdefault("cases", {each["name"]: each for each in json.loads((corpus / "corpus.json").read_text())["cases"]})
        case = cases[name]
        STATE[name] = machine.Machine(json.loads((corpus / case["bundle"]).read_text())), case["arguments"]
    return STATE[name]


def made_by(corpus, seed, number, only):
    rng = random.Random(f"{seed}/{number}")
    kind = rng.choice(only) if only else rng.choices(list(KINDS), [3, 2, 3, 6, 2, 4, 2, 4, 2, 4, 2, 1])[0]
    if kind in fuzz_contracts.KINDS:
        return kind, *fuzz_contracts.made(corpus, rng, kind)
    signer, arguments = machine_of(corpus, rng, FITTING.get(kind, BASES))
    arguments = list(arguments)
    made = machine.Deployment(signer)
    KINDS[kind](rng, made, arguments)
    bundle = made.bundle()
    if hasattr(made, "stripped"):
        events = json.loads(bundle["attestation"]["event_log"])
        for event in events:
            if event["imr"] == 3:
                event["digest"] = ""
        bundle["attestation"]["event_log"] = events
    if kind == "bodies":
        bundle = reformed(rng, bundle)
    text = json.dumps(bundle)
    data = edited(rng, text, made.edits) if kind == "bytes" else text.encode()
    return kind, data, arguments, signer.root_pem(), made.files


def one(task):
    corpus, program, seed, number, only, keep = task
    kind, data, arguments, root, files = made_by(corpus, seed, number, only)
    try:
        result = appraisal.appraise(data, arguments, root, files)
    except NotImplementedHere as error:
        return kind, f"not implemented: {error}", [], None
    except Conflict as error:
        result, conflict = None, f"CONFLICT {error}"
    except Exception as error:  # noqa: BLE001
        result, conflict = None, f"FAULT {type(error).__name__}: {error}"
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "bundle.json").write_bytes(data)
        (folder / "root.pem").write_bytes(root)
        for name, content in files.items():
            (folder / name).write_bytes(content)
        report = compare.run_program(program, folder, {"bundle": "bundle.json", "arguments": arguments}, folder / "root.pem", folder)
    differences = [conflict] if result is None else list(compare.by_program(report, result, with_reasons=False))
    verdicts = (result.verdict if result else None, report["verdict"])
    if differences and keep:
        keep.mkdir(parents=True, exist_ok=True)
        (keep / f"{number}.json").write_bytes(data)
        (keep / f"{number}.pem").write_bytes(root)
        for name, content in files.items():
            (keep / f"{number}.{name}").write_bytes(content)
        (keep / f"{number}.txt").write_text(
            f"{kind}\n" + "\n".join(differences) + f"\nreplay {number}.json --insecure-trust-root {number}.pem " + " ".join(
                each.replace(name, f"{number}.{name}") for each in arguments for name in [next((file for file in files if file in each), "\0")]) + "\n")
    return kind, None, differences, verdicts


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=pathlib.Path)
    parser.add_argument("--program", required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--runs", type=int)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--kind", type=lambda text: text.split(","), metavar="NAME,…", help=", ".join(KINDS))
    parser.add_argument("--strict", action="store_true")
    parser.add_argument("--keep", type=pathlib.Path)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()

    began, counted, kinds, verdicts, opposite = time.monotonic(), collections.Counter(), collections.Counter(), collections.Counter(), []
    accepted = tomllib.loads((compare.HERE / "accepted.toml").read_text()).get("fuzz", [])
    number, batch = options.first, 64
    with concurrent.futures.ProcessPoolExecutor(options.jobs) as pool:
        while (time.monotonic() - began < options.seconds) if options.runs is None else number < options.first + options.runs:
            tasks = [(options.corpus, options.program, options.seed, at, options.kind, options.keep) for at in range(number, min(number + batch, options.first + options.runs if options.runs else number + batch))]
            for task, (kind, none, differences, both) in zip(tasks, pool.map(one, tasks, chunksize=4)):
                kinds[kind] += 1
                if none:
                    counted[none] += 1
                    continue
                if both:
                    verdicts[both] += 1
                row = next((row for row in accepted if any(row["difference"] in f"{kind}: {each}" for each in differences)), None)
                if row:
                    counted[f"accepted: {row['difference']}"] += 1
                    continue
                for each in differences:
                    counted[f"{kind}: {each}"] += 1
                if differences and (options.strict or (both[0] == "pass") != (both[1] == "pass")):
                    opposite.append(task[3])
                    print(f"{'DISAGREES' if options.strict else 'PASS AND NOT PASS'}, run {task[3]}: {kind}: {differences}", flush=True)
            number += batch
    for text, count in counted.most_common():
        print(f"{count:6} {text}")
    print(f"seed {options.seed}, {sum(kinds.values())} runs {dict(kinds)}; verdicts (here, program) {dict(verdicts)}; "
          f"{len(opposite)} disagree; {time.monotonic() - began:.0f} s")
    sys.exit(1 if opposite else 0)


if __name__ == "__main__":
    main()
