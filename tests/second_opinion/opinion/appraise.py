"""One bundle, one policy, one verdict: every check that is implemented here, in the order of docs/checks/README.md."""

import datetime
import hashlib
from dataclasses import dataclass, field

from cryptography import x509

from . import (boot_order, collateral, compose_document, event_log, evidence, freshness, governance, gpu, kms, mr_config_id, os_image,
               policy as policies, quote, source_provenance, strict_json, tls_binding)
from .os_image import table

HARDWARE = ["evidence", "collateral", "quote-signature", "tcb-status", "td-attributes", "freshness"]
CODE = [*HARDWARE, "event-log", "boot-order", "compose-hash", "os-image", "image-pins", "key-provider"]
ON_THE_LOG = ["compose-hash", "app-id", "instance-id", "key-provider", "mr-config-id", "image-pins", "launch-inputs"]

# Statuses that do not meet the requirement although nothing failed (docs/checks; docs/concepts.md).
UNMET = {
    ("os-image", "acpi-unverified"), ("key-provider", "unpinned"), ("image-pins", "unpinned-image"),
    ("image-pins", "unmeasured-input"),
}


# The built-in floor of the TCB evaluation data number, of which docs/threats.md (T25) and the message of the check speak; no document
# has its values. This is the one of the corpus's time.
FLOOR = 19


@dataclass
class Result:
    verdict: str
    checks: dict = field(default_factory=dict)  # id: (status, reason); `launch-inputs` may have several reasons

    def failed(self):
        return {name for name, (status, _) in self.checks.items() if status == "fail"}


