"""What tools find wrong with the template and its scripts without running them: nothing."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from pipeline import REPOSITORY

TOOLS = Path(sys.executable).parent
TEMPLATE = (REPOSITORY / "templates" / "cvm-verify.yml").read_text()
PAGE = (REPOSITORY / "docs" / "gitlab.md").read_text()
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def clean(tool, *arguments):
    done = subprocess.run([TOOLS / tool, *arguments], cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_yamllint_finds_nothing():
    rules = "{extends: default, rules: {document-start: disable, line-length: {max: 130}, braces: {max-spaces-inside: 1}}}"
    clean("yamllint", "--strict", "--config-data", rules, "templates/cvm-verify.yml")


def test_the_schema_of_gitlab_holds(tmp_path):
    """The part behind the header, which is a file of its own to the schema."""
    content = tmp_path / "content.yml"
    content.write_text(TEMPLATE.split("\n---\n", 1)[1])
    clean("check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci", content)


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_schema_of_gitlab_holds_for_the_examples(tmp_path, example):
    content = tmp_path / "example.yml"
    # What overrides a part of an included job is no whole job to the schema.
    whole = yaml.safe_load(example)
    for name, job in whole.items():
        if name not in ("include", "stages"):
            whole[name] = {"script": "true"} | job
    content.write_text(yaml.safe_dump(whole))
    clean("check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", content)


def test_the_page_names_every_input_with_its_default_and_no_other():
    told = {}
    for names, default in re.findall(r"^\| (`[^|]*`) \|[^|]*\|([^|]*)\|$", PAGE.split("## Inputs")[1].split("\n## ")[0], re.MULTILINE):
        defaults = re.findall("`([^`]*)`", default)
        names = re.findall("`([^`]*)`", names)
        told |= dict(zip(names, defaults or [""] * len(names)))
    inputs = next(yaml.safe_load_all(TEMPLATE))["spec"]["inputs"]
    assert told == {name: said["default"] for name, said in inputs.items()}


def test_the_examples_use_inputs_that_exist():
    inputs = next(yaml.safe_load_all(TEMPLATE))["spec"]["inputs"]
    [include] = yaml.safe_load(EXAMPLES[0])["include"]
    assert set(include["inputs"]) <= set(inputs)


def test_shellcheck_finds_nothing():
    clean("shellcheck", *sorted((REPOSITORY / "scripts" / "gitlab").iterdir()), "scripts/pictures/make", "tests/gitlab/run")
