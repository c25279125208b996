"""Changes the code that decides, one small change at a time, and says which changes no test notices.

What is changed is in .cargo/mutants.toml; cargo-mutants lists the changes. All of them are written into one copy of the
project, each behind a switch (`rewrite.py`), which is built once (`tree.py`). A first run of each test learns which changes it
comes by. Then each change is switched on for the tests that come by it, until one fails (`trials.py`).

Results are kept in target/mutants: what was caught there is not tried again, so a run that was cut short goes on where it
ended. A change that no test notices makes it fail, unless tests/mutants.toml says why it makes no difference. Needs
cargo-mutants, which it installs under target/mutants where it is not there.
"""

import argparse
import collections
import concurrent.futures
import hashlib
import json
import math
import os
import shutil
import subprocess
import sys
import threading
import tomllib
from pathlib import Path

import trials
from tree import Tree

ROOT = Path(__file__).resolve().parent.parent.parent
OUT = ROOT / "target" / "mutants"
VERSION = "27.1.0"
# The first word of what is written of a change that no test notices.
MISSED = "missed"


def tool():
    """The path of cargo-mutants, in this version."""
    for path in (shutil.which("cargo-mutants"), OUT / "bin" / "cargo-mutants"):
        if path and Path(path).exists():
            said = subprocess.run([path, "mutants", "--version"], capture_output=True, text=True, check=True).stdout
            if VERSION in said:
                return str(path)
    subprocess.run(
        ["cargo", "install", "--quiet", "--locked", "--root", OUT, f"cargo-mutants@{VERSION}"], cwd=ROOT, check=True
    )
    return str(OUT / "bin" / "cargo-mutants")


def listed(options):
    """The changes that cargo-mutants would try."""
    command = [tool(), "mutants", "--workspace", "--list", "--json"]
    if options.shard:
        command += ["--shard", options.shard]
    for regex in options.only:
        command += ["--re", regex]
    if options.changed_since:
        diff = ["git", "diff", f"{options.changed_since}..."]
        changes = subprocess.run(diff, cwd=ROOT, capture_output=True, check=True).stdout
        (OUT / "changes.diff").write_bytes(changes)
        command += ["--in-diff", str(OUT / "changes.diff")]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return json.loads(said) if said.strip() else []


def every_place(changes):
    """Fails where a pattern of the files to change matches none: a file moved, and nothing of it would be changed."""
    places = tomllib.loads((ROOT / ".cargo" / "mutants.toml").read_text())["examine_globs"]
    for place in places:
        files = {str(path.relative_to(ROOT)) for path in ROOT.glob(place)}
        if not any(change["file"] in files for change in changes):
            sys.exit(f".cargo/mutants.toml: nothing is changed in {place}")


def accepted():
    """Changes that make no difference, by the name that cargo-mutants gives them without its line, and why."""
    rows = tomllib.loads((ROOT / "tests" / "mutants.toml").read_text()).get("mutant", [])
    for row in rows:
        if set(row) != {"change", "why"} or not row["why"].strip():
            sys.exit(f"tests/mutants.toml: a row has `change` and `why`, and this one has {', '.join(row)}")
    return {row["change"]: row["why"] for row in rows}


def without_line(name):
    """`FILE:LINE:COLUMN: CHANGE` as `FILE: CHANGE`: a line moves with every edit above it."""
    place, change = name.split(": ", 1)
    return f"{place.split(':')[0]}: {change}"


class Results:
    """What became of each change, in a file that is written after each."""

    def __init__(self, path):
        self.path, self.lock = path, threading.Lock()
        self.rows = json.loads(path.read_text()) if path.exists() else {}
        # Which programs the tests were of: with the same ones a change that survived survives again.
        self.programs = None

    def put(self, name, outcome):
        with self.lock:
            self.rows[name] = outcome or f"{MISSED} {self.programs}"
            temporary = self.path.with_suffix(".new")
            temporary.write_text(json.dumps(self.rows, indent=0))
            temporary.replace(self.path)

    def known(self, name):
        return self.caught(name) or self.rows.get(name) == f"{MISSED} {self.programs}"

    def caught(self, name):
        return name in self.rows and not self.rows[name].startswith(MISSED)


def key_of(programs):
    """What changes when one of the programs does."""
    parts = b"".join(hashlib.sha256(Path(program).read_bytes()).digest() for program, _ in programs.values())
    return hashlib.sha256(parts).hexdigest()[:16]


