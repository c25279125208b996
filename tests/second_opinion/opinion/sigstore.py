"""A Sigstore bundle over an in-toto statement (docs/provenance.md, "What is verified")."""

import base64
import binascii
import datetime
import hashlib
import json
import pathlib

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from . import der, strict_json
from .strict_json import Members

ROOTS = pathlib.Path(__file__).resolve().parents[3] / "crates/core/src/verify/provenance/roots"
MEDIA_TYPES = {"application/vnd.dev.sigstore.bundle.v0.3+json", "application/vnd.dev.sigstore.bundle+json;version=0.3"}
IN_TOTO = "application/vnd.in-toto+json"
HASHES = {"2.16.840.1.101.3.4.2.1": hashes.SHA256, "2.16.840.1.101.3.4.2.2": hashes.SHA384, "2.16.840.1.101.3.4.2.3": hashes.SHA512}
HASH_BY_OID = {der.oid(text): kind for text, kind in HASHES.items()}
AHEAD = datetime.timedelta(seconds=60)


class Refused(Exception):
    def __init__(self, reason, detail="", status="fail"):
        super().__init__(f"{reason} {detail}")
        self.reason, self.status = reason, status


def malformed(detail):
    return Refused("malformed", detail)


# ------------------------------------------------------------------------------------------------ JSON
def member(value, *names, kind=None):
    """A member of members; null is absent, a name twice is refused."""
    for name in names:
        if not isinstance(value, Members):
            raise malformed(f"an object with {name} expected")
        if len(value.all(name)) > 1:
            raise malformed(f"{name} twice")
        value = value.get(name)
        if value is None:
            return None
    if kind and not isinstance(value, kind):
        raise malformed(f"{names[-1]} has another type")
    return value


def data_of(value, *names):
    text = member(value, *names, kind=str)
    if text is None:
        raise malformed(f"{names[-1]} is missing")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise malformed(f"{names[-1]} is not base64") from error


def number_of(value, *names):
    number = member(value, *names)
    if isinstance(number, str) and number.isascii() and number.isdigit():
        number = int(number)
    if not strict_json.is_integer(number) or number < 0:
        raise malformed(f"{names[-1]} is not a number")
    return number


def list_of(value, *names, limit=32):
    found = member(value, *names)
    found = [] if found is None else found
    if not isinstance(found, list) or isinstance(found, Members) or len(found) > limit:
        raise malformed(f"{names[-1]} is not a list")
    return found


# ------------------------------------------------------------------------------------------------ roots
class Key:
    def __init__(self, value):
        self.der = data_of(value, "publicKey", "rawBytes")
        self.key = load_der_public_key(self.der)
        self.valid = Interval(member(value, "publicKey", "validFor"))
        self.id = data_of(value, "logId", "keyId")
        self.url = member(value, "baseUrl") or ""

    def holds(self, signature, message):
        return holds(self.key, signature, message, hashes.SHA256())


class Interval:
    """A closed interval; without an end it is open."""

    def __init__(self, value):
        start, end = member(value, "start"), member(value, "end")
        if start is None:
            raise Refused("root-unusable", status="error")
        self.start = datetime.datetime.fromisoformat(start)
        self.end = datetime.datetime.fromisoformat(end) if end else None

    def holds(self, at):
        return self.start <= at and (self.end is None or at <= self.end)


class Authority:
    def __init__(self, value):
        self.chain = [x509.load_der_x509_certificate(data_of(each, "rawBytes")) for each in list_of(value, "certChain", "certificates")]
        self.valid = Interval(member(value, "validFor"))


class Instance:
    def __init__(self, value):
        self.logs = [Key(each) for each in list_of(value, "tlogs")]
        self.ctlogs = [Key(each) for each in list_of(value, "ctlogs")]
        self.authorities = [Authority(each) for each in list_of(value, "certificateAuthorities")]
        self.timestamps = [Authority(each) for each in list_of(value, "timestampAuthorities")]

    def subjects(self):
        return {certificate.subject for each in self.authorities for certificate in each.chain}


