#!/usr/bin/env python3
"""Receives alerts of cvm-verify and believes only signed ones.

Usage: WEBHOOK_SECRET=… python3 webhook_receiver.py PORT     (put it behind a proxy that speaks HTTPS)
"""
import hashlib
import hmac
import http.server
import json
import os
import sys
import time


def genuine(secret, timestamp, signature, body, now):
    if not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 12:
        return False
    if abs(now - int(timestamp)) > 300:
        return False
    message = timestamp.encode() + b"." + body
    expected = "v1=" + hmac.new(secret, message, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), signature.encode())


class Receiver(http.server.BaseHTTPRequestHandler):
    secret = b""
    seen = set()  # A repeated try has the same delivery_id. A real receiver forgets them after some minutes.
    timeout = 10

    def do_POST(self):
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or len(length) > 6:
            return self.answer(413)
        body = self.rfile.read(int(length))
        timestamp = self.headers.get("X-Cvm-Verify-Timestamp", "")
        signature = self.headers.get("X-Cvm-Verify-Signature", "")
        if not genuine(self.secret, timestamp, signature, body, time.time()):
            return self.answer(403)
        alert = json.loads(body)
        if alert["delivery_id"] not in self.seen:
            self.seen.add(alert["delivery_id"])
            print(alert["event"], ascii(alert["target"]["name"]), ascii(alert["fix"]), flush=True)
        return self.answer(204)

    def answer(self, status):
        self.send_response(status)
        self.end_headers()


if __name__ == "__main__":
    Receiver.secret = os.environ["WEBHOOK_SECRET"].encode()
    if not Receiver.secret:
        sys.exit("WEBHOOK_SECRET is empty: anyone could sign.")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver)
    print("listening on port", server.server_port, flush=True)
    server.serve_forever()
