"""Check `kms`: the server at the named host is a KMS in a TD, with the app's root key and named code (docs/governance.md)."""

import hashlib

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key
from cryptography.x509.oid import ExtensionOID

from . import boot_order, collateral, event_log, evidence, governance, keccak, os_image, policy as policies, quote as quotes, strict_json, tls_binding, versioned
from .chain import Chain, Undetermined
from .strict_json import Members, hex_bytes
from .unsupported import NotImplementedHere

# dstack's local key provider, by the measurement of its enclave.
LOCAL_PROVIDER = ("local-sgx", "1b7a49378403249b6986a907844cab0921eca32dd47e657f3c10311ccaeccf8b")
WORST = ("fail", "error", "warn")


class Refused(Exception):
    def __init__(self, reason, status="fail"):
        super().__init__(reason)
        self.reason, self.status = reason, status


def settings_of(policy):
    lock = policy.lock.get("kms", {})
    found = {"host": lock.get("host"), "compose-hash": [lock["compose_hash"]] if "compose_hash" in lock else None, **policy.kms_settings}
    found = {name: value for name, value in found.items() if value is not None}
    if isinstance(found.get("host"), str):
        found["host"] = [found["host"]]
    return found


def is_configured(policy):
    return policy.kms != "unchecked" and bool(settings_of(policy) or policy.kms == "required")


# ------------------------------------------------------------------------------------------------ evidence of a VM
def verified(run, data, events, only_runtime, document):
    """A quote of another VM than the app's: its parts, claims and TCB status."""
    try:
        parsed = quotes.parse(data)
        platform = quotes.verify(parsed, run.root)
        if quotes.refuses_attributes(parsed):
            raise Refused("quote")
        documents = collateral.read(document)
        collateral.authentic(documents, run.root, platform)
        collateral.convict(documents, run.root, platform)
        collateral.of_this_platform(documents, platform)
        collateral.in_date(documents, run.root, platform, run.now)
        status, advisories = collateral.judge(parsed, platform, documents, run.root, run.now)
    except quotes.Refused as error:
        raise Refused("quote") from error
    except collateral.Undetermined as error:
        raise Refused("quote-undetermined", "error") from error
    try:
        claims = boot_order.read(event_log.replay(events, parsed, only_runtime))
    except event_log.Refused as error:
        raise Refused("quote" if error.status == "fail" else "quote-undetermined", error.status) from error
    except boot_order.Refused as error:
        raise Refused("quote") from error
    return parsed, claims, status, advisories


def of_certificate(leaf):
    """Quote, events and extensions of an RA-TLS certificate."""
    try:
        found = tls_binding.extensions(leaf)
    except tls_binding.Refused as error:
        raise Refused("malformed") from error
    if "8" not in found and "1" not in found:
        raise Refused("no-evidence")
    try:
        if "8" in found:
            inner = versioned.decode(found["8"])
            log = evidence.events_of((found.get("2") or b"").decode("utf-8", "replace"))
            return found, inner["quote"], *evidence.beside(inner, found.get("1"), log)
        return found, found["1"], evidence.events_of((found.get("2") or b"").decode("utf-8", "replace")), False
    except (versioned.Malformed, evidence.Refused) as error:
        raise Refused("malformed") from error


def fits(meta):
    """Whether the other members of GetMeta's answer have their types, where they are there."""
    texts = [meta.get(name) for name in ("k256_pubkey", "kms_contract_address")]
    chain = meta.get("chain_id")
    return (all(each is None or isinstance(each, str) for each in texts) and isinstance(meta.get("os_image_verification", False), (bool, type(None)))
            and (chain is None or strict_json.is_integer(chain) or isinstance(chain, str) and chain.isdigit()))


def unprefixed(text):
    return text.removeprefix("0x") if isinstance(text, str) else text


def signed_by(certificate, root):
    """Whether the key of this SubjectPublicKeyInfo signed the certificate."""
    try:
        load_der_public_key(bytes.fromhex(root)).verify(certificate.signature, certificate.tbs_certificate_bytes,
                                                        ec.ECDSA(certificate.signature_hash_algorithm))
    except (ValueError, TypeError, InvalidSignature, AttributeError):
        return False
    return True


