"""Check `governance`: contracts allow the app, and belong to whom they should (dstack, `kms/auth-eth/contracts`; docs/governance.md)."""

import hashlib
import json

from .chain import IMPLEMENTATION, REVERTED, Chain, Undetermined, texts
from .os_image import known_image, rows
from .unsupported import NotImplementedHere

EOA_DELEGATED = bytes.fromhex("ef0100")
NOBODY = "00" * 20
INTERFACE = "01ffc9a7{}" + "00" * 28
# Functions that came with the epochs (release pages of dstack 0.6.4 and 0.6.5), and the newest version() of before.
EPOCH_FUNCTIONS = ("4c059d02", "8d71f794", "601af90e", "1c9aa97e", "5290313d")
NEWEST_VERSION = 2
MODULES = f"cc2f8452{1:064x}{1:064x}"  # getModulesPaginated, from the first one, one on a page
EXPECTATIONS = ("app-owner", "kms-contract", "kms-owner", "min-signers", "min-delay", "upgrades")


def named(policy):
    """What is named, by policy or lock."""
    lock = policy.lock.get("governance", {})
    settings = dict(policy.governance_settings)
    if "chain_id" in lock:
        settings.setdefault("chain-id", lock["chain_id"])
    # What a lock says of the KMS's contract is not said of another one.
    locked, given = lock.get("kms_contract"), settings.get("kms-contract")
    if locked and given and address(locked) != address(given):
        lock = {name: value for name, value in lock.items() if name == "kms_contract" or not name.startswith("kms_")}
    for name in ("app_owner", "kms_owner", "kms_contract"):
        if name in lock:
            settings.setdefault(name.replace("_", "-"), [lock[name]] if name.endswith("owner") else lock[name])
    return settings, {name: value for name, value in lock.items() if "code" in name or "implementation" in name}


def address(text):
    return text.lower().removeprefix("0x")


def is_configured(policy):
    settings, pins = named(policy)
    return policy.governance != "unchecked" and bool(settings or pins or policy.governance == "required")


