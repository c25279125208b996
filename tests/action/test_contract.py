"""action.yml agrees with itself, with the program and with the documentation, and is as plain as it promises."""

import json
import re
import subprocess
from pathlib import Path

import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
ACTION = yaml.safe_load((REPOSITORY / "action.yml").read_text())
STEPS = {step.get("id", "last"): step for step in ACTION["runs"]["steps"]}
VERIFY = STEPS["verify"]["env"]
# Inputs that are no options of the program, because the scripts read them or because they are secrets.
OF_THE_SCRIPTS = {"install", "binary-path", "mirror", "extra-args", "mode", "channel-secrets"}
OF_THE_INSTALLATION = {"install", "binary-path", "mirror"}
# The installation also looks at these: it presets the files of an earlier run.
OF_BOTH = {"mode", "output-dir", "report"}
SECRETS = {
    *("slack-webhook-url", "discord-webhook-url", "teams-webhook-url", "pagerduty-routing-key", "github-token"),
    *("webhook-url", "webhook-secret", "heartbeat-url"),
}
# Options of the program that may hold a secret.
SECRET_OPTIONS = {"rpc-url"}
# Tokens that belong to no channel.
TOKENS = {"source-token", "registry-credentials"}
OF_THE_ENVIRONMENT_ALONE = SECRETS | TOKENS | {"pagerduty-url"}
OUTPUTS = (
    "simulated verdict assurance exit-code failed-checks accepted report-json summary-path junit-path evidence-path statement-path predicate-path "
    "subject-digest statements tcb-status app-id compose-hash alert-status version"
).split()
DOCS = [REPOSITORY / "README.md", *(REPOSITORY / "docs").glob("*.md")]


def variable(name: str) -> str:
    return "CVM_VERIFY_" + name.replace("-", "_").upper()


def test_every_input_reaches_its_steps_under_its_own_name():
    for name in ACTION["inputs"]:
        at = [step for step in STEPS.values() if variable(name) in step.get("env", {})]
        assert all(step["env"][variable(name)] == "${{ inputs.%s }}" % name for step in at), name
        expected = ["install", "verify"] if name in OF_BOTH else ["install"] if name in OF_THE_INSTALLATION else ["verify"]
        assert [step["id"] for step in at] == expected, name


def test_the_program_is_given_nothing_but_inputs():
    given = {name for name in VERIFY if name.startswith("CVM_VERIFY_")} - {"CVM_VERIFY_GITHUB"}
    assert given == {variable(name) for name in ACTION["inputs"]} - {variable(n) for n in OF_THE_INSTALLATION}
    assert VERIFY["CVM_VERIFY_GITHUB"] == "true"


def test_the_program_inherits_every_variable_of_github_that_it_reads():
    source = (REPOSITORY / "src" / "env" / "mod.rs").read_text()
    read = set(re.findall(r'"(GITHUB_[A-Z_]+)"', re.search(r"CI_VARIABLES.*?= \[(.*?)\];", source, re.DOTALL)[1]))
    assert read and read <= set(VERIFY["INHERITED"].split())


def test_no_other_step_sees_a_secret():
    for name, step in STEPS.items():
        if name != "verify":
            values = " ".join(str(value) for value in step.get("env", {}).values())
            assert not re.search(r"webhook|heartbeat|routing|token|channel", values), name


def test_every_secret_is_masked():
    masked = set(re.findall(r"inputs\.([a-z-]+)", VERIFY["SECRETS"]))
    assert masked == SECRETS | SECRET_OPTIONS | TOKENS
    assert {n for n, i in ACTION["inputs"].items() if "Pass a secret" in i["description"]} == masked
    # Its lines are masked one by one, without their names.
    assert {n for n, i in ACTION["inputs"].items() if "Pass secrets" in i["description"]} == {"channel-secrets"}


def test_every_input_is_an_option_of_the_program(options):
    long = set(re.findall(r"^\s+(?:-\w, )?--([a-z-]+)", options, re.MULTILINE)) | {"url", "report"}
    assert set(ACTION["inputs"]) - OF_THE_SCRIPTS - OF_THE_ENVIRONMENT_ALONE <= long
    assert "github" in long


def test_the_secrets_are_variables_of_the_program():
    source = "".join(path.read_text() for path in (REPOSITORY / "src").rglob("*.rs"))
    for name in OF_THE_ENVIRONMENT_ALONE:
        assert variable(name) in source, name


def test_every_input_and_output_is_described():
    for name, each in (ACTION["inputs"] | ACTION["outputs"]).items():
        assert len(each["description"]) > 20, name


def test_no_input_is_required_and_only_install_and_the_channels_have_a_default():
    # `url`, or the policy file that `config` or the working folder holds: the program says so where there is neither.
    assert [n for n, i in ACTION["inputs"].items() if i.get("required")] == []
    # A channel's default is no value: it tells an input that is not given from one whose secret is misspelt, and so empty.
    defaults = {n: i["default"] for n, i in ACTION["inputs"].items() if "default" in i}
    assert defaults == {"install": "auto"} | dict.fromkeys(SECRETS, "(not given)")
    assert (REPOSITORY / "scripts" / "verify.sh").read_text().count("'(not given)'") == 2