def mr_aggregated(parsed):
    """What the contract lists a KMS by: all registers, and the three configuration fields if one of them is not zero."""
    registers = parsed.registers()
    text = b"".join(registers[name] for name in ("mrtd", "rtmr0", "rtmr1", "rtmr2")) + parsed.rtmr(3)
    extra = parsed.field(184, 48) + parsed.field(232, 48) + parsed.field(280, 48)
    return hashlib.sha256(text + (extra if any(extra) else b"")).hexdigest()


# ------------------------------------------------------------------------------------------------ one server
class Server:
    def __init__(self, run, claims, settings, recorded):
        self.run, self.claims, self.settings, self.recorded = run, claims, settings, recorded
        self.root = claims.key_provider["id"].lower()
        self.found = []

    def say(self, reason, status="fail"):
        self.found.append((status, reason))

    def judge(self):
        try:
            self.certificate()
        except Refused as error:
            self.say(error.reason, error.status)
        return self.found

    def certificate(self):
        recorded = self.recorded
        if not recorded.get("chain"):
            raise Refused("unreachable", "error")
        if recorded.get("other_keys"):
            raise Refused("key-changed", "error")
        try:
            chain = [x509.load_der_x509_certificate(hex_bytes(each)) for each in recorded.get("chain")]
        except (ValueError, TypeError) as error:
            raise Refused("malformed", "error") from error
        leaf = chain[0]
        if not signed_by(leaf, self.root):
            self.of_another_root(leaf)
        self.is_of_kms(leaf)
        found, data, events, only_runtime = of_certificate(leaf)
        parsed, claims, status, advisories = self.attested(leaf, found, data, events, only_runtime)
        self.platform(status, advisories)
        if quotes.td_attributes(parsed)[0] == "fail":
            self.say("quote")
        self.os_image(parsed)
        self.code(parsed, claims)
        self.vm_keys(claims)
        self.host_name(leaf)
        self.answer()

    def is_of_kms(self, leaf):
        """The root key signs certificates of apps' CAs, too: what is for another use does not convict the KMS."""
        try:
            found = tls_binding.extensions(leaf)
        except tls_binding.Refused as error:
            raise Refused("malformed", "error") from error
        if found.get("4") != b"kms:rpc":
            raise Refused("usage", "error")

    def of_another_root(self, leaf):
        """Another server, if nothing shows a KMS; a KMS of another root, if its evidence holds."""
        try:
            self.attested(leaf, *of_certificate(leaf))
        except Refused as error:
            raise Refused("other-server", "error") from error
        if any(signed_by(leaf, root) for root in self.named_roots()):
            raise Refused("other-epoch", "error")
        raise Refused("other-root")

    def named_roots(self):
        return governance.named_roots(self.run.policy)

    def attested(self, leaf, found, data, events, only_runtime):
        if only_runtime is False and events is not None and not any(event.imr in (1, 2) for event in events):
            events, only_runtime = [event for event in events if event.imr == 3], True
        try:
            parsed = quotes.parse(data)
        except quotes.Refused as error:
            raise Refused("quote") from error
        if parsed.report_data != hashlib.sha512(b"ratls-cert:" + tls_binding.spki(leaf)).digest():
            raise Refused("not-bound")
        if found.get("4") != b"kms:rpc":
            raise Refused("usage")
        document = self.recorded.get("collateral")
        parsed, claims, status, advisories = verified(self.run, data, events, only_runtime, document and document.get("document"))
        if "3" in found and found["3"] != claims.app_id:
            raise Refused("malformed")
        return parsed, claims, status, advisories

    def platform(self, status, advisories):
        if status == "UpToDate":
            return
        if not any(each[0] == status and each[1] >= self.run.now.date() and (each[2] is None or set(advisories) <= set(each[2]))
                   for each in self.run.policy.accept_tcb):
            self.say("platform")

    def os_image(self, parsed):
        reason = image_of(self.run, parsed, self.settings.get("os-image", "known"))
        if reason:
            self.say(reason, "error" if reason == "os-image-unknown" else "fail")

    def code(self, parsed, claims):
        hashes, builds = self.settings.get("compose-hash"), self.settings.get("build")
        build = mr_aggregated(parsed)
        if hashes is not None and claims.compose_hash.hex() not in [each.lower() for each in hashes]:
            self.say("other-build")
        if builds is not None and build not in [each.lower() for each in builds]:
            self.say("other-build")
        if hashes is None and builds is None and not self.allowed_on_chain(build):
            self.say("unpinned", "error")

    def allowed_on_chain(self, build):
        settings, _ = governance.named(self.run.policy)
        if self.run.bundle.get("chain") is None or "kms-contract" not in settings or "chain-id" not in settings:
            return False
        chain, contract = Chain(self.run.bundle.get("chain")), governance.address(settings["kms-contract"])
        try:
            chain.open(settings["chain-id"], self.run.now)
            if governance.has_epochs(chain, contract):
                return False
            return chain.contracts.get("kms") == contract and chain.boolean(contract, "f6fe4f40" + build)
        except Undetermined:
            return False

    def vm_keys(self, claims):
        have = (claims.key_provider["name"], claims.key_provider["id"].lower())
        wanted = self.settings.get("key-provider")
        if wanted is None:
            if have != LOCAL_PROVIDER:
                self.say("vm-keys-unknown", "error")
        elif not any(name == have[0] and identity in (None, have[1]) for name, identity in policies.key_provider(wanted)):
            self.say("vm-keys")

    def host_name(self, leaf):
        host = self.recorded.get("host").rpartition(":")[0] if ":" in self.recorded.get("host") else self.recorded.get("host")
        try:
            names = leaf.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME).value
        except x509.ExtensionNotFound:
            return self.say("host-name")
        if host not in [*names.get_values_for_type(x509.DNSName), *map(str, names.get_values_for_type(x509.IPAddress))]:
            self.say("host-name")

    def answer(self):
        """GetMeta, and evidence of how the root keys were made."""
        try:
            meta = strict_json.parse(self.recorded.get("meta") or "")
            authority = x509.load_pem_x509_certificate(meta.get("ca_cert").encode())
            if meta.repeated() or not fits(meta):
                raise Refused("meta", "error")
        except (strict_json.Malformed, AttributeError, ValueError) as error:
            raise Refused("meta", "error") from error
        rules = [meta.get(name) for name in ("is_dev", "allow_any_upgrade")]
        if any(not isinstance(each, (bool, type(None))) for each in rules):
            raise Refused("meta", "error")
        if any(rules):
            self.say("development")
        elif None in rules:
            self.say("meta", "error")
        shown_root = tls_binding.spki(authority).hex()
        is_changing = shown_root != self.root and shown_root in self.named_roots()
        if is_changing:
            self.say("other-epoch", "error")
        elif shown_root != self.root:
            self.say("meta-ca")
        if meta.get("os_image_verification") is not True:
            self.say("images-unverified", "warn")
        self.contract(meta)
        shown = meta.get("bootstrap_info")
        if shown is not None and is_changing:
            self.say("bootstrap-undetermined", "warn")
        elif shown is not None:
            self.bootstrap("meta", shown, self.recorded.get("bootstrap_collateral"), meta.get("k256_pubkey") or None)
        others = self.recorded.get("bootstraps") or []
        for other in others:
            try:
                value = strict_json.parse(other.get("evidence"))
            except strict_json.Malformed:
                value = None
            self.bootstrap(other.get("source"), value, other.get("collateral"), None)
        if "bootstrap-file" in self.settings and not any(other.get("source") == "file" for other in others):
            self.say("bootstrap-unproven", "error")

    def contract(self, meta):
        settings, _ = governance.named(self.run.policy)
        if "kms-contract" not in settings or "chain-id" not in settings:
            return
        chain, contract = meta.get("chain_id"), meta.get("kms_contract_address")
        if chain is None and (contract is None or governance.address(contract) not in (None, bytes(20), "0x" + "00" * 20, "00" * 20)):
            return self.say("contract-unsaid", "warn")
        if str(chain) != str(settings["chain-id"]) or not isinstance(contract, str) \
                or governance.address(contract) != governance.address(settings["kms-contract"]):
            self.say("contract-differs")

    def has_epochs(self):
        """Whether the contract of the KMS holds the root of epoch 0 alone, or does not say. False where no contract was read."""
        settings, _ = governance.named(self.run.policy)
        if self.run.bundle.get("chain") is None or "kms-contract" not in settings or "chain-id" not in settings:
            return False
        chain = Chain(self.run.bundle.get("chain"))
        try:
            chain.open(settings["chain-id"], self.run.now)
        except Undetermined:
            return False
        try:
            return governance.has_epochs(chain, governance.address(settings["kms-contract"]))
        except Undetermined:
            return True

    def bootstrap(self, source, shown, document, k256):
        undetermined = ("bootstrap-unproven", "error") if source == "file" else ("bootstrap-undetermined", "warn")
        try:
            self.bootstrap_holds(source, shown, document, k256)
        except Refused as error:
            self.say(*(("bootstrap", "fail") if error.status == "fail" else undetermined))

    def bootstrap_holds(self, source, shown, document, k256):
        texts = [unprefixed(shown.get(name)) for name in ("ca_pubkey", "k256_pubkey")] if isinstance(shown, Members) else [None]
        if any(not hex_bytes(each) for each in texts):
            raise Refused("bootstrap", "warn")
        authority, other = (each.lower() for each in texts)
        if authority != self.root:
            is_open = source == "contract" and (authority in self.named_roots() or self.has_epochs())
            raise Refused("bootstrap", "warn" if is_open else "fail")
        if k256 is not None and unprefixed(k256).lower() != other:
            raise Refused("bootstrap")
        if shown.get("attestation") is not None:
            raise NotImplementedHere("a versioned attestation of a bootstrap")
        data, log = hex_bytes(unprefixed(shown.get("quote"))), hex_bytes(unprefixed(shown.get("eventlog")))
        if not data or log is None:
            raise Refused("bootstrap", "warn")
        try:
            events = evidence.events_of(log.decode())
        except (evidence.Refused, UnicodeDecodeError) as error:
            raise Refused("bootstrap", "warn") from error
        try:
            parsed, *_ = verified(self.run, data, events, False, document and document.get("document"))
        except Refused as error:
            # How a platform is rated now says nothing about when the keys were made.
            is_old = getattr(error.__cause__, "reason", None) in ("no-matching-tcb-level", "qe-out-of-date")
            raise Refused("bootstrap", "warn" if is_old else error.status) from error
        text = f"dstack-kms-genereted-keys-v1:{authority};{other};"
        if parsed.report_data != keccak.keccak_256(text.encode()) + bytes(32) or quotes.td_attributes(parsed)[0] == "fail":
            raise Refused("bootstrap")
        reason = image_of(self.run, parsed, "known", shapes=False)
        if reason and image_of(self.run, parsed, self.settings.get("os-image", "known")):
            raise Refused("bootstrap", "warn" if reason == "os-image-unknown" else "fail")


