"""A Sigstore of this run: certificate authority, transparency logs and time-stamp authority, which sign what they are told to."""

import base64
import datetime
import hashlib
import json

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID
from opinion import der

MINUTE = datetime.timedelta(minutes=1)
SHA256 = ec.ECDSA(hashes.SHA256())


def b64(data):
    return base64.b64encode(data).decode()


def spki(key):
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def iso(time):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


class Sigstore:
    """One instance, by the organisation of its authority: `sigstore.dev` is the public one."""

    def __init__(self, organization, now):
        self.organization, self.now = organization, now
        self.root_key, self.issuer_key, self.ct_key, self.log_key, self.stamp_key, self.stranger = (
            ec.generate_private_key(ec.SECP256R1()) for _ in range(6))
        self.log2_key = ed25519.Ed25519PrivateKey.generate()
        self.public = organization == "sigstore.dev"
        begin, end = now - datetime.timedelta(days=400), now + datetime.timedelta(days=400)
        self.root = self.authority("root", self.root_key, "root", self.root_key, begin, end)
        self.issuer = self.authority("intermediate", self.issuer_key, "root", self.root_key, begin, end)
        self.stamp = self.authority("stamp", self.stamp_key, "root", self.root_key, begin, end, "1.3.6.1.5.5.7.3.8")
        self.begin = begin

    def name(self, common):
        return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, self.organization), x509.NameAttribute(NameOID.COMMON_NAME, common)])

    def authority(self, subject, key, issuer, issuer_key, begin, end, usage=None):
        builder = (x509.CertificateBuilder().subject_name(self.name(subject)).issuer_name(self.name(issuer)).public_key(key.public_key())
                   .serial_number(x509.random_serial_number()).not_valid_before(begin).not_valid_after(end)
                   .add_extension(x509.BasicConstraints(usage is None, None), True))
        if usage:
            builder = builder.add_extension(x509.ExtendedKeyUsage([x509.ObjectIdentifier(usage)]), True)
        return builder.sign(issuer_key, hashes.SHA256())

    def trusted_root(self, change=None):
        def key(url, der_, valid):
            return {"baseUrl": url, "hashAlgorithm": "SHA2_256", "publicKey": {"rawBytes": b64(der_), "keyDetails": "PKIX_ECDSA_P256_SHA_256", "validFor": valid},
                    "logId": {"keyId": b64(hashlib.sha256(der_).digest())}}

        valid = {"start": iso(self.begin)}
        log2 = key("https://log2.example", spki(self.log2_key), dict(valid))
        log2["publicKey"]["keyDetails"] = "PKIX_ED25519"
        log2["logId"]["keyId"] = b64(self.log2_id())
        chain = [{"rawBytes": b64(each.public_bytes(Encoding.DER))} for each in (self.issuer, self.root)]
        stamps = [{"rawBytes": b64(each.public_bytes(Encoding.DER))} for each in (self.stamp, self.root)]
        subject = {"organization": self.organization, "commonName": "root"}
        value = {"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
                 "tlogs": [key("https://log.example", spki(self.log_key), dict(valid)), log2] if self.public else [],
                 "certificateAuthorities": [{"subject": subject, "uri": "https://ca.example", "certChain": {"certificates": chain}, "validFor": dict(valid)}],
                 "ctlogs": [key("https://ct.example", spki(self.ct_key), dict(valid))] if self.public else [],
                 "timestampAuthorities": [{"subject": subject, "uri": "https://tsa.example", "certChain": {"certificates": stamps}, "validFor": dict(valid)}]}
        if self.public:  # The file is from after everything that is signed: it knows of a later log.
            later = key("https://later.example", spki(self.stamp_key), {"start": iso(self.now + datetime.timedelta(days=2))})
            value["ctlogs"].append(later)
        if change:
            change(value)
        return value

    def log2_id(self):
        raw = self.log2_key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return hashlib.sha256(b"log2.example\n\x01" + raw).digest()


CLAIMS = {8: "https://token.actions.githubusercontent.com", 9: "https://github.com/example/shop/.github/workflows/release.yml@refs/tags/v1.2.0",
          10: "b" * 40, 11: "github-hosted", 12: "https://github.com/example/shop", 13: "c" * 40, 14: "refs/tags/v1.2.0", 15: "804070735",
          16: "https://github.com/example", 17: "59704711", 18: "https://github.com/example/shop/.github/workflows/release.yml@refs/tags/v1.2.0",
          19: "b" * 40, 20: "push", 21: "https://github.com/example/shop/actions/runs/1/attempts/1", 22: "public"}


