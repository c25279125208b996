"""Intel's statements about the platform (dcap-qvl 0.7.1; docs/checks/collateral.md), and the level that they give it.

Signatures, dates and platform of each document are judged here. The status of an accepted platform is the one of PyPI's
dcap-qvl; the level is found here a second time, to say why a platform is refused, and both must agree."""

import datetime
import json
from dataclasses import dataclass

import dcap_qvl
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from . import strict_json
from .quote import Refused, certificates, path_to, raw_signature_holds
from .strict_json import Malformed, Members, hex_bytes, is_integer


class Undetermined(Exception):
    """Check `collateral` ends in `error`."""

    def __init__(self, reason, detail=""):
        super().__init__(detail or reason)
        self.reason = reason


class Conflict(Exception):
    """This file and dcap-qvl disagree about one set of collateral: neither is believed."""


def time_of(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


@dataclass
class Collateral:
    documents: dict
    tcb_info: dict
    qe_identity: dict
    root_crl: object
    pck_crl: object
    signers: list  # chains of the signers of the two JSON documents
    text: str


NAMES = ("tcb_info", "qe_identity", "tcb_info_issuer_chain", "qe_identity_issuer_chain", "root_ca_crl", "pck_crl",
         "tcb_info_signature", "qe_identity_signature")


def signed_document(text, chain_text, signature, name):
    try:
        document = strict_json.plain(strict_json.parse(text))
        chain = certificates(chain_text)
    except (Malformed, ValueError) as error:
        raise Undetermined("malformed", f"{name}: {error}") from error
    if not isinstance(document, dict) or not document or not chain:
        raise Undetermined("malformed", name)
    return document, chain


TEXTS = (*NAMES[:4], "pck_crl_issuer_chain")


def is_well_formed(value):
    """Whether a bundle may hold this as its collateral: QuoteCollateralV3 of texts, byte fields in hex."""
    if value is None:
        return True
    if not isinstance(value, Members) or value.repeated() or not all(isinstance(value.get(name), str) for name in (*NAMES, *TEXTS)):
        return False
    binary = {name: hex_bytes(value.get(name)) for name in NAMES[4:]}
    return None not in binary.values() and all(len(binary[name]) == 64 for name in NAMES[6:])


def read(value):
    """Every document is there and can be read."""
    if value is None:
        raise Undetermined("missing")
    documents = dict(value)
    for name in NAMES:
        if not isinstance(documents.get(name), str) or not documents[name]:
            raise Undetermined("malformed", name)
    binary = {name: hex_bytes(documents[name]) for name in NAMES[4:]}
    if None in binary.values():
        raise Undetermined("malformed", "hex")
    try:
        root_crl, pck_crl = (x509.load_der_x509_crl(binary[name]) for name in ("root_ca_crl", "pck_crl"))
    except ValueError as error:
        raise Undetermined("malformed", str(error)) from error
    parts = {}
    for name in ("tcb_info", "qe_identity"):
        parts[name], parts[name + "_chain"] = signed_document(
            documents[name], documents[name + "_issuer_chain"], binary[name + "_signature"], name)
    required = {"tcb_info": ("id", "fmspc", "pceId", "tcbLevels"), "qe_identity": ("id", "mrsigner", "tcbLevels")}
    for name, members in required.items():
        if any(member not in parts[name] for member in (*members, "issueDate", "nextUpdate", "version", "tcbEvaluationDataNumber")):
            raise Undetermined("malformed", name)
        try:
            time_of(parts[name]["issueDate"]), time_of(parts[name]["nextUpdate"])
        except (ValueError, AttributeError) as error:
            raise Undetermined("malformed", str(error)) from error
        if not is_integer(parts[name]["tcbEvaluationDataNumber"]):
            raise Undetermined("malformed", name)
    plain = {name: text for name, text in documents.items() if isinstance(text, str) and name != "pck_certificate_chain"}
    return Collateral({**documents, **binary}, parts["tcb_info"], parts["qe_identity"], root_crl, pck_crl,
                      [parts["tcb_info_chain"], parts["qe_identity_chain"]], json.dumps(plain))


def is_signed_by(crl, certificate):
    try:
        return crl.issuer == certificate.subject and crl.is_signature_valid(certificate.public_key())
    except (ValueError, TypeError):
        return False


def revoked(crl, certificate):
    return crl.get_revoked_certificate_by_serial_number(certificate.serial_number) is not None


def authentic(collateral, root, platform):
    """Each document is what Intel signed. Dates do not matter here: a revocation outlives its list."""
    issuers = [each for each in platform.path[1:]]
    try:
        issuers += certificates(collateral.documents.get("pck_crl_issuer_chain") or "")
    except ValueError as error:
        raise Undetermined("malformed", str(error)) from error
    beside = collateral.documents.get("pck_certificate_chain")
    if beside is not None:
        try:
            chain = certificates(beside)
        except (ValueError, AttributeError) as error:
            raise Undetermined("malformed", str(error)) from error
        if not chain or path_to(root, chain) is None:
            raise Undetermined("not-signed-by-intel", "the chain of the machine")
    if not is_signed_by(collateral.root_crl, root):
        raise Undetermined("not-signed-by-intel", "root CRL")
    if not any(is_signed_by(collateral.pck_crl, each) and path_to(root, [each]) for each in issuers):
        raise Undetermined("not-signed-by-intel", "PCK CRL")
    for name, chain in zip(("tcb_info", "qe_identity"), collateral.signers):
        path = path_to(root, chain)
        if path is None or any(revoked(collateral.root_crl, each) for each in path):
            raise Undetermined("not-signed-by-intel", f"{name}'s signer")
        if not raw_signature_holds(path[0].public_key(), collateral.documents[name + "_signature"],
                                   collateral.documents[name].encode()):
            raise Undetermined("not-signed-by-intel", name)


def convict(collateral, root, platform):
    """Intel revoked a certificate of the machine, or its own root."""
    if revoked(collateral.pck_crl, platform.path[0]) or any(revoked(collateral.root_crl, each) for each in [*platform.path[1:], root]):
        raise Refused("revoked")


def in_date(collateral, root, platform, now):
    """Everything is valid now. Returns whether a part of it ends within 14 days."""
    periods = [(time_of(each["issueDate"]), time_of(each["nextUpdate"])) for each in (collateral.tcb_info, collateral.qe_identity)]
    periods += [(crl.last_update_utc, crl.next_update_utc) for crl in (collateral.root_crl, collateral.pck_crl)]
    chains = [*platform.path, root, *(each for chain in collateral.signers for each in chain)]
    periods += [(each.not_valid_before_utc, each.not_valid_after_utc) for each in chains]
    if any(end is None or now > end for _, end in periods):
        raise Undetermined("expired")
    if any(now < begin for begin, _ in periods):
        raise Undetermined("not-yet-valid")
    return min(end for _, end in periods) - now < datetime.timedelta(days=14)


def of_this_platform(collateral, platform):
    tcb_info = collateral.tcb_info
    if tcb_info["id"] != "TDX" or collateral.qe_identity["id"] != "TD_QE":
        raise Undetermined("wrong-platform", "not of TDX")
    if str(tcb_info["fmspc"]).lower() != platform.fmspc.hex() or str(tcb_info["pceId"]).lower() != platform.pce_id.hex():
        raise Undetermined("wrong-platform", "another FMSPC or PCE id")
    # A chain of the machine that comes with the collateral is the quote's own, or proves nothing.
    beside = collateral.documents.get("pck_certificate_chain")
    if beside is not None:
        try:
            leaf = certificates(beside)[0]
        except (ValueError, IndexError, AttributeError) as error:
            raise Undetermined("malformed", str(error)) from error
        if leaf != platform.path[0]:
            raise Undetermined("wrong-platform", "another PCK certificate")


# ------------------------------------------------------------------------------------------------ levels

def svns(components):
    return [each["svn"] for each in components]


def platform_level(tcb_info, platform, tee_tcb_svn):
    """Intel's rule: the first level that the platform reaches in each component. Where the module has an identity of its own
    (byte 1 of TEE_TCB_SVN above 0), its first two components are judged there."""
    first = 2 if tee_tcb_svn[1] > 0 else 0
    for level in tcb_info["tcbLevels"]:
        tcb = level["tcb"]
        if all(have >= need for have, need in zip(platform.cpu_svn, svns(tcb["sgxtcbcomponents"]))) \
                and platform.pce_svn >= tcb["pcesvn"] \
                and all(have >= need for have, need in list(zip(tee_tcb_svn, svns(tcb["tdxtcbcomponents"])))[first:]):
            return level
    return None


def module_level(tcb_info, quote):
    """The TDX module's own level: (identity, level). Without an identity of its own: (None, None)."""
    version = quote.tee_tcb_svn[1]
    if version == 0:
        return tcb_info.get("tdxModule"), None
    for identity in tcb_info.get("tdxModuleIdentities", []):
        if identity["id"].upper() == f"TDX_{version:02X}":
            level = next((each for each in identity["tcbLevels"] if quote.tee_tcb_svn[0] >= each["tcb"]["isvsvn"]), None)
            return identity, level
    return tcb_info.get("tdxModule"), None


def is_newer_module(tcb_info, quote):
    """Whether the TCB info was issued before Intel rated a module of this version: it says nothing about it."""
    listed = [int(each["id"][4:], 16) for each in tcb_info.get("tdxModuleIdentities", [])]
    return quote.tee_tcb_svn[1] > max(listed, default=0)


def module_is_intels(identity, quote):
    mask = bytes.fromhex(identity["attributesMask"])
    masked = bytes(have & bit for have, bit in zip(quote.seam_attributes, mask))
    return quote.mr_signer_seam.hex() == identity["mrsigner"].lower() and masked.hex() == identity["attributes"].lower()


def qe_is_intels(identity, report):
    def masked(value, mask):
        return bytes(have & bit for have, bit in zip(value, bytes.fromhex(mask)))

    # A report of SGX: MISCSELECT is at 16, ATTRIBUTES at 48, MRSIGNER at 128, ISVPRODID at 256, ISVSVN at 258. Intel writes
    # MISCSELECT of an identity as the hex of its little-endian bytes.
    return (report[128:160].hex() == identity["mrsigner"].lower()
            and int.from_bytes(report[256:258], "little") == identity["isvprodid"]
            and masked(report[16:20], identity["miscselectMask"]).hex() == identity["miscselect"].lower()
            and masked(report[48:64], identity["attributesMask"]).hex() == identity["attributes"].lower())


def judge(quote, platform, collateral, root, now):
    """The status of the platform, or why the quote is refused."""
    level = platform_level(collateral.tcb_info, platform, quote.tee_tcb_svn)
    identity, module = module_level(collateral.tcb_info, quote)
    isvsvn = int.from_bytes(quote.qe_report[258:260], "little")
    qe_level = next((each for each in collateral.qe_identity["tcbLevels"] if isvsvn >= each["tcb"]["isvsvn"]), None)

    reason = None
    if identity is None or not module_is_intels(identity, quote) or not qe_is_intels(collateral.qe_identity, quote.qe_report):
        reason = "not-verified"
    elif level is None or (quote.tee_tcb_svn[1] and module is None and not is_newer_module(collateral.tcb_info, quote)):
        reason = "no-matching-tcb-level"
    elif qe_level is None:
        reason = "qe-out-of-date"
    elif "Revoked" in [each["tcbStatus"] for each in (level, module, qe_level) if each]:
        reason = "revoked"

    try:
        report = dcap_qvl.verify_with_root_ca(
            quote.data, dcap_qvl.QuoteCollateralV3.from_json(collateral.text),
            root.public_bytes(Encoding.DER), int(now.timestamp()))
    except ValueError as error:
        if "Failed to decode" in str(error) or "Unrecognized TCB status" in str(error):
            raise Undetermined("malformed", str(error)) from error
        if reason is None and is_newer_module(collateral.tcb_info, quote):
            raise Undetermined("old-set", str(error)) from error
        if reason is None:
            raise Conflict(f"dcap-qvl refuses: {error}") from error
        raise Refused(reason, str(error)) from error
    if reason is not None:
        raise Conflict(f"dcap-qvl accepts as {report.status} what is {reason} here")
    if report.ppid != platform.ppid:
        raise Conflict("dcap-qvl reads another PPID")
    return report.status, sorted(report.advisory_ids)
