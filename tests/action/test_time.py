"""What the action adds to the program's own time: told, not asserted."""

import os
import subprocess
import time
from pathlib import Path
from statistics import median

import yaml

ACTION = yaml.safe_load((Path(__file__).resolve().parents[2] / "action.yml").read_text())
INSTALL, VERIFY, _ = ACTION["runs"]["steps"]


def test_what_the_action_adds_is_told(workspace, program, machine, measured):
    workspace.release(program)
    inputs = machine().inputs()
    (workspace.folder / "temp").mkdir()
    (workspace.folder / "output").touch()
    runner = {
        "GITHUB_ACTION_PATH": str(workspace.action),
        "GITHUB_OUTPUT": str(workspace.folder / "output"),
        "GITHUB_STEP_SUMMARY": str(workspace.folder / "summary"),
        "RUNNER_TEMP": str(workspace.folder / "temp"),
        "RUNNER_OS": "Linux",
        "RUNNER_ARCH": {"x86_64": "X64", "aarch64": "ARM64"}[os.uname().machine],
    }

    def environment(step: dict) -> dict:
        given = {name: "" if "${{" in str(value) else str(value) for name, value in step["env"].items()}
        for name, value in inputs.items():
            variable = "CVM_VERIFY_" + name.replace("-", "_").upper()
            given |= {variable: value} if variable in given else {}
        return runner | given

    def seconds(command, env) -> float:
        start = time.monotonic()
        done = subprocess.run(command, env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return time.monotonic() - start

    def script(step: dict) -> list:
        return ["bash", "--noprofile", "--norc", "-p", "-euo", "pipefail", "-c", step["run"]]

    install = environment(INSTALL) | {"CVM_VERIFY_BINARY_PATH": str(program)}
    verify = environment(VERIFY) | {"PROGRAM": str(program)}
    direct = [program, "verify", *inputs["extra-args"].splitlines()]
    times = [(seconds(script(INSTALL), install), seconds(script(VERIFY), verify), seconds(direct, verify)) for _ in range(5)]
    installing, verifying, own = (median(each) * 1000 for each in zip(*times))
    measured.append(
        f"action: {installing:.0f} ms to check the binary ({program.stat().st_size / 1e6:.0f} MB) + {verifying:.0f} ms to verify, "
        f"of which the program itself {own:.0f} ms: the action adds {installing + verifying - own:.0f} ms"
    )