def test_outputs_are_those_of_the_step_that_exists():
    assert list(ACTION["outputs"]) == OUTPUTS
    for name, output in ACTION["outputs"].items():
        early = r"( \|\| steps\.install\.outputs\.exit-code)?" if name == "exit-code" else ""
        form = r"\$\{\{ steps\.verify\.outputs\.%s%s( \|\| '(inconclusive|none|3)')? \}\}" % (name, early)
        assert re.fullmatch(form, output["value"])


def test_the_program_writes_every_output(machine, program, tmp_path):
    inputs = machine().inputs()
    environment = {variable(n): v for n, v in inputs.items() if n != "extra-args"}
    environment |= {"CVM_VERIFY_GITHUB": "true", "CVM_VERIFY_OUTPUT_DIR": str(tmp_path / "out")}
    environment |= {"GITHUB_OUTPUT": str(tmp_path / "output"), "GITHUB_STEP_SUMMARY": str(tmp_path / "summary")}
    environment |= {"GITHUB_ACTIONS": "true"}
    (tmp_path / "output").touch()
    arguments = inputs["extra-args"].splitlines()
    done = subprocess.run([program, "verify", *arguments], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    text = (tmp_path / "output").read_text()
    assert set(re.findall(r"^([a-z-]+)(?:=|<<)", text, re.MULTILINE)) == set(OUTPUTS)


def test_the_documentation_names_every_input_and_output():
    words = "\n".join(path.read_text() for path in DOCS)
    assert [n for n in (*ACTION["inputs"], *ACTION["outputs"]) if f"`{n}`" not in words] == []


def test_every_word_of_the_alert_status_is_described():
    """The renderer's own test holds the same words against what it writes."""
    source = (REPOSITORY / "src" / "render" / "outputs.rs").read_text()
    words = re.findall(r'"([a-z]+)"', re.search(r"ALERT_STATUSES.*?= \[(.*?)\];", source, re.DOTALL)[1])
    assert len(words) == 5
    assert re.findall(r"`([a-z]+)`", ACTION["outputs"]["alert-status"]["description"]) == words


def test_no_expression_stands_in_a_script_and_no_other_action_is_used():
    for step in ACTION["runs"]["steps"]:
        assert "${{" not in step["run"]
        assert "uses" not in step
        assert step["run"].count("\n") == 0


def test_every_step_starts_bash_clean():
    for step in ACTION["runs"]["steps"]:
        assert step["shell"] == "bash --noprofile --norc -p -euo pipefail {0}"
        assert {"LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT"} <= set(step["env"])


SOURCED = {"scripts/outcome.sh", "scripts/preset.sh"}


def scripts() -> dict[str, list[str]]:
    """The lines of the scripts that the action calls, without comments and empty ones."""
    called = {n for step in ACTION["runs"]["steps"] for n in re.findall(r"scripts/[a-z.-]+", step["run"])}
    for name in sorted(called):
        called |= set(re.findall(r'^source "\$GITHUB_ACTION_PATH/(scripts/[a-z.-]+)"', (REPOSITORY / name).read_text(), re.MULTILINE))
    return {
        name: [line for line in (REPOSITORY / name).read_text().splitlines() if re.match(r"\s*[^\s#]", line)] for name in called
    }


def test_the_marketplace_takes_the_description():
    """Fewer than 125 characters; it is validated at the tag, where nothing can be mended any more."""
    assert 0 < len(ACTION["description"].strip()) < 125 and "\n" not in ACTION["description"].strip()
    assert len(ACTION["name"]) <= 50 and ACTION["branding"]["icon"] and ACTION["branding"]["color"]


def test_the_shell_of_the_action_can_be_read_in_one_sitting():
    assert sum(map(len, scripts().values())) <= 180


def test_every_script_begins_with_the_path_and_strictness():
    for name, lines in scripts().items():
        if name in SOURCED:
            assert lines[0] != lines[-1] and not re.search(r"\b(jq|wget|eval)\b", "\n".join(lines)), name
            continue
        assert "export MSYS2_ARG_CONV_EXCL='*' MSYS2_ENV_CONV_EXCL='*'" in lines, name
        assert re.match(r"PATH=(/[a-z0-9/]+:?)+; set -euo pipefail", lines[0]), name
        assert not re.search(r"\b(jq|wget|eval)\b", "\n".join(lines)), name


def test_the_manifest_is_json_with_one_binary_a_line():
    text = (REPOSITORY / "dist" / "manifest.json").read_text()
    binaries = json.loads(text)["binaries"]
    assert len(re.findall(r'^ *\{"os":.*\},?$', text, re.MULTILINE)) == len(binaries)


def test_the_manifest_is_of_the_version_in_the_tree():
    version = re.search(r'^version = "(.*)"', (REPOSITORY / "Cargo.toml").read_text(), re.MULTILINE)[1]
    assert json.loads((REPOSITORY / "dist" / "manifest.json").read_text())["version"] == version
