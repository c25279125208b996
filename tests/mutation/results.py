"""What became of each change, kept from run to run."""

import json
import threading

# The first word of what is written of a change that no test notices.
MISSED = "missed"


class Results:
    """A file that is written after each change. A row is the test that notices, or which tests were run in vain:
    `missed PROGRAM=ROUND…`, all tests of these programs that were known in that round."""

    def __init__(self, path):
        self.path, self.lock = path, threading.Lock()
        self.rows = json.loads(path.read_text()) if path.exists() else {}

    def put(self, name, outcome, programs, round_):
        with self.lock:
            rounds = self.in_vain(name) | dict.fromkeys(programs, round_)
            self.rows[name] = outcome or " ".join([MISSED, *(f"{program}={rounds[program]}" for program in sorted(rounds))])
            temporary = self.path.with_suffix(".new")
            temporary.write_text(json.dumps(self.rows, indent=0))
            temporary.replace(self.path)

    def caught(self, name):
        return name in self.rows and self.rows[name].split()[0] != MISSED

    def in_vain(self, name):
        """The round up to which all tests of a program were run in vain, by the program."""
        word, *rest = self.rows.get(name, MISSED).split()
        return {program: int(number) for program, number in (one.split("=") for one in rest)} if word == MISSED else {}
