#!/usr/bin/env python3
"""Compares this implementation with the conformance corpus, and with what a verifier says of each case.

compare.py CORPUS [--program FILE] [--sample N] [--jobs N] [--only NAME]

CORPUS is what `cargo run -p conformance -- make CORPUS` writes. Without --program the expected results of the corpus are
compared: verdict, the check that decides, its status and reason, and that no other check fails. With --program that verifier
runs on each case, and every check that both know is compared by status and reason.

Exit code 0: no disagreement that is not in accepted.toml, and nothing in there that is none."""

import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import time
import tomllib

from opinion import appraise as appraisal
from opinion.collateral import Conflict
from opinion.unsupported import NotImplementedHere

HERE = pathlib.Path(__file__).resolve().parent
CODES = {"pass": 0, "fail": 1, "usage": 2, "inconclusive": 3}
VERDICTS = {code: verdict for verdict, code in CODES.items()}


def arguments_of(corpus, case):
    """The arguments of a case, with the names of its files."""
    return [argument.replace("{folder}", str(corpus)) for argument in case["arguments"]]


def files_of(corpus, case):
    """The files that a case names: those of its arguments, and what its policy file names beside it."""
    own = [f"{case['name']}.{kind}" for kind in ("policy.toml", "lock", "reference.toml", "kms-bootstrap.json")]
    named = [argument.partition("{folder}/")[2] for argument in case["arguments"]]
    return {name: (corpus / name).read_bytes() for name in {*own, *named} if name and (corpus / name).exists()}


def opinion(corpus, case, root):
    """The result of this implementation, or the sentence that says why there is none."""
    try:
        return appraisal.appraise((corpus / case["bundle"]).read_bytes(), arguments_of(corpus, case), root, files_of(corpus, case))
    except NotImplementedHere as error:
        return f"not implemented: {error}"
    except Conflict as error:
        return f"CONFLICT {error}"
    except Exception as error:  # noqa: BLE001: a fault of this implementation is a disagreement of its own
        return f"FAULT {type(error).__name__}: {error}"


def by_corpus(case, result):
    """What differs from the expected result."""
    expected = case["expected"]
    if result.verdict != expected["verdict"]:
        yield f"verdict {result.verdict}, expected {expected['verdict']}"
    if "check" not in expected or result.verdict == "usage":
        return
    status, reason = result.checks.get(expected["check"], (None, None))
    wanted = expected.get("status") or {"pass": "pass", "fail": "fail"}.get(expected["verdict"], "error")
    reasons = reason if isinstance(reason, list) else [reason]
    if status != wanted or expected.get("reason") not in (None, *reasons):
        yield f"{expected['check']}: {status}/{reason}, expected {wanted}/{expected.get('reason')}"
    others = result.failed() - {expected["check"], *expected.get("also", [])}
    if others:
        yield f"fails too: {sorted(others)}"


def by_program(report, result, with_reasons=True):
    """What differs from the report of a verifier."""
    if report["verdict"] != result.verdict:
        yield f"verdict {result.verdict}, the program says {report['verdict']}"
    if "checks" not in report:
        return
    theirs = {check["id"]: (check["status"], check.get("reason")) for check in report["checks"]}
    for name, (status, reason) in result.checks.items():
        if name not in theirs:
            yield f"{name}: the program does not report it"
            continue
        reasons = reason if isinstance(reason, list) else [reason]
        if theirs[name][0] != status or with_reasons and theirs[name][1] not in reasons:
            yield f"{name}: {status}/{reason}, the program says {'/'.join(map(str, theirs[name]))}"
    for name, (status, reason) in theirs.items():
        if name not in result.checks and status == "fail":
            yield f"{name}: not judged here, the program says {status}/{reason}"


def run_program(program, corpus, case, root_file, folder="/"):
    command = [program, "replay", "--format", "json", str(corpus / case["bundle"]), "--insecure-trust-root", str(root_file),
               *arguments_of(corpus, case)]
    ended = subprocess.run(command, capture_output=True, timeout=120, check=False,
                           env={"PATH": os.environ.get("PATH", ""), "HOME": "/nonexistent"}, cwd=folder)
    report = {"verdict": VERDICTS.get(ended.returncode, f"exit code {ended.returncode}")}
    if ended.returncode in (0, 1, 3):
        target = json.loads(ended.stdout)["targets"][0]
        report.update(verdict=target["verdict"], checks=target["checks"])
    return report


def one(task):
    corpus, case, program = task
    corpus = pathlib.Path(corpus)
    root_file = corpus / case["root"]
    result = opinion(corpus, case, root_file.read_bytes())
    if isinstance(result, str):
        return case["name"], result, []
    differences = list(by_corpus(case, result))
    if program:
        differences += by_program(run_program(program, corpus, case, root_file), result)
    return case["name"], None, differences


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=pathlib.Path)
    parser.add_argument("--program")
    parser.add_argument("--sample", type=int, default=1, metavar="N", help="every Nth case")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--only", metavar="TEXT", help="cases whose name contains it")
    options = parser.parse_args()

    began = time.monotonic()
    cases = json.loads((options.corpus / "corpus.json").read_text())["cases"]
    cases = [case for case in cases if not options.only or options.only in case["name"]][::options.sample]
    accepted = {row["case"]: row["why"] for row in tomllib.loads((HERE / "accepted.toml").read_text()).get("disagreement", [])}
    with concurrent.futures.ProcessPoolExecutor(options.jobs) as pool:
        results = list(pool.map(one, [(options.corpus, case, options.program) for case in cases], chunksize=8))

    agree, without, disagree, justified = 0, collections.Counter(), [], []
    for name, none, differences in results:
        if none and none.startswith("not implemented"):
            without[none] += 1
            print(f"{none}: {name}")
        elif none or differences:
            (justified if name in accepted else disagree).append(name)
            for each in [none] if none else differences:
                print(f"{'accepted' if name in accepted else 'DISAGREES'} {name}: {each}")
        else:
            agree += 1
    ran = {name for name, _, _ in results}
    stale = [name for name in accepted if name in ran and name not in justified]
    for name in stale:
        print(f"STALE {name}: accepted.toml justifies a disagreement that is none")
    against = "corpus and program" if options.program else "corpus"
    print(f"second opinion: {agree} of {len(results)} cases agree with {against}; {len(disagree)} disagree, {len(justified)} "
          f"disagree for a written reason, {sum(without.values())} not implemented; {time.monotonic() - began:.0f} s")
    sys.exit(1 if disagree or stale or not results else 0)


if __name__ == "__main__":
    main()
