"""Who serves the address, as far as a recording shows it (docs/tls.md; docs/checks/tls-binding.md).

The certificates and files that were recorded are judged like live ones. Who holds the key now no recording shows, so that what
holds is `recorded`. `Context` is what the app's own evidence proved."""

import datetime
import gzip
import hashlib
import io
import json
import re
import zlib
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from . import boot_order, collateral, event_log, evidence, quote as quotes, strict_json, versioned
from .unsupported import NotImplementedHere

ARC = "1.3.6.1.4.1.62397.1."


class Refused(Exception):
    def __init__(self, reason, status="fail"):
        super().__init__(reason)
        self.reason, self.status = reason, status


@dataclass
class Context:
    run: object  # appraise.Run
    quote: object
    claims: object


def spki(certificate):
    return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def content(value):
    """extnValue is an octet string in an octet string; the content may be gzip behind a mark."""
    (tag, inner), *rest = quotes.der_items(value)
    if tag != 0x04 or rest:
        raise Refused("ratls-malformed")
    if inner[:6] == b"ELGZv1":
        try:
            inner = gzip.GzipFile(fileobj=io.BytesIO(inner[6:])).read((64 << 10) + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise Refused("ratls-malformed") from error
        if len(inner) > 64 << 10:
            raise Refused("ratls-malformed")
    return inner


def extensions(certificate):
    """The extensions of dstack by the last number of their OID. The same one twice is refused before anything is read."""
    found = {}
    try:
        items = list(certificate.extensions)
    except x509.DuplicateExtension as error:
        raise Refused("ratls-duplicate-extension" if error.oid.dotted_string.startswith(ARC) else "ratls-malformed") from error
    except ValueError as error:
        raise Refused("ratls-malformed") from error
    for extension in items:
        oid = extension.oid.dotted_string
        if oid.startswith(ARC):
            found[oid.removeprefix(ARC)] = content(extension.value.value)
    return found


def proven(context, data, events, only_runtime, words):
    """The claims of a quote that stands elsewhere than in the app's evidence: judged as that one is."""
    run = context.run
    try:
        parsed = quotes.parse(data)
        platform = quotes.verify(parsed, run.root)
        if quotes.refuses_attributes(parsed):
            raise quotes.Refused("attributes-refused")
    except quotes.Refused as error:
        raise Refused(words["quote"]) from error
    yield parsed
    try:
        documents = collateral.read(run.bundle.get("collateral"))
        collateral.of_this_platform(documents, platform)
        collateral.judge(parsed, platform, documents, run.root, run.now)
    except collateral.Undetermined as error:
        raise Refused(words["undetermined"], "error") from error
    except quotes.Refused as error:
        raise Refused(words["quote"]) from error
    try:
        runtime = event_log.replay(events, parsed, only_runtime)
        claims = boot_order.read(runtime)
    except event_log.Refused as error:
        raise Refused(words["undetermined"] if error.status == "error" else words["quote"], error.status) from error
    except boot_order.Refused as error:
        raise Refused(words["quote"]) from error
    yield claims


def same_vm(context, parsed, claims, words):
    if claims.compose_hash != context.claims.compose_hash:
        raise Refused(words["compose"])
    mine, theirs = context.quote, parsed
    fields = [(0, 16), (16, 48), (64, 48), (120, 8), (128, 8), (136, 48), (184, 48), (232, 48), (280, 48), (328, 192)]
    if any(mine.field(*each) != theirs.field(*each) for each in fields):
        # Several instances behind one ingress look like this, too.
        raise Refused(words["other"], "error") if words is INGRESS else Refused(words["other"])


RATLS = {"quote": "ratls-quote", "undetermined": "ratls-quote-undetermined", "compose": "ratls-other-compose", "other": "ratls-other-instance"}
INGRESS = {"quote": "ingress-quote", "undetermined": "ingress-quote-undetermined", "compose": "ingress-other-compose", "other": "ingress-other-cvm"}


def ratls(context, chain):
    leaf = chain[0]
    found = extensions(leaf)
    if "8" not in found and "1" not in found:
        raise Refused("ratls-no-evidence")
    key = leaf.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name != "secp256r1":
        raise Refused("ratls-key-type")
    if "8" in found:
        try:
            inner = versioned.decode(found["8"])
        except versioned.Malformed as error:
            raise Refused("ratls-malformed") from error
        data = inner["quote"]
        if "1" in found and found["1"] != data:
            raise Refused("ratls-two-quotes")
        try:
            log = evidence.events_of((found.get("2") or b"").decode("utf-8", "replace"))
            events, _ = evidence.beside(inner, None, log)
        except evidence.Refused as error:
            raise Refused("ratls-malformed") from error
        stack = inner["report_data"]
    else:
        data, stack = found["1"], None
        try:
            events = evidence.events_of((found.get("2") or b"").decode("utf-8", "replace"))
        except evidence.Refused as error:
            raise Refused("ratls-malformed") from error
    # A log in a certificate may hold RTMR3 alone, or that and three events of RTMR0: then that register alone is replayed.
    stripped = events is not None and not any(event.imr in (1, 2) for event in events)
    if stripped:
        events = [event for event in events if event.imr == 3]
    steps = proven(context, data, events, stripped, RATLS)
    parsed = next(steps)
    bound = hashlib.sha512(b"ratls-cert:" + spki(leaf)).digest()
    if parsed.report_data != bound:
        raise Refused("ratls-not-bound")
    if stack is not None and stack != bound:
        raise Refused("ratls-stack-report-data")
    # Each certificate of the chain is valid now, within a minute of either clock.
    in_time(leaf, context.run.now)
    claims = next(steps)
    if "3" in found and found["3"] != claims.app_id:
        raise Refused("ratls-app-id")
    if "4" in found and found["4"] != b"app:custom":
        raise Refused("ratls-usage")
    same_vm(context, parsed, claims, RATLS)
    # The machine's id is in the certificate that signed the quote, and in nothing that a VM measures.
    if quotes.verify(parsed, context.run.root).ppid != context.run.platform_ppid:
        raise Refused("ratls-other-machine")
    if claims.key_provider["name"] == "kms":
        leads_to(chain, claims)
        for each in chain:
            in_time(each, context.run.now)


def in_time(certificate, now):
    minute = datetime.timedelta(minutes=1)
    if now < certificate.not_valid_before_utc - minute:
        # One of two clocks is wrong.
        raise Refused("ratls-outside-validity", "error")
    if now > certificate.not_valid_after_utc + minute:
        raise Refused("ratls-outside-validity")


def leads_to(chain, claims):
    """The chain of a VM that booted with a KMS leads to the key that the VM measured; the KMS's own certificate may be left out."""
    if len(chain) < 2 or not all(quotes.issued(one, issuer) for one, issuer in zip(chain, chain[1:])):
        raise Refused("ratls-chain")
    kms, last, between = claims.key_provider["id"].lower(), chain[-1], chain[1:-1]
    if spki(last).hex() != kms:
        try:
            load_der_public_key(bytes.fromhex(kms)).verify(last.signature, last.tbs_certificate_bytes, ec.ECDSA(last.signature_hash_algorithm))
        except (ValueError, TypeError, AttributeError, InvalidSignature, UnsupportedAlgorithm) as error:
            raise Refused("ratls-other-kms") from error
        between = chain[1:]
    for issuer in between:
        found = extensions(issuer)
        if found.get("4") != b"app:ca" or found.get("3") != claims.app_id:
            raise Refused("ratls-chain")


MANIFEST_LINE = re.compile(rb"([0-9a-f]{64})  ([^\n]*)\n")
NAME = re.compile(rb"acme-account\.json|cert[-A-Za-z0-9.*_]*\.pem")


def ingress(context, chain, host, files):
    """The files of dstack-ingress (dstack-examples, `custom-domain/dstack-ingress/scripts/evidence-lib.sh`)."""
    manifest = files["sha256sum.txt"]
    if len(manifest) > 8 << 10:
        raise Refused("ingress-manifest")
    if b"\r" in manifest:
        raise Refused("ingress-manifest-line-end")
    listed, at = {}, 0
    while at < len(manifest):
        match = MANIFEST_LINE.match(manifest, at)
        if not match:
            raise Refused("ingress-manifest")
        at = match.end()
        digest, name = match.group(1).decode(), match.group(2)
        if not NAME.fullmatch(name):
            raise Refused("ingress-manifest-name")
        if name.decode() in listed:
            raise Refused("ingress-manifest-twice")
        listed[name.decode()] = digest
    if not listed or len(listed) > 16:
        raise Refused("ingress-manifest")
    certificate_name = f"cert-{host}.pem"
    if "acme-account.json" not in listed or certificate_name not in listed:
        raise Refused("ingress-not-listed")
    for name, digest in listed.items():
        if name in files and hashlib.sha256(files[name]).hexdigest() != digest:
            raise Refused("ingress-file-hash")
    if certificate_name not in files:
        raise Refused("ingress-not-listed")
    if not files.get("quote.json"):
        raise Refused("ingress-quote-empty")
    try:
        shown = evidence.read(strict_json.parse(files["quote.json"]))
    except (strict_json.Malformed, evidence.Refused) as error:
        raise Refused("ingress-malformed") from error
    steps = proven(context, shown.quote, shown.events, shown.only_runtime_events, INGRESS)
    parsed = next(steps)
    if parsed.report_data != hashlib.sha256(manifest).digest() + bytes(32):
        raise Refused("ingress-not-bound")
    claims = next(steps)
    same_vm(context, parsed, claims, INGRESS)
    if quotes.verify(parsed, context.run.root).ppid != context.run.platform_ppid:
        raise Refused("ingress-other-machine")
    try:
        served = quotes.certificates(files[certificate_name])[0]
    except (ValueError, IndexError) as error:
        raise Refused("ingress-malformed") from error
    if spki(served) != spki(chain[0]):
        raise Refused("ingress-key-differs")
    # dstack-ingress is void where the app quotes 32 bytes of the caller's choice.
    nonce = context.run.nonce
    if nonce is not None and context.quote.report_data == nonce + bytes(32):
        raise Refused("oracle-32")


def served_by_ingress(recorded):
    """The host and the files that were recorded, by name."""
    shown = (recorded.get("ingress") or strict_json.Members()).get("evidence")
    if shown is None:
        raise Refused("ingress-no-evidence")
    files = {name: strict_json.hex_bytes(data) for name, data in shown.get("files")}
    files["sha256sum.txt"], files["quote.json"] = (strict_json.hex_bytes(shown.get(name)) for name in ("manifest", "quote"))
    return shown.get("host"), files


def served_under_a_ca(recorded):
    """SHA-256 of the recorded key, where a trusted CA vouches for the certificate."""
    if recorded is None or not recorded.get("trusted_ca") or not recorded.get("chain"):
        return None
    try:
        leaf = x509.load_der_x509_certificate(strict_json.hex_bytes(recorded.get("chain")[0]))
    except (ValueError, TypeError):
        return None
    return hashlib.sha256(spki(leaf)).digest()


def app_key(context, chain):
    half = hashlib.sha256(spki(chain[0])).digest()
    data, nonce = context.quote.report_data, context.run.nonce
    if nonce is None or nonce not in (data[:32], data[32:]):
        raise Refused("no-app-key")
    key = data[32:] if data[:32] == nonce else data[:32]
    if not any(key):
        raise Refused("no-app-key")
    if key != half:
        raise Refused("key-mismatch")


def binding_that_is_there(context, chain, recorded):
    """What `auto` looks at: the first one that is there (docs/tls.md)."""
    if any(name in extensions(chain[0]) for name in "18"):
        return "ratls"
    served, data, nonce = served_under_a_ca(recorded), context.quote.report_data, context.run.nonce
    quoted = [data[32:]] * (data[:32] == nonce) + [data[:32]] * (data[32:] == nonce)
    if served in quoted and served is not None:
        return "app-key"
    if (recorded.get("ingress") or strict_json.Members()).get("evidence") is not None:
        return "ingress"
    # A key before the nonce, and another one answers.
    if context.run.policy.report_data == "auto" and served is not None and data[32:] == nonce and any(data[20:32]):
        return "app-key"
    return "none"


def judge(context, mode):
    """Check `tls-binding` of a bundle, where the mode is named or something binds the key."""
    recorded = context.run.bundle.get("tls")
    if recorded is None:
        return ("error" if mode != "auto" else "skip"), "no-connection"
    try:
        chain = [x509.load_der_x509_certificate(strict_json.hex_bytes(each)) for each in recorded.get("chain") or []]
    except (ValueError, TypeError) as error:
        raise NotImplementedHere(f"a recorded chain that cannot be read: {error}") from error
    if not chain:
        return ("error" if mode != "auto" else "skip"), "no-connection"
    try:
        if recorded.get("other_keys"):
            # A renewal of an ingress's certificate looks like this, too.
            raise Refused("tls-key-changed", "error") if mode == "ingress" else Refused("tls-key-changed")
        if recorded.get("probe") == "quotes64":
            raise Refused("oracle-64")
        found = mode
        if mode == "auto":
            found = binding_that_is_there(context, chain, recorded)
        if found == "ratls":
            ratls(context, chain)
        elif found == "app-key":
            app_key(context, chain)
        elif found == "ingress":
            ingress(context, chain, *served_by_ingress(recorded))
        else:
            return "skip", "unbound"
    except Refused as error:
        if mode == "auto" and error.reason == "oracle-32":
            return "skip", error.reason  # An app that quotes what it is sent is not at fault while nobody asks for a binding.
        if mode == "auto":
            return "warn", error.reason
        return error.status, error.reason
    return "skip", "recorded"
