"""The measurement report of an NVIDIA GPU or switch, SPDM 1.1 (DMTF DSP0274, NVIDIA nvtrust; docs/gpu.md). Little endian."""

import base64
import binascii
import functools
import hashlib
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

# SHA-256 of the SubjectPublicKeyInfo of `NVIDIA Device Identity CA` (certificate 102bf659…7b48).
NVIDIA_ROOT = "a90c4eb5acfd3e3d03a25db6a26b84f720ad0503196c627c21ddd48dd85b06a4"
CHIPS = {"HOPPER": ("GH1",), "BLACKWELL": ("GB1", "GB2"), "LS10": ("LS_10",)}
DRIVER, VBIOS, NVDEC0, CHIP_SKU, PROJECT, PROJECT_SKU, FWID, PROTECTED_PCIE, SWITCH_PDIS, FEATURE_FLAG = 3, 6, 11, 15, 17, 18, 20, 21, 22, 36
EVIDENCE_LIMIT, CHAIN_LIMIT = 64 << 10, 32 << 10


class Refused(Exception):
    def __init__(self, reason, detail=""):
        super().__init__(detail or reason)
        self.reason, self.detail = reason, detail


@dataclass
class Device:
    arch: str
    nonce: bytes
    model: str
    ueid: int
    opaque: dict | None  # None: the newer form, which is not read
    measurements: list = field(default_factory=list)
    keys: list = field(default_factory=list)  # those of the device alone: of its firmware, and of its boot ROM

    @property
    def is_switch(self):
        return self.arch == "LS10"

    def protected_pcie(self):
        if self.arch != "HOPPER":  # no sample of a switch beside Blackwell exists (recorded reports)
            return False
        flag = self.opaque.get(FEATURE_FLAG)
        return self.opaque.get(PROTECTED_PCIE) == b"\xaa" or flag is not None and int.from_bytes(flag, "little") == 2

    def switch_pdis(self):
        """The switches that a GPU sees, or the one that a switch is."""
        data = self.opaque.get(SWITCH_PDIS, b"")
        entries = [data[at:at + 8] for at in range(0, len(data), 8)]
        return {entry if self.is_switch else entry[::-1] for entry in entries if any(entry)}


    def kind(self):
        """What a lock names of it (docs/gpu.md, Pins)."""
        def text(number):
            value = self.opaque.get(number)
            return "none" if value is None else value.rstrip(b"\0").decode()

        vbios, flag, decoder = self.opaque.get(VBIOS), self.opaque.get(FEATURE_FLAG), self.opaque.get(NVDEC0)
        if vbios is not None:
            turned = vbios[::-1]
            half = len(turned) // 2
            vbios = ".".join(f"{byte:02X}" for byte in turned[half:] + turned[half - 1:half])
        return {"model": self.model, "driver": text(DRIVER), "vbios": vbios or "none", "project": text(PROJECT), "project_sku": text(PROJECT_SKU),
                "chip_sku": text(CHIP_SKU), "protected_pcie": "on" if self.protected_pcie() else "off",
                "feature_flag": "none" if flag is None else str(int.from_bytes(flag, "little")),
                "nvdec0": {b"\xaa": "on", b"\x55": "off"}.get(decoder, "none")}

    def digest(self):
        """SHA-256 over all measurements in the order of their indices."""
        text = b"".join(bytes([index, kind]) + len(value).to_bytes(2, "little") + value for index, kind, value in sorted(self.measurements))
        return hashlib.sha256(text).hexdigest()


def base64_bytes(text, limit):
    if not isinstance(text, str):
        raise Refused("gpu-malformed", "base64 expected")
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refused("gpu-malformed", "base64 expected") from error
    if len(data) > limit:
        raise Refused("gpu-malformed", f"more than {limit} bytes")
    return data


def number(data, at, count):
    return int.from_bytes(data[at:at + count], "little")


def require(holds, what):
    if not holds:
        raise Refused("gpu-malformed", what)


def blocks(record, count):
    found, at = [], 0
    while at < len(record):
        require(at + 7 <= len(record), "a measurement block ends early")
        index, spec, size = record[at], record[at + 1], number(record, at + 2, 2)
        kind, length = record[at + 4], number(record, at + 5, 2)
        require(spec == 1 and size == length + 3 and length == 48 and at + 7 + length <= len(record), "a measurement block")
        found.append((index, kind, record[at + 7:at + 7 + length]))
        at += 7 + length
    require(len(found) == count and count > 0, "the number of blocks")
    require(len({index for index, _, _ in found}) == count and all(1 <= index for index, _, _ in found), "block indices")
    return found


