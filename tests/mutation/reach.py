"""Which changes each test comes by, and how long it takes: kept from run to run."""

import collections
import concurrent.futures
import hashlib
import json
from pathlib import Path

from names import file_of
from trials import Test


def digest(program):
    return hashlib.sha256(Path(program.path).read_bytes()).hexdigest()


class Reach:
    """`round` counts the runs that met tests they did not know; `complete` are the changes that all tests were run with."""

    def __init__(self, path, has_recorded=False):
        self.path, self.has_recorded = path, has_recorded
        self.round, self.digests, self.known, self.complete = 0, {}, {}, set()
        self.is_other_evidence = False
        # Tests of programs that are not of this run.
        self.others = []

    def load(self, programs):
        if not self.path.exists():
            return
        kept = json.loads(self.path.read_text())
        # Tests of recorded evidence do nothing without it.
        self.is_other_evidence = kept.get("has_recorded", False) != self.has_recorded
        self.round, self.digests, self.complete = kept["round"], kept["digests"], set(kept["complete"])
        for program, name, since, seconds, passes, reaches in kept["tests"]:
            test = Test(programs.get(program), name, since)
            test.seconds, test.passes = seconds, passes
            test.reaches = frozenset(kept["names"][at] for at in reaches)
            if program in programs:
                if passes:
                    self.known[program, name] = test
            else:
                self.others.append((program, test))

    def save(self, tests):
        named = [*((test.program.name, test) for test in tests), *self.others]
        names = sorted(self.complete.union(*(test.reaches for _, test in named)))
        places = {name: at for at, name in enumerate(names)}
        rows = [
            [program, t.name, t.since, t.seconds, t.passes, sorted(places[name] for name in t.reaches)] for program, t in named
        ]
        temporary = self.path.with_suffix(".new")
        kept = {
            "has_recorded": self.has_recorded, "round": self.round, "digests": self.digests,
            "complete": sorted(self.complete), "names": names, "tests": rows,
        }
        temporary.write_text(json.dumps(kept))
        temporary.replace(self.path)

    def learn(self, programs, names, scratch, workers, again=False):
        """All tests of the programs. Those that are not known are run alone, each, and those that failed, because a test that
        fails comes by less. What a known test comes by stays, though its program was built again; whether it passes is looked
        up anew. With `again` no test is known, and each counts as a new one; so it is where recorded evidence was not there
        before, or is not there any more."""
        self.load(programs)
        if again or self.is_other_evidence:
            self.known = {}
        if self.is_other_evidence:
            self.others = []
        listed = [(program, name) for program in programs.values() for name in program.tests()]
        left = [(program, name) for program, name in listed if (program.name, name) not in self.known]
        self.round += bool(left)
        new = [Test(program, name, self.round) for program, name in left]
        is_first = not self.known and not self.others
        if is_first:
            self.complete = set(names.values())
        scratch.mkdir(parents=True, exist_ok=True)
        done = [self.known[program.name, name] for program, name in listed if (program.name, name) in self.known]

        def one(test):
            test.learn(scratch, names)
            return test

        with concurrent.futures.ThreadPoolExecutor(workers) as pool:
            for count, test in enumerate(pool.map(one, new), 1):
                done.append(test)
                if count % 50 == 0:
                    self.save(done)
                    print(f"{count} of {len(new)} tests run alone", flush=True)
        for program in programs.values():
            now = digest(program)
            if self.digests.get(program.name, now) != now:
                failing = program.failing()
                for test in done:
                    if test.program is program:
                        test.passes = test.name not in failing
            self.digests[program.name] = now
        self.save(done)
        return done


def by_change(tests, names, complete):
    """The tests that come by each change. A change that was not there when the tests were run (`complete` are those that were)
    has those that come by a change of the same file."""
    found, of_file = collections.defaultdict(list), collections.defaultdict(list)
    for test in tests:
        for name in test.reaches:
            found[name].append(test)
        for file in {file_of(name) for name in test.reaches}:
            of_file[file].append(test)
    return {name: found[name] if name in complete else of_file[file_of(name)] for name in names.values()}
