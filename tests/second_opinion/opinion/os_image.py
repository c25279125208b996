"""The OS image by its registers (dstack, `dstack-mr/src`; docs/checks/os-image.md, docs/reference-values.md).

The tables are read as data. What rests on a measurement document or on image files is not judged here."""

import functools
import pathlib
import tomllib

from .unsupported import NotImplementedHere

DATA = pathlib.Path(__file__).resolve().parents[3] / "crates/core/src/reference/data"


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


def judge(quote, policy):
    have = {name: value.hex() for name, value in quote.registers().items()}
    wanted = policy.os_image
    if wanted == "unchecked":
        return "skip", "unchecked"
    if isinstance(wanted, dict):
        same = all(have[name] == value for name, value in wanted.items())
        return ("pass", None) if same else ("fail", "register-mismatch")
    if wanted != "known":
        raise NotImplementedHere(f"--os-image {wanted}")
    found = matching(have, policy)
    if not found:
        return "skip", "no-reference"
    classes = {row["class"] for row in found}
    if "development" in classes:
        return "fail", "development-image"
    if classes != {"production"} or any(row.get("registers", "checked") != "checked" for row in found):
        return "skip", "no-reference"
    shapes = {row["value"] for row in rows(policy, "vm-shapes.toml", "rtmr0")}
    if have["rtmr0"] not in shapes:
        return "warn", "acpi-unverified"
    if any(row in images for row in found for images in [table("os-images.toml")["image"]]):
        raise NotImplementedHere("advisories of a known image")
    return "pass", None