def roots(text=None):
    """The instances of a file: one trusted root, or one a line. Without one those of the program, as data."""
    if text is None:
        return [Instance(strict_json.parse((ROOTS / name).read_bytes())) for name in ("public-good.json", "github.json")]
    try:
        values = [strict_json.parse(text)]
    except strict_json.Malformed:
        values = [strict_json.parse(line) for line in text.splitlines() if line.strip()]
    return [Instance(value) for value in values]


# When the program's own roots were read (docs/provenance.md).
SNAPSHOT = datetime.datetime(2026, 10, 23, tzinfo=datetime.UTC)
# What newer roots may change.
OF_ROOTS = {"untrusted-chain", "unknown-log", "timestamp-untrusted", "sct-invalid"}


def complete_until(text, instances):
    """Until when the roots are known to be complete: a file says no more than when its newest key began to count."""
    if text is None:
        return SNAPSHOT
    return max(key.valid.start for each in instances for key in [*each.logs, *each.ctlogs, *each.authorities, *each.timestamps])


# ------------------------------------------------------------------------------------------------ signatures
def holds(key, signature, message, algorithm):
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, message, ec.ECDSA(algorithm))
        elif isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature, message)
        elif isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, message, padding.PKCS1v15(), algorithm)
        else:
            return False
    except (InvalidSignature, ValueError):
        return False
    return True


def spki(certificate):
    return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def organization(name):
    found = name.get_attributes_for_oid(x509.NameOID.ORGANIZATION_NAME)
    return found[0].value if found else None


def usages(certificate):
    try:
        return {each.dotted_string for each in certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value}
    except x509.ExtensionNotFound:
        return set()


def is_ca(certificate):
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def issued(certificate, issuer):
    return (certificate.issuer == issuer.subject and is_ca(issuer)
            and holds(issuer.public_key(), certificate.signature, certificate.tbs_certificate_bytes, certificate.signature_hash_algorithm))


def in_date(certificate, at):
    return certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc


# ------------------------------------------------------------------------------------------------ time stamps
def timestamp(token, signature, instance):
    """The time of an RFC 3161 response over this signature, by an authority of the instance."""
    try:
        status, content = der.items(der.one(token, 0x30))
        if der.items(status[1])[0][1] not in (b"\x00", b"\x01"):
            raise malformed("the time stamp was refused")
        kind, explicit = der.items(content[1])
        if kind[2] != der.oid("1.2.840.113549.1.7.2"):
            raise malformed("no signed data")
        signed = der.items(der.one(explicit[1], 0x30))
        encapsulated = der.items(signed[2][1])
        if encapsulated[0][2] != der.oid("1.2.840.113549.1.9.16.1.4"):
            raise malformed("no TSTInfo")
        info = der.one(encapsulated[1][1], 0x04)
        (signer,) = der.items(signed[-1][1])
        parts = der.items(signer[1])
        digest = HASH_BY_OID[der.items(parts[2][1])[0][2]]()
        attributes = next(part for part in parts if part[0] == 0xA0)
        mac = parts[[part[0] for part in parts].index(0xA0) + 2][1]
        found = {attribute[0][2]: der.items(attribute[1][1]) for attribute in (der.items(each[1]) for each in der.items(attributes[1]))}
        content_type = found[der.oid("1.2.840.113549.1.9.3")][0][2]
        message_digest = found[der.oid("1.2.840.113549.1.9.4")][0][1]
        fields = der.items(der.one(info, 0x30))
        imprint = der.items(fields[2][1])
        imprint_hash = HASH_BY_OID[der.items(imprint[0][1])[0][2]]()
        time = next(field for field in fields if field[0] == 0x18)[1].decode()
        form = "%Y%m%d%H%M%S.%fZ" if "." in time else "%Y%m%d%H%M%SZ"
        at = datetime.datetime.strptime(time, form).replace(tzinfo=datetime.UTC)
    except (der.Malformed, ValueError, IndexError, KeyError, StopIteration, UnicodeDecodeError) as error:
        raise Refused("timestamp-untrusted", "it cannot be read") from error
    if hashed(imprint_hash, signature) != imprint[1][1]:
        raise Refused("timestamp-other-signature")
    if content_type != der.oid("1.2.840.113549.1.9.16.1.4") or message_digest != hashed(digest, info):
        raise Refused("timestamp-untrusted")
    signers = [each for each in instance.timestamps if "1.3.6.1.5.5.7.3.8" in usages(each.chain[0])
               and holds(each.chain[0].public_key(), mac, b"\x31" + attributes[2][1:], digest)]
    if not signers:
        raise Refused("timestamp-untrusted")
    if not any(each.valid.holds(at) and all(in_date(certificate, at) for certificate in each.chain)
               and all(map(issued, each.chain, each.chain[1:])) for each in signers):
        raise Refused("timestamp-outside-validity")
    return at


