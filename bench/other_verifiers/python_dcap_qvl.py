"""What people write with Python's dcap-qvl: the quote, the nonce, the replay of RTMR3 and the hash of the compose document.

Usage: python_dcap_qvl.py BUNDLE ROOT_DER UNIX_SECONDS
"""

import base64
import hashlib
import json
import sys

import dcap_qvl


def main():
    path, root, at = sys.argv[1:]
    with open(path) as file:
        bundle = json.load(file)
    quote = bytes.fromhex(bundle["attestation"]["quote"])
    collateral = dcap_qvl.QuoteCollateralV3.from_json(json.dumps(bundle["collateral"]))
    with open(root, "rb") as file:
        report = dcap_qvl.verify_with_root_ca(quote, collateral, file.read(), int(at))
    if report.status != "UpToDate":
        sys.exit(f"the platform is {report.status}")
    claims = dcap_qvl.parse_quote(quote).report
    if bytes(claims.report_data)[:32].hex() != bundle["nonce"]:
        sys.exit("the quote does not sign the nonce")
    events = bundle["attestation"]["event_log"]
    events = json.loads(events) if isinstance(events, str) else events
    register, compose_hash = bytes(48), None
    for event in events:
        if event["imr"] != 3:
            continue
        payload = bytes.fromhex(event["event_payload"])
        parts = event["event_type"].to_bytes(4, "little"), event["event"].encode(), payload
        register = hashlib.sha384(register + hashlib.sha384(b":".join(parts)).digest()).digest()
        if event["event"] == "compose-hash":
            compose_hash = payload.hex()
    if register != bytes(claims.rt_mr3):
        sys.exit("the event log is not the one that was measured")
    document = json.loads(bundle["info"]["tcb_info"])["app_compose"] if isinstance(
        bundle["info"]["tcb_info"], str) else bundle["info"]["tcb_info"]["app_compose"]
    if hashlib.sha256(document.encode()).hexdigest() != compose_hash:
        sys.exit("the compose document is not the one that was measured")


main()
