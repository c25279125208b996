"""The compose document, app-compose.json: its text, and what it says (dstack, `dstack-types/src/lib.rs`, `AppCompose`)."""

import hashlib
from dataclasses import dataclass, field

from . import docker_compose, start_scripts, strict_json
from .os_image import risky_rows, table
from .strict_json import Malformed, Members


class Unreadable(Exception):
    """There is more than one way to read it, or none."""


@dataclass
class Judged:
    image_pins: tuple
    launch_inputs: tuple


def boolean(document, name, default):
    value = document.get(name, default)
    return default if value is None else value


def risky(name, rows=None, guest=False):
    rows = risky_rows() if rows is None else rows
    name = name.strip().upper()
    rows = [row for row in rows if not guest or row.get("where", "both") in ("guest", "both")]
    # `SECTION__NAME` is how programs take settings of sections.
    sections = [name.split("__", at)[-1] for at in range(1, name.count("__") + 1)]
    if any(row["match"] == "exact" and (name == row["name"] or "_" in row["name"] and row["name"] in sections) for row in rows):
        return True
    if any(row["match"] == "ordinary-prefix" and name.startswith(row["name"]) for row in rows):
        return False
    # A harmless end is no exception from what else stands in the name.
    ends = [row["name"] for row in rows if row["match"] == "ordinary-suffix"]
    ends = [end.lstrip("_") for end in ends if name == end or name.endswith("_" + end.lstrip("_"))]
    # An exception is of the whole name, and only from a beginning or an end.
    if any(row["match"] == "ordinary" and name == row["name"] for row in rows):
        return False
    is_value = any(row["match"] == "data" and name.rsplit("_", 1)[-1] == row["name"] for row in rows)
    if not is_value and any(row["match"] == "part" and f"_{row['name']}_" in f"_{name}_"
                            and not any(f"_{row['name']}_" in f"_{end}_" for end in ends) for row in rows):
        return True
    # Of these programs it is known what their names of values end in.
    is_value = is_value and "__" not in name
    return any((row["match"] == "prefix" or row["match"] == "prefix-unless-data" and not is_value) and name.startswith(row["name"])
               or row["match"] == "suffix" and name.endswith(row["name"]) and not any(f"_{end}".endswith(row["name"]) for end in ends) for row in rows)


def known_script(text):
    digest = hashlib.sha256(text.encode()).hexdigest()
    return digest in {row["sha256"] for row in table("pre-launch-scripts.toml")["script"]}


def read(text):
    if len(text.encode()) > 4 << 20:
        raise Unreadable("too large")
    try:
        document = strict_json.parse(text)
    except Malformed as error:
        raise Unreadable(str(error)) from error
    if not isinstance(document, Members) or strict_json.any_repeated(document):
        raise Unreadable("not an object, or a name twice")
    return strict_json.plain(document)


def names_of(document):
    names = document.get("allowed_envs")
    names = [] if names is None else names
    if not isinstance(names, list) or not all(isinstance(each, str) for each in names):
        return None
    return names


def judge(text):
    """Checks `image-pins` and `launch-inputs` of the measured document, where neither is waived."""
    try:
        document = read(text)
        names = names_of(document)
        places = docker_compose.judge(document, names or [])
    except (Unreadable, docker_compose.Unreadable):
        return Judged(("error", "unreadable-compose"), ("error", "unreadable-compose"))

    unpinned, unmeasured, host_access = places
    volumes = document.get("verity_volumes")
    has_volumes = volumes is not None and volumes != []
    unmeasured |= has_volumes
    # Names in another form than a list of texts: nobody knows what the guest reads there.
    # What programs in containers read is judged where `environment` hands it to them, unless a script that is not known may.
    runs_unknown = docker_compose.runs_unknown_script(document)
    risky_names = names is None or any(risky(each, guest=not runs_unknown) for each in names)
    if risky_names:
        unmeasured = True
    pins = ("warn", "unpinned-image") if unpinned else ("warn", "unmeasured-input") if unmeasured else ("pass", None)

    reasons = []
    if risky_names:
        reasons.append("risky-variables")
    script = document.get("pre_launch_script")
    if isinstance(script, str) and script.strip() and not known_script(script):
        reasons.append("unknown-pre-launch-script")
    init = document.get("init_script")
    if any(not isinstance(each, str) or each.strip() for each in (init if isinstance(init, list) else [init or ""])):
        reasons.append("init-script")
    if has_volumes:
        reasons.append("verity-volume")
    if host_access:
        reasons.append("host-access")
    gpu = (document.get("requirements") or {}).get("gpu_policy") if isinstance(document.get("requirements"), dict) else None
    if weak_gpu_policy(gpu):
        reasons.append("weak-gpu-policy")
    if start_scripts.unknown_fields(document):
        reasons.append("unknown-field")
    if boolean(document, "public_logs", False) is not False or boolean(document, "public_sysinfo", False) is not False:
        reasons.append("exposed")
    if boolean(document, "secure_time", True) is not True:
        reasons.append("no-secure-time")
    if boolean(document, "no_instance_id", False) is not False:
        reasons.append("no-instance-id")
    inputs = ("warn", reasons) if reasons else ("pass", None)
    return Judged(pins, inputs)


def weak_gpu_policy(policy):
    if policy is None:
        return False
    strong = {"attest_gpu": True, "allow_devtools": False, "allow_debug": False, "allow_insecure_boot": False}
    return not isinstance(policy, dict) or any(strong.get(name) is not value for name, value in policy.items())
