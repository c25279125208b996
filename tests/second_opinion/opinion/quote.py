"""The bytes of a TDX quote, and every signature in it (Intel TDX DCAP Quoting Library API, A.3 and A.4). No collateral is needed here."""

import hashlib
import re
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

INTEL_QE = bytes.fromhex("939a7233f79c4ca9940a0db3957f0607")
BODY_SIZES = {2: 584, 3: 648, 4: 885}
SGX_EXTENSION = x509.ObjectIdentifier("1.2.840.113741.1.13.1")


class Refused(Exception):
    """Check `quote-signature` fails."""

    def __init__(self, reason, detail=""):
        super().__init__(detail or reason)
        self.reason = reason


@dataclass
class Quote:
    data: bytes
    version: int
    body: bytes
    signed: bytes
    signature: bytes
    attestation_key: bytes
    qe_report: bytes
    qe_signature: bytes
    authentication: bytes
    chain_pem: bytes
    trailing: bytes

    def field(self, offset, length):
        return self.body[offset:offset + length]

    tee_tcb_svn = property(lambda self: self.field(0, 16))
    mr_seam = property(lambda self: self.field(16, 48))
    mr_signer_seam = property(lambda self: self.field(64, 48))
    seam_attributes = property(lambda self: self.field(112, 8))
    td_attributes = property(lambda self: self.field(120, 8))
    xfam = property(lambda self: self.field(128, 8))
    mrtd = property(lambda self: self.field(136, 48))
    mr_config_id = property(lambda self: self.field(184, 48))
    mr_owner = property(lambda self: self.field(232, 48))
    mr_owner_config = property(lambda self: self.field(280, 48))
    report_data = property(lambda self: self.field(520, 64))

    def rtmr(self, index):
        return self.field(328 + 48 * index, 48)

    def registers(self):
        return {"mrtd": self.mrtd, **{f"rtmr{index}": self.rtmr(index) for index in range(4)}}

    @property
    def mr_service_td(self):
        return self.field(600, 48) if len(self.body) >= 648 else bytes(48)


class Cursor:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count, what):
        if self.at + count > len(self.data):
            raise Refused("malformed", f"{what} ends early")
        part = self.data[self.at:self.at + count]
        self.at += count
        return part

    def number(self, count, what):
        return int.from_bytes(self.take(count, what), "little")


def parse(data):
    """The parts of a quote: its form is the first thing that is judged."""
    cursor = Cursor(data)
    header = cursor.take(48, "the header")
    version, key_type = int.from_bytes(header[0:2], "little"), int.from_bytes(header[2:4], "little")
    tee_type = int.from_bytes(header[4:8], "little")
    if version == 3:
        raise Refused("not-tdx", "version 3 is of SGX")
    if version not in (4, 5) or key_type != 2:
        raise Refused("malformed", "version or key type")
    if tee_type != 0x81:
        raise Refused("not-tdx", f"TEE type {tee_type:#x}")
    if header[12:28] != INTEL_QE:
        raise Refused("malformed", "another vendor's quoting enclave")
    size = 584
    if version == 5:
        kind, size = cursor.number(2, "the body type"), cursor.number(4, "the body size")
        if kind == 1:
            raise Refused("not-tdx", "the body is of SGX")
        if BODY_SIZES.get(kind) != size:
            raise Refused("malformed", "body type and size")
    body = cursor.take(size, "the body")
    signed = data[:cursor.at]

    length = cursor.number(4, "the length of the signature data")
    part = Cursor(cursor.take(length, "the signature data"))
    trailing = data[cursor.at:]
    signature, key = part.take(64, "the signature"), part.take(64, "the attestation key")
    if part.number(2, "the certification type") != 6:
        raise Refused("malformed", "certification type")
    inner = Cursor(part.take(part.number(4, "the certification size"), "the certification data"))
    qe_report, qe_signature = inner.take(384, "the QE report"), inner.take(64, "the QE report's signature")
    authentication = inner.take(inner.number(2, "the authentication size"), "the authentication data")
    if inner.number(2, "the chain's type") != 5:
        raise Refused("malformed", "no certificate chain")
    chain = inner.take(inner.number(4, "the chain's size"), "the chain")
    if inner.at != len(inner.data) or part.at != len(part.data):
        raise Refused("malformed", "bytes that belong to nothing")
    if any(trailing):
        raise Refused("trailing-bytes")
    return Quote(data, version, body, signed, signature, key, qe_report, qe_signature, authentication, chain, trailing)


