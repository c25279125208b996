"""The real program in the action, on simulated machines: verdicts, reasons, and what a hostile machine can write."""

import json
import os
import re
import signal
import socket
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

HOSTILE = (
    "\n::error::forged\n::add-mask::verdict\n::stop-commands::x\n##[error]forged\n| PASS |\n</details><script>forged</script>"
    "![](http://evil.test/x) @org/team [x](http://evil.test) \u001b[2J\u202e"
)


def report(run) -> dict:
    return json.loads(Path(run.outputs["report-json"]).read_text())


def reasons(run, target=0) -> dict:
    return {check["id"]: (check["status"], check["reason"]) for check in report(run)["targets"][target]["checks"]}


@pytest.fixture
def verify(workspace, program):
    """Runs the action with the real program; results are kept outside of act's own folders."""
    workspace.release(program)

    def run(inputs: dict, **how):
        fixed = {"binary-path": str(program), "output-dir": str(workspace.folder / "results")}
        return workspace.run(fixed | inputs, **how)

    return run


def test_an_honest_machine_passes(verify, machine):
    run = verify(machine().inputs())
    assert run.green and run.outcome == "success", run.log
    outputs = run.outputs
    assert (outputs["verdict"], outputs["exit-code"], outputs["failed-checks"]) == ("pass", "0", "")
    assert outputs["compose-hash"] == machine().facts["compose-hash"] and outputs["app-id"] == machine().facts["app-id"]
    assert outputs["tcb-status"] == "UpToDate" and outputs["version"]
    for name in ("report-json", "summary-path", "junit-path", "evidence-path"):
        assert Path(outputs[name]).stat().st_size > 0, name


def test_a_swapped_image_fails_and_says_why(verify, machine):
    expected = machine().facts["compose-hash"]
    run = verify(machine("swapped-image").inputs(compose_hash=expected, app_id=None))
    assert not run.green and run.outcome == "failure"
    assert (run.outputs["verdict"], run.outputs["exit-code"]) == ("fail", "1")
    assert "compose-hash" in run.outputs["failed-checks"].split(",")
    assert reasons(run)["compose-hash"][0] == "fail"
    label, cause, step = [line for line in Path(run.outputs["summary-path"]).read_text().splitlines() if line][:3]
    assert label.startswith("**SIMULATED")
    assert "FAIL" in cause and "another compose document" in cause
    assert step.startswith("**What to do:** ") and len(step) > 40


def test_the_docker_compose_file_of_the_repository_is_looked_for(verify, machine, tmp_path):
    info = json.loads(urllib.request.urlopen(machine().app.rstrip("/") + "/info", timeout=10).read())
    tcb_info = info["tcb_info"]
    tcb_info = json.loads(tcb_info) if isinstance(tcb_info, str) else tcb_info
    own = tmp_path / "docker-compose.yml"
    own.write_bytes(json.loads(tcb_info["app_compose"])["docker_compose_file"].encode())
    run = verify(machine().inputs(docker_compose=str(own)))
    assert run.green, run.log
    run = verify(machine().inputs(docker_compose=str(own), compose_hash=None))
    assert not run.green and reasons(run)["compose-hash"] == ("error", "compose-settings-unpinned")
    own.write_bytes(own.read_bytes() + b"# later\n")
    run = verify(machine().inputs(docker_compose=str(own), compose_hash=None))
    assert not run.green and reasons(run)["compose-hash"] == ("fail", "docker-compose-mismatch")
    assert "# later" in Path(run.outputs["summary-path"]).read_text().replace("<wbr>", "").replace("&#35;", "#")


@pytest.mark.parametrize("lie", ["replayed-quote", "broken-signature", "forged-event-log", "debug-td"])
def test_a_lying_machine_fails(verify, machine, lie):
    run = verify(machine(lie).inputs(compose_hash=machine().facts["compose-hash"]))
    assert not run.green and run.outputs["verdict"] == "fail" and run.outputs["failed-checks"]


def test_without_an_expectation_the_verdict_is_inconclusive(verify, machine):
    run = verify(machine().inputs(compose_hash=None))
    assert not run.green
    assert (run.outputs["verdict"], run.outputs["exit-code"]) == ("inconclusive", "3")
    assert reasons(run)["compose-hash"] == ("skip", "no-expectation")


def test_an_inconclusive_run_need_not_fail_the_job(verify, machine):
    run = verify(machine().inputs(compose_hash=None, fail_on="fail"))
    assert run.green
    assert (run.outputs["verdict"], run.outputs["exit-code"]) == ("inconclusive", "3")


