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
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import trials
from corpus import Corpus
from names import file_of
from reach import Reach, by_change
from results import Results
from tree import Tree
from trials import Program

ROOT = Path(__file__).resolve().parent.parent.parent
OUT = ROOT / "target" / "mutants"
VERSION = "27.1.0"
PROGRAMS = ("cvm_verify_core", "cvm_verify", "attacks", "program", "corpus")
PLACES = ("crates/core/src/verify/", "crates/core/src/checks/", "src/alert/incident/")


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


def has_recorded_evidence():
    """Whether the tests find recorded evidence: tests/simulator/src/recorded.rs."""
    return Path(os.environ.get("CVM_VERIFY_VECTORS") or ROOT.parent / "shared" / "vectors").is_dir()


def accepted():
    """Changes that make no difference, by their names, and why; and the folders whose tests read recorded evidence."""
    written = tomllib.loads((ROOT / "tests" / "mutants.toml").read_text())
    rows = written.get("mutant", [])
    for row in rows:
        if set(row) != {"change", "why"} or not row["why"].strip():
            sys.exit(f"tests/mutants.toml: a row has `change` and `why`, and this one has {', '.join(row)}")
    for place in written["recorded"]:
        if not (ROOT / place).is_dir():
            sys.exit(f"tests/mutants.toml: {place} is no folder")
    return {row["change"]: row["why"] for row in rows}, tuple(written["recorded"])


def drawn(names, size):
    """A random sample of the changes, the same ones each time; a larger one holds the smaller ones."""
    return set(sorted(names, key=lambda name: hashlib.sha256(name.encode()).digest())[:size])


def interval(caught, of):
    """The 95 % confidence interval of a share, by Wilson."""
    z, share = 1.96, caught / of
    middle, half = share + z * z / (2 * of), z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    return tuple((middle + sign * half) / (1 + z * z / of) for sign in (-1, 1))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shard", help="the K-th of N parts, from 0: K/N")
    parser.add_argument("--changed-since", metavar="COMMIT", help="only lines that changed since then")
    parser.add_argument(
        "--only", action="append", default=[], metavar="REGEX", help="tries only changes whose name, PATH: CHANGE, matches"
    )
    parser.add_argument("--sample", type=int, metavar="N", help="N changes drawn from all files, the same ones each time")
    parser.add_argument(
        "--program", action="append", choices=PROGRAMS,
        help="only the tests of this program; may be given several times (default: all)",
    )
    parser.add_argument(
        "--seconds", type=float, default=math.inf, metavar="S",
        help="runs, for a change, tests that take S seconds of processor time together; what they do not notice stays open",
    )
    parser.add_argument("--again", action="store_true", help="tries what was caught before again, too")
    parser.add_argument("--learn", action="store_true", help="runs each test alone again, to see what it comes by")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="how many changes are tried at once")
    options = parser.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    found = listed(options)
    if not (options.shard or options.changed_since):
        every_place(found)
    changes = dict(enumerate(found, 1))
    if not changes:
        print("Nothing to change here.")
        return 0
    tree = Tree(ROOT, OUT, changes)
    built = tree.build()
    programs = {name: program(name, built, tree) for name in options.program or PROGRAMS}
    print(f"{len(changes)} changes, {len(tree.dropped)} that do not compile, {len(tree.unswitchable())} that cannot be switched", flush=True)
    has_recorded = has_recorded_evidence()
    if not has_recorded:
        print("no recorded evidence (CVM_VERIFY_VECTORS): tests of it are skipped and notice nothing")
    reach = Reach(OUT / "reached.json", has_recorded)
    tests = reach.learn(programs, tree.names, OUT / "scratch", options.jobs, options.learn)
    failing = [test.name for test in tests if not test.passes]
    print(f"{len(tests)} tests in {sum(test.seconds for test in tests):.0f} s; without a change {len(failing)} fail: {failing}", flush=True)
    run = Run(options, tree, programs, reach, [test for test in tests if test.passes])
    run.all()
    return run.report()


def program(name, built, tree):
    if name == Corpus.name:
        return Corpus(built["conformance"][0], built["cvm-verify"][0], OUT / "corpus", tree.tree)
    return Program(name, *built[name])


