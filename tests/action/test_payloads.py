"""What the program sends and writes, read by the parts that others read it with: Slack's block models, a JUnit parser."""

import json
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from junitparser import Error, Failure, JUnitXml, Skipped
from slack_sdk.models.blocks import Block, ContextBlock, HeaderBlock, SectionBlock
from test_verdict import Relay, everything

# Slack answers `msg_blocks_too_long` somewhere above this.
MOST_CHARACTERS = 13_000
HOSTILE_PATH = "/<!channel>/<@U0AB12CD3>/&amp;/<https:%2F%2Fevil.test|click>/@here"


class Receiver:
    """Takes what is posted to it, and answers `status`."""

    def __init__(self, status: int = 200):
        self.bodies: list[bytes] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                receiver.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(status)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.http.server_port}/services/5ecret"

    def payloads(self) -> list[dict]:
        return [json.loads(body) for body in self.bodies]


@pytest.fixture
def run(program, tmp_path):
    """Runs the program on inputs of the action, without the action; gives its exit code."""

    def run(inputs: dict, receiver: Receiver | None = None, options=()) -> int:
        inputs = dict(inputs)
        arguments = inputs.pop("extra-args", "").splitlines()
        environment = {"CVM_VERIFY_" + name.replace("-", "_").upper(): value for name, value in inputs.items()}
        if receiver:
            environment["CVM_VERIFY_SLACK_WEBHOOK_URL"] = receiver.url
        command = [program, "verify", *arguments, *map(str, options)]
        return subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, timeout=120).returncode

    return run


def checked(payload: dict) -> list[Block]:
    """The blocks of a payload, all of them known to Slack and within its limits."""
    assert payload["text"] and len(payload["text"]) <= 40_000
    assert len(json.dumps(payload, ensure_ascii=False)) <= MOST_CHARACTERS and len(payload["blocks"]) <= 50
    blocks = [Block.parse(block) for block in payload["blocks"]]
    for block, written in zip(blocks, payload["blocks"]):
        assert isinstance(block, (HeaderBlock, SectionBlock, ContextBlock)), written
        block.validate_json()
        assert block.to_dict() == written, "Slack's model knows every field"
        for text in [written.get("text"), *written.get("elements", [])]:
            assert text is None or 0 < len(text["text"]) <= 3000
    return blocks


def lines(payload: dict) -> list[str]:
    return [block["text"]["text"] for block in payload["blocks"] if block["type"] in {"header", "section"}]


def test_the_models_do_refuse():
    with pytest.raises(Exception, match="150 characters"):
        Block.parse({"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}).validate_json()
    with pytest.raises(AssertionError):
        checked({"text": "x", "blocks": [{"type": "divider"}]})


def sent(run, inputs: dict, code: int) -> dict:
    receiver = Receiver()
    assert run(inputs, receiver) == code
    [payload] = receiver.payloads()
    checked(payload)
    return payload


def test_a_failure_names_cause_and_next_step_in_its_first_two_lines(run, machine):
    payload = sent(run, machine("swapped-image").inputs(compose_hash=machine().facts["compose-hash"], app_id=None), 1)
    label, cause, step = lines(payload)[:3]
    assert label.startswith("SIMULATED")
    assert cause.startswith("FAIL 127.0.0.1") and "another compose document" in cause
    assert step.startswith("Next: ") and len(step) > 40


def test_an_inconclusive_run_names_cause_and_next_step(run, machine):
    cause, step = lines(sent(run, machine().inputs(compose_hash=None), 3))[1:3]
    assert "compose" in cause and step.startswith("Next: ")


def test_an_app_that_does_not_answer_names_cause_and_next_step(run, machine):
    texts = lines(sent(run, machine().inputs(url="http://127.0.0.1:1"), 3))
    assert any("127.0.0.1" in text for text in texts) and any(text.startswith("Next: ") for text in texts)


@pytest.mark.parametrize("path", [HOSTILE_PATH, "/" + "x" * 4000, "/" + "%F0%9F%A6%80&<>" * 300])
def test_t58_hostile_and_very_long_names_stay_text(run, machine, path):
    relay = Relay(machine().app, everything)
    payload = sent(run, machine().inputs(url=relay.url + path, compose_hash="0" * 64), 1)
    words = json.dumps(payload)
    for forbidden in ("<!", "<@", "<http", "link_names", "\\u202e", "\\u001b"):
        assert forbidden not in words, forbidden


def test_the_test_message_is_marked(program):
    receiver = Receiver()
    environment = {"CVM_VERIFY_SLACK_WEBHOOK_URL": receiver.url, "CVM_VERIFY_ALLOW_PRIVATE_NETWORK": "true"}
    subprocess.run([program, "alert", "test"], env=environment, check=True, capture_output=True)
    [payload] = receiver.payloads()
    checked(payload)
    assert "test" in lines(payload)[0].lower()


def test_a_usage_error_sends_nothing(run, machine):
    receiver = Receiver()
    assert run(machine().inputs(freshness="maybe"), receiver) == 2
    assert receiver.bodies == []


def test_t60_a_webhook_that_answers_500_is_tried_three_times_and_changes_no_verdict(run, machine, tmp_path):
    receiver = Receiver(status=500)
    inputs = machine("broken-signature").inputs()
    assert run(inputs, receiver, ["--report-json", tmp_path / "report.json"]) == 1
    [alert] = json.loads((tmp_path / "report.json").read_text())["alerts"]
    assert len(receiver.bodies) == 3 and not alert["delivered"] and "5ecret" not in alert["detail"]


@pytest.mark.parametrize("kind", ["pass", "fail", "inconclusive", "several", "hostile"])
def test_the_junit_file_counts_what_the_report_counts(run, machine, tmp_path, kind):
    inputs = {
        "pass": lambda: machine().inputs(),
        "fail": lambda: machine("broken-signature").inputs(),
        "inconclusive": lambda: machine().inputs(url="http://127.0.0.1:1"),
        "several": lambda: machine().inputs(url=f"{machine().app}\n{machine('broken-signature').app}\n"),
        "hostile": lambda: machine().inputs(url=Relay(machine().app, everything).url + HOSTILE_PATH),
    }[kind]()
    junit, report = tmp_path / "junit.xml", tmp_path / "report.json"
    run(inputs, options=["--junit", junit, "--report-json", report])
    read = JUnitXml.fromfile(str(junit))
    targets = json.loads(report.read_text())["targets"]
    suites = list(read)
    assert len(suites) == len(targets)
    for suite, target in zip(suites, targets):
        statuses = [check["status"] for check in target["checks"]]
        cases = list(suite)
        results = [result for case in cases for result in case.result]
        for element, status, told in (
            (Failure, "fail", suite.failures),
            (Error, "error", suite.errors),
            (Skipped, "skip", suite.skipped),
        ):
            count = sum(isinstance(result, element) for result in results)
            assert count == statuses.count(status) == told, (kind, status)
        assert len(cases) == len(statuses) == suite.tests
    assert (read.failures, read.errors) == (sum(s.failures for s in suites), sum(s.errors for s in suites))
