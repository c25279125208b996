"""A machine that signs what it is told to: a chain of certificates, collateral and quotes, all from keys of this run.

It takes the names, extensions and texts of a bundle of the corpus, and replaces the keys. So anything that a quote covers can be
changed and is still signed: what is compared then is the judgement, not the signature."""

import copy
import datetime
import hashlib
import json

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from opinion import quote as quotes
from opinion.event_log import canonical, sha384

RUNTIME = 0x08000001
CRYPTO = ec.ECDSA(hashes.SHA256())


def raw(signature):
    return b"".join(part.to_bytes(32, "big") for part in utils.decode_dss_signature(signature))


def point(key):
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)[1:]


def reissued(certificate, key, issuer, issuer_key, begin=None, end=None):
    """The certificate with another key, signed by another one; its identifiers follow."""
    builder = (x509.CertificateBuilder().subject_name(certificate.subject).issuer_name(certificate.issuer)
               .serial_number(certificate.serial_number).public_key(key.public_key())
               .not_valid_before(begin or certificate.not_valid_before_utc).not_valid_after(end or certificate.not_valid_after_utc))
    for extension in certificate.extensions:
        value = extension.value
        if isinstance(value, x509.SubjectKeyIdentifier):
            value = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        elif isinstance(value, x509.AuthorityKeyIdentifier):
            value = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
        builder = builder.add_extension(value, extension.critical)
    return builder.sign(issuer_key, hashes.SHA256())


def pem(*certificates):
    return b"".join(each.public_bytes(Encoding.PEM) for each in certificates)


class Machine:
    def __init__(self, bundle):
        """`bundle` is a bundle of the corpus that passes, as parsed JSON."""
        self.template = bundle
        parsed = quotes.parse(bytes.fromhex(bundle["attestation"]["quote"]))
        leaf, authority, root = quotes.certificates(parsed.chain_pem)
        signer = quotes.certificates(bundle["collateral"]["tcb_info_issuer_chain"])[0]
        self.root_key, self.authority_key, self.leaf_key, self.signer_key, self.attestation_key = (
            ec.generate_private_key(ec.SECP256R1()) for _ in range(5))
        self.root = reissued(root, self.root_key, root, self.root_key)
        self.authority = reissued(authority, self.authority_key, root, self.root_key)
        self.leaf = reissued(leaf, self.leaf_key, authority, self.authority_key)
        self.signer = reissued(signer, self.signer_key, root, self.root_key)
        self.sample = parsed
        self.now = datetime.datetime.fromisoformat(bundle["captured_at"].replace("Z", "+00:00"))

    def root_pem(self):
        return pem(self.root)

    def crl(self, issuer, key, serials, begin=None, end=None):
        builder = (x509.CertificateRevocationListBuilder().issuer_name(issuer.subject)
                   .last_update(begin or self.now - datetime.timedelta(days=1))
                   .next_update(end or self.now + datetime.timedelta(days=29))
                   .add_extension(x509.CRLNumber(1), False)
                   .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), False))
        for serial in serials:
            revoked = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(self.now - datetime.timedelta(days=9))
            builder = builder.add_revoked_certificate(revoked.build())
        return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)

    def collateral(self, tcb_info=None, qe_identity=None, root_serials=(), pck_serials=(), **dates):
        """Collateral over these two documents (text, or what is written as text)."""
        texts = {}
        for name, value in (("tcb_info", tcb_info), ("qe_identity", qe_identity)):
            value = self.template["collateral"][name] if value is None else value
            texts[name] = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
        chain = pem(self.signer, self.root).decode()
        return {
            "pck_crl_issuer_chain": pem(self.authority, self.root).decode(),
            "root_ca_crl": self.crl(self.root, self.root_key, root_serials, *dates.get("root_crl", ())).hex(),
            "pck_crl": self.crl(self.authority, self.authority_key, pck_serials, *dates.get("pck_crl", ())).hex(),
            "tcb_info_issuer_chain": chain,
            **texts,
            "tcb_info_signature": raw(self.signer_key.sign(texts["tcb_info"].encode(), CRYPTO)).hex(),
            "qe_identity_issuer_chain": chain,
            "qe_identity_signature": raw(self.signer_key.sign(texts["qe_identity"].encode(), CRYPTO)).hex(),
        }

    def quote(self, fields=None, qe_fields=None):
        """A signed quote. `fields` and `qe_fields` are (offset, bytes) in the TD report and in the QE report."""
        body, report = bytearray(self.sample.body), bytearray(self.sample.qe_report)
        for offset, value in fields or []:
            body[offset:offset + len(value)] = value
        authentication, key = self.sample.authentication, point(self.attestation_key)
        report[320:384] = hashlib.sha256(key + authentication).digest() + bytes(32)
        for offset, value in qe_fields or []:
            report[offset:offset + len(value)] = value
        head = self.sample.signed[:len(self.sample.signed) - len(body)]
        signed = head + bytes(body)
        chain = pem(self.leaf, self.authority, self.root)
        inner = (bytes(report) + raw(self.leaf_key.sign(bytes(report), CRYPTO))
                 + len(authentication).to_bytes(2, "little") + authentication
                 + (5).to_bytes(2, "little") + len(chain).to_bytes(4, "little") + chain)
        data = (raw(self.attestation_key.sign(signed, CRYPTO)) + key + (6).to_bytes(2, "little")
                + len(inner).to_bytes(4, "little") + inner)
        return signed + len(data).to_bytes(4, "little") + data + bytes(70)


