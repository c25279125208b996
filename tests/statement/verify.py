#!/usr/bin/env python3
"""verify.py BUNDLE SUBJECT TRUSTED_ROOT EXPECTED…

Verifies a signed statement with nothing of cvm-verify: the DSSE envelope of a Sigstore bundle, the certificate that signed it, the
subject's digest and the predicate. Standard library alone, P-256 alone. Neither log nor timestamps are looked at.

EXPECTED are NAME=VALUE pairs: members of the predicate, and `signer` for the certificate's URI. Prints what it verified."""

import base64
import hashlib
import json
import pathlib
import sys

P = 2**256 - 2**224 + 2**192 + 2**96 - 1
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
G = (0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
     0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5)
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
P256 = bytes.fromhex("06082a8648ce3d030107")
URI = 0x86


def fail(words):
    sys.exit(f"verify.py: {words}")


def add(one, other):
    if one is None or other is None:
        return one or other
    if one[0] == other[0]:
        if (one[1] + other[1]) % P == 0:
            return None
        slope = (3 * one[0] * one[0] - 3) * pow(2 * one[1], -1, P)
    else:
        slope = (other[1] - one[1]) * pow(other[0] - one[0], -1, P)
    x = (slope * slope - one[0] - other[0]) % P
    return x, (slope * (one[0] - x) - one[1]) % P


def multiply(number, point):
    found = None
    while number:
        if number & 1:
            found = add(found, point)
        point, number = add(point, point), number >> 1
    return found


def is_signed(key, message, signature):
    (tag, sequence, rest), = [element(signature)]
    (_, r, sequence), digest = element(sequence), int.from_bytes(hashlib.sha256(message).digest(), "big")
    r, s = int.from_bytes(r, "big"), int.from_bytes(element(sequence)[1], "big")
    if tag != 0x30 or rest or not (0 < r < N and 0 < s < N):
        return False
    inverse = pow(s, -1, N)
    point = add(multiply(digest * inverse % N, G), multiply(r * inverse % N, key))
    return point is not None and point[0] % N == r


def element(der):
    """Tag, contents and what follows."""
    length, at = der[1], 2
    if length & 0x80:
        at += length & 0x7F
        length = int.from_bytes(der[2:at], "big")
    if at + length > len(der):
        fail("DER ends early")
    return der[0], der[at:at + length], der[at + length:]


def elements(contents):
    found = []
    while contents:
        tag, inner, rest = element(contents)
        found.append((tag, inner, contents[:len(contents) - len(rest)]))
        contents = rest
    return found


class Certificate:
    def __init__(self, der):
        tbs, _, signature = elements(element(der)[1])
        self.tbs, self.signature = tbs[2], signature[1][1:]
        fields = [field for field in elements(tbs[1]) if field[0] != 0xA0]
        _, _, self.issuer, _, self.subject, spki = (field[2] for field in fields[:6])
        algorithm, point = elements(element(spki)[1])
        if P256 not in algorithm[2] or len(point[1]) != 66 or point[1][1] != 4:
            fail("the key of a certificate is not on P-256")
        self.key = int.from_bytes(point[1][2:34], "big"), int.from_bytes(point[1][34:], "big")
        if (self.key[1] ** 2 - self.key[0] ** 3 + 3 * self.key[0] - B) % P:
            fail("the key of a certificate is not on its curve")
        self.names = [field for field in fields if field[0] == 0xA3]

    def uri(self):
        for extension in elements(element(self.names[0][1])[1]):
            parts = elements(extension[1])
            if parts[0][1] == bytes([0x55, 0x1D, 0x11]):
                names = elements(element(parts[-1][1])[1])
                return next(name[1].decode() for name in names if name[0] == URI)
        return fail("the certificate names no URI")


def main():
    if len(sys.argv) < 5:
        fail(__doc__)
    bundle, subject, root = (pathlib.Path(path).read_bytes() for path in sys.argv[1:4])
    bundle, root = json.loads(bundle), json.loads(root)
    leaf = Certificate(base64.b64decode(bundle["verificationMaterial"]["certificate"]["rawBytes"]))
    authorities = [
        Certificate(base64.b64decode(certificate["rawBytes"]))
        for authority in root["certificateAuthorities"] for certificate in authority["certChain"]["certificates"]]
    if not any(ca.subject == leaf.issuer and is_signed(ca.key, leaf.tbs, leaf.signature) for ca in authorities):
        fail("no trusted authority issued the certificate")
    envelope = bundle["dsseEnvelope"]
    payload, kind = base64.b64decode(envelope["payload"]), envelope["payloadType"]
    pae = b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(payload), payload)
    (signature,) = envelope["signatures"]
    if not is_signed(leaf.key, pae, base64.b64decode(signature["sig"])):
        fail("the signature over the statement does not hold")
    statement = json.loads(payload)
    digest = hashlib.sha256(subject).hexdigest()
    if [entry["digest"]["sha256"] for entry in statement["subject"]] != [digest]:
        fail("the statement is about another document")
    if statement["predicateType"] != "https://slsa.dev/verification_summary/v1":
        fail("the statement is not a verification summary")
    said = statement["predicate"] | {"signer": leaf.uri()}
    for pair in sys.argv[4:]:
        name, _, value = pair.partition("=")
        found = said[name]
        if value not in (found if isinstance(found, list) else [found]):
            fail(f"{name} is {found}, not {value}")
    print(f"verified: {said['resourceUri']} {said['verificationResult']}, sha256:{digest}, signed by {said['signer']}")


if __name__ == "__main__":
    main()
