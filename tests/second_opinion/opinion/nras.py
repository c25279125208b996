"""What NVIDIA's remote attestation service said about the devices (docs/gpu.md, NVIDIA's own appraisal; NVIDIA Attestation Service API)."""

import base64
import binascii
import hashlib

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

from . import gpu_boot, strict_json
from .spdm import DRIVER, Refused
from .strict_json import Members
from .unsupported import NotImplementedHere

ISSUER = "https://nras.attestation.nvidia.com"
# SHA-256 of the intermediates 004 and 005.
INTERMEDIATES = {"2df8907cf4d6c277b855d407ec178a649930a8e73f7294e8fce66e6ee27c5175", "38e3daf3cdbd5243bb15dd7993edcdd83a7238cb6745b980f8f3bf0a31a0d343"}
SKEW, HOUR = 60, 3600


class BadToken(Exception):
    """The answer is not proven to be NVIDIA's, or is about something else."""


class Unreachable(Exception):
    """There is no answer."""


def require(holds, what):
    if not holds:
        raise BadToken(what)


def url_bytes(text):
    require(isinstance(text, str) and "=" not in text, "base64url expected")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadToken("base64url expected") from error


def document(text):
    try:
        value = strict_json.parse(text)
    except (strict_json.Malformed, TypeError) as error:
        raise BadToken("JSON expected") from error
    require(isinstance(value, Members) and not value.repeated(), "an object expected")
    return strict_json.plain(value)


def signed_by(certificate, issuer):
    key, text = issuer.public_key(), certificate.tbs_certificate_bytes
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(certificate.signature, text, padding.PKCS1v15(), hashes.SHA256())
        else:
            key.verify(certificate.signature, text, ec.ECDSA(hashes.SHA384()))
    except (InvalidSignature, TypeError, ValueError):
        return False
    return certificate.issuer == issuer.subject


class Service:
    """The keys of an answer, and which certificates count."""

    def __init__(self, keys, root_pem, now):
        found = document(keys).get("keys") if keys else None
        require(isinstance(found, list), "a key set expected")
        self.keys, self.now = [each for each in found if isinstance(each, dict)], now
        self.pinned = {x509.load_pem_x509_certificate(root_pem).fingerprint(hashes.SHA256()).hex()} if root_pem else INTERMEDIATES

    def key(self, kid, at):
        named = [each for each in self.keys if each.get("kid") == kid]
        require(len(named) == 1 and isinstance(kid, str), "the key must be there once")
        one = named[0]
        require(one.get("kty") == "EC" and one.get("crv") == "P-384", "a key on P-384")
        chain = one.get("x5c")
        require(isinstance(chain, list) and len(chain) >= 2, "a key without certificates")
        try:
            leaf, intermediate = (x509.load_der_x509_certificate(base64.b64decode(each, validate=True)) for each in chain[:2])
            point = leaf.public_key().public_numbers()
        except (ValueError, TypeError, AttributeError, binascii.Error) as error:
            raise BadToken("certificates expected") from error
        require(intermediate.fingerprint(hashes.SHA256()).hex() in self.pinned, "an unknown intermediate")
        require(signed_by(leaf, intermediate), "the intermediate did not sign the certificate")
        names = [each.value for each in leaf.subject.get_attributes_for_oid(x509.NameOID.ORGANIZATION_NAME)]
        require(names == ["NVIDIA Corporation"], "another organisation")
        require((point.x, point.y) == tuple(int.from_bytes(url_bytes(one.get(name)), "big") for name in "xy"), "another key")
        for each in (leaf, intermediate):
            require(each.not_valid_before_utc.timestamp() <= at <= each.not_valid_after_utc.timestamp(), "a certificate that was not valid then")
        return leaf.public_key()

    def claims(self, token):
        parts = token.split(".") if isinstance(token, str) else []
        require(len(parts) == 3 and len(token) <= 16 << 10, "a token of three parts")
        header, claims, signature = document(url_bytes(parts[0])), document(url_bytes(parts[1])), url_bytes(parts[2])
        require(header.get("alg") == "ES384" and len(signature) == 96, "ES384")
        times = [claims.get(name) for name in ("nbf", "iat", "exp")]
        require(all(map(strict_json.is_integer, times)), "times")
        begin, issued, end = times
        key = self.key(header.get("kid"), issued)
        mac = utils.encode_dss_signature(int.from_bytes(signature[:48], "big"), int.from_bytes(signature[48:], "big"))
        try:
            key.verify(mac, ".".join(parts[:2]).encode(), ec.ECDSA(hashes.SHA384()))
        except InvalidSignature as error:
            raise BadToken("the signature") from error
        require(claims.get("iss") == ISSUER, "another issuer")
        require(max(begin, issued) <= self.now + SKEW and self.now < min(end, issued + HOUR), "its time is over, or has not begun")
        return claims


