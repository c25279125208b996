"""What the tests of the action share: a workspace that act runs, programs to be run, a simulated machine."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from act import Workspace
from machine import Machine

REPOSITORY = Path(__file__).resolve().parents[2]
TARGET = Path(os.environ.get("CVM_VERIFY_TEST_TARGET", REPOSITORY / "target" / "debug"))
MEASURED: list[str] = []


@pytest.fixture(scope="session")
def program(tmp_path_factory) -> Path:
    """The real program, without its debug information: the action copies it in every test."""
    path = tmp_path_factory.mktemp("program") / "cvm-verify"
    if subprocess.run(["strip", "-o", path, TARGET / "cvm-verify"], stderr=subprocess.DEVNULL).returncode:
        shutil.copy2(TARGET / "cvm-verify", path)
    return path


@pytest.fixture(scope="session")
def options(program) -> str:
    return subprocess.run([program, "verify", "--help"], capture_output=True, text=True, check=True).stdout


@pytest.fixture
def workspace(tmp_path):
    """A user's workspace with the action in its folder `action`."""
    workspace = Workspace(tmp_path, REPOSITORY)
    yield workspace
    workspace.clean()


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


@pytest.fixture(scope="session")
def measured():
    """Times, told at the end and never asserted."""
    return MEASURED


def pytest_terminal_summary(terminalreporter):
    if MEASURED:
        terminalreporter.section("measured")
        for line in MEASURED:
            terminalreporter.line(line)