def test_fail_on_never_still_tells_the_verdict(verify, machine):
    run = verify(machine("broken-signature").inputs(fail_on="never"))
    assert run.green
    assert (run.outputs["verdict"], run.outputs["exit-code"]) == ("fail", "1")


def test_an_app_that_does_not_answer_is_inconclusive(verify, machine):
    run = verify(machine().inputs(url="http://127.0.0.1:1"))
    assert not run.green and run.outputs["verdict"] == "inconclusive"
    assert reasons(run)["evidence"] == ("error", "unreachable")


@pytest.mark.parametrize("url", ["", "not an address", "ftp://app.test", "$(touch x)", '"; touch x #'])
def test_no_usable_address_verifies_nothing(verify, machine, workspace, url):
    run = verify(machine().inputs(url=url))
    assert not run.green and run.outcome == "failure"
    assert run.outputs["verdict"] == "inconclusive" and run.outputs["exit-code"] == "2"
    assert not list(workspace.folder.rglob("x"))


@pytest.mark.parametrize(
    "wrong", [{"freshness": "maybe"}, {"require_assurance": "all"}, {"compose_hash": '"; touch x #'}, {"wait": "long"}, {"fail_on": "x"}]
)
def test_an_unknown_value_is_a_usage_error(verify, machine, workspace, wrong):
    run = verify(machine().inputs(**wrong))
    assert not run.green and run.outputs["verdict"] == "inconclusive" and run.outputs["exit-code"] == "2"
    assert not list(workspace.folder.rglob("x"))


def test_two_addresses_of_which_one_lies_fail(verify, machine):
    run = verify(machine().inputs(url=f"{machine().app}\n{machine('broken-signature').app}\n"))
    assert not run.green and run.outputs["verdict"] == "fail"
    assert [target["verdict"] for target in report(run)["targets"]] == ["pass", "fail"]


def test_reports_of_shards_are_joined_and_a_missing_one_is_not_green(verify, machine, workspace):
    inputs = machine().inputs(url=f"{machine().app}\n{machine('broken-signature').app}\n")
    verdicts = {}
    for index in (1, 2):
        folder = workspace.folder / f"shard-{index}"
        more = f"{inputs['extra-args']}\n--shard={index}/2"
        run = verify(inputs | {"extra-args": more, "output-dir": str(folder)})
        verdicts[run.outputs["verdict"]] = str(folder / "report.json")
    assert sorted(verdicts) == ["fail", "pass"]
    joined = verify({"report": "\n".join(verdicts.values())})
    assert not joined.green and (joined.outputs["verdict"], joined.outputs["exit-code"]) == ("fail", "1")
    assert sorted(target["verdict"] for target in report(joined)["targets"]) == ["fail", "pass"]
    missing = verify({"report": f"{verdicts['pass']}\n{workspace.folder / 'nothing.json'}"})
    assert not missing.green and (missing.outputs["verdict"], missing.outputs["exit-code"]) == ("inconclusive", "3")
    assert reasons(missing, target=1)["evidence"] == ("error", "shard-missing")


def test_the_environment_of_the_job_changes_no_verdict(verify, machine):
    """The expectation of the lying machine, its root and a proxy, written by an earlier step."""
    lying = machine("swapped-image")
    hostile = {
        "CVM_VERIFY_COMPOSE_HASH": lying.facts["compose-hash"],
        "CVM_VERIFY_FAIL_ON": "never",
        "CVM_VERIFY_REQUIRE_ASSURANCE": "hardware",
        "HTTPS_PROXY": "http://127.0.0.1:1",
        "HTTP_PROXY": "http://127.0.0.1:1",
        "SSL_CERT_FILE": "/evil",
    }
    poison = "".join(f"echo '{n}={v}' >>\"$GITHUB_ENV\"\n" for n, v in hostile.items())
    run = verify(lying.inputs(compose_hash=None, app_id=None), before=[{"name": "poison", "run": poison}])
    assert not run.green and run.outputs["verdict"] == "inconclusive"
    assert reasons(run)["compose-hash"] == ("skip", "no-expectation")


class Relay:
    """Stands before a machine and alters what it says of itself."""

    def __init__(self, app: str, alter):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                # Whatever path the relay pretends to be at: the machine is at the root.
                path = self.path[self.path.rindex("/") :]
                with urllib.request.urlopen(app + path) as answer:
                    body = json.dumps(alter(path, json.loads(answer.read()))).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.http.server_port}"


