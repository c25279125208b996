"""What these tests share: a project with the template, a simulated machine, a stand-in for GitLab's API."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from machine import Machine
from notes import GitLab
from pipeline import REPOSITORY, Project

TARGET = Path(os.environ.get("CVM_VERIFY_TEST_TARGET", REPOSITORY / "target" / "debug"))


@pytest.fixture(scope="session")
def program(tmp_path_factory) -> Path:
    """The real program, without its debug information: every test copies it."""
    path = tmp_path_factory.mktemp("program") / "cvm-verify"
    if subprocess.run(["strip", "-o", path, TARGET / "cvm-verify"], stderr=subprocess.DEVNULL).returncode:
        shutil.copy2(TARGET / "cvm-verify", path)
    return path


@pytest.fixture
def project(tmp_path, program):
    """A project whose copy of the tree names the real program."""
    project = Project(tmp_path)
    project.release(program)
    return project


@pytest.fixture(scope="session")
def machine(tmp_path_factory):
    """Starts simulated machines, one per lie."""
    running: dict[str, Machine] = {}

    def start(lie: str = "none") -> Machine:
        if lie not in running:
            running[lie] = Machine(TARGET / "simulator", lie, tmp_path_factory.mktemp("machine"))
        return running[lie]

    yield start
    for each in running.values():
        each.stop()


@pytest.fixture
def inputs(machine, program):
    """Inputs with which an honest machine passes; for a lying one, what the honest one would be expected to be."""

    def of(lie: str = "none", **changed) -> dict:
        honest, here = machine().facts, machine(lie).facts
        arguments = ["--allow-private-network", "--insecure-trust-root", here["root-ca"], "--pccs-url", here["pccs"]]
        arguments += ["--os-image", "unchecked", "--key-provider", honest["key-provider"]]
        given = {
            "tree": "tools",
            "binary-path": str(program),
            "url": here["app"],
            "compose-hash": honest["compose-hash"],
            "extra-args": " ".join(arguments),
        } | {name.replace("_", "-"): value for name, value in changed.items()}
        return {name: value for name, value in given.items() if value is not None}

    return of


@pytest.fixture
def gitlab(request):
    """Parametrised indirectly with True, it escapes `<` and `>` in JSON."""
    gitlab = GitLab(escapes=getattr(request, "param", False))
    yield gitlab
    gitlab.stop()