class Judge:
    def __init__(self, run, claims, settings, pins):
        self.run, self.claims, self.settings, self.pins = run, claims, settings, pins
        self.chain = Chain(run.bundle.get("chain"))
        self.found = []
        self.app = claims.app_id.hex()
        self.epochs = None

    def say(self, status, reason):
        self.found.append((status, reason))

    def step(self, judge, *arguments):
        """One question after the other: what cannot be determined hides nothing that can."""
        try:
            return judge(*arguments)
        except Undetermined as error:
            self.say("error", error.reason)
            return None

    def allowed(self, contract, calls, reason, absent=None):
        """Whether one of these is allowed at the block; if not, whether it is at the newest one."""
        if any(self.chain.boolean(contract, call, absent=absent) for call in calls):
            return
        if any(self.chain.boolean(contract, call, latest=True, absent=absent) for call in calls):
            raise Undetermined("not-final")
        self.refused(reason)

    def refused(self, reason):
        """A no convicts. Of a contract with epochs it is about epoch 0; of one that may have them, nothing is said."""
        if self.epochs:
            raise Undetermined("unsupported")
        if self.epochs is not None:
            self.say("fail", reason)

    def has_epochs(self, contract):
        return has_epochs(self.chain, contract)

    def demanded(self):
        """What becomes of a question that is not answered."""
        return "error" if self.run.policy.governance == "required" else "warn"

    def contract(self, name, contract):
        """Owner of a contract, and whether its code is pinned; None if it is not there."""
        code = self.chain.code(contract)
        if not code:
            if self.chain.code(contract, latest=True):
                raise Undetermined("not-final")
            self.say("fail", "no-contract")
            return None
        return self.step(self.owner, name, contract), self.step(self.code, name, contract, code)

    def code(self, name, contract, code):
        """Whether the code of the contract is pinned."""
        word = self.chain.slot(contract, IMPLEMENTATION)
        implementation = word[12:].hex() if any(word) else None
        have = {f"{name}_code": hashlib.sha256(code).hexdigest(), f"{name}_implementation": implementation and "0x" + implementation,
                f"{name}_implementation_code": None}
        if implementation:
            inner = self.chain.code(implementation)
            if not inner:
                raise Undetermined("abi")
            have[f"{name}_implementation_code"] = hashlib.sha256(inner).hexdigest()
        wanted = {part: self.pins.get(part) for part in have}
        if any(wanted[part] is not None and wanted[part].lower() != (have[part] or "") for part in have):
            self.say("fail", "implementation-changed")
        # The address of the implementation says nothing that its code does not.
        pinned = all(wanted[part] is not None or have[part] is None for part in have if part.endswith("code"))
        if not pinned:
            self.say("warn", "implementation-not-pinned")
        return pinned

    def owner(self, name, contract):
        owner, pending = self.chain.address(contract, "8da5cb5b"), self.step(self.pending_owner, contract)
        owners = self.settings.get(f"{name}-owner")
        if owners is None:
            self.say("warn", "owner-not-pinned")
        else:
            owners = [address(each) for each in owners]
            if owner not in owners:
                self.say("fail", "owner-unknown")
            if pending not in (None, NOBODY, *owners):
                self.say("fail", "owner-pending")
        return owner

    def pending_owner(self, contract):
        """Contracts of up to early 2026 hand their ownership over in one step, and do not have the function."""
        found = self.chain.call(contract, "e30c3978")
        return NOBODY if found is REVERTED or found == b"" else self.chain.address(contract, "e30c3978")

    def kind(self, owner):
        """What the owner is: nobody, key, safe (signers), timelock (seconds), other."""
        if owner == NOBODY:
            return "nobody", None
        code = self.chain.code(owner)
        if not code or code[:3] == EOA_DELEGATED and len(code) == 23:
            return "key", 1
        threshold, delay = self.chain.number(owner, "e75235b8"), self.chain.number(owner, "f27a0c92")
        owners = self.chain.call(owner, "a0e67e2b")
        if threshold is not None and owners is not REVERTED and owners != b"":
            modules = self.chain.call(owner, MODULES)
            is_without = modules is not REVERTED and len(modules) == 96 and modules[31] == 0x40 and not any(modules[64:])
            return ("safe", threshold) if is_without else ("safe with modules", None)
        return ("timelock", delay) if delay is not None else ("other", None)

    def owner_of_app(self, owner):
        kind, value = self.kind(owner)
        if kind == "key":
            self.say("warn", "owner-eoa")
        signers, delay = self.settings.get("min-signers"), self.settings.get("min-delay")
        if (signers or delay) and self.settings.get("app-owner") is None:
            raise Undetermined("owner-not-pinned")
        if signers and kind != "nobody":
            if kind in ("timelock", "other", "safe with modules"):
                self.say("error", "owner-signers")
            elif value < signers:
                self.say("fail", "owner-signers")
        if delay and kind != "nobody":
            if kind == "other":
                self.say("error", "owner-delay")
            elif kind != "timelock" or value < delay:
                self.say("fail", "owner-delay")

    def judge_app(self):
        there = self.contract("app", self.app)
        if there is None:
            return False
        owner, pinned = there
        self.step(self.code_allowed)
        any_device = self.step(self.device_allowed)
        if self.run.tcb_status not in (None, "UpToDate") and self.step(self.chain.boolean, self.app, "0aa58c83", False, False):
            self.say(self.demanded(), "boot-check")
        if owner is not None:
            self.step(self.owner_of_app, owner)
        if self.settings.get("upgrades") == "disabled":
            self.step(self.upgrades, pinned, any_device)
        return True

    def code_allowed(self):
        self.epochs = self.step(self.has_epochs, self.app)
        if not self.chain.boolean(self.app, INTERFACE.format("1e079198"), absent=False):
            raise Undetermined("unsupported")
        self.allowed(self.app, ["2f6622e5" + self.claims.compose_hash.hex()], "compose-not-allowed")
        if self.epochs:
            self.say(self.demanded(), "unsupported")

    def devices(self):
        """The two ways in which contracts name the machine."""
        return [hashlib.sha256(each).hexdigest() for each in (self.run.platform_ppid, self.run.quote_user_data)]

    def device_allowed(self):
        any_device = self.chain.boolean(self.app, "3440a16a")
        if not any_device:
            self.step(self.allowed, self.app, ["bf8b211b" + each for each in self.devices()], "device-not-allowed")
        return any_device

    def upgrades(self, pinned, any_device):
        words = [self.chain.slot(self.app, each) for each in ("0x1", "0x2")]
        if any_device is None:
            return
        # The flags are in slot 1, in slot 2 of older contracts; the other one of both is zero.
        word = next((each for each in words if any(each)), bytes(32))
        if all(any(each) for each in words) or any(word[:30]) or word[30] != any_device or word[31] > 1:
            raise Undetermined("unsupported")
        if not word[31]:
            if not self.chain.boolean(self.app, INTERFACE.format("1e079198"), absent=False):
                raise Undetermined("unsupported")
            self.say("fail", "upgrades-open")
        elif not pinned:
            raise Undetermined("implementation-not-pinned")

    def judge_kms(self, contract, known):
        there = self.contract("kms", contract)
        if there is None:
            return
        if there[0] is not None and self.step(self.kind, there[0]) == ("key", 1):
            self.say("warn", "owner-eoa")
        self.epochs = self.step(self.has_epochs, contract)
        if self.epochs:
            self.say(self.demanded(), "unsupported")
        image = known_image(self.run)
        if image is None and "tdx_measurement" in str(self.run.evidence.vm_config):
            raise NotImplementedHere("the hash of a measurement document")
        if image is None:
            self.say(self.demanded(), "os-not-asked")
        else:
            self.step(self.allowed, contract, ["9a4e1d18" + image], "os-not-allowed")
        if self.claims.mr_kms is not None:
            self.step(self.allowed, contract, ["f6fe4f40" + self.claims.mr_kms.hex()], "kms-not-allowed")
        self.step(self.kms_info, contract, known)
        self.step(self.boot_check, contract)

    def kms_info(self, contract, known):
        info = self.chain.call(contract, "09177063")
        if info is REVERTED or info == b"":
            raise Undetermined("unsupported")
        authority = texts(info, 4)[1].hex()
        if authority and authority != self.claims.key_provider["id"].lower():
            if self.epochs is False:
                self.say("fail", "kms-info")
            elif self.epochs and authority in named_roots(self.run.policy):
                # The contract holds the root of epoch 0.
                self.say(self.demanded(), "kms-not-linked")
            elif self.epochs:
                raise Undetermined("unsupported")
        if not authority and not known:
            self.say(self.demanded(), "kms-not-linked")

    def boot_check(self, contract):
        """isAppAllowed, for each way to name the machine: one of them suffices."""
        start = "0x1e079198" + f"{0x20:064x}" + "00" * 12 + self.app + self.claims.compose_hash.hex()
        asked = [params for method, params in self.chain.exchanges if method == "eth_call" and f'"{start}' in params and contract in params]
        if any(not any(device in params for params in asked) for device in self.devices()):
            raise Undetermined("not-asked")
        for answer in [self.chain.ask("eth_call", json.loads(params)) for params in asked]:
            if answer is REVERTED or len(answer) < 64 or any(answer[:31]) or answer[31] > 1:
                raise Undetermined("unsupported")
            if answer[31]:
                return
        self.say(self.demanded(), "boot-check")


