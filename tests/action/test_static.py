"""What tools find wrong with the action without running it: nothing."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
TOOLS = Path(sys.executable).parent
WORKFLOWS = sorted(REPOSITORY.glob(".github/workflows/*.y*ml"))
# Workflows; what runs `watch` elsewhere stands in a folder of its own, and tests/watch looks at it.
EXAMPLES = sorted(REPOSITORY.glob("examples/*.y*ml"))

# Every script in bash or sh, but those of tests/gitlab, which look at their own.
FILES = (path for each in ("scripts", "tests", ".ci") for path in sorted((REPOSITORY / each).rglob("*")))
SCRIPTS = [REPOSITORY / "install.sh", *(path for path in FILES if path.is_file() and path.suffix != ".py")]
SCRIPTS = [path for path in SCRIPTS if re.match(rb"#!.*\b(bash|sh)\n|# shellcheck shell=", path.read_bytes()[:60])]


def clean(tool, *arguments):
    done = subprocess.run([TOOLS / tool, *arguments], cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_zizmor_finds_nothing():
    clean("zizmor", "--offline", "--persona", "pedantic", "action.yml", *WORKFLOWS)


def test_the_schema_of_actions_holds():
    clean("check-jsonschema", "--builtin-schema", "vendor.github-actions", "action.yml")


def test_shellcheck_finds_nothing():
    clean("shellcheck", "-x", *SCRIPTS)


def test_actionlint_finds_nothing():
    assert WORKFLOWS
    clean("actionlint", "-shellcheck", TOOLS / "shellcheck", *WORKFLOWS)


def test_actionlint_finds_nothing_in_the_examples():
    assert EXAMPLES
    clean("actionlint", "-shellcheck", TOOLS / "shellcheck", *EXAMPLES)