class Statement:
    """One signed statement before it is signed: every part may be replaced."""

    def __init__(self, sigstore, digest, now):
        self.sigstore, self.now = sigstore, now
        self.time = now - datetime.timedelta(days=3)
        self.claims = dict(CLAIMS)
        self.san = self.claims[9]
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.signing_key, self.issuer_key, self.usage = self.key, sigstore.issuer_key, "1.3.6.1.5.5.7.3.3"
        self.begin, self.end = self.time - MINUTE, self.time + 9 * MINUTE
        self.ct_key, self.ct_time, self.with_sct = sigstore.ct_key, self.time, sigstore.public
        self.logs = ["v1"] if sigstore.public else []
        self.stamps = 0 if sigstore.public else 1
        self.statement = {"_type": "https://in-toto.io/Statement/v1", "subject": [{"name": "ghcr.io/example/web", "digest": {"sha256": digest}}],
                          "predicateType": "https://slsa.dev/provenance/v1", "predicate": None}
        self.build_type = "https://actions.github.io/buildtypes/workflow/v1"
        self.payload_type, self.payload_edit = "application/vnd.in-toto+json", None
        self.predicate_edit = self.entry_edit = self.body_edit = self.note_edit = self.bundle_edit = None
        self.stamp_edit = {}
        self.index, self.siblings = 5, [b"\x01" * 32, b"\x02" * 32, b"\x03" * 32]

    def predicate(self):
        claims = {number: text for number, text in self.claims.items() if isinstance(text, str)}
        path, _, ref = claims.get(18, "@").partition("@")
        repository = claims.get(12, "")
        value = {"buildDefinition": {
            "buildType": self.build_type,
            "externalParameters": {"workflow": {"ref": claims.get(14), "repository": repository, "path": path[len(repository) + 1:]}},
            "internalParameters": {"github": {"event_name": claims.get(20)}},
            "resolvedDependencies": [{"uri": f"git+{repository}@{claims.get(14)}", "digest": {"gitCommit": claims.get(13)}}]},
            "runDetails": {"builder": {"id": claims.get(9)}, "metadata": {"invocationId": claims.get(21)}}}
        if self.predicate_edit:
            self.predicate_edit(value)
        return value

    def certificate(self):
        builder = (x509.CertificateBuilder().subject_name(x509.Name([])).issuer_name(self.sigstore.issuer.subject).public_key(self.key.public_key())
                   .serial_number(4711).not_valid_before(self.begin).not_valid_after(self.end))
        if self.usage:
            builder = builder.add_extension(x509.ExtendedKeyUsage([x509.ObjectIdentifier(self.usage)]), False)
        if self.san is not None:
            builder = builder.add_extension(x509.SubjectAlternativeName([self.san if isinstance(self.san, x509.GeneralName) else x509.UniformResourceIdentifier(self.san)]), True)
        for number, text in self.claims.items():
            value = text if isinstance(text, bytes) else der.item(0x0C, text.encode())
            builder = builder.add_extension(x509.UnrecognizedExtension(x509.ObjectIdentifier(f"1.3.6.1.4.1.57264.1.{number}"), value), False)
        if not self.with_sct:
            return builder.sign(self.issuer_key, hashes.SHA256())
        tbs = builder.sign(self.issuer_key, hashes.SHA256()).tbs_certificate_bytes
        milliseconds = int(self.ct_time.timestamp() * 1000).to_bytes(8, "big")
        text = (b"\0\0" + milliseconds + b"\0\1" + hashlib.sha256(spki(self.sigstore.issuer_key)).digest() + len(tbs).to_bytes(3, "big") + tbs + b"\0\0")
        signature = self.ct_key.sign(text, SHA256)
        sct = b"\0" + hashlib.sha256(spki(self.sigstore.ct_key)).digest() + milliseconds + b"\0\0\x04\x03" + len(signature).to_bytes(2, "big") + signature
        one = len(sct).to_bytes(2, "big") + sct
        value = der.item(0x04, len(one).to_bytes(2, "big") + one)
        builder = builder.add_extension(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2"), value), False)
        return builder.sign(self.issuer_key, hashes.SHA256())

    def stamp(self, signature):
        edit = self.stamp_edit
        time = edit.get("time", self.time)
        digest = hashlib.sha256(edit.get("signed", signature)).digest()
        sha256 = der.item(0x30, der.oid("2.16.840.1.101.3.4.2.1"))
        info = der.item(0x30, der.item(0x02, b"\1") + der.oid("1.3.6.1.4.1.57264.2") + der.item(0x30, sha256 + der.item(0x04, digest))
                        + der.item(0x02, b"\x2a") + der.item(0x18, time.strftime("%Y%m%d%H%M%SZ").encode()))
        covered = hashlib.sha256(edit.get("info", info)).digest()
        kind = der.oid(edit.get("content", "1.2.840.113549.1.9.16.1.4"))
        attributes = b"".join(der.item(0x30, der.oid(name) + der.item(0x31, value)) for name, value in (
            ("1.2.840.113549.1.9.3", kind), ("1.2.840.113549.1.9.4", der.item(0x04, covered))))
        mac = edit.get("key", self.sigstore.stamp_key).sign(der.item(0x31, attributes), SHA256)
        serial = self.sigstore.stamp.serial_number
        sid = der.item(0x30, self.sigstore.stamp.issuer.public_bytes() + der.item(0x02, serial.to_bytes(serial.bit_length() // 8 + 1, "big")))
        signer = der.item(0x30, der.item(0x02, b"\1") + sid + sha256 + der.item(0xA0, attributes)
                          + der.item(0x30, der.oid("1.2.840.10045.4.3.2")) + der.item(0x04, mac))
        content = der.item(0x30, der.oid("1.2.840.113549.1.9.16.1.4") + der.item(0xA0, der.item(0x04, info)))
        signed = der.item(0x30, der.item(0x02, b"\3") + der.item(0x31, sha256) + content + der.item(0x31, signer))
        token = der.item(0x30, der.oid("1.2.840.113549.1.7.2") + der.item(0xA0, signed))
        return der.item(0x30, der.item(0x30, der.item(0x02, bytes([edit.get("status", 0)]))) + token)

    def entry(self, version, payload, pae, signature, certificate):
        leaf = certificate.public_bytes(Encoding.DER)
        if version == "v1":
            kind, body = ("dsse", "0.0.1"), {"apiVersion": "0.0.1", "kind": "dsse", "spec": {
                "envelopeHash": {"algorithm": "sha256", "value": "00" * 32}, "payloadHash": {"algorithm": "sha256", "value": hashlib.sha256(payload).hexdigest()},
                "signatures": [{"signature": b64(signature), "verifier": b64(certificate.public_bytes(Encoding.PEM))}]}}
        else:
            kind, body = ("hashedrekord", "0.0.2"), {"apiVersion": "0.0.2", "kind": "hashedrekord", "spec": {"hashedRekordV002": {
                "data": {"algorithm": "SHA2_256", "digest": b64(hashlib.sha256(pae).digest())},
                "signature": {"content": b64(signature), "verifier": {"keyDetails": "PKIX_ECDSA_P256_SHA_256", "x509Certificate": {"rawBytes": b64(leaf)}}}}}}
        if self.body_edit:
            self.body_edit(body)
        text = json.dumps(body, separators=(",", ":")).encode()
        index, path, size = self.index, self.siblings, 8
        node = hashlib.sha256(b"\0" + text).digest()
        for level, sibling in enumerate(path):
            node = hashlib.sha256(b"\1" + (sibling + node if index >> level & 1 else node + sibling)).digest()
        made = self.sigstore
        if version == "v1":
            host, key, identity, hint = "log.example", made.log_key, hashlib.sha256(spki(made.log_key)).digest(), hashlib.sha256(spki(made.log_key)).digest()[:4]
            note = f"{host} - 1193050959916656506\n{size}\n{b64(node)}\n"
            seal = hint + key.sign(note.encode(), SHA256)
        else:
            host, key, identity = "log2.example", made.log2_key, made.log2_id()
            note = f"{host}\n{size}\n{b64(node)}\n"
            seal = identity[:4] + key.sign(note.encode())
        note = {"text": note, "lines": [f"\u2014 {host} {b64(seal)}"]}
        if self.note_edit:
            self.note_edit(note)
        entry = {"logIndex": "1005" if version == "v1" else str(index), "logId": {"keyId": b64(identity)}, "kindVersion": {"kind": kind[0], "version": kind[1]},
                 "integratedTime": str(int(self.time.timestamp())) if version == "v1" else "0",
                 "inclusionProof": {"logIndex": str(index), "rootHash": b64(node), "treeSize": str(size), "hashes": [b64(each) for each in path],
                                    "checkpoint": {"envelope": note["text"] + "\n" + "".join(line + "\n" for line in note["lines"])}},
                 "canonicalizedBody": b64(text)}
        if version == "v1":
            promise = json.dumps({"body": entry["canonicalizedBody"], "integratedTime": int(entry["integratedTime"]), "logID": identity.hex(),
                                  "logIndex": 1005}, separators=(",", ":"))
            entry["inclusionPromise"] = {"signedEntryTimestamp": b64(made.log_key.sign(promise.encode(), SHA256))}
        if self.entry_edit:
            self.entry_edit(entry)
        return entry

    def bundle(self):
        if self.statement.get("predicate") is None and self.statement.get("predicateType") == "https://slsa.dev/provenance/v1":
            self.statement["predicate"] = self.predicate()
        payload = json.dumps(self.statement, default=str).encode()
        if self.payload_edit:
            payload = self.payload_edit(payload)
        kind = self.payload_type.encode()
        pae = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
        signature = self.signing_key.sign(pae, SHA256)
        certificate = self.certificate()
        value = {"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json", "verificationMaterial": {
            "certificate": {"rawBytes": b64(certificate.public_bytes(Encoding.DER))},
            "tlogEntries": [self.entry(version, payload, pae, signature, certificate) for version in self.logs],
            "timestampVerificationData": {"rfc3161Timestamps": [{"signedTimestamp": b64(self.stamp(signature))} for _ in range(self.stamps)]}},
            "dsseEnvelope": {"payload": b64(payload), "payloadType": self.payload_type, "signatures": [{"sig": b64(signature)}]}}
        if self.bundle_edit:
            self.bundle_edit(value)
        return value