def drawn(names, size):
    """A random sample of the changes, the same ones each time; a larger one holds the smaller ones."""
    return set(sorted(names, key=lambda name: hashlib.sha256(name.encode()).digest())[:size])


def interval(caught, of):
    """The 95 % confidence interval of a share, by Wilson."""
    z, share = 1.96, caught / of
    middle, half = share + z * z / (2 * of), z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    return tuple((middle + sign * half) / (1 + z * z / of) for sign in (-1, 1))


def learned(programs, workers):
    """The tests and what they come by; kept until a program changes."""
    kept = OUT / f"reached-{key_of(programs)}.json"
    for old in OUT.glob("reached-*.json"):
        if old != kept:
            old.unlink()
    return trials.learn(programs, OUT / "scratch", workers, kept)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shard", help="the K-th of N parts, from 0: K/N")
    parser.add_argument("--changed-since", metavar="COMMIT", help="only lines that changed since then")
    parser.add_argument(
        "--only", action="append", default=[], metavar="REGEX", help="only changes whose name, PATH:LINE:COLUMN: CHANGE, matches"
    )
    parser.add_argument("--sample", type=int, metavar="N", help="N changes drawn from all files, the same ones each time")
    parser.add_argument(
        "--program", action="append", choices=["cvm_verify_core", "cvm_verify", "attacks"],
        help="only the tests of this program; may be given several times (default: all three)",
    )
    parser.add_argument("--again", action="store_true", help="tries what was caught before again, too")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="how many changes are tried at once")
    options = parser.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    found = listed(options)
    if not (options.shard or options.only or options.changed_since):
        every_place(found)
    changes = dict(enumerate(found, 1))
    if not changes:
        print("Nothing to change here.")
        return 0
    tree = Tree(ROOT, OUT, changes)
    programs = tree.build()
    if options.program:
        programs = {name: programs[name] for name in options.program}
    print(f"{len(changes)} changes, {len(tree.dropped)} that do not compile, {len(tree.unswitchable())} that cannot be switched", flush=True)
    tests = learned(programs, options.jobs)
    failing = [test.name for test in tests if not test.passes]
    print(f"{len(tests)} tests in {sum(test.seconds for test in tests):.0f} s; without a change {len(failing)} fail: {failing}", flush=True)
    results = Results(OUT / "results.json")
    results.programs = key_of(programs)
    reaching = collections.defaultdict(list)
    for test in trials.order([test for test in tests if test.passes]):
        for number in test.reaches:
            reaching[number].append(test)
    tried = [number for number in changes if number not in tree.dropped and number not in tree.unswitchable()]
    switched = len(tried)
    if options.sample:
        sample = drawn([changes[number]["name"] for number in tried], options.sample)
        tried = [number for number in tried if changes[number]["name"] in sample]
    wanted = [number for number in tried if options.again or not results.known(changes[number]["name"])]
    reached = {number for test in tests for number in test.reaches}

    def attempt(number):
        name, tests = changes[number]["name"], reaching[number]
        results.put(name, trials.notices(number, tests) if tests else None)

    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for done, _ in enumerate(pool.map(attempt, wanted), 1):
            if done % 100 == 0:
                print(f"{done} of {len(wanted)}", flush=True)
    return report(changes, tried, switched, tree, results, reached)


def report(changes, tried, switched, tree, results, reached):
    accepted_ones = accepted()
    names = {number: changes[number]["name"] for number in tried}
    survivors = {number: name for number, name in names.items() if not results.caught(name)}
    unknown = {number: name for number, name in survivors.items() if without_line(name) not in accepted_ones}
    caught = len(names) - len(survivors)
    print(
        f"{caught} of {len(names)} caught ({caught / len(names):.1%}); {len(survivors)} survive, "
        f"of them {len(survivors) - len(unknown)} with a reason"
    )
    if len(names) < switched:
        low, high = interval(caught, len(names))
        print(f"a sample of {switched}: with 95 % confidence {low:.1%} to {high:.1%} of all are caught")
    print(f"not tried: {len(tree.dropped)} that do not compile, {len(tree.unswitchable())} in constants and conditions with let")
    for number, name in unknown.items():
        print(f"{'no test notices' if number in reached else 'no test comes by'}: {name}")
    if unknown:
        print("Write a test that notices, or say in tests/mutants.toml why the change makes no difference.")
    return 1 if unknown else 0


if __name__ == "__main__":
    sys.exit(main())
