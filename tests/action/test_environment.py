"""T50, T55, T56, T59: what the program is given, whatever the inputs are and whatever an earlier step left behind."""

import re
from pathlib import Path

import pytest
import yaml

ACTION = yaml.safe_load((Path(__file__).resolve().parents[2] / "action.yml").read_text())
INPUTS = {name for name in ACTION["runs"]["steps"][1]["env"] if name.startswith("CVM_VERIFY_")}
# What the script itself reads.
INPUTS -= {"CVM_VERIFY_MODE"}
# Not set at all unless they are given.
CHANNELS = {f"CVM_VERIFY_{n.replace('-', '_').upper()}" for n, i in ACTION["inputs"].items() if i.get("default") == "(not given)"}
# act sets no GITHUB_WORKFLOW_REF.
RUNNER = "GITHUB_WORKSPACE GITHUB_ACTIONS GITHUB_OUTPUT GITHUB_STEP_SUMMARY GITHUB_SERVER_URL GITHUB_API_URL GITHUB_REPOSITORY GITHUB_EVENT_NAME GITHUB_RUN_ID GITHUB_RUN_ATTEMPT GITHUB_JOB RUNNER_TEMP MSYS2_ARG_CONV_EXCL MSYS2_ENV_CONV_EXCL".split()
SECRETS = {
    "slack-webhook-url": "https://hooks.test/services/T0/B0/slack5ecret",
    "webhook-url": "https://receiver.test/generic5ecret?a=%25b%0Ac",
    "webhook-secret": "first5ecretline\nsecond5ecretline\r\n  third5ecretline  ",
    "heartbeat-url": "https://ping.test/heartbeat5ecret",
}
HOSTILE = {
    "CVM_VERIFY_COMPOSE_HASH": "0" * 64,
    "CVM_VERIFY_OS_IMAGE": "unchecked",
    "CVM_VERIFY_FAIL_ON": "never",
    "CVM_VERIFY_REPORT_DATA_VALUE": "00",
    "CVM_VERIFY_ALLOW_PRIVATE_NETWORK": "true",
    "CVM_VERIFY_MIN_TCB_EVAL_DATA_NUMBER": "1",
    "CVM_VERIFY_REPORT_JSON": "/tmp/elsewhere",
    "SSL_CERT_FILE": "/evil/certificates",
    "SSL_CERT_DIR": "/evil",
    "HTTPS_PROXY": "http://127.0.0.1:1",
    "https_proxy": "http://127.0.0.1:1",
    "ALL_PROXY": "http://127.0.0.1:1",
    "GLIBC_TUNABLES": "glibc.malloc.check=1",
    "MALLOC_PERTURB_": "7",
    "RUST_BACKTRACE": "full",
    "RUST_LOG": "trace",
    "SSLKEYLOGFILE": "/tmp/keys",
    "TMPDIR": "/evil",
    "HOME": "/evil",
    "IFS": "/",
    "SECRETS": "x",
    "INHERITED": "SSL_CERT_FILE",
    "PROGRAM": "/bin/true",
    "SHELLOPTS": "xtrace",
    "PS4": "$(echo evil)",
    "BASHOPTS": "extdebug",
}


def poison(variables: dict) -> dict:
    lines = "".join(f"echo '{name}={value}' >>\"$GITHUB_ENV\"\n" for name, value in variables.items())
    return {"name": "poison", "run": lines}


def test_the_program_inherits_inputs_and_the_runners_files_alone(workspace):
    run = workspace.run({"url": "https://app.test", "binary-path": str(workspace.recorder())})
    assert run.green
    assert set(workspace.environment()) == INPUTS - CHANNELS | set(RUNNER)


def test_a_channel_that_is_given_and_empty_differs_from_one_that_is_not_given(workspace):
    """A secret whose name is misspelt is an empty input."""
    inputs = {"url": "https://app.test", "slack-webhook-url": "", "binary-path": str(workspace.recorder())}
    run = workspace.run(inputs)
    assert run.green and "not given" not in run.said("subject/verify")
    assert CHANNELS & set(workspace.environment()) == {"CVM_VERIFY_SLACK_WEBHOOK_URL"}
    assert workspace.environment()["CVM_VERIFY_SLACK_WEBHOOK_URL"] == ""


def test_what_an_earlier_step_wrote_to_the_environment_has_no_effect(workspace):
    inputs = {"url": "https://app.test", "binary-path": str(workspace.recorder())}
    run = workspace.run(inputs, before=[poison(HOSTILE)])
    assert run.green, run.log
    environment = workspace.environment()
    assert set(environment) == INPUTS - CHANNELS | set(RUNNER)
    given = {n: v for n, v in environment.items() if n.startswith("CVM_VERIFY_") and v and n != "CVM_VERIFY_OUTPUT_DIR"}
    assert given == {"CVM_VERIFY_URL": "https://app.test", "CVM_VERIFY_GITHUB": "true"}
    assert "evil" not in str(environment)


