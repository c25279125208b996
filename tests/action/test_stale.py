"""A file of an earlier run in `output-dir` never passes for this run's verdict, whenever and however this run ends."""

import json
import os
import re
import shutil
import signal
import subprocess
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
ACTION = yaml.safe_load((REPOSITORY / "action.yml").read_text())
INSTALL, VERIFY, _ = ACTION["runs"]["steps"]
STRACE = shutil.which("strace")


class Runner:
    """Both steps of the action without act, so that they can be killed at a place of the test's choice."""

    def __init__(self, workspace, program: Path, inputs: dict):
        self.workspace, self.inputs = workspace, inputs
        self.results = workspace.folder / "results"
        workspace.release(program)
        self.inputs |= {"binary-path": str(program), "output-dir": str(self.results)}
        (workspace.folder / "temp").mkdir()
        self.runner = {
            "GITHUB_ACTION_PATH": str(workspace.action),
            "GITHUB_OUTPUT": str(workspace.folder / "output"),
            "GITHUB_STEP_SUMMARY": str(workspace.folder / "summary"),
            "RUNNER_TEMP": str(workspace.folder / "temp"),
            "RUNNER_OS": "Linux",
            "RUNNER_ARCH": {"x86_64": "X64", "aarch64": "ARM64"}[os.uname().machine],
        }

    def step(self, step: dict, around=(), **more) -> subprocess.Popen:
        environment = dict(self.runner)
        for name, value in step["env"].items():
            given = re.fullmatch(r"\$\{\{ inputs\.([a-z-]+) \}\}", str(value).strip())
            environment[name] = self.inputs.get(given[1], "") if given else "" if "${{" in str(value) else str(value)
        script = [shutil.which("bash"), "--noprofile", "--norc", "-p", "-euo", "pipefail", "-c", step["run"]]
        return subprocess.Popen(
            [*around, *script], env=environment | more, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
        )

    def install(self, around=()) -> int:
        process = self.step(INSTALL, around)
        self.log, _ = process.communicate(timeout=60)
        output = Path(self.runner["GITHUB_OUTPUT"])
        found = re.findall(r"^program=(.*)$", output.read_text(), re.MULTILINE) if output.exists() else []
        self.program = found[-1] if found else ""
        return process.returncode

    def verify(self, around=()) -> subprocess.Popen:
        return self.step(VERIFY, around, PROGRAM=self.program)

    def run(self) -> int:
        assert self.install() == 0, self.log
        process = self.verify()
        self.log, _ = process.communicate(timeout=60)
        return process.returncode

    def verdicts(self) -> set[str]:
        """What the files of the folder say, each of those that are there."""
        said = set()
        for path in self.results.iterdir():
            text = path.read_text() if path.is_file() else ""
            if path.name == "report.json":
                said.add(json.loads(text)["verdict"])
            elif path.name == "result.env":
                said.add(re.search(r"^CVM_VERIFY_RESULT_VERDICT=(.*)$", text, re.MULTILINE)[1])
            elif path.name == "junit.xml":
                bad = int(ElementTree.fromstring(text).get("errors")) + int(ElementTree.fromstring(text).get("failures"))
                said.add("not pass" if bad else "pass")
            elif path.name in ("report.txt", "summary.md"):
                said.add("pass" if re.search(r"\bPASS \(", text) else "not pass")
        return said

    def put_back(self, kept: Path):
        shutil.rmtree(self.results, ignore_errors=True)
        shutil.copytree(kept, self.results)


@pytest.fixture
def passed(workspace, program, machine):
    """A runner whose output folder holds a pass of an honest machine, and a copy of the folder."""
    runner = Runner(workspace, program, machine().inputs())
    assert runner.run() == 0, runner.log
    assert runner.verdicts() == {"pass"}
    kept = workspace.folder / "kept"
    shutil.copytree(runner.results, kept)
    return runner, kept


def test_an_installation_that_fails_leaves_no_older_pass(passed):
    runner, _ = passed
    runner.inputs["binary-path"] = "/nowhere"
    assert runner.install() == 3
    assert runner.verdicts() == {"inconclusive", "not pass"}
    schema = json.loads((REPOSITORY / "schemas" / "report-v1.json").read_text())
    assert set(schema["required"]) <= set(json.loads((runner.results / "report.json").read_text()))
    # What was preset is recognised again.
    assert runner.install() == 3
    assert runner.verdicts() == {"inconclusive", "not pass"}


@pytest.mark.parametrize("name", ["report.json", "result.env", "junit.xml", "report.txt", "summary.md"])
@pytest.mark.parametrize("kind", ["file", "link", "folder"])
def test_a_file_of_somebody_else_is_a_usage_error_and_is_not_touched(workspace, program, machine, name, kind):
    runner = Runner(workspace, program, machine().inputs())
    runner.results.mkdir()
    path = runner.results / name
    elsewhere = workspace.write("elsewhere", '"schema": "cvm-verify/report/v1"\nCVM_VERIFY_RESULT_X=\n<testsuites name="cvm-verify"\nPASS\n<sub>cvm-verify x</sub>')
    {
        "file": lambda: path.write_text("somebody's"),
        "link": lambda: path.symlink_to(elsewhere),
        "folder": path.mkdir,
    }[kind]()
    before = elsewhere.read_text()
    assert runner.install() == 2
    assert "which it did not write" in runner.log and runner.program == ""
    assert elsewhere.read_text() == before and list(runner.results.iterdir()) == [path]
    assert kind != "file" or path.read_text() == "somebody's"


