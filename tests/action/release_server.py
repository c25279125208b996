"""A stand-in for the server that releases are downloaded from, trusted inside this test's own mounts alone."""

import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import trustme

HOSTS = ("releases.test", "mirror.test", "untrusted.test")
BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")


class ReleaseServer:
    """`files`: content by path; a string instead of bytes is an address to redirect to."""

    def __init__(self, folder: Path):
        self.files: dict[str, bytes | str] = {}
        self.hosts: list[str] = []
        authority, other = trustme.CA(), trustme.CA()
        contexts = {}
        for name in HOSTS:
            contexts[name] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            (other if name.startswith("untrusted") else authority).issue_cert(name).configure_cert(contexts[name])

        def by_name(connection, name, _context):
            connection.context = contexts.get(name, contexts["untrusted.test"])

        contexts["releases.test"].sni_callback = by_name
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                server.hosts.append(self.headers.get("Host", ""))
                found = server.files.get(self.path)
                self.send_response(404 if found is None else 302 if isinstance(found, str) else 200)
                if isinstance(found, str):
                    self.send_header("Location", found)
                body = found if isinstance(found, bytes) else b""
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 443), Handler)
        self.http.socket = contexts["releases.test"].wrap_socket(
            self.http.socket, server_side=True, do_handshake_on_connect=False
        )
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        self.mounted = []
        hosts = folder / "hosts"
        hosts.write_text("127.0.0.1 localhost " + " ".join(HOSTS) + "\n")
        bundle = folder / "bundle.pem"
        authority.cert_pem.write_to_path(bundle)
        for ours, theirs in [(hosts, "/etc/hosts"), *((bundle, path) for path in BUNDLES if Path(path).exists())]:
            subprocess.run(["mount", "--bind", ours, Path(theirs).resolve()], check=True)
            self.mounted.append(Path(theirs).resolve())

    def stop(self):
        self.http.shutdown()
        for each in self.mounted:
            subprocess.run(["umount", each], check=False)