class Run:
    """Tries the changes that the options choose."""

    def __init__(self, options, tree, programs, reach, tests):
        self.options, self.names, self.programs, self.round = options, tree.names, programs, reach.round
        self.reaching, self.closeness = by_change(tests, tree.names, reach.complete), trials.look_closely(tests)
        self.results = Results(OUT / "results.json")
        self.has_recorded = reach.has_recorded
        self.dropped, self.unswitchable = tree.dropped, tree.unswitchable()
        chosen = [number for number, name in self.names.items() if self.is_chosen(name)]
        self.tried = [number for number in chosen if number not in self.dropped and number not in self.unswitchable]
        self.not_compiled = sum(number in self.dropped for number in chosen)
        self.not_switched = sum(number in self.unswitchable and number not in self.dropped for number in chosen)
        self.switched = len(self.tried)
        if options.sample:
            sample = drawn([self.names[number] for number in self.tried], options.sample)
            self.tried = [number for number in self.tried if self.names[number] in sample]
        self.catchers = collections.defaultdict(collections.Counter)

    def is_chosen(self, name):
        return not self.options.only or any(re.search(regex, name) for regex in self.options.only)

    def left(self, name):
        """The tests that could notice a change and were not run in vain."""
        rounds = {} if self.options.again else self.results.in_vain(name)
        return [test for test in self.reaching[name] if test.since > rounds.get(test.program.name, 0)]

    def attempt(self, number):
        name = self.names[number]
        file = file_of(name)
        catchers = self.catchers[file]
        closest = sorted(self.left(name), key=lambda test: -self.closeness[test.program.name, test.name, file])
        # What caught a change of a file is likely to catch the next one.
        tests = sorted(closest, key=lambda test: -catchers[test.name])
        some = trials.within(tests, self.options.seconds)
        outcome = trials.notices(number, some) if some else None
        if outcome:
            catchers[outcome] += 1
        if outcome or len(some) == len(tests):
            self.results.put(name, outcome, self.programs, self.round)

    def all(self):
        wanted = [number for number in self.tried if self.options.again or not self.results.caught(self.names[number])]
        with concurrent.futures.ThreadPoolExecutor(self.options.jobs) as pool:
            for done, _ in enumerate(pool.map(self.attempt, wanted), 1):
                if done % 100 == 0:
                    print(f"{done} of {len(wanted)}", flush=True)

    def report(self):
        reasons, recorded = accepted()
        names = [self.names[number] for number in self.tried]
        survivors = [name for name in names if not self.results.caught(name)]
        unknown = [name for name in survivors if name not in reasons]
        # What only tests of recorded evidence may notice says nothing where they did nothing.
        unjudged = [] if self.has_recorded else [name for name in unknown if file_of(name).startswith(recorded)]
        places = collections.defaultdict(list)
        for name in names:
            places[place_of(name)].append(name)
        for place, own in [*sorted(places.items()), ("in all", names)]:
            lost = [name for name in own if not self.results.caught(name)]
            known = sum(name in reasons for name in lost)
            caught = len(own) - len(lost)
            print(f"{place}: {caught} of {len(own)} caught ({caught / max(len(own), 1):.1%}), {known} with a reason, {len(lost) - known} without")
        if len(names) < self.switched:
            low, high = interval(len(names) - len(survivors), len(names))
            print(f"a sample of {self.switched}: with 95 % confidence {low:.1%} to {high:.1%} of all are caught")
        print(f"not tried: {self.not_compiled} that do not compile, {self.not_switched} in constants and conditions with let")
        if unjudged:
            print(f"not judged without recorded evidence: {len(unjudged)} in {', '.join(recorded)}")
        unknown = [name for name in unknown if name not in unjudged]
        for name in unknown:
            said = "still open" if self.left(name) else "no test notices" if self.reaching[name] else "no test comes by"
            print(f"{said}: {name}")
        if unknown:
            print("Write a test that notices, or say in tests/mutants.toml why the change makes no difference.")
        stale = sorted(name for name in reasons if name not in self.names.values() or self.results.caught(name))
        is_whole = not (self.options.shard or self.options.changed_since)
        if is_whole and stale:
            print(f"tests/mutants.toml speaks of changes that do not exist or that a test notices: {', '.join(stale)}")
        return 1 if unknown or (is_whole and stale) else 0


def place_of(name):
    """The folder whose changes are counted together."""
    file = file_of(name)
    return next((place for place in PLACES if file.startswith(place)), file)


if __name__ == "__main__":
    sys.exit(main())