def hashed(algorithm, data):
    return hashlib.new(algorithm.name, data).digest()


# ------------------------------------------------------------------------------------------------ the log
def root_of(body, index, size, path):
    """The root of an RFC 6962 tree that the path gives."""
    if size <= index or size < 1:
        raise Refused("inclusion-invalid")
    inner = (index ^ (size - 1)).bit_length()
    if len(path) != inner + bin(index >> inner).count("1"):
        raise Refused("inclusion-invalid")
    node = hashlib.sha256(b"\0" + body).digest()
    for level, sibling in enumerate(path):
        left = level >= inner or index >> level & 1
        node = hashlib.sha256(b"\1" + (sibling + node if left else node + sibling)).digest()
    return node


def checkpoint(note, log, size, root):
    """The signed note says that this log has this root at this size."""
    if len(note.encode()) > 64 << 10 or "\n\n" not in note:
        raise Refused("checkpoint-invalid")
    text, _, rest = note.partition("\n\n")
    lines, signatures = text.split("\n"), rest.split("\n")
    if signatures[-1] != "" or len(signatures) > 33 or len(lines) < 3:
        raise Refused("checkpoint-invalid")
    host = log.url.partition("://")[2].rstrip("/")
    origin = lines[0]
    ed = isinstance(log.key, ed25519.Ed25519PublicKey)
    if origin != host and (ed or not origin.startswith(host + " - ")):
        raise Refused("checkpoint-invalid")
    if lines[1] != str(size):
        raise Refused("checkpoint-invalid")
    try:
        if base64.b64decode(lines[2], validate=True) != root:
            raise Refused("checkpoint-invalid")
    except (binascii.Error, ValueError) as error:
        raise Refused("checkpoint-invalid") from error
    raw = log.key.public_bytes(Encoding.Raw, PublicFormat.Raw) if ed else b""
    hint = hashlib.sha256(host.encode() + b"\n\x01" + raw if ed else log.der).digest()[:4]
    for line in signatures[:-1]:
        mark, _, tail = line.partition(" ")
        name, space, blob = tail.rpartition(" ")
        try:
            blob = base64.b64decode(blob, validate=True)
        except (binascii.Error, ValueError) as error:
            raise Refused("checkpoint-invalid") from error
        if mark != "\u2014" or not space:
            raise Refused("checkpoint-invalid")
        if (name == host or not ed) and blob[:4] == hint and log.holds(blob[4:], (text + "\n").encode()):
            return
    raise Refused("checkpoint-invalid")