def opaque_fields(data):
    if data[:6] == b"NVDAOD":
        return None
    found, at = {}, 0
    while at < len(data):
        require(at + 4 <= len(data), "an opaque field ends early")
        kind, size = number(data, at, 2), number(data, at + 2, 2)
        require(at + 4 + size <= len(data) and kind not in found, "an opaque field")
        found[kind] = data[at + 4:at + 4 + size]
        at += 4 + size
    return found


def parse(evidence):
    """The report's nonce, measurements and opaque fields, the signed bytes and the signature."""
    require(len(evidence) >= 79 + 96, "too short")
    require(evidence[0:4] == b"\x11\xe0\x01\xff" and evidence[37:39] == b"\x11\x60", "no GET_MEASUREMENTS and MEASUREMENTS of SPDM 1.1")
    count, length = evidence[41], number(evidence, 42, 3)
    require(len(evidence) >= 79 + length + 96, "the record ends early")
    opaque = number(evidence, 77 + length, 2)
    require(len(evidence) == 79 + length + opaque + 96, "trailing or missing bytes")
    record, rest = evidence[45:45 + length], evidence[79 + length:79 + length + opaque]
    return evidence[4:36], blocks(record, count), opaque_fields(rest), evidence[:-96], evidence[-96:]


def holds(key, signature, message):
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name != "secp384r1":
        return False
    try:
        key.verify(signature, message, ec.ECDSA(hashes.SHA384()))
    except InvalidSignature:
        return False
    return True


def spki(certificate):
    return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def is_ca(certificate):
    """Whether a certificate may issue another one: all of NVIDIA's issuers have basic constraints. RFC 5280, 4.2.1.3: a key usage, where
    there is one, must say that the key signs certificates."""
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    except x509.ExtensionNotFound:
        usage = True
    try:
        return usage and certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def chain(pem, root_pem):
    """The certificates, leaf first. The last one has the key of NVIDIA's root."""
    try:
        certificates = x509.load_pem_x509_certificates(pem)
        for each in certificates:
            each.extensions, each.subject, each.public_key()
    except Exception as error:  # noqa: BLE001: `cryptography` has many ways to refuse a certificate
        raise Refused("gpu-malformed", "a chain of certificates expected") from error
    if len(certificates) < 2:
        raise Refused("gpu-chain", "no issuer")
    root = spki(x509.load_pem_x509_certificate(root_pem)) if root_pem else None
    key = spki(certificates[-1])
    if key != root if root else hashlib.sha256(key).hexdigest() != NVIDIA_ROOT:
        raise Refused("gpu-chain", "another root")
    for certificate, issuer in zip(certificates, certificates[1:]):
        signed = holds(issuer.public_key(), certificate.signature, certificate.tbs_certificate_bytes)
        algorithm = certificate.signature_hash_algorithm
        if not signed or not isinstance(algorithm, hashes.SHA384) or certificate.issuer != issuer.subject or not is_ca(issuer):
            raise Refused("gpu-chain", "a certificate is not issued by the next one")
    return certificates


def common_name(certificate):
    names = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    if len(names) != 1:
        raise Refused("gpu-chain", "one common name expected")
    return names[0].value


def has_firmware(certificate, identity):
    """Whether the key was issued for this firmware: TCG's DICE extensions."""
    values = [each.value.value for each in certificate.extensions if each.oid.dotted_string in ("2.23.133.5.4.1", "2.23.133.5.4.1.1")]
    return len(identity) == 48 and any(identity in value for value in values)


@functools.cache
def parsed_chain(pem, root_pem):
    return chain(pem, root_pem)


def verify(arch, evidence_text, certificate_text, root_pem):
    """The device that signed this report. Its nonce is not compared here."""
    evidence = base64_bytes(evidence_text, EVIDENCE_LIMIT)
    pem = base64_bytes(certificate_text, CHAIN_LIMIT)
    nonce, measurements, opaque, signed, signature = parse(evidence)
    require(arch in CHIPS, f"the architecture {arch}")
    path = parsed_chain(pem, root_pem)
    leaf = path[0]
    name = common_name(leaf)
    require(name.startswith(CHIPS[arch]), f"a certificate of {name} for {arch}")
    r, s = (int.from_bytes(part, "big") for part in (signature[:48], signature[48:]))
    if not holds(leaf.public_key(), utils.encode_dss_signature(r, s), signed):
        raise Refused("gpu-signature")
    if opaque is not None and FWID in opaque and not has_firmware(leaf, opaque[FWID]):
        raise Refused("gpu-fwid-mismatch")
    # The two authorities at the end of a chain are many devices'. NVIDIA writes a device's serial number into each subject of it.
    own = [each for at, each in enumerate(path) if at == 0 or at == 1 < len(path) - 2
           or each.subject.get_attributes_for_oid(x509.NameOID.SERIAL_NUMBER)]
    return Device(arch, nonce, name.split(" ")[0], leaf.serial_number, opaque, measurements, [spki(each) for each in own])
