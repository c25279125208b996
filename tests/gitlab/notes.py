"""A stand-in for GitLab's API of comments on a merge request, as far as its documentation describes it."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

TOKEN = "glpat-0123456789.abc"
ME = 41


class GitLab:
    """`down`: the status with which every request is answered. `escapes`: how `<` and `>` are written in JSON."""

    def __init__(self, escapes: bool):
        self.notes: list[dict] = []
        self.requests: list[str] = []
        self.down = 0
        gitlab = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self, status: int, content):
                text = json.dumps(content, separators=(",", ":"), ensure_ascii=False)
                if escapes:
                    text = text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
                body = text.encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def handle_any(self):
                gitlab.requests.append(self.command)
                form = parse_qs(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode())
                address = urlsplit(self.path)
                query = {name: values[0] for name, values in parse_qs(address.query).items()}
                notes = "/api/v4/projects/7/merge_requests/3/notes"
                if gitlab.down:
                    return self.answer(gitlab.down, {"message": "down"})
                if self.headers.get("PRIVATE-TOKEN") != TOKEN:
                    return self.answer(401, {"message": "401 Unauthorized"})
                if self.command == "GET" and address.path == "/api/v4/user":
                    return self.answer(200, {"id": ME, "username": "project_7_bot", "name": "bot"})
                if self.command == "GET" and address.path == notes:
                    size, page = int(query["per_page"]), int(query["page"])
                    return self.answer(200, gitlab.notes[size * (page - 1) : size * page])
                if self.command == "POST" and address.path == notes:
                    return self.answer(201, gitlab.add(form["body"][0], ME))
                for note in gitlab.notes:
                    if self.command == "PUT" and address.path == f"{notes}/{note['id']}":
                        if note["author"]["id"] != ME:
                            return self.answer(403, {"message": "403 Forbidden"})
                        note["body"] = form["body"][0]
                        return self.answer(200, note)
                self.answer(404, {"message": "404 Not Found"})

            do_GET = do_POST = do_PUT = handle_any

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def add(self, body: str, author: int, name="someone") -> dict:
        note = {
            "id": 900 + len(self.notes),
            "type": None,
            "body": body,
            "author": {"id": author, "username": name, "public_email": None, "name": name, "state": "active"},
            "created_at": "2026-01-02T03:04:05.678Z",
            "system": False,
            "noteable_id": 5,
            "noteable_type": "MergeRequest",
            "commands_changes": {},
            "noteable_iid": 3,
        }
        assert len(body) <= 1_000_000
        self.notes.append(note)
        return note

    def mine(self) -> list[str]:
        return [note["body"] for note in self.notes if note["author"]["id"] == ME]

    def variables(self, **changed) -> dict:
        """What GitLab and the project's settings give a job of a merge request."""
        given = {
            "CI_API_V4_URL": f"http://127.0.0.1:{self.http.server_port}/api/v4",
            "CI_MERGE_REQUEST_IID": "3",
            "CI_MERGE_REQUEST_PROJECT_ID": "7",
            "CVM_VERIFY_GITLAB_TOKEN": TOKEN,
        } | changed
        return {name: value for name, value in given.items() if value is not None}

    def stop(self):
        self.http.shutdown()
        self.http.server_close()
