"""The OS image by its registers (dstack, `dstack-mr/src`; docs/checks/os-image.md, docs/reference-values.md).

The tables are read as data. What rests on image files is not judged here."""

import datetime
import functools
import pathlib
import re
import tomllib
from dataclasses import dataclass

from . import measurement_document
from .unsupported import NotImplementedHere

DATA = pathlib.Path(__file__).resolve().parents[3] / "crates/core/src/reference/data"


@dataclass
class Vm:
    """A VM that is not the app's own run: `evidence` is what it shows, None where its measurement document is not read."""

    policy: object
    now: datetime.datetime
    registers: dict
    evidence: object


@functools.cache
def table(name):
    return tomllib.loads((DATA / name).read_text())


def risky_rows():
    """A row for each name."""
    return [{**row, "name": name} for row in table("risky-names.toml")["risky_name"] for name in row["names"]]


def rows(policy, name, kind):
    """The built-in rows of a kind, and those of --reference-values."""
    return [*table(name).get(kind, []), *policy.reference.get(kind, [])]


def matching(have, policy):
    """The rows of images that have these registers but RTMR0."""
    firmware = {row["name"] for row in rows(policy, "os-images.toml", "firmware") if row["mrtd"] == have["mrtd"]}
    return [row for row in rows(policy, "os-images.toml", "image") if row.get("firmware") in firmware and row.get("rtmr2") == have["rtmr2"]
            and have["rtmr1"] in (row.get("rtmr1"), row.get("rtmr1_qemu_10_2"))]


def known_image(run):
    """The published hash of the image that runs; None where no row has it."""
    found = {row["os_image_hash"] for row in matching({name: value.hex() for name, value in run.registers.items()}, run.policy) if "os_image_hash" in row}
    return found.pop() if len(found) == 1 else None


def host_alone(image, policy):
    """The vulnerabilities of an image by which the host alone gains secrets or code."""
    def number(text):
        return [int(part) for part in text.split("-")[0].split(".")]

    return [each for each in rows(policy, "advisories.toml", "advisory") if each["grade"] == "host-alone" and any(
        ("line" not in row or number(image["version"])[:len(number(row["line"]))] == number(row["line"]))
        and number(image["version"]) < number(row["before"])
        for row in each["affected"])]


def of_lock(have, policy, now):
    """The image of a lock: its registers, and until when it accepts the vulnerabilities of that image that it names."""
    locked = policy.lock["os_image"]
    if any(have[name] != locked[name].lower() for name in ("mrtd", "rtmr0", "rtmr1", "rtmr2")):
        return "fail", "register-mismatch"
    found = matching(have, policy)
    if any(row in table("os-images.toml")["image"] for row in found) or set(locked) - {"mrtd", "rtmr0", "rtmr1", "rtmr2", "vulnerable_until"}:
        raise NotImplementedHere("advisories of a known image")
    ids = [each["id"] for row in found for each in host_alone(row, policy)]
    if not ids:
        return "pass", None
    until, sentence = locked.get("vulnerable_until"), policy.lock.get("accepted", {}).get("vulnerable-image")
    names = sentence is not None and re.search(r" has a published vulnerability: |\b(CVE|GHSA)-", sentence, re.I)
    if until is None or until < now.date() or names and not all(re.search(rf"(?<![\w-]){re.escape(each)}(?![\w-])", sentence) for each in ids):
        return "fail", "vulnerable-image"
    end = datetime.datetime.combine(until + datetime.timedelta(days=1), datetime.time(), datetime.UTC)
    return "warn", "image-exception-ends-soon" if end - now < datetime.timedelta(days=14) else "vulnerable-image"


