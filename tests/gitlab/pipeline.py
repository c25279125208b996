"""A project that includes the template, run by gitlab-ci-local on this host, and what came of it."""

import hashlib
import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
RUNNER = Path(os.environ.get("CVM_VERIFY_TEST_TOOLS", "")) / "node_modules" / ".bin" / "gitlab-ci-local"
JOB = "verify-cvm"


@dataclass
class Run:
    """What came of the job."""

    exit_code: int
    log: str
    results: Path

    def result(self) -> dict:
        """The variables that later jobs get."""
        lines = (self.results / "result.env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)


def git(folder: Path, *arguments) -> str:
    settings = ("-c", "user.name=Test", "-c", "user.email=test@app.test", "-c", "init.defaultBranch=main")
    done = subprocess.run(["git", *settings, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


class Project:
    def __init__(self, folder: Path):
        self.folder = folder
        self.root = folder / "project"
        self.root.mkdir()
        # The tree of cvm-verify as far as it is needed, in a folder of the project.
        self.tree = self.root / "tools"
        for name in ("scripts", "dist", "templates"):
            shutil.copytree(REPOSITORY / name, self.tree / name)
        git(self.root, "init", "--quiet")
        git(self.root, "remote", "add", "origin", "git@gitlab.test:group/project.git")

    def release(self, program: Path, **changed):
        """Makes the manifest name this program, written as a release writes it."""
        content = program.read_bytes()
        entry = {"os": "linux", "arch": os.uname().machine, "file": "cvm-verify-0.1.0-linux", "size": len(content)}
        entry |= {"sha256": hashlib.sha256(content).hexdigest()} | changed
        line = json.dumps(entry, separators=(",", ":"))
        (self.tree / "dist" / "manifest.json").write_text(
            '{\n  "version": "0.1.0",\n  "tag": "v0.1.0",\n  "base_url": "https://releases.test/v0.1.0",\n'
            f'  "binaries": [\n    {line}\n  ]\n}}\n'
        )

    def commit_of_tree(self) -> tuple[str, str]:
        """The tree as a repository of its own: where it is, and its commit."""
        own = self.folder / "upstream"
        shutil.copytree(self.tree, own)
        git(own, "init", "--quiet")
        git(own, "add", ".")
        git(own, "commit", "--quiet", "-m", "Commit B")
        return own.as_uri(), git(own, "rev-parse", "HEAD")

    def run(self, inputs: dict, variables=None, environment=None) -> Run:
        """Runs the job. `variables` are the project's, as in GitLab's settings."""
        include = {"local": "/tools/templates/cvm-verify.yml", "inputs": inputs}
        (self.root / ".gitlab-ci.yml").write_text(yaml.safe_dump({"include": [include]}, sort_keys=False))
        git(self.root, "add", ".")
        git(self.root, "commit", "--quiet", "--allow-empty", "-m", "Release")
        results = self.root / "cvm-verify-results"
        shutil.rmtree(results, ignore_errors=True)
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        # GitLab's schema takes half of the runner's time: test_static.py has the template validated once.
        command = [RUNNER, "--force-shell-executor", "--no-color", "--no-json-schema-validation", "--home", home]
        command += ["--variable", "CI_PIPELINE_SOURCE=schedule"]
        for name, value in (variables or {}).items():
            command += ["--variable", f"{name}={value}"]
        environment = {"PATH": os.environ["PATH"], "HOME": str(home)} | (environment or {})
        done = subprocess.run(
            [*command, JOB], cwd=self.root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120
        )
        # The runner itself ends with 1 whatever the job ended with, and says that in its log.
        failed = re.search(rf"^{JOB} finished in .* FAIL (\d+)", done.stdout, re.MULTILINE)
        if (done.returncode == 0) == bool(failed):
            raise RuntimeError(done.stdout)
        return Run(int(failed[1]) if failed else 0, done.stdout, results)
