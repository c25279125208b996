"""A real `watch` over an honest, a lying and an unreachable target: its page for promtool, its log, and how it stops.

live.py BIN_FOLDER WORK_FOLDER PROMTOOL
"""

import json
import os
import queue
import resource
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

bin_folder, work, promtool = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]

# A hang would otherwise be one for ever; nothing else depends on it.
HANG = 120

# The table in docs/watch.md.
TYPES = {
    "at": str,
    "level": str,
    "event": str,
    "target": str,
    "verdict": str,
    "simulated": bool,
    "failed": list,
    "on_trust": list,
    "duration_ms": int,
    "message": str,
}


def simulator(name: str, *options: str) -> tuple[subprocess.Popen, dict[str, str]]:
    folder = work / name
    folder.mkdir()
    command = [bin_folder / "simulator", "--out", folder, "--stop-after", "600", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    facts: dict[str, str] = {}
    while "pccs" not in facts:
        line = process.stdout.readline()
        assert line, "the simulator ended"
        key, _, value = line.strip().partition(": ")
        facts[key] = value
    return process, facts


def lines_of(process: subprocess.Popen) -> queue.Queue:
    """Its lines, and an empty one behind the last."""
    lines: queue.Queue = queue.Queue()

    def read():
        for line in process.stdout:
            lines.put(line)
        lines.put("")

    threading.Thread(target=read, daemon=True).start()
    return lines


honest, facts = simulator("honest")
liar, lies = simulator("liar", "--lie", "swapped-image")
policy = work / "cvm-verify.toml"
policy.write_text(
    f"""[defaults]
interval = "10s"
compose-hash = "{facts['compose-hash']}"
key-provider = "{facts['key-provider']}"
os-image = "unchecked"
[[target]]
name = "honest"
url = "{facts['app']}"
[[target]]
name = "liar"
url = "{lies['app']}"
[[target]]
name = "gone"
url = "http://127.0.0.1:9"
"""
)
watch = subprocess.Popen(
    [bin_folder / "cvm-verify", "watch", "--config", policy, "--log-format", "json", "--listen", "127.0.0.1:0"]
    + ["--no-cache", "--state", work / "state.json", "--pccs-url", facts["pccs"], "--allow-private-network"]
    + ["--insecure-trust-root", work / "honest" / "root-ca.pem"],
    stdout=subprocess.PIPE,
    text=True,
    env={"CVM_VERIFY_WEBHOOK_URL": "http://127.0.0.1:9/hook"},
)
try:
    lines, entries, metrics = lines_of(watch), [], ""

    def until(event: str, **fields) -> dict:
        while True:
            line = lines.get(timeout=HANG)
            assert line, f"it ended before it said {event}"
            entry = json.loads(line)
            entries.append(entry)
            if entry["event"] == event and all(entry.get(key) == value for key, value in fields.items()):
                return entry

    address = until("listening")["message"].split()[0]
    missing = {"honest": "pass", "liar": "fail", "gone": "inconclusive"}
    while missing:
        found = until("verified")
        assert found["verdict"] == missing.pop(found["target"]), found
    # The alert about the target that cannot be reached is tried for some seconds; then its counter is on the page.
    until("alert")
    with urllib.request.urlopen(address, timeout=HANG) as page:
        metrics = page.read().decode()
    with urllib.request.urlopen(address.replace("/metrics", "/healthz"), timeout=HANG) as page:
        assert page.status == 200
    # A thousand connections that ask for nothing, or for half of something.
    resource.setrlimit(resource.RLIMIT_NOFILE, (2048, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    idle = []
    for number in range(1000):
        with suppress(OSError):
            idle.append(socket.create_connection((urlsplit(address).hostname, urlsplit(address).port), timeout=HANG))
            idle[-1].sendall(b"GET /healthz HT" if number % 2 else b"")
    assert len(idle) == 1000
    with urllib.request.urlopen(address.replace("/metrics", "/healthz"), timeout=HANG) as page:
        assert page.status == 200
    for each in idle:
        each.close()
    watch.send_signal(signal.SIGHUP)
    until("policy-read")
    watch.send_signal(signal.SIGTERM)
    until("stopping")
    while line := lines.get(timeout=HANG):
        entries.append(json.loads(line))
    assert watch.wait(HANG) == 0
finally:
    for process in (watch, honest, liar):
        process.kill()

for entry in entries:
    for key, value in entry.items():
        assert type(value) is TYPES[key], f"{key} in {entry}"
    assert {"at", "level", "event"} <= entry.keys(), entry
seen = set().union(*(entry.keys() for entry in entries))
assert seen == TYPES.keys(), TYPES.keys() - seen

checked = subprocess.run([promtool, "check", "metrics"], input=metrics, capture_output=True, text=True)
if checked.returncode != 0 or checked.stderr:
    sys.exit(f"promtool check metrics: {checked.stdout}{checked.stderr}\n{metrics}")
for sample in (
    'cvm_verify_target_verdict{target="honest",verdict="pass"} 1',
    'cvm_verify_target_verdict{target="liar",verdict="fail"} 1',
    'cvm_verify_target_verdict{target="gone",verdict="inconclusive"} 1',
    'cvm_verify_alerts_total{channel="webhook",delivered="false"} ',
    "cvm_verify_simulated 1",
):
    assert sample in metrics, f"{sample} is not in\n{metrics}"
print("a real watch: log, metrics, health, reload and stop are as the docs say")
