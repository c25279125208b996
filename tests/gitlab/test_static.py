"""What tools find wrong with the template and its scripts without running them: nothing."""

import subprocess
import sys
from pathlib import Path

from pipeline import REPOSITORY

TOOLS = Path(sys.executable).parent


def clean(tool, *arguments):
    done = subprocess.run([TOOLS / tool, *arguments], cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_yamllint_finds_nothing():
    rules = "{extends: default, rules: {document-start: disable, line-length: {max: 130}, braces: {max-spaces-inside: 1}}}"
    clean("yamllint", "--strict", "--config-data", rules, "templates/cvm-verify.yml")


def test_the_schema_of_gitlab_holds(tmp_path):
    """The part behind the header, which is a file of its own to the schema."""
    content = tmp_path / "content.yml"
    content.write_text((REPOSITORY / "templates" / "cvm-verify.yml").read_text().split("\n---\n", 1)[1])
    clean("check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci", content)


def test_shellcheck_finds_nothing():
    clean("shellcheck", *sorted((REPOSITORY / "scripts" / "gitlab").iterdir()), "scripts/pictures/make", "tests/gitlab/run")