class Run:
    def __init__(self, bundle, policy, root, now):
        self.bundle, self.policy, self.root, self.now = bundle, policy, root, now
        self.checks, self.tcb_status = {}, None

    def set(self, name, status, reason=None):
        self.checks[name] = (status, reason)

    def verify(self):
        body = self.bundle.get("attestation")
        self.info = evidence.read_info(self.bundle.get("info"))
        try:
            self.evidence = evidence.read(body)
        except evidence.Refused as error:
            self.set("evidence", error.status, error.reason)
            return
        self.set("evidence", *(("pass", None) if self.info.usable else ("warn", "info-unusable")))
        try:
            parsed = quote.parse(self.evidence.quote)
            platform = quote.verify(parsed, self.root)
            if quote.refuses_attributes(parsed):
                raise quote.Refused("attributes-refused")
            status, advisories = self.with_collateral(parsed, platform)
        except quote.Refused as error:
            self.set("quote-signature", "fail", error.reason)
            return self.not_verified()
        except collateral.Undetermined as error:
            self.set("collateral", "error", error.reason)
            self.set("quote-signature", "error", "quote-not-proven")
            return self.not_verified()
        self.set("quote-signature", "pass")
        self.registers, self.platform_ppid, self.quote_user_data = parsed.registers(), platform.ppid, parsed.signed[28:48]
        self.tcb(status, advisories)
        self.set("td-attributes", *quote.td_attributes(parsed))
        self.same_instance(parsed)
        served = tls_binding.served_under_a_ca(self.bundle.get("tls"))
        self.set("freshness", *freshness.judge(parsed.report_data, self.nonce, self.policy, served))
        self.set("report-data", *freshness.echo(parsed.report_data, self.evidence.echo, self.policy))
        self.set("os-image", *os_image.judge(self, parsed))
        self.platform(platform)
        self.claims = None
        self.log(parsed)
        self.set("gpu", *gpu.judge(self, self.claims))
        self.set("source-provenance", *source_provenance.judge(self, self.claims))
        self.set("kms", *kms.judge(self, self.claims))
        self.set("governance", *governance.judge(self, self.claims))

    def why_not_proven(self):
        """Why there are no claims of the boot."""
        return "event-log-not-proven" if self.checks["event-log"][0] != "pass" else "boot-order-not-proven"

    def not_verified(self):
        """What was named of KMS and contracts cannot be judged without a quote."""
        for name, check in (("kms", kms), ("governance", governance)):
            if check.is_configured(self.policy):
                self.set(name, "error", "quote-not-proven")
        self.set("gpu", *(("skip", "unchecked") if self.policy.gpu == "unchecked" else ("error", "quote-not-proven")))
        self.set("source-provenance", *(("error", "quote-not-proven") if source_provenance.rules_of(self.policy) else ("skip", "not-configured")))

    def with_collateral(self, parsed, platform):
        documents = collateral.read(self.bundle.get("collateral"))
        collateral.authentic(documents, self.root, platform)
        collateral.convict(documents, self.root, platform)
        collateral.of_this_platform(documents, platform)
        soon = collateral.in_date(documents, self.root, platform, self.now)
        result = collateral.judge(parsed, platform, documents, self.root, self.now)
        self.set("collateral", *(("warn", "ends-soon") if soon else ("pass", None)))
        self.eval_data_number = min(documents.tcb_info["tcbEvaluationDataNumber"],
                                    documents.qe_identity["tcbEvaluationDataNumber"])
        return result

    def tcb(self, status, advisories):
        self.tcb_status = status
        if self.eval_data_number < max(self.policy.min_tcb, FLOOR):
            # Collateral never comes from the deployment.
            self.set("collateral", "error", "old-set")
            return self.set("tcb-status", "error", "eval-data-number-too-low")
        if status == "UpToDate":
            return self.set("tcb-status", *(("warn", "advisory") if advisories else ("pass", None)))
        matching = [each for each in self.policy.accept_tcb if each[0] == status
                    and (each[2] is None or set(advisories) <= set(each[2]))]
        if not matching:
            return self.set("tcb-status", "fail", "not-up-to-date")
        last = max(until for _, until, _ in matching)
        if last < self.now.date():
            return self.set("tcb-status", "fail", "exception-ended")
        soon = last - self.now.date() <= datetime.timedelta(days=14)
        return self.set("tcb-status", "warn", "exception-ends-soon" if soon else "accepted-exception")

    def same_instance(self, parsed):
        registers = {name: value.hex() for name, value in parsed.registers().items()}
        if any(registers[name] != value for name, value in self.info.registers.items()):
            self.other_instance()

    def other_instance(self):
        """The answers are of two machines: /info says nothing about the one that made the quote."""
        self.set("evidence", "error", "two-instances")
        self.info = evidence.Info()

    def platform(self, platform):
        if not self.policy.platform_ids:
            return self.set("platform-id", "skip", "not-configured")
        ids = {hashlib.sha256(platform.ppid).digest(), platform.fmspc}
        self.set("platform-id", *(("pass", None) if ids & set(self.policy.platform_ids) else ("fail", "platform-not-listed")))

    def log(self, parsed):
        self.judge_log(parsed)
        if self.policy.image_pins == "unchecked":
            self.set("image-pins", "skip", "unchecked")
        if self.policy.launch_inputs == "unchecked":
            self.set("launch-inputs", "skip", "unchecked")
        if self.policy.key_provider == "unchecked":
            self.set("key-provider", "skip", "unchecked")
        if not any(parsed.mr_config_id):
            self.set("mr-config-id", *mr_config_id.judge(parsed, None, self.policy.mr_config_id == "required"))

    def judge_log(self, parsed):
        try:
            # /info has the log, too, up to 0.5 (dstack, `sdk/curl/api.md`). Whichever it is, it must replay.
            log = self.evidence.events if self.evidence.events is not None else self.info.events
            events = event_log.replay(log, parsed, self.evidence.only_runtime_events)
        except event_log.Refused as error:
            if error.status == "fail" and self.evidence.events is None:
                # Another instance may have answered /info: its log may prove, and convicts nobody.
                self.other_instance()
                error = event_log.Refused("no-event-log", "error")
            self.set("event-log", error.status, error.reason)
            return self.not_proven(["boot-order", *ON_THE_LOG], "event-log-not-proven")
        self.set("event-log", "pass")
        try:
            claims = boot_order.read(events)
        except boot_order.Refused as error:
            self.set("boot-order", "fail", error.reason)
            return self.not_proven(ON_THE_LOG, "boot-order-not-proven")
        if claims.unknown:
            known_os = self.checks["os-image"][0] == "pass"
            self.set("boot-order", "warn" if known_os else "error", "unknown-event")
        else:
            self.set("boot-order", "pass")
        if self.info.instance_id is not None and self.info.instance_id != claims.instance_id.hex():
            self.other_instance()
        self.claims = claims
        self.code(claims)
        self.ids(claims)
        self.keys(claims)
        self.set("mr-config-id", *mr_config_id.judge(parsed, claims, self.policy.mr_config_id == "required"))
        if self.bundle.get("tls") is not None or self.policy.tls_binding != "auto":
            self.set("tls-binding", *tls_binding.judge(tls_binding.Context(self, parsed, claims), self.policy.tls_binding))
        return None

    def not_proven(self, names, reason):
        for name in names:
            self.set(name, "error", reason)

    def second_release(self, claims):
        second, last = self.policy.also_compose_hash or (None, None)
        if second != claims.compose_hash:
            return "fail", "compose-hash-mismatch"
        left = datetime.datetime.combine(last, datetime.time(), datetime.UTC) + datetime.timedelta(days=1) - self.now
        if left <= datetime.timedelta():
            return "fail", "second-hash-ended"
        return ("warn", "second-hash-ends-soon") if left < datetime.timedelta(days=3) else ("pass", None)

    def code(self, claims):
        text = self.info.app_compose
        if text is not None and hashlib.sha256(text.encode()).digest() != claims.compose_hash:
            self.set("evidence", "warn", "info-unusable")
        proven = text is not None and hashlib.sha256(text.encode()).digest() == claims.compose_hash
        if self.policy.compose_hash is None:
            self.set("compose-hash", "skip", "no-expectation")
        elif self.policy.compose_hash != claims.compose_hash:
            self.set("compose-hash", *self.second_release(claims))
        else:
            self.set("compose-hash", "pass")
        if text is None:
            judged = compose_document.Judged(("error", "no-compose-document"), ("error", "no-compose-document"))
        elif not proven:
            judged = compose_document.Judged(("error", "compose-not-proven"), ("error", "compose-not-proven"))
        else:
            judged = compose_document.judge(text)
        self.set("image-pins", *judged.image_pins)
        if self.policy.launch_inputs == "required" and judged.launch_inputs[0] == "warn":
            self.set("launch-inputs", "fail", judged.launch_inputs[1])
        else:
            self.set("launch-inputs", *judged.launch_inputs)

    def ids(self, claims):
        def compare(name, expected, have):
            if not expected:
                return self.set(name, "skip", "no-expectation")
            return self.set(name, *(("pass", None) if have in expected else ("fail", f"{name}-mismatch")))

        compare("app-id", [self.policy.app_id] if self.policy.app_id else [], claims.app_id)
        compare("instance-id", self.policy.instance_ids, claims.instance_id)

    def keys(self, claims):
        wanted, name, identity = self.policy.key_provider, claims.key_provider["name"], claims.key_provider["id"].lower()
        known = {row["name"]: row["id"] for row in table("kms.toml")["kms"]}
        if wanted in (None, "unchecked"):
            if name != "kms":
                return self.set("key-provider", "fail", "not-named")
            return self.set("key-provider", *(("pass", None) if identity in known.values() else ("warn", "unpinned")))
        waived = False
        for each, expected in wanted:
            if each in known and expected is None:
                each, expected = "kms", known[each]
            if each == name and expected is None and name == "kms":
                waived = True
            elif each == name and expected in (None, identity):
                return self.set("key-provider", "pass")
        return self.set("key-provider", *(("skip", "unchecked") if waived else ("fail", "provider-mismatch")))

    def verdict(self):
        statuses = [status for status, _ in self.checks.values()]
        if "fail" in statuses:
            return "fail"
        waived = {name for name, (status, reason) in self.checks.items() if (status, reason) == ("skip", "unchecked")}
        tier = HARDWARE if self.policy.assurance == "hardware" else CODE
        # What is written of a check binds at a tier that does not require the check, too.
        for name in [*tier, *(each for each in CODE if each in self.policy.named)]:
            status, reason = self.checks.get(name, ("error", None))
            if name not in waived and (status not in ("pass", "warn") or (name, reason) in UNMET):
                return "inconclusive"
        if self.policy.tls_binding != "auto" and self.checks.get("tls-binding", ("error",))[0] != "pass":
            return "inconclusive"
        # What was asked for and could not be determined leaves the verdict open, and so does a form that nobody knows.
        if any(self.checks[name][0] == "error" for name in ("mr-config-id", "gpu", "source-provenance", "kms", "governance")):
            return "inconclusive"
        if self.policy.assurance == "code+source":
            return "pass" if source_provenance.meets(self) else "inconclusive"
        if self.policy.assurance not in ("hardware", "code"):
            return "inconclusive"
        return "pass"