def has_epochs(chain, contract):
    """Whether a contract decides by epochs; undetermined for one of a later generation."""
    if any([chain.boolean(contract, INTERFACE.format(each), absent=False) for each in ("d33835bd", "c396c1b0")]):
        return True
    code, word = chain.code(contract), chain.slot(contract, IMPLEMENTATION)
    codes = [code] + ([chain.code(word[12:].hex())] if any(word) else [])
    version = chain.call(contract, "54fd4d50")
    if version is not REVERTED and version != b"":
        if len(version) != 32 or any(version[:24]):
            raise Undetermined("abi")
        if int.from_bytes(version, "big") > NEWEST_VERSION:
            raise Undetermined("unsupported")
    if any(function in pushed(each) for each in codes for function in EPOCH_FUNCTIONS):
        raise Undetermined("unsupported")
    return False


def named_roots(policy):
    """The root keys of KMSs that the user named."""
    return [identity for _, identity in policy.key_provider if identity] if isinstance(policy.key_provider, list) else []


def pushed(code):
    """What EVM code pushes four bytes at a time: the selectors that it compares with."""
    found, at = set(), 0
    while at < len(code):
        size = code[at] - 0x5f if 0x60 <= code[at] <= 0x7f else 0
        if size == 4:
            found.add(code[at + 1:at + 5].hex())
        at += 1 + size
    return found


def judge(run, claims):
    policy = run.policy
    if policy.governance == "unchecked":
        return "skip", "unchecked"
    settings, pins = named(policy)
    required = policy.governance == "required"
    if not is_configured(policy):
        return "skip", "not-configured"
    if claims is None:
        return "error", run.why_not_proven()
    row = next((row for row in rows(run.policy, "kms.toml", "kms") if row["id"] == claims.key_provider["id"].lower()), None)
    known = row.get("governance") if row else None
    if claims.key_provider["name"] != "kms" or known == "operator":
        if required or bool(pins) or any(name in settings for name in EXPECTATIONS):
            return "fail", "operator"
        return ("error" if policy.app_id is not None and "chain-id" in settings else "skip"), "operator"
    if policy.app_id is None or "chain-id" not in settings:
        expected = required or bool(pins) or any(name in settings for name in EXPECTATIONS)
        return ("error" if expected else "skip"), "unpinned"
    if policy.app_id != claims.app_id:
        return "fail", "another-app"
    if run.bundle.get("chain") is None:
        return "error", "not-asked"
    judged = Judge(run, claims, settings, pins)
    judged.step(ask, judged, settings, known)
    for worst in ("fail", "error", "warn"):
        reasons = [reason for status, reason in judged.found if status == worst]
        if reasons:
            return worst, reasons
    return "pass", None


def ask(judged, settings, known):
    contract = settings.get("kms-contract")
    chain_of_known, _, address_of_known = (known or "").partition(":")
    if contract is None and known and int(chain_of_known) == settings["chain-id"]:
        contract = address_of_known
    if known and contract and address(address_of_known) != address(contract):
        judged.say("fail", "kms-contract-differs")
    judged.chain.open(settings["chain-id"], judged.run.now)
    if judged.judge_app():
        if contract is None:
            is_expected = "kms-owner" in settings or any(name.startswith("kms_") for name in judged.pins)
            judged.say("error" if is_expected else "warn", "kms-not-named")
        else:
            judged.judge_kms(address(contract), bool(known))
