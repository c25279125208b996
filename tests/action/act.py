"""Runs a workflow with the action in it under act, on this host, and says what came of it."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import yaml

ACT = Path(sys.executable).parent / "act"


@dataclass
class Run:
    """What came of a job."""

    green: bool
    outcome: str
    outputs: dict
    log: str
    steps: dict = field(default_factory=dict)

    def said(self, step: str) -> str:
        """What a step printed, by its id. act loses the last lines now and then: see `Workspace.hears`."""
        return "".join(self.steps.get(step, []))


class Workspace:
    def __init__(self, folder: Path, repository: Path):
        self.folder = folder
        self.root = folder / "work"
        self.action = self.root / "action"
        self.action.mkdir(parents=True)
        for name in ("action.yml", "scripts", "dist"):
            source = repository / name
            (shutil.copytree if source.is_dir() else shutil.copy2)(source, self.action / name)
        subprocess.run(["git", "init", "--quiet", self.root], check=True)
        self.cache = folder / "cache"
        self.home = folder / "home"
        self.home.mkdir()
        self.record = folder / "record"
        self.record.mkdir()

    def write(self, name: str, text: str, mode: int = 0o755) -> Path:
        """A file that is none of the workspace's."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)
        return path

    def release(self, program: Path, base_url="https://releases.test/v0.1.0", **changed) -> Path:
        """Makes the action's manifest name this program as its binary for Linux, written as a release writes it."""
        content = program.read_bytes()
        entry = {
            "os": "linux",
            "arch": {"x86_64": "x86_64", "aarch64": "aarch64"}[os.uname().machine],
            "file": "cvm-verify-0.1.0-linux",
            "size": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
        } | changed
        other = entry | {"os": "windows", "file": "cvm-verify-0.1.0-windows.exe", "sha256": "0" * 64}
        lines = ",\n".join("    " + json.dumps(each, separators=(",", ":")) for each in (entry, other))
        (self.action / "dist" / "manifest.json").write_text(
            f'{{\n  "version": "0.1.0",\n  "tag": "v0.1.0",\n  "base_url": "{base_url}",\n  "binaries": [\n{lines}\n  ]\n}}\n'
        )
        return program

    def recorder(self, then: str = "echo verdict=pass >>$GITHUB_OUTPUT; echo exit-code=0 >>$GITHUB_OUTPUT") -> Path:
        """A program that records the environment and arguments that it was started with. The manifest names it."""
        script = f"#!/bin/bash\ncd '{self.record}'\ncat /proc/$$/environ >environment\nprintf '%s\\0' \"$@\" >arguments\n{then}\n"
        return self.release(self.write("recorder", script))

    def recorded(self, what: str) -> list[str]:
        return (self.record / what).read_text().split("\0")[:-1]

    def ran(self) -> bool:
        return (self.record / "environment").exists()

    def environment(self) -> dict:
        return dict(each.split("=", 1) for each in self.recorded("environment"))

    def start(self, inputs: dict, before=(), secrets=None, verbose=False, uses="./action") -> subprocess.Popen:
        """Starts a job: steps of the test's own, the action, and a step that keeps its outputs."""
        result = self.folder / "result.json"
        steps = [{"uses": "actions/checkout@v4"}, *before]
        steps.append({"name": "subject", "id": "subject", "uses": uses, "with": inputs})
        keep = {"OUTPUTS": "${{ toJSON(steps.subject.outputs) }}", "OUTCOME": "${{ steps.subject.outcome }}"}
        keep["RESULT"] = str(result)
        steps.append(
            {
                "name": "keep",
                "if": "always()",
                "env": keep,
                "shell": "bash -p {0}",
                "run": 'printf \'{"outcome": "%s", "outputs": %s}\' "$OUTCOME" "$OUTPUTS" >"$RESULT"',
            }
        )
        workflow = {"on": "push", "permissions": {}, "jobs": {"job": {"runs-on": "ubuntu-latest", "steps": steps}}}
        path = self.folder / "workflow.yml"
        path.write_text(yaml.safe_dump(workflow, sort_keys=False, allow_unicode=True))
        command = [ACT, "push", "--json", "-W", path, "-P", "ubuntu-latest=-self-hosted", "--no-cache-server"]
        command += ["--verbose"] if verbose else []
        for name, value in (secrets or {}).items():
            command += ["-s", f"{name}={value}"]
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.home), "XDG_CACHE_HOME": str(self.cache)}
        return subprocess.Popen(
            command, cwd=self.root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def finish(self, process: subprocess.Popen, timeout: float = 120) -> Run:
        log, _ = process.communicate(timeout=timeout)
        run = Run(process.returncode == 0, "", {}, log)
        for line in log.splitlines():
            try:
                record = json.loads(line)
            except ValueError:
                continue
            step = "/".join(record.get("stepID") or [])
            run.steps.setdefault(step, []).append(record.get("msg", "") + "\n")
        result = self.folder / "result.json"
        if result.exists():
            kept = json.loads(result.read_text())
            run.outcome, run.outputs = kept["outcome"], kept["outputs"]
        return run

    def run(self, inputs: dict, **how) -> Run:
        self.again = lambda: self.finish(self.start(inputs, **how))
        return self.again()

    def hears(self, run: Run, step: str, pattern: str):
        """Whether a step prints this. act loses the last lines now and then, so the job runs again: what a test does to the
        machine, it undoes after this."""
        for _ in range(5):
            if re.search(pattern, run.said(step)):
                return
            run = self.again()
        raise AssertionError(f"{step} did not print {pattern}\n{run.log}")

    def clean(self):
        shutil.rmtree(self.cache, ignore_errors=True)