def appraise(text, arguments, root_pem, files=None):
    """The result for the bundle of this text, and of the files that the arguments name. Raises NotImplementedHere where there is no opinion."""
    try:
        bundle = strict_json.parse(text)
        if not isinstance(bundle, strict_json.Members) or bundle.get("schema") != "cvm-verify/evidence/v1":
            return Result("usage")
        if not collateral.is_well_formed(bundle.get("collateral")):
            return Result("usage")
        now = datetime.datetime.fromisoformat(bundle.get("captured_at").replace("Z", "+00:00"))
        policy = policies.read(arguments, now, files)
        source_provenance.rules_of(policy)
        if policy.gpu == "unchecked" and (policy.gpu_count is not None or policy.gpu_models):
            raise policies.Usage("GPUs that are not checked, and how many or which there must be")
    except (strict_json.Malformed, policies.Usage, AttributeError, ValueError):
        return Result("usage")
    run = Run(bundle, policy, x509.load_pem_x509_certificate(root_pem), policy.at or now)
    nonce = bundle.get("nonce")
    run.nonce = strict_json.hex_bytes(nonce) if nonce is not None else None
    if nonce is not None and (run.nonce is None or len(run.nonce) != 32):
        return Result("usage")
    run.verify()
    if policy.assurance == "hardware":
        for name in (set(CODE) - set(HARDWARE)) & policy.named:
            status, reason = run.checks.get(name, (None, None))
            if status == "warn" and (name, reason) in UNMET:
                run.set(name, "error", reason)
    return Result(run.verdict(), run.checks)
