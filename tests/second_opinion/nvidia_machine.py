"""GPUs and switches that sign what they are told to: certificates under a root of this run, and SPDM reports."""

import base64
import datetime
import random

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

BEGIN, END = datetime.datetime(2022, 1, 1), datetime.datetime(9999, 12, 31, 23, 59, 59)
NAMES = {"HOPPER": "GH100 A01 GSP FMC LF", "BLACKWELL": "GB100 A01 GSP FMC LF", "LS10": "LS_10 A01 FSP FMC LF"}
FIRMWARE = bytes(range(48))
SWITCH_PDIS = [bytes([0xA0 + number]) * 7 + b"\x01" for number in range(4)]


def name(common):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common), x509.NameAttribute(NameOID.ORGANIZATION_NAME, "NVIDIA Corporation")])


def certificate(subject, key, issuer, issuer_key, ca, serial, extensions=(), digest=None):
    builder = (x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name(issuer)).serial_number(serial)
               .public_key(key.public_key()).not_valid_before(BEGIN).not_valid_after(END))
    if ca is not None:
        builder = builder.add_extension(x509.BasicConstraints(ca, None), True)
    for oid, value in extensions:
        builder = builder.add_extension(x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), value), False)
    return builder.sign(issuer_key, digest or hashes.SHA384())


def block(index, value, kind=1, spec=1):
    return bytes([index, spec]) + (len(value) + 3).to_bytes(2, "little") + bytes([kind]) + len(value).to_bytes(2, "little") + value


def field(kind, value):
    return kind.to_bytes(2, "little") + len(value).to_bytes(2, "little") + value


class Maker:
    """NVIDIA of this run: a root, and one authority below it for all devices."""

    def __init__(self):
        self.root_key, self.identity_key, self.stranger = (ec.generate_private_key(ec.SECP384R1()) for _ in range(3))
        self.root = certificate("NVIDIA Device Identity CA", self.root_key, "NVIDIA Device Identity CA", self.root_key, True, 1)
        self.identity = certificate("NVIDIA Identity", self.identity_key, "NVIDIA Device Identity CA", self.root_key, True, 2)
        self.other_root = certificate("NVIDIA Device Identity CA", self.stranger, "NVIDIA Device Identity CA", self.stranger, True, 1)
        self.device_keys = [(ec.generate_private_key(ec.SECP384R1()), ec.generate_private_key(ec.SECP384R1())) for _ in range(14)]

    def root_pem(self):
        return self.root.public_bytes(Encoding.PEM)


class Device:
    """One device's report before it is signed: every part may be replaced."""

    def __init__(self, maker, number, arch, nonce, protected=False):
        self.maker, self.number, self.arch, self.nonce = maker, number, arch, nonce
        self.label, self.serial = NAMES[arch], 1000 + number
        self.rom_key, self.key = maker.device_keys[number % len(maker.device_keys)]
        self.signing_key, self.digest = self.key, hashes.SHA384()
        self.rom_ca, self.identity_of, self.root, self.firmware = True, maker.identity, maker.root, FIRMWARE
        self.firmware_oid = "2.23.133.5.4.1" if arch != "BLACKWELL" else "2.23.133.5.4.1.1"
        self.head, self.middle = b"\x11\xe0\x01\xff", b"\x11\x60\x00\x00"
        self.blocks = [block(index, bytes([index]) * 48) for index in range(1, 65 if arch != "LS10" else 32)]
        self.count = len(self.blocks)
        pdis = [SWITCH_PDIS[number % 4]] if arch == "LS10" else [pdi[::-1] for pdi in SWITCH_PDIS] if protected else []
        self.fields = {3: b"570.172.08\0", 6: b"\x00\xa5\x00\x96\x01\x00\x00\x00", 11: b"\x55", 14: b"\x37\x04\x00\x00",
                       20: FIRMWARE, 21: b"\xaa" if protected else b"\x55", 34: b"\x01\x00", 36: b"\x02\x00" if protected else b"\x00\x00"}
        if arch == "LS10":
            self.fields = {6: b"96.10.73.00.01", 25: b"\x01\x00"}
        if pdis:
            self.fields[22] = b"".join(pdis).ljust(8 if arch == "LS10" else 144, b"\x00")
        self.opaque, self.tail, self.after = None, b"", b""

    def chain(self):
        firmware = [] if self.firmware is None else [(self.firmware_oid, b"\x30\x82" + self.firmware)]
        leaf = certificate(self.label, self.key, f"ROM {self.number}", self.rom_key, None, self.serial, firmware, self.digest)
        rom = certificate(f"ROM {self.number}", self.rom_key, "NVIDIA Identity", self.maker.identity_key, self.rom_ca, 100 + self.number)
        return [leaf, rom, self.identity_of, self.root]

    def signed(self):
        record = b"".join(self.blocks)
        opaque = self.opaque if self.opaque is not None else b"".join(field(*each) for each in self.fields.items())
        return (self.head + self.nonce + b"\x00" + self.middle + bytes([self.count % 256]) + len(record).to_bytes(3, "little") + record
                + random.Random(self.number).randbytes(32) + len(opaque).to_bytes(2, "little") + opaque + self.tail)

    def entry(self):
        text = self.signed()
        r, s = utils.decode_dss_signature(self.signing_key.sign(text, ec.ECDSA(hashes.SHA384())))
        evidence = text + r.to_bytes(48, "big") + s.to_bytes(48, "big") + self.after
        pem = b"".join(each.public_bytes(Encoding.PEM) for each in self.chain())
        return {"arch": self.arch, "certificate": base64.b64encode(pem).decode(), "evidence": base64.b64encode(evidence).decode()}


def point(key):
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)[1:]