def judge(run, quote):
    policy = run.policy
    have = {name: value.hex() for name, value in quote.registers().items()}
    wanted = policy.os_image
    if wanted == "unchecked":
        return "skip", "unchecked"
    if wanted == "lock" and "os_image" not in policy.lock:
        raise NotImplementedHere("--os-image lock without one")
    if wanted in (None, "lock") and "os_image" in policy.lock:
        return of_lock(have, policy, run.now) if "rtmr0" in policy.lock["os_image"] else of_locked_image(run, have)
    wanted = wanted or "known"
    if isinstance(wanted, dict):
        same = all(have[name] == value for name, value in wanted.items())
        return ("pass", None) if same else ("fail", "register-mismatch")
    return known(run, have) if wanted == "known" else named(run, have, wanted)


def named(run, have, wanted):
    """The image with this name or published hash."""
    policy = run.policy
    images = [row for row in rows(policy, "os-images.toml", "image") if wanted in (row["name"], row.get("os_image_hash"))]
    if any(row in images for row in matching(have, policy)):
        return known(run, have)
    if any("rtmr2" in row for row in images):
        return "fail", "register-mismatch"
    if any(row["class"] != "production" for row in images):
        raise NotImplementedHere("a named image that is no release")
    published = images[0].get("os_image_hash") if images else wanted
    if not re.fullmatch("[0-9a-f]{64}", published or ""):
        raise NotImplementedHere(f"--os-image {wanted}")
    what, found = measurement_document.compared(run)
    if what == "absent":
        return "error", "no-document"
    if what == "unusable":
        return "error", "unusable-document"
    if found.hex() != published:
        # The registers are another image's; or the document is of a third one, and says nothing.
        open_ = {"other": "no-document", "open-kernel": "no-document", "not-computable": "not-computable"}.get(what)
        return ("error", open_) if open_ else ("fail", "register-mismatch")
    if what == "other":
        return "fail", "register-mismatch"
    if what == "open-kernel" or what == "not-computable" and not is_listed_shape(have, policy):
        return "error", "not-computable"
    if not is_listed_shape(have, policy):
        return "warn", "acpi-unverified"
    return ("pass", None) if images else ("warn", "published-hash")


def of_locked_image(run, have):
    """A lock without RTMR0: the image is the locked one, and the shape of the VM one of the table."""
    if any(have[name] != run.policy.lock["os_image"][name].lower() for name in ("mrtd", "rtmr1", "rtmr2")):
        return "fail", "register-mismatch"
    return known(run, have)


def is_listed_shape(have, policy):
    return have["rtmr0"] in {row["value"] for row in rows(policy, "vm-shapes.toml", "rtmr0")}


def by_document(run, have):
    """No row has the registers: the document that the guest shows may prove an image of which the hash alone is in the tables."""
    what, found = measurement_document.compared(run)
    if what in ("unusable", "not-computable"):
        return "error", {"unusable": "unusable-document"}.get(what, what)
    listed = [row for row in rows(run.policy, "os-images.toml", "image") if found and row.get("os_image_hash") == found.hex()]
    if what != "reproduces" or not listed:
        return "skip", "no-reference"
    if "development" in {row["class"] for row in listed}:
        return "fail", "development-image"
    if {row["class"] for row in listed} != {"production"}:
        return "skip", "no-reference"
    if any(row in table("os-images.toml")["image"] for row in listed):
        raise NotImplementedHere("advisories of a known image")
    return ("pass", None) if is_listed_shape(have, run.policy) else ("warn", "acpi-unverified")


def known(run, have):
    """A production image of the tables, in a shape of the tables."""
    policy = run.policy
    found = matching(have, policy)
    if not found:
        return by_document(run, have)
    classes = {row["class"] for row in found}
    if "development" in classes:
        return "fail", "development-image"
    if classes != {"production"} or any(row.get("registers", "checked") != "checked" for row in found):
        return "skip", "no-reference"
    if not is_listed_shape(have, policy):
        return "warn", "acpi-unverified"
    if any(row in images for row in found for images in [table("os-images.toml")["image"]]):
        raise NotImplementedHere("advisories of a known image")
    return "pass", None
