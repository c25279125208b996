"""This run's nonce in the signed report data, in a layout that is allowed (dstack, `sdk/curl/api.md`; docs/threats.md, T1, T2)."""

import hashlib


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


# Layouts with 32 bytes of the app's own: where they are, and where the nonce is (docs/sources.md).
WITH_KEY = {"nonce-then-key": (slice(32, 64), slice(0, 32)), "key-then-nonce": (slice(0, 32), slice(32, 64)), "private-ai": (slice(0, 32), slice(32, 64))}


def holds(name, report_data, nonce):
    if name in WITH_KEY:
        return report_data[WITH_KEY[name][1]] == nonce
    return report_data == LAYOUTS[name](nonce)


def key_of_connection(report_data, nonce, policy, served):
    """Whether the other 32 bytes are compared with the key of the TLS connection: then the layout need not be named (docs/sources.md)."""
    if policy.tls_binding == "app-key":
        return nonce in (report_data[:32], report_data[32:])
    if served is None:  # No connection, or no trusted CA vouches for its certificate.
        return False
    before, behind = holds("key-then-nonce", report_data, nonce), holds("nonce-then-key", report_data, nonce)
    return before and is_key(report_data[:32]) or behind and report_data[32:] == served


def is_key(half):
    """Whether 32 bytes may be the hash of a key: a signing address of 20 bytes ends in zeros."""
    return any(half[20:])


def judge(report_data, nonce, policy, served=None):
    """`served` is SHA-256 of the key of the connection, where a trusted CA vouches for the certificate."""
    if policy.freshness == "unchecked":
        return "skip", "unchecked"
    if nonce is None:
        return "skip", "no-nonce"
    names = ["raw", "ascii"] if policy.report_data == "auto" else [policy.report_data]
    if any(holds(name, report_data, nonce) for name in names):
        return "pass", None
    if policy.report_data == "auto" and key_of_connection(report_data, nonce, policy, served):
        return "pass", None
    other = any(holds(name, report_data, nonce) for name in [*LAYOUTS, *WITH_KEY])
    return ("error", "other-layout") if other else ("fail", "nonce-mismatch")


def echo(report_data, text, policy):
    """Check `report-data`: what the JSON shows beside the quote, and what the policy expects."""
    # The guest agent pads what it is given with zeros, and an app may show it as it was given (dstack, `sdk/curl/api.md`).
    if text is not None and text.lower().removeprefix("0x").ljust(128, "0") != report_data.hex():
        return "fail", "echo-mismatch"
    half = report_data[WITH_KEY[policy.report_data][0]] if policy.report_data in WITH_KEY else None
    if half is not None and policy.report_data_key is not None and half != policy.report_data_key:
        return "fail", "key-mismatch"
    if half is not None and policy.report_data_key is None and policy.report_data_value is None:
        return "warn", "key-not-compared"
    if policy.report_data_value is not None:
        return ("pass", None) if policy.report_data_value == report_data else ("fail", "value-mismatch")
    return ("skip", "no-echo") if text is None and half is None else ("pass", None)