def runtime_event(name, payload, version=1):
    text = canonical(name, payload) if version == 2 else RUNTIME.to_bytes(4, "little") + b":" + name.encode() + b":" + payload
    event = {"imr": 3, "event_type": RUNTIME, "digest": sha384(text).hex(), "event": name, "event_payload": payload.hex()}
    if version == 2:
        event |= {"version": 2, "preimage": text.hex()}
    return event


def extended(events, index):
    register = bytes(48)
    for event in events:
        if event["imr"] == index:
            register = sha384(register + bytes.fromhex(event["digest"]))
    return register


class Deployment:
    """What a deployment hands over, before it is signed."""

    def __init__(self, machine):
        self.machine = machine
        bundle = copy.deepcopy(machine.template)
        log = bundle["attestation"]["event_log"]
        self.events = json.loads(log) if isinstance(log, str) else log
        # A guest of 0.6 shows no digests of its own events: they are what the register is made of.
        self.events = [event if event["digest"] else runtime_event(event["event"], bytes.fromhex(event["event_payload"]), event.get("version", 1))
                       for event in self.events]
        self.info = bundle["info"]
        tcb_info = self.info.get("tcb_info") or {}
        self.tcb_info = json.loads(tcb_info) if isinstance(tcb_info, str) else tcb_info
        self.compose = self.tcb_info.get("app_compose") or self.info["app_compose"]
        self.attestation = bundle["attestation"]
        self.nonce = bundle["nonce"]
        self.fields, self.qe_fields, self.collateral = [], [], {}
        self.extra, self.files = {}, {}  # further members of the bundle; the files that arguments name

    def event(self, name):
        return next(event for event in self.events if event["event"] == name)

    def measure_compose(self):
        """The compose document is the measured one, and MRCONFIGID binds it."""
        digest = hashlib.sha256(self.compose.encode()).digest()
        at = self.events.index(self.event("compose-hash"))
        self.events[at] = runtime_event("compose-hash", digest)
        self.fields.append((184, b"\x01" + digest + bytes(15)))
        (self.tcb_info or self.info)["app_compose"] = self.compose
        return digest.hex()

    def bundle(self):
        fields = [(328 + 48 * index, extended(self.events, index)) for index in range(4)] + self.fields
        attestation = {**self.attestation, "quote": self.machine.quote(fields, self.qe_fields).hex(),
                       "event_log": json.dumps(self.events, separators=(",", ":"))}
        info = dict(self.info)
        if self.tcb_info:
            self.tcb_info.update({f"rtmr{index}": extended(self.events, index).hex() for index in range(4)})
            info["tcb_info"] = json.dumps(self.tcb_info)
        return {**self.machine.template, "nonce": self.nonce, "attestation": attestation, "info": info,
                "collateral": self.machine.collateral(**self.collateral), **self.extra}
