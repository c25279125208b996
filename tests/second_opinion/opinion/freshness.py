"""This run's nonce in the signed report data, in a layout that is allowed (dstack, `sdk/curl/api.md`; docs/threats.md, T1, T2)."""

import hashlib

from .unsupported import NotImplementedHere


def padded(data):
    return data + bytes(64 - len(data))


LAYOUTS = {
    "raw": lambda nonce: padded(nonce),
    "ascii": lambda nonce: nonce.hex().encode(),
    "left-padded": lambda nonce: bytes(64 - len(nonce)) + nonce,
    "app-data-raw": lambda nonce: hashlib.sha512(b"app-data:" + nonce).digest(),
    "app-data-ascii": lambda nonce: hashlib.sha512(b"app-data:" + nonce.hex().encode()).digest(),
    "sha256-raw": lambda nonce: padded(hashlib.sha256(nonce).digest()),
    "sha256-ascii": lambda nonce: padded(hashlib.sha256(nonce.hex().encode()).digest()),
    "hex-sha256-raw": lambda nonce: hashlib.sha256(nonce).hexdigest().encode(),
    "hex-sha256-ascii": lambda nonce: hashlib.sha256(nonce.hex().encode()).hexdigest().encode(),
}


def judge(report_data, nonce, policy):
    if policy.freshness == "unchecked":
        return "skip", "unchecked"
    if nonce is None:
        return "skip", "no-nonce"
    if policy.report_data != "auto" and policy.report_data not in LAYOUTS:
        raise NotImplementedHere(f"--report-data {policy.report_data}")
    names = ["raw", "ascii"] if policy.report_data == "auto" else [policy.report_data]
    if policy.tls_binding == "app-key" and nonce in (report_data[:32], report_data[32:]):
        return "pass", None
    if report_data in [LAYOUTS[name](nonce) for name in names]:
        return "pass", None
    holds = nonce in (report_data[:32], report_data[32:]) or report_data in [layout(nonce) for layout in LAYOUTS.values()]
    return ("error", "other-layout") if holds else ("fail", "nonce-mismatch")


def echo(report_data, text):
    """Check `report-data`: what the JSON shows beside the quote."""
    if text is None:
        return "skip", "no-echo"
    # The guest agent pads what it is given with zeros, and an app may show it as it was given (dstack, `sdk/curl/api.md`).
    return ("pass", None) if text.lower().removeprefix("0x").ljust(128, "0") == report_data.hex() else ("fail", "echo-mismatch")