def test_bash_and_the_loader_take_nothing_from_the_environment(workspace):
    marker = workspace.folder / "sourced"
    startup = workspace.write("startup", f'echo "${{PROGRAM-}}${{CVM_VERIFY_INSTALL-}}." >>"{marker}"\n')
    hostile = {"BASH_ENV": startup, "ENV": startup, "LD_PRELOAD": "/evil/preload.so", "LD_AUDIT": "/evil/audit.so"}
    control = {"name": "control", "id": "control", "run": "bash -c true"}
    run = workspace.run(
        {"url": "https://app.test", "binary-path": str(workspace.recorder())}, before=[poison(hostile), control]
    )
    assert run.green
    # The attack works on a step that does nothing about it …
    workspace.hears(run, "control", "/evil/preload.so")
    assert marker.read_text().startswith(".")
    # … and not on the action's.
    assert "evil" not in run.said("subject/install") + run.said("subject/verify")
    assert set(marker.read_text().splitlines()) == {"."}
    assert not {"BASH_ENV", "ENV", "LD_PRELOAD", "LD_AUDIT"} & set(workspace.environment())


@pytest.mark.parametrize(
    "hostile",
    ['"; touch x #', "$(touch x)", "`touch x`", "'; touch x; '", "a\nb=c\n", "*", "-x", "${IFS}", "\\", "%0A::error::x", "ü € \u202e"],
)
def test_an_input_reaches_the_program_as_it_is(workspace, hostile):
    of_the_scripts = {"install", "binary-path", "mirror", "extra-args", "output-dir", "mode", "channel-secrets"}
    inputs = {n: hostile for n in ACTION["inputs"] if n not in of_the_scripts}
    run = workspace.run(inputs | {"binary-path": str(workspace.recorder())})
    assert run.green, run.log
    environment = workspace.environment()
    for name in inputs:
        assert environment["CVM_VERIFY_" + name.replace("-", "_").upper()] == hostile, name
    assert not list(workspace.folder.rglob("x"))


def test_extra_arguments_are_one_a_line_and_never_expanded(workspace):
    lines = ["--lock", "a file with spaces", "*", "$(touch x)", '"quoted"', "\\", "  indented", "~", "-n"]
    inputs = {"url": "https://app.test", "binary-path": str(workspace.recorder())}
    run = workspace.run(inputs | {"extra-args": "\n".join(lines) + "\n\n"})
    assert run.green
    assert workspace.recorded("arguments") == ["verify", *lines]


def test_extra_arguments_may_end_lines_as_windows_does(workspace):
    inputs = {"url": "https://app.test", "binary-path": str(workspace.recorder()), "extra-args": "--quiet\r\n--color\r\nnever\r\n"}
    assert workspace.run(inputs).green
    assert workspace.recorded("arguments") == ["verify", "--quiet", "--color", "never"]


def test_the_output_folder_is_a_new_one_unless_it_is_named(workspace):
    inputs = {"url": "https://app.test", "binary-path": str(workspace.recorder())}
    workspace.run(inputs)
    environment = workspace.environment()
    assert environment["CVM_VERIFY_OUTPUT_DIR"].startswith(environment["RUNNER_TEMP"] + "/cvm-verify.")
    workspace.run(inputs | {"output-dir": "my results"})
    assert workspace.environment()["CVM_VERIFY_OUTPUT_DIR"] == "my results"


def test_paths_of_several_lines_of_yaml_lose_their_line_end(workspace):
    inputs = {"url": "https://app.test", "binary-path": f"{workspace.recorder()}\n", "output-dir": "my results\r\n\n"}
    assert workspace.run(inputs).green
    assert workspace.environment()["CVM_VERIFY_OUTPUT_DIR"] == "my results"


OF_THE_POLICY = "CVM_VERIFY_SLACK_SHOP=https://hooks.test/a=b%41 5ecret\n\n  CVM_VERIFY_SHOP_KEY=key5ecret\nCVM_VERIFY_EMPTY=\n"