def of_this_bundle(body, entry, bundle):
    """The log's entry describes this signature."""
    try:
        value = strict_json.plain(strict_json.parse(body))
    except strict_json.Malformed as error:
        raise malformed("the entry's body") from error
    kind = (member(entry, "kindVersion", "kind"), member(entry, "kindVersion", "version"))
    known = (("dsse", "0.0.1"), ("hashedrekord", "0.0.2"))
    said = (value.get("kind"), value.get("apiVersion")) if isinstance(value, dict) else kind
    if kind not in known or said not in known and None not in said:
        raise Refused("unsupported", "the kind of the entry", "error")
    try:
        same = (value["kind"], value["apiVersion"]) == kind
        if kind[0] == "dsse":
            (one,) = value["spec"]["signatures"]
            payload = value["spec"]["payloadHash"]
            if payload["algorithm"] != "sha256":
                raise Refused("unsupported", "the digest of the entry", "error")
            certificates = x509.load_pem_x509_certificates(base64.b64decode(one["verifier"], validate=True))
            same &= [each.public_bytes(Encoding.DER) for each in certificates] == [bundle.leaf_der]
            same &= base64.b64decode(one["signature"], validate=True) == bundle.signature
            same &= payload == {"algorithm": "sha256", "value": hashlib.sha256(bundle.payload).hexdigest()}
        else:
            spec = value["spec"]["hashedRekordV002"]
            if spec["data"]["algorithm"] != "SHA2_256":
                raise Refused("unsupported", "the digest of the entry", "error")
            same &= spec["data"] == {"algorithm": "SHA2_256", "digest": base64.b64encode(hashlib.sha256(bundle.signed).digest()).decode()}
            same &= base64.b64decode(spec["signature"]["content"], validate=True) == bundle.signature
            same &= base64.b64decode(spec["signature"]["verifier"]["x509Certificate"]["rawBytes"], validate=True) == bundle.leaf_der
    except (KeyError, TypeError, ValueError, binascii.Error):
        same = False
    if not same:
        raise Refused("log-entry-mismatch")


def logged(entry, bundle, instance):
    """The time that the log signed, or None."""
    identity = data_of(entry, "logId", "keyId")
    log = next((each for each in instance.logs if each.id == identity), None)
    if log is None:
        raise Refused("unknown-log")
    body = data_of(entry, "canonicalizedBody")
    note = member(entry, "inclusionProof", "checkpoint", "envelope")
    if note is None:
        raise Refused("no-inclusion-proof")
    size, index = number_of(entry, "inclusionProof", "treeSize"), number_of(entry, "inclusionProof", "logIndex")
    path = list_of(entry, "inclusionProof", "hashes", limit=64)
    try:
        path = [base64.b64decode(each, validate=True) for each in path]
    except (TypeError, ValueError) as error:
        raise malformed("hashes") from error
    if isinstance(log.key, ed25519.Ed25519PublicKey) and number_of(entry, "logIndex") != index:
        raise Refused("inclusion-invalid")
    root = root_of(body, index, size, path)
    if data_of(entry, "inclusionProof", "rootHash") != root:
        raise Refused("inclusion-invalid")
    checkpoint(note, log, size, root)
    time = None
    if not isinstance(log.key, ed25519.Ed25519PublicKey) and member(entry, "inclusionPromise") is not None:
        seconds = number_of(entry, "integratedTime")
        promise = json.dumps({"body": member(entry, "canonicalizedBody"), "integratedTime": seconds, "logID": identity.hex(),
                              "logIndex": number_of(entry, "logIndex")}, separators=(",", ":"))
        if not log.holds(data_of(entry, "inclusionPromise", "signedEntryTimestamp"), promise.encode()):
            raise Refused("set-invalid")
        time = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    of_this_bundle(body, entry, bundle)
    return time, log


# ------------------------------------------------------------------------------------------------ the certificate
def transparency(leaf, issuer, instance):
    try:
        extension = leaf.extensions.get_extension_for_class(x509.PrecertificateSignedCertificateTimestamps)
        scts = list(extension.value)
    except x509.ExtensionNotFound as error:
        raise Refused("no-sct") from error
    if not scts:
        raise Refused("no-sct")
    tbs = leaf.tbs_precertificate_bytes
    for sct in scts:
        log = next((each for each in instance.ctlogs if each.id == sct.log_id), None)
        at = sct.timestamp.replace(tzinfo=datetime.UTC)
        milliseconds = round((at - datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)) / datetime.timedelta(milliseconds=1))
        text = (b"\0\0" + milliseconds.to_bytes(8, "big") + b"\0\1" + hashlib.sha256(spki(issuer)).digest() + len(tbs).to_bytes(3, "big") + tbs
                + len(sct.extension_bytes).to_bytes(2, "big") + sct.extension_bytes)
        if log is not None and log.holds(sct.signature, text) and log.valid.holds(at):
            return
    raise Refused("sct-invalid")


