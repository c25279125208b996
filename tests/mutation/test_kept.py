"""What is kept from run to run is still right when lines, tests and programs changed.

Usage: test_kept.py
"""

import os
import tempfile
import tomllib
import unittest
from pathlib import Path

from names import names_of
from reach import Reach, by_change
from results import Results
from trials import Program, Test, environment, within


class Fake:
    """A test program with these tests."""

    name = "fake"

    def __init__(self, path, names):
        self.path, self.names = path, names

    def tests(self):
        return self.names

    def command(self, names):
        return [self.path, *names]

    folder = None


def listed(file, line, change):
    return {"name": f"{file}:{line}:5: {change}", "span": {"start": {"line": line, "column": 5}}}


class Kept(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def test_names_have_no_lines(self):
        changes = {1: listed("a.rs", 9, "x"), 2: listed("a.rs", 3, "x"), 3: listed("a.rs", 1, "y"), 4: listed("b.rs", 1, "x")}
        self.assertEqual(names_of(changes), {1: "a.rs: x (2 of 2)", 2: "a.rs: x (1 of 2)", 3: "a.rs: y", 4: "b.rs: x"})

    def test_a_survivor_is_tried_with_what_it_was_not_tried_with(self):
        results = Results(self.folder / "results.json")
        results.put("a.rs: x", None, ["core"], 1)
        results.put("a.rs: x", None, ["attacks"], 2)
        again = Results(self.folder / "results.json")
        self.assertEqual((again.in_vain("a.rs: x"), again.caught("a.rs: x")), ({"attacks": 2, "core": 1}, False))
        again.put("a.rs: x", "a_test", ["core"], 3)
        self.assertEqual((again.in_vain("a.rs: x"), again.caught("a.rs: x")), ({}, True))

    def test_what_tests_come_by_is_kept(self):
        program = self.folder / "program"
        program.write_text("1")
        first = Reach(self.folder / "reached.json")
        first.complete, test = {"a.rs: x"}, Test(Fake(program, []), "old", 1)
        test.reaches, test.passes = frozenset(["a.rs: x"]), True
        first.round = 1
        first.save([test])
        again = Reach(self.folder / "reached.json")
        tests = again.learn({"fake": Fake(program, ["old"])}, {1: "a.rs: x", 2: "a.rs: new", 3: "b.rs: new"}, self.folder, 1)
        self.assertEqual([(test.name, test.since, test.reaches) for test in tests], [("old", 1, {"a.rs: x"})])
        # Of a change that came later it is not known: a test that comes by its file may come by it.
        found = by_change(tests, {1: "a.rs: x", 2: "a.rs: new", 3: "b.rs: new"}, again.complete)
        self.assertEqual({name: len(own) for name, own in found.items()}, {"a.rs: x": 1, "a.rs: new": 1, "b.rs: new": 0})

    def test_a_test_that_failed_is_run_again(self):
        program = self.folder / "program"
        program.write_text("#!/bin/sh\necho 1 >> \"$CVM_MUTANT_REACHED\"\n")
        program.chmod(0o755)
        first, test = Reach(self.folder / "reached.json"), Test(Fake(program, []), "old", 1)
        first.round = 1
        first.save([test])
        again = Reach(self.folder / "reached.json")
        again.learn({"fake": Fake(program, ["old"])}, {1: "a.rs: x"}, self.folder / "scratch", 1)
        kept = Reach(self.folder / "reached.json")
        kept.load({"fake": Fake(program, ["old"])})
        tests = kept.known.values()
        self.assertEqual([(test.since, test.passes, test.reaches) for test in tests], [(2, True, {"a.rs: x"})])

    def test_what_is_learned_again_counts_as_new(self):
        program = self.folder / "program"
        program.write_text("#!/bin/sh\necho 1 >> \"$CVM_MUTANT_REACHED\"\n")
        program.chmod(0o755)
        path, programs, names = self.folder / "reached.json", {"fake": Fake(program, ["old"])}, {1: "a.rs: x"}
        Reach(path).learn(programs, names, self.folder / "scratch", 1)
        self.assertEqual([test.since for test in Reach(path).learn(programs, names, self.folder / "scratch", 1)], [1])
        self.assertEqual([test.since for test in Reach(path).learn(programs, names, self.folder / "scratch", 1, again=True)], [2])

    def test_recorded_evidence_that_was_not_there_makes_tests_new(self):
        program = self.folder / "program"
        program.write_text("#!/bin/sh\necho 1 >> \"$CVM_MUTANT_REACHED\"\n")
        program.chmod(0o755)
        path, programs, names = self.folder / "reached.json", {"fake": Fake(program, ["old"])}, {1: "a.rs: x"}
        rounds = []
        for has_recorded in (False, True, True):
            tests = Reach(path, has_recorded).learn(programs, names, self.folder / "scratch", 1)
            rounds.append([test.since for test in tests])
        self.assertEqual(rounds, [[1], [2], [2]])

    def test_a_program_that_ends_before_its_tests_have_run_is_an_error(self):
        program = self.folder / "program"
        program.write_text("#!/bin/sh\necho 'test one ... FAILED'\nexit $CODE\n")
        program.chmod(0o755)
        os.environ["CODE"] = "101"
        self.assertEqual(Program("fake", program, self.folder).failing(), {"one"})
        os.environ["CODE"] = "134"
        self.assertRaisesRegex(RuntimeError, "fake without a change ended with 134", Program("fake", program, self.folder).failing)

    def test_threads_of_tests_have_room_for_the_switches(self):
        self.assertGreaterEqual(int(environment()["RUST_MIN_STACK"]), 4 * self.stack_of_cargo())

    @staticmethod
    def stack_of_cargo():
        root = Path(__file__).resolve().parent.parent.parent
        return int(tomllib.loads((root / ".cargo" / "config.toml").read_text())["env"]["RUST_MIN_STACK"])

    def test_seconds_bound_the_tests_of_a_change(self):
        tests = [Test(None, name, 1) for name in "abc"]
        for test in tests:
            test.seconds = 2.0
        self.assertEqual([test.name for test in within(tests, 5)], ["a", "b"])


if __name__ == "__main__":
    unittest.main()