def every_text(value, hostile):
    """Every text of `/info` replaced; the app's own words, none of them signed."""
    if isinstance(value, dict):
        return {name: every_text(each, hostile) for name, each in value.items()}
    if isinstance(value, list):
        return [every_text(each, hostile) for each in value]
    return hostile + value if isinstance(value, str) else value


def name_only(path, body):
    if path.startswith("/info"):
        body["app_name"] = HOSTILE
    return body


def everything(path, body):
    return every_text(body, HOSTILE) if path.startswith("/info") else body


@pytest.mark.parametrize(("alter", "failed"), [(name_only, "compose-hash"), (everything, "compose-hash")])
def test_a_hostile_machine_writes_nothing_of_its_own(verify, machine, alter, failed):
    relay = Relay(machine().app, alter)
    run = verify(machine().inputs(url=relay.url, compose_hash="0" * 64))
    assert not run.green and run.outputs["verdict"] == "fail"
    assert set(run.outputs["failed-checks"].split(",")) >= {failed}
    assert not re.search(r"^\s*(\W\s+)?(::(error|stop-commands|add-mask)::|##\[error\])(forged|x|verdict)", run.said("subject/verify"), re.MULTILINE)
    assert "\u001b[2J" not in run.said("subject/verify") and "\u202e" not in run.said("subject/verify")
    summary = Path(run.outputs["summary-path"]).read_text()
    assert "<script>" not in summary and "![](" not in summary and "\u202e" not in summary and "\u001b" not in summary
    assert not re.search(r"^\| PASS", summary, re.MULTILINE)


def test_a_failing_run_shows_no_secret_anywhere(verify, machine, workspace):
    secrets = {
        "slack-webhook-url": "https://127.0.0.1:1/services/slack5ecret",
        "webhook-url": "https://127.0.0.1:1/generic5ecret",
        "webhook-secret": "first5ecretline\nsecond5ecretline",
        "heartbeat-url": "https://127.0.0.1:1/heartbeat5ecret",
    }
    inputs = {name: "${{ secrets.%s }}" % name.replace("-", "_").upper() for name in secrets}
    run = verify(
        machine("broken-signature").inputs() | inputs,
        secrets={name.replace("-", "_").upper(): value for name, value in secrets.items()},
        verbose=True,
    )
    assert not run.green and run.outputs["verdict"] == "fail" and run.outputs["alert-status"]
    # From the moment that the step's script runs; act itself, unlike the runner, logs what it masks.
    said = run.said("subject/verify")
    assert "5ecret" not in re.sub(r"(?m)^.*add-mask.*$", "", said)
    for path in [*(workspace.folder / "results").rglob("*"), *workspace.cache.rglob("*")]:
        if path.is_file() and not path.is_symlink():
            assert b"5ecret" not in path.read_bytes(), path


def test_a_program_killed_in_mid_run_is_not_green(workspace, program, machine):
    """kill -9 while the app keeps it waiting."""
    silent = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{silent.getsockname()[1]}"
    workspace.release(program)
    process = workspace.start(machine().inputs(url=url) | {"binary-path": str(program), "fail-on": "never"})
    silent.settimeout(60)
    connection, _ = silent.accept()
    killed = []
    for each in Path("/proc").glob("[0-9]*"):
        try:
            if os.readlink(each / "exe").startswith(str(workspace.cache)):
                os.kill(int(each.name), signal.SIGKILL)
                killed.append(each.name)
        except OSError:
            continue
    run = workspace.finish(process)
    connection.close()
    silent.close()
    assert len(killed) == 1, run.log
    assert not run.green and run.outcome == "failure"
    assert run.outputs["verdict"] == "inconclusive" and run.outputs["exit-code"] == "3"


def test_wait_lasts_until_the_machine_is_there(verify, machine):
    relay = Relay(machine().app, lambda _, body: body)
    port = relay.http.server_port
    relay.http.shutdown()
    relay.http.server_close()

    def late():
        time.sleep(2)
        again = ThreadingHTTPServer(("127.0.0.1", port), relay.http.RequestHandlerClass)
        threading.Thread(target=again.serve_forever, daemon=True).start()

    threading.Thread(target=late, daemon=True).start()
    run = verify(machine().inputs(url=relay.url, wait="60s"))
    assert run.green and run.outputs["verdict"] == "pass", run.log
