#!/usr/bin/env python3
"""Compares what two programs say of the same recorded evidence: exit code, verdict, and status and reason of each check.

compare.py BEFORE AFTER [FOLDER…] [--corpus DIR] [--jobs N]

DIR is what `conformance make DIR` writes: each case is replayed with its arguments. In each FOLDER, every JSON file is replayed by
itself; a file `attestation.json` takes `info.json` and `collateral.json` of its folder along. A file that both programs refuse as
no evidence counts as the same, and is counted apart.

Exit code 0: all the same, and at least one report was compared."""

import argparse
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys

# Evidence without a time of capture is judged at this time, so that the clock changes nothing between the two programs.
AT = "2026-10-01T00:00:00Z"


def report(program, arguments):
    """Exit code and judgement of one replay: the verdict of each target, and its checks by name."""
    ended = subprocess.run([program, "replay", "--format", "json", *arguments], capture_output=True, timeout=300, check=False,
                           env={"PATH": os.environ.get("PATH", ""), "HOME": "/nonexistent"}, cwd="/")
    if ended.returncode not in (0, 1, 3):
        return ended.returncode, None
    targets = json.loads(ended.stdout)["targets"]
    return ended.returncode, [
        (target["verdict"], {check["id"]: (check["status"], check.get("reason")) for check in target["checks"]})
        for target in targets]


def differences(before, after):
    """What differs between two judgements, a sentence each."""
    (code, targets), (other_code, other_targets) = before, after
    if code != other_code:
        yield f"exit code {code}, then {other_code}"
    if (targets is None) != (other_targets is None):
        yield "one of the two has no report"
    if targets is None or other_targets is None:
        return
    if len(targets) != len(other_targets):
        yield f"{len(targets)} targets, then {len(other_targets)}"
    for (verdict, checks), (other_verdict, other_checks) in zip(targets, other_targets):
        if verdict != other_verdict:
            yield f"verdict {verdict}, then {other_verdict}"
        for name in sorted(checks.keys() | other_checks.keys()):
            one, other = (words(side.get(name)) for side in (checks, other_checks))
            if one != other:
                yield f"{name}: {one}, then {other}"


def words(check):
    if check is None:
        return "absent"
    return " ".join(part for part in check if part)


def corpus_cases(corpus):
    for case in json.loads((corpus / "corpus.json").read_text())["cases"]:
        root = ["--insecure-trust-root", str(corpus / case["root"])]
        yield case["name"], [str(corpus / case["bundle"]), *root, *case["arguments"]]


def folder_cases(folder):
    for file in sorted(folder.rglob("*.json")):
        file = file.resolve()
        arguments = [str(file)]
        try:
            is_dated = "captured_at" in json.loads(file.read_text())
        except (ValueError, TypeError):
            is_dated = False
        if not is_dated:
            arguments += ["--at", AT]
        if file.name == "attestation.json":
            for option in ("info", "collateral"):
                beside = file.with_name(f"{option}.json")
                arguments += [f"--{option}", str(beside)] if beside.exists() else []
        yield str(file), arguments


def one(task):
    name, arguments, programs = task
    before, after = (report(program, arguments) for program in programs)
    return name, before[1] is not None, list(differences(before, after))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before", type=pathlib.Path)
    parser.add_argument("after", type=pathlib.Path)
    parser.add_argument("folders", type=pathlib.Path, nargs="*", metavar="FOLDER")
    parser.add_argument("--corpus", type=pathlib.Path, metavar="DIR")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()

    cases = list(corpus_cases(options.corpus.resolve())) if options.corpus else []
    for folder in options.folders:
        cases += folder_cases(folder)
    programs = [str(program.resolve()) for program in (options.before, options.after)]
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        results = list(pool.map(one, [(name, arguments, programs) for name, arguments in cases]))
    judged = sum(is_judged for _, is_judged, _ in results)
    differ = [(name, found) for name, _, found in results if found]
    for name, found in differ:
        for each in found:
            print(f"DIFFERS {name}: {each}")
    print(f"same reports: {len(results) - len(differ)} of {len(results)}; {judged} were judged, {len(results) - judged} refused as "
          "input by the first program")
    sys.exit(1 if differ or not judged else 0)


if __name__ == "__main__":
    main()
