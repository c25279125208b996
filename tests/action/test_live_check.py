"""scripts/live-check against simulated services: the page says what was seen, and that it was a simulator."""

import json
import os
import re
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from test_payloads import Receiver

REPOSITORY = Path(__file__).resolve().parents[2]
SCRIPT = REPOSITORY / "scripts" / "live-check"


class GitHub:
    """Issues of one repository, as far as the program asks for them."""

    def __init__(self):
        self.issues: list[dict] = []
        github = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self, status, content):
                body = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def handle_any(self):
                said = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or "null")
                path = urlsplit(self.path).path
                number = re.search(r"/issues/(\d+)", path)
                if path.endswith("/graphql"):
                    self.answer(200, {"data": {"viewer": {"login": "me"}}})
                elif path.endswith("/user"):
                    self.answer(200, {"login": "me", "type": "User"})
                elif self.command == "GET":
                    first = "page=1" in self.path.replace("per_page", "") or "page=" not in self.path.replace("per_page", "")
                    self.answer(200, [issue for issue in github.issues if issue["state"] == "open"] if first else [])
                elif self.command == "PATCH":
                    github.issues[int(number[1]) - 1].update(said)
                    self.answer(200, github.issues[int(number[1]) - 1])
                elif path.endswith("/comments"):
                    self.answer(201, {"id": 1})
                else:
                    issue = {"number": len(github.issues) + 1, "state": "open", "user": {"login": "me", "type": "User"}} | said
                    github.issues.append(issue)
                    self.answer(201, issue)

            do_GET = do_POST = do_PATCH = handle_any

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.http.server_port}"


@pytest.fixture
def live_check(program, machine, tmp_path):
    facts = machine().facts
    page = tmp_path / "live-results.md"

    def run(*options, **variables) -> tuple[int, dict, str]:
        github = GitHub()
        environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "GITHUB_REPOSITORY": "acme/shop", "GITHUB_API_URL": github.url}
        environment |= {"CVM_VERIFY_GITHUB_TOKEN": "token5ecret", "CVM_VERIFY_SLACK_WEBHOOK_URL": Receiver().url}
        environment |= {"CVM_VERIFY_WEBHOOK_URL": Receiver().url} | variables
        command = [SCRIPT, "--program", program, "--page", page, "--app", facts["app"], "--app-id", facts["app-id"]]
        command += ["--pcs", facts["pccs"], "--pccs", facts["pccs"], "--phala-api", facts["phala-api"], "--release", "none", *options]
        command += ["--", "--allow-private-network", "--insecure-trust-root", facts["root-ca"]]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
        text = page.read_text() if page.exists() else ""
        assert "5ecret" not in text + done.stdout + done.stderr
        run.issues = github.issues
        return done.returncode, dict(re.findall(r"^\| ([a-z-]+) \| ([^|]*) \|", text, re.MULTILINE)), text + done.stdout + done.stderr

    return run


def test_every_service_is_tried_and_the_page_says_that_it_was_a_simulator(live_check):
    code, rows, text = live_check()
    steps = ("intel-pcs", "phala-pccs", "app", "phala-cloud", "slack", "webhook", "github-issue")
    assert {name: rows[name] for name in steps} == dict.fromkeys(steps, "ok"), text
    assert rows["release-download"] == "none" and rows["against"] == "a simulator"
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", rows["date"]) and re.fullmatch(r"\d+\.\d+\.\d+.*", rows["version"])
    assert code == 0
    # As scripts/release/check-version reads it, character by character.
    assert f"| date | {rows['date']} |\n| version | {rows['version'].strip()} |\n" in text and f"| slack | ok |" in text
    assert [issue["state"] for issue in live_check.issues] == ["closed"]


def test_what_is_down_or_not_set_fails_and_the_page_is_written_all_the_same(live_check):
    down = "http://127.0.0.1:1"
    code, rows, text = live_check(
        *("--pcs", down, "--phala-api", down), CVM_VERIFY_SLACK_WEBHOOK_URL="", CVM_VERIFY_WEBHOOK_URL=f"{down}/5ecret", GITHUB_API_URL=down
    )
    for name in ("intel-pcs", "phala-cloud", "slack", "webhook", "github-issue"):
        assert rows[name] == "FAIL", text
    assert rows["phala-pccs"] == rows["app"] == "ok" and code == 1


@pytest.mark.parametrize("options", [["--app"], ["--what", "x"], ["--program", "/nowhere"]])
def test_a_wrong_command_line_does_nothing(live_check, options):
    code, rows, text = live_check(*options)
    assert (code, rows) == (2, {}) and "see the top of" in text