def raw_signature_holds(key, signature, message):
    """ECDSA over P-256 with SHA-256; the signature as r and s of 32 bytes."""
    if len(signature) != 64:
        return False
    der = utils.encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
    try:
        key.verify(der, message, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def certificates(pem):
    """The certificates of a PEM text, in order. Behind the first, what cannot be read is no link of any chain."""
    if isinstance(pem, str):
        pem = pem.encode()
    result = []
    for block in re.findall(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", pem, re.DOTALL):
        try:
            certificate = x509.load_pem_x509_certificate(block)
            certificate.public_key()
            result.append(certificate)
        except ValueError:
            if not result:
                raise
    return result


def is_ca(certificate):
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, ValueError):
        return False


def issued(certificate, issuer):
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return is_ca(issuer)


def path_to(root, chain):
    """The first certificate and those between it and the trusted root; None if it does not lead there."""
    path = [chain[0]]
    while not issued(path[-1], root):
        above = next((each for each in chain[1:] if each not in path and issued(path[-1], each)), None)
        if above is None:
            return None
        path.append(above)
    return path


@dataclass
class Platform:
    """What the PCK certificate says (only after its chain was verified)."""

    path: list
    fmspc: bytes
    pce_id: bytes
    ppid: bytes
    cpu_svn: list
    pce_svn: int


def der_items(data):
    """The elements of a DER sequence's content, as (tag, content)."""
    items, at = [], 0
    while at < len(data):
        tag, length, at = data[at], data[at + 1], at + 2
        if length & 0x80:
            count = length & 0x7F
            length, at = int.from_bytes(data[at:at + count], "big"), at + count
        items.append((tag, data[at:at + length]))
        at += length
    return items


def oid_text(content):
    numbers, value = [content[0] // 40, content[0] % 40], 0
    for byte in content[1:]:
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            numbers.append(value)
            value = 0
    return ".".join(map(str, numbers))


def sgx_extension(certificate):
    """The values of Intel's extension by the last part of their OID; the TCB (.2) likewise."""
    raw = certificate.extensions.get_extension_for_oid(SGX_EXTENSION).value.value
    prefix = SGX_EXTENSION.dotted_string + "."
    values = {}

    def collect(content):
        for tag, item in der_items(content):
            if tag != 0x30:
                continue
            (_, oid), (value_tag, value) = der_items(item)[:2]
            name = oid_text(oid).removeprefix(prefix)
            if value_tag == 0x30:
                collect(value)
            else:
                values[name] = value

    collect(der_items(raw)[0][1])
    return values


def platform_of(path):
    try:
        values = sgx_extension(path[0])
        return Platform(
            path, values["4"], values["3"], values["1"],
            [int.from_bytes(values[f"2.{index}"], "big") for index in range(1, 17)],
            int.from_bytes(values["2.17"], "big"))
    except (x509.ExtensionNotFound, ValueError, KeyError, IndexError) as error:
        raise Refused("malformed", f"the PCK certificate's extension: {error}") from error


def verify(quote, root):
    """Every signature from the trusted root to the quote. Returns what the PCK certificate says."""
    try:
        chain = certificates(quote.chain_pem)
        if not chain:
            raise Refused("malformed", "no certificate of the machine")
        path = path_to(root, chain)
    except ValueError as error:
        raise Refused("not-verified", str(error)) from error
    if path is None:
        raise Refused("not-verified", "the chain does not lead to the root")
    leaf_key = path[0].public_key()
    if not raw_signature_holds(leaf_key, quote.qe_signature, quote.qe_report):
        raise Refused("not-verified", "the QE report's signature")
    binding = hashlib.sha256(quote.attestation_key + quote.authentication).digest()
    if quote.qe_report[320:352] != binding or any(quote.qe_report[352:384]):
        raise Refused("not-verified", "the QE report is of another key")
    try:
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + quote.attestation_key)
    except ValueError as error:
        raise Refused("not-verified", "the attestation key is no point of the curve") from error
    if not raw_signature_holds(key, quote.signature, quote.signed):
        raise Refused("not-verified", "the quote's signature")
    return platform_of(path)


def bits(*ranges):
    return sum(1 << bit for first, last in ranges for bit in range(first, last + 1))


# TDX module ABI 348551, TDATTRIBUTES: DEBUG; profiling; SERVTD_EXT; MIGRATABLE; and what is reserved.
REFUSED_BITS = bits((0, 0), (1, 3), (4, 6), (7, 15), (17, 17), (23, 26), (29, 29), (32, 61))
SEPT_VE_DISABLE = 1 << 28


def refuses_attributes(quote):
    value = int.from_bytes(quote.td_attributes, "little")
    return bool(value & REFUSED_BITS) or not value & SEPT_VE_DISABLE or any(quote.mr_service_td)


XFAM_REQUIRED, XFAM_ALLOWED = 0x3, 0x6DBE7


def td_attributes(quote):
    """Check `td-attributes` (docs/threats.md, T21–T23)."""
    if quote.td_attributes != bytes.fromhex("0000001000000000"):
        return "fail", "td-attributes-mismatch"
    xfam = int.from_bytes(quote.xfam, "little")
    if xfam & XFAM_REQUIRED != XFAM_REQUIRED or xfam & ~XFAM_ALLOWED:
        return "fail", "xfam-refused"
    if any(quote.mr_owner) or any(quote.mr_owner_config):
        return "fail", "owner-not-zero"
    if any(quote.mr_service_td):
        return "fail", "service-td"
    return "pass", None
