"""Killed at any system call that changes a file, no command leaves an older result, or half of one."""

import json
import re
import shutil
import subprocess

import pytest

from test_stale import STRACE, killing

# By which a file is filled and takes the place of another.
CALLS = ["write", "fsync", "rename,renameat,renameat2"]


def verdict(path) -> str:
    """What a file of results says; nothing where there is none."""
    if not path.exists():
        return ""
    text = path.read_text()
    if path.suffix == ".json":
        return json.loads(text)["verdict"]
    if path.suffix == ".env":
        return re.search(r"^CVM_VERIFY_RESULT_VERDICT=(.*)$", text, re.MULTILINE)[1]
    return "pass" if not re.search(r"<(failure|error)\b", text) else "not pass"


@pytest.fixture
def commands(workspace, program, machine):
    """Each command with files of results: how it passes, and how the same one does not."""
    folder = workspace.folder / "results"
    honest, lying = machine().inputs(), machine("broken-signature").inputs()
    trust = honest["extra-args"].split()
    expect = [f"--{name}={honest[name]}" for name in ("compose-hash", "app-id", "key-provider", "os-image")]
    files = ["--report-json", folder / "report.json", "--junit", folder / "junit.xml", "--dotenv", folder / "result.env"]

    def verify(inputs, *more):
        return [program, "verify", inputs["url"], *trust, *expect, "--pccs-url", inputs["pccs-url"], "--no-cache", *more]

    kept = workspace.folder / "kept"
    kept.mkdir()
    for name, inputs in (("good", honest), ("bad", lying)):
        more = ["--evidence", kept / f"{name}.evidence.json", "--report-json", kept / f"{name}.json"]
        subprocess.run(verify(inputs, *more), capture_output=True)

    def replay(name):
        return [program, "replay", kept / f"{name}.evidence.json", *trust[1:], *expect, *files]

    def merge(name):
        return [program, "merge", kept / f"{name}.json", *files]

    return folder, {
        "verify": (verify(honest, *files), verify(lying, *files)),
        "replay": (replay("good"), replay("bad")),
        "merge": (merge("good"), merge("bad")),
    }


@pytest.mark.skipif(not STRACE, reason="needs strace")
@pytest.mark.parametrize("command", ["verify", "replay", "merge"])
def test_no_command_leaves_an_older_pass(workspace, commands, command):
    folder, known = commands
    passing, failing = known[command]
    folder.mkdir()
    done = subprocess.run(passing, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    names = ["report.json", "junit.xml", "result.env"]
    assert [verdict(folder / name) for name in names] == ["pass"] * 3
    kept = workspace.folder / "passed"
    shutil.copytree(folder, kept)
    for calls in CALLS:
        killed, replaced = 0, False
        for number in range(1, 1000):
            shutil.rmtree(folder)
            shutil.copytree(kept, folder)
            done = subprocess.run([*killing(workspace.folder / "trace", calls, number), *failing], capture_output=True, text=True, timeout=60)
            said = [verdict(folder / name) for name in names]
            if done.returncode != -9:
                break
            killed += 1
            # The files follow one another, at once, before anything is asked for: until then each is an older one.
            if "pass" not in said:
                replaced = True
            else:
                assert not replaced, f"{calls} {number}: an older pass came back: {said}"
        assert done.returncode == 1 and "pass" not in said, f"{calls} {number}: {done.returncode} {said} {done.stderr}"
        assert killed, calls


@pytest.mark.skipif(not STRACE, reason="needs strace")
def test_a_lock_is_the_old_one_or_the_new_one(workspace, program, machine):
    honest = machine().inputs()
    trust = honest["extra-args"].split()
    lock = workspace.folder / "cvm.lock"
    pin = [program, "pin", honest["url"], *trust, f"--pccs-url={honest['pccs-url']}", "--output", lock, "--accept-observed"]
    done = subprocess.run(pin, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    new = lock.read_text()
    old = "# An older one.\n" + new
    for calls in CALLS:
        for number in range(1, 1000):
            lock.write_text(old)
            done = subprocess.run([*killing(workspace.folder / "trace", calls, number), *pin], capture_output=True, text=True, timeout=60)
            assert lock.read_text() in (old, new), f"{calls} {number}"
            if done.returncode != -9:
                break
        assert done.returncode == 0, done.stderr