def test_channels_of_a_policy_file_reach_the_program_masked(workspace):
    leak = 'cat /proc/$$/environ | tr "\\0" "\\n"; sleep 0.3; echo verdict=pass >>$GITHUB_OUTPUT'
    inputs = {"config": "policy.toml", "channel-secrets": OF_THE_POLICY, "binary-path": str(workspace.recorder(leak))}
    run = workspace.run(inputs, verbose=True)
    assert run.green, run.log
    environment = workspace.environment()
    assert environment["CVM_VERIFY_SLACK_SHOP"] == "https://hooks.test/a=b%41 5ecret"
    assert environment["CVM_VERIFY_SHOP_KEY"] == "key5ecret" and environment["CVM_VERIFY_EMPTY"] == ""
    # The names alone: the program refuses those of its own options.
    assert environment["CVM_VERIFY_CHANNEL_SECRETS"].split() == ["CVM_VERIFY_SLACK_SHOP", "CVM_VERIFY_SHOP_KEY", "CVM_VERIFY_EMPTY"]
    printed = run.said("subject/verify")
    assert "5ecret" not in printed[printed.index("CVM_VERIFY_CONFIG=") :]


def test_a_registry_s_password_is_masked_by_itself(workspace):
    credentials = "ghcr.io me:pass5ecret\n  r.test:5000  a:b:5ecret5ecret  gitlab.test\n"
    leak = 'echo "alone: pass5ecret and b:5ecret5ecret"; sleep 0.3; echo verdict=pass >>$GITHUB_OUTPUT'
    inputs = {"url": "https://app.test", "registry-credentials": credentials, "binary-path": str(workspace.recorder(leak))}
    run = workspace.run(inputs, verbose=True)
    assert run.green, run.log
    assert workspace.environment()["CVM_VERIFY_REGISTRY_CREDENTIALS"].strip() == credentials.strip()
    printed = run.said("subject/verify")
    assert "5ecret" not in printed[printed.rindex("alone:") :]


@pytest.mark.parametrize(
    "line", ["SLACK=x", "CVM_VERIFY_OS_IMAGE=unchecked", "CVM_VERIFY_x=y", "https://hooks.test/5ecret", "PATH=/evil", "CVM_VERIFY_MODE=x"]
)
def test_what_is_no_channel_of_a_policy_file_is_refused(workspace, line):
    inputs = {"config": "policy.toml", "channel-secrets": f"CVM_VERIFY_SHOP=x\n{line}", "binary-path": str(workspace.recorder())}
    run = workspace.run(inputs)
    assert not run.green and not workspace.ran()
    assert run.outputs["verdict"] == "inconclusive" and run.outputs["exit-code"] == "2"
    assert line not in re.sub(r".*add-mask.*", "", run.said("subject/verify"))


@pytest.mark.parametrize(("code", "status"), [(0, "delivered"), (1, "failed"), (2, "failed")])
def test_alert_test_sends_a_test_and_verifies_nothing(workspace, code, status):
    inputs = {"mode": "alert-test", "slack-webhook-url": "https://hooks.test/x", "output-dir": "results"}
    (workspace.root / "results").mkdir()
    (workspace.root / "results" / "report.json").write_text("someone else's")
    run = workspace.run(inputs | {"binary-path": str(workspace.recorder(f"exit {code}"))})
    assert workspace.recorded("arguments") == ["alert", "test"]
    assert run.green == (code == 0) and run.outputs["verdict"] == "inconclusive", run.log
    assert run.outputs["alert-status"] == status
    assert (workspace.root / "results" / "report.json").read_text() == "someone else's"


def test_alert_test_gets_the_policy_file_and_its_channels(workspace):
    inputs = {"mode": "alert-test", "config": "policy.toml", "channel-secrets": OF_THE_POLICY}
    run = workspace.run(inputs | {"binary-path": str(workspace.recorder("exit 0"))})
    assert run.green, run.log
    assert workspace.recorded("arguments") == ["alert", "test"]
    environment = workspace.environment()
    assert environment["CVM_VERIFY_CONFIG"] == "policy.toml"
    assert environment["CVM_VERIFY_SHOP_KEY"] == "key5ecret"


def test_an_unknown_mode_installs_nothing(workspace):
    run = workspace.run({"mode": "plane", "url": "https://app.test", "binary-path": str(workspace.recorder())})
    assert not run.green and not workspace.ran() and run.outputs["exit-code"] == "2"


def test_spaces_in_paths_change_nothing(tmp_path):
    from act import Workspace

    spaced = Workspace(tmp_path / "a folder with 'spaces' & ümlauts", Path(__file__).resolve().parents[2])
    spaced.cache = tmp_path / "cache"
    (spaced.root / "my action").mkdir()
    for each in list(spaced.action.iterdir()):
        each.rename(spaced.root / "my action" / each.name)
    spaced.action = spaced.root / "my action"
    recorder = spaced.write("recorder", "#!/bin/bash\necho verdict=pass >>\"$GITHUB_OUTPUT\"\n")
    run = spaced.run({"url": "https://app.test", "binary-path": str(spaced.release(recorder))}, uses="./my action")
    spaced.clean()
    assert run.green and run.outputs["verdict"] == "pass", run.log