def same_nonce(claims, nonce):
    said = claims.get("eat_nonce")
    require(isinstance(said, str) and said.lower() == nonce.hex(), "another nonce")


def device_claims(service, overall, tokens, devices):
    """The claims of each device's token, each proven to be about one of the devices."""
    submods = overall.get("submods")
    require(isinstance(submods, dict) and set(submods) == set(tokens) and len(tokens) == len(devices), "the list of devices")
    left = {str(device.ueid): device for device in devices}
    found = []
    for name, token in tokens.items():
        require(isinstance(token, str) and submods[name] == ["DIGEST", ["SHA-256", hashlib.sha256(token.encode()).hexdigest()]], "another token")
        claims = service.claims(token)
        if "x-nvidia-error-details" in claims:
            raise Refused("gpu-refused-by-nras")
        same_nonce(claims, devices[0].nonce)
        device = left.pop(claims.get("ueid"), None)
        require(device is not None, "another device")
        if not device.is_switch and device.opaque is not None:
            kind = device.kind()
            for claim, have in (("driver", kind["driver"] if DRIVER in device.opaque else None), ("vbios", kind["vbios"])):
                said = claims.get(f"x-nvidia-gpu-{claim}-version")
                require(said is None or have in (None, "none") or said.lower() == have.lower(), f"another {claim}")
        found.append(claims)
    return found


def judge_answer(service, body, devices):
    """Statuses and reasons of what is wrong with the answer about devices of a kind."""
    try:
        value = strict_json.plain(strict_json.parse(body))
        (word, overall), tokens = value
    except (strict_json.Malformed, TypeError, ValueError) as error:
        raise BadToken("an answer of another form") from error
    require(word == "JWT" and isinstance(tokens, dict), "an answer of another form")
    claims = service.claims(overall)
    same_nonce(claims, devices[0].nonce)
    approved = claims.get("x-nvidia-overall-att-result")
    try:
        each = device_claims(service, claims, tokens, devices)
        bad = open_ = warned = False
        for one in each:
            try:
                open_ |= gpu_boot.judge_claims(one)
            except Refused:
                bad = True
            warned |= one.get("x-nvidia-attestation-warning") is not None
    except Refused as error:
        return "fail", error.reason
    if bad:
        return "fail", "gpu-claim"  # Why it refuses, if it does.
    if approved is None or not isinstance(approved, bool):
        return "missing", "gpu-claim"
    if not approved:
        return ("error", "gpu-claim") if open_ else ("fail", "gpu-refused-by-nras")
    if open_:
        return "missing", "gpu-claim"
    return ("warn", "gpu-claim") if warned else None


def judge(run, devices):
    """What is found of NVIDIA's word, as (status, reason)."""
    missing = "error" if run.policy.gpu_verifier == "nras" else "warn"
    said = (run.bundle.get("gpu") or Members()).get("nras")
    if said is None or said.get("problem") is not None:
        return [(missing, "gpu-nras-unreachable")]
    found = []
    try:
        service = Service(said.get("keys"), run.policy.nras_root, int(run.now.timestamp()))
        for kind, is_switch in (("gpu", False), ("switch", True)):
            of_kind = [device for device in devices if device.is_switch == is_switch]
            bodies = [each.get("body") for each in said.get("answers") or [] if each.get("kind") == kind]
            if not of_kind:
                continue
            if len(bodies) > 1:
                raise NotImplementedHere("two answers about devices of a kind")
            if not bodies:
                raise Unreachable
            found.append(judge_answer(service, bodies[0], of_kind))
    except BadToken:
        found.append((missing, "gpu-token"))
    except Unreachable:
        found.append((missing, "gpu-nras-unreachable"))
    return [(missing if status == "missing" else status, reason) for status, reason in filter(None, found)]