def chain_at(leaf, at, instance):
    """The issuer of the leaf at this time."""
    signed = False
    for authority, first in ((each, at) for each in instance.authorities for at in range(len(each.chain))):
        chain = [leaf, *authority.chain[first:]]
        if not all(map(issued, chain, chain[1:])):
            continue
        signed = True
        if authority.valid.holds(at) and all(in_date(certificate, at) for certificate in chain):
            return chain[1]
    raise Refused("outside-validity" if signed else "untrusted-chain")


class Bundle:
    """What a bundle holds; nothing of it is proven."""

    def __init__(self, value):
        media_type = member(value, "mediaType", kind=str)
        if media_type is None:
            raise malformed("mediaType")
        if media_type not in MEDIA_TYPES:
            raise Refused("unsupported", status="error")
        material = member(value, "verificationMaterial", kind=Members)
        envelope = member(value, "dsseEnvelope")
        if member(value, "messageSignature") is not None or any(
                member(material, name) is not None for name in ("publicKey", "x509CertificateChain")):
            raise Refused("unsupported", status="error")
        self.leaf_der = data_of(material, "certificate", "rawBytes")
        try:
            self.leaf = x509.load_der_x509_certificate(self.leaf_der)
            list(self.leaf.extensions)
            self.key = self.leaf.public_key()
        except Exception as error:  # noqa: BLE001: `cryptography` has many ways to refuse a certificate
            raise malformed("the certificate") from error
        if envelope is None:
            raise malformed("dsseEnvelope")
        self.payload_type, self.payload = member(envelope, "payloadType", kind=str), data_of(envelope, "payload")
        signatures = list_of(envelope, "signatures")
        if len(signatures) != 1:
            raise malformed("one signature expected")
        self.signature = data_of(signatures[0], "sig")
        if self.payload_type != IN_TOTO:
            raise Refused("unsupported", status="error")
        self.entries = list_of(material, "tlogEntries")
        times = member(material, "timestampVerificationData")
        self.timestamps = [data_of(each, "signedTimestamp") for each in list_of(times, "rfc3161Timestamps")] if times is not None else []
        kind = self.payload_type.encode()
        self.signed = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(self.payload), self.payload)


def is_signed(bundle):
    """Whether the key of the certificate signed the statement."""
    if isinstance(bundle.key, ec.EllipticCurvePublicKey) and bundle.key.curve.name in ("secp256r1", "secp384r1"):
        algorithm = hashes.SHA256() if bundle.key.curve.name == "secp256r1" else hashes.SHA384()
    else:
        raise Refused("unsupported", status="error")
    return holds(bundle.key, bundle.signature, bundle.signed, algorithm)


def verify(bundle, instances, now):
    """The statement of a bundle that holds, as members."""
    instance = next((each for each in instances if bundle.leaf.issuer in each.subjects()), None)
    if instance is None:
        raise Refused("untrusted-chain")
    # Of GitHub's own instance alone no logs are expected (docs/provenance.md).
    public = organization(bundle.leaf.issuer) != "GitHub, Inc."
    times = [timestamp(token, bundle.signature, instance) for token in bundle.timestamps]
    try:
        entries = [logged(entry, bundle, instance) for entry in bundle.entries]
    except Refused as error:
        # What differs is the entry, or what it is about.
        raise Refused("signature-invalid") if error.reason == "log-entry-mismatch" and not is_signed(bundle) else error
    if public and not entries:
        raise Refused("not-logged")
    times += [time for time, _ in entries if time is not None]
    if not times:
        raise Refused("no-authenticated-time")
    if any(not log.valid.holds(time) for _, log in entries for time in times):
        raise Refused("time-invalid")
    issuer = [chain_at(bundle.leaf, time, instance) for time in times][0]
    if "1.3.6.1.5.5.7.3.3" not in usages(bundle.leaf):
        raise Refused("untrusted-chain")
    if public:
        transparency(bundle.leaf, issuer, instance)
    if any(time > now + AHEAD for time in times):
        raise Refused("time-ahead", status="error")
    if not is_signed(bundle):
        raise Refused("signature-invalid")
    try:
        statement = strict_json.parse(bundle.payload)
    except strict_json.Malformed as error:
        raise malformed("the statement") from error
    if not isinstance(statement, Members) or strict_json.any_repeated(statement):
        raise malformed("the statement")
    return strict_json.plain(statement)