def image_of(run, parsed, wanted, shapes=True):
    """The reason why the OS image of a VM is refused, or None."""
    policy = policies.Policy(os_image=policies.os_image(wanted), reference=run.policy.reference)
    status, reason = os_image.judge(os_image.Vm(policy, run.now, parsed.registers(), None), parsed)
    if reason == "acpi-unverified" and not shapes:
        return None
    return {"pass": None, "fail": "os-image"}.get(status, "os-image-unknown")


def judge(run, claims):
    policy = run.policy
    if policy.kms == "unchecked":
        return "skip", "unchecked"
    if not is_configured(policy):
        return "skip", "not-configured"
    if claims is None:
        return "error", run.why_not_proven()
    if claims.key_provider["name"] != "kms":
        return "fail", "no-kms"
    settings = settings_of(policy)
    found = []
    if claims.mr_kms is not None and "build" in settings and claims.mr_kms.hex() not in [each.lower() for each in settings["build"]]:
        found.append(("fail", "mr-unknown"))
    if not settings.get("host"):
        found.append(("error", "no-host"))
    recorded = {each.get("host"): each for each in run.bundle.get("kms") or []}
    for host in settings.get("host", []):
        server = recorded.get(host)
        found += [("error", "not-asked")] if server is None else Server(run, claims, settings, server).judge()
    for worst in WORST:
        reasons = [reason for status, reason in found if status == worst]
        if reasons:
            return worst, reasons
    return "pass", None