def test_an_empty_file_is_nobodys(workspace, program, machine):
    runner = Runner(workspace, program, machine().inputs())
    runner.results.mkdir()
    for name in ("report.json", "result.env", "junit.xml", "report.txt", "summary.md"):
        (runner.results / name).touch()
    assert runner.install() == 0, runner.log
    assert runner.verify().wait(60) == 0 and runner.verdicts() == {"pass"}


def test_the_program_takes_what_was_preset_for_its_own(passed):
    runner, _ = passed
    assert runner.run() == 0, runner.log
    assert runner.verdicts() == {"pass"}


def test_a_report_that_is_to_be_joined_is_not_overwritten(passed):
    runner, kept = passed
    runner.inputs["report"] = str(runner.results / "report.json")
    assert runner.install() == 2 and "Use another folder" in runner.log
    assert (runner.results / "report.json").read_bytes() == (kept / "report.json").read_bytes()


class Killer:
    """Stands before a machine and its PCCS, and at the request of a given number calls `kill` instead of answering."""

    def __init__(self, app: str, pccs: str):
        self.seen, self.at, self.kill = 0, 0, lambda: None
        killer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                killer.seen += 1
                if killer.seen == killer.at:
                    killer.kill()
                    self.close_connection = True
                    return
                path = self.path.removeprefix("/pccs")
                base = pccs if path != self.path else app
                try:
                    with urllib.request.urlopen(base.rstrip("/") + path) as answer:
                        body, headers, status = answer.read(), answer.headers.items(), 200
                except urllib.error.HTTPError as error:
                    body, headers, status = error.read(), [], error.code
                self.send_response(status)
                for name, value in headers:
                    if name.lower() not in ("content-length", "connection", "date", "server", "transfer-encoding"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.http.server_port}"


def program_of(process: subprocess.Popen, name: str) -> list[int]:
    """The processes of a step's session that are the program."""
    found = []
    for each in Path("/proc").glob("[0-9]*"):
        try:
            if os.getsid(int(each.name)) == process.pid and os.readlink(each / "exe").endswith(name):
                found.append(int(each.name))
        except OSError:
            continue
    return found


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_killed_at_any_request_it_leaves_no_older_pass(passed, machine, how):
    runner, kept = passed
    # What is verified now fails, so that a pass can only be the older one.
    lying = machine("broken-signature")
    killer = Killer(lying.app, lying.facts["pccs"])
    runner.inputs |= {"url": killer.url, "pccs-url": killer.url + "/pccs"}
    assert runner.run() == 1, runner.log
    requests, ends = killer.seen, []
    assert requests >= 2
    for number in range(1, requests + 1):
        runner.put_back(kept)
        killer.seen, killer.at = 0, number
        assert runner.install() == 0, runner.log
        process = runner.verify()
        killer.kill = lambda process=process: [os.kill(each, how) for each in program_of(process, "/cvm-verify")]
        process.communicate(timeout=60)
        ends.append(process.returncode)
        assert "pass" not in runner.verdicts(), f"request {number}"
    assert how != signal.SIGKILL or set(ends) == {-9}, ends


def killing(trace: Path, calls: str, number: int) -> list[str]:
    """Kills the traced process, not what it starts, at its call of this number: strace counts for each process apart."""
    return [STRACE, "-qq", "-o", str(trace), "-e", f"trace={calls}", "-e", f"inject={calls}:signal=KILL:when={number}"]


@pytest.mark.skipif(not STRACE, reason="needs strace")
def test_an_installation_killed_at_any_command_leaves_no_older_pass(passed):
    """The shell is killed whenever it starts a command: so before each file that it presets, and ever after."""
    runner, kept = passed
    trace = runner.workspace.folder / "trace"
    preset = 0
    for number in range(1, 200):
        runner.put_back(kept)
        code = runner.install(killing(trace, "clone,clone3,fork,vfork", number))
        said = runner.verdicts()
        # The files follow one another; with the last of them, none says more than that nothing was verified.
        if runner.results.joinpath("summary.md").read_text() != kept.joinpath("summary.md").read_text():
            preset += 1
            assert said == {"inconclusive", "not pass"}, f"command {number}: {said}"
        else:
            assert preset == 0, f"command {number} brought the older pass back"
        if code == 0:
            break
        assert code == -9, runner.log
    assert code == 0 and preset > 5


@pytest.mark.skipif(not STRACE, reason="needs strace")
@pytest.mark.parametrize("calls", ["rename,renameat,renameat2", "write", "fsync"])
def test_a_verification_killed_at_any_write_leaves_no_older_pass(passed, machine, calls):
    runner, kept = passed
    # What is verified now fails, so that a pass can only be the older one.
    lying = machine("broken-signature")
    runner.inputs |= {"url": lying.app, "pccs-url": lying.facts["pccs"]}
    trace = runner.workspace.folder / "trace"
    for number in range(1, 200):
        runner.put_back(kept)
        assert runner.install() == 0, runner.log
        process = runner.verify(killing(trace, calls, number))
        process.communicate(timeout=60)
        assert "pass" not in runner.verdicts(), f"call {number}"
        if process.returncode != -9:
            break
    assert process.returncode == 1 and number > 4