def test_secrets_are_masked_before_anything_else_is_printed(workspace):
    # act reads `%250A` as a line feed, which the real runner does not.
    secrets = SECRETS | {"webhook-url": SECRETS["webhook-url"].replace("%0A", "%41")}
    leak = 'cat /proc/$$/environ | tr "\\0" "\\n"; sleep 0.3; echo verdict=pass >>$GITHUB_OUTPUT'
    run = workspace.run({"url": "https://app.test", "binary-path": str(workspace.recorder(leak))} | secrets, verbose=True)
    assert workspace.environment()["CVM_VERIFY_WEBHOOK_SECRET"] == SECRETS["webhook-secret"].replace("\r", "")
    printed = run.said("subject/verify")
    start = printed.index("CVM_VERIFY_URL=")
    assert "5ecret" not in printed[start:]


def test_masks_are_escaped_as_the_runner_reads_them(tmp_path):
    """Outside act, which swallows them."""
    import subprocess

    action = Path(__file__).resolve().parents[2]
    environment = {name: "" for name in ACTION["runs"]["steps"][1]["env"]}
    environment |= {"GITHUB_ACTION_PATH": str(action), "RUNNER_TEMP": str(tmp_path), "INHERITED": "", "PROGRAM": "/bin/true"}
    environment["SECRETS"] = "\n".join(SECRETS.values()) + "\n"
    done = subprocess.run(
        ["bash", "-p", action / "scripts" / "verify.sh"], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == [
        "::add-mask::https://hooks.test/services/T0/B0/slack5ecret",
        "::add-mask::https://receiver.test/generic5ecret?a=%2525b%250Ac",
        "::add-mask::first5ecretline",
        "::add-mask::second5ecretline",
        "::add-mask::  third5ecretline  ",
        "::add-mask::https://ping.test/heartbeat5ecret",
    ]


def test_no_secret_is_on_disk_or_in_an_argument_list(workspace):
    look = 'ps -eo args >seen; for each in /proc/[0-9]*/cmdline; do tr "\\0" " " <$each; echo; done >>seen 2>/dev/null; echo verdict=pass >>$GITHUB_OUTPUT'
    process = workspace.start({"url": "https://app.test", "binary-path": str(workspace.recorder(look))} | SECRETS)
    run = workspace.finish(process)
    assert run.green
    assert "5ecret" not in (workspace.record / "seen").read_text()
    # The workflow and the recording are the test's own; act keeps the workflow's text elsewhere.
    for path in workspace.cache.rglob("*"):
        if path.is_file() and not path.is_symlink():
            assert b"5ecret" not in path.read_bytes(), path


@pytest.mark.parametrize("death", ["kill -9 $$", "kill -TERM $$", "exit 1", "exit 101", "exit 0"])
def test_a_program_that_dies_is_never_green(workspace, death):
    run = workspace.run({"url": "https://app.test", "fail-on": "never", "binary-path": str(workspace.recorder(death))})
    assert workspace.ran()
    assert not run.green and run.outcome == "failure"
    assert run.outputs["verdict"] == "inconclusive" and run.outputs["exit-code"] == "3" and run.outputs["assurance"] == "none"


def test_the_programs_own_verdict_and_status_are_the_steps(workspace):
    fail = "echo verdict=fail >>$GITHUB_OUTPUT; echo exit-code=1 >>$GITHUB_OUTPUT; exit 1"
    run = workspace.run({"url": "https://app.test", "binary-path": str(workspace.recorder(fail))})
    assert not run.green
    assert run.outputs["verdict"] == "fail" and run.outputs["exit-code"] == "1"


def test_a_verdict_that_does_not_fail_the_job_is_still_told(workspace):
    fail = "echo verdict=fail >>$GITHUB_OUTPUT; echo exit-code=1 >>$GITHUB_OUTPUT; exit 0"
    run = workspace.run({"url": "https://app.test", "fail-on": "never", "binary-path": str(workspace.recorder(fail))})
    assert run.green and run.outcome == "success"
    assert run.outputs["verdict"] == "fail" and run.outputs["exit-code"] == "1"


def test_every_output_of_the_program_is_one_of_the_action(workspace):
    write = "".join(f"echo {name}=value-of-{name} >>$GITHUB_OUTPUT\n" for name in ACTION["outputs"])
    run = workspace.run({"url": "https://app.test", "binary-path": str(workspace.recorder(write))})
    assert run.outputs == {name: f"value-of-{name}" for name in ACTION["outputs"]}
