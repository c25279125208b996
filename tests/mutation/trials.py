"""Switches on one change after the other and runs the tests that come by it, until one of them fails."""

import collections
import os
import resource
import subprocess
import time

from names import file_of

# Seconds of processor time that tests may take beyond four times what they take without a change.
SPARE = 8
# The exit code of a test program of which a test failed.
FAILED = 101
# How much longer than its processor time a test may take because others run beside it.
BUSY = 3
# How many tests are run at first, and then: most changes are noticed by the first few.
CHUNKS = (4, 12, 40)
WORDS = {
    "INSTA_UPDATE": "no", "INSTA_FORCE_PASS": "0", "PROPTEST_DISABLE_FAILURE_PERSISTENCE": "1", "RUST_BACKTRACE": "0",
    # The switches make the frames of functions larger, and without cargo .cargo/config.toml does not set this.
    "RUST_MIN_STACK": str(32 << 20),
}


def environment(**more):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CVM_MUTANT", "UPDATE_", "TRYCMD"))}
    # `--fail-fast` of the test programs is not stable yet.
    return kept | WORDS | {"RUSTC_BOOTSTRAP": "1"} | more


class Program:
    """A test program: its name, its path and the folder it is run in."""

    def __init__(self, name, path, folder):
        self.name, self.path, self.folder = name, path, folder

    def tests(self):
        """The names of its tests."""
        listed = subprocess.run(
            [self.path, "--list", "--format", "terse"], cwd=self.folder, env=environment(), capture_output=True, text=True, check=True
        ).stdout
        lines = [line.rpartition(": ") for line in listed.splitlines()]
        return [name for name, _, kind in lines if kind == "test"]

    def failing(self):
        """The names of the tests that fail without a change."""
        done = subprocess.run([self.path], cwd=self.folder, env=environment(), capture_output=True)
        if done.returncode not in (0, FAILED):
            said = done.stderr.decode(errors="replace")[-2000:]
            raise RuntimeError(f"{self.name} without a change ended with {done.returncode} before all of its tests had run: {said}")
        return set(self.failed(done.stdout))

    def command(self, names):
        """Runs these tests one after the other, until one fails."""
        return [self.path, "-Zunstable-options", "--fail-fast", "--exact", "--test-threads=1", *names]

    def failed(self, stdout):
        """The tests that failed, by what it says."""
        lines = stdout.decode(errors="replace").splitlines()
        return [line[5:].rsplit(" ... ", 1)[0].removesuffix(" - should panic") for line in lines if line.endswith("... FAILED")]


class Test:
    """A test: its program, its name, the seconds it takes (of processor time, or a third of the time on the clock if that is
    more), the names of the changes that it comes by, and the round it was new in."""

    def __init__(self, program, name, since):
        self.program, self.name, self.since = program, name, since
        self.seconds, self.passes, self.reaches = 0.0, False, frozenset()

    def learn(self, scratch, names):
        """Runs it alone. `names` are the changes' names by their numbers."""
        file = scratch / f"{self.program.name}-{abs(hash(self.name))}"
        file.unlink(missing_ok=True)
        start = time.monotonic()
        process = subprocess.Popen(
            self.program.command([self.name]), cwd=self.program.folder,
            env=environment(CVM_MUTANT_REACHED=str(file)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        # A test that waits holds a run up, too. On a busy machine each takes longer than its processor time.
        waited = (time.monotonic() - start) / BUSY
        self.seconds, self.passes = max(used.ru_utime + used.ru_stime, waited), process.returncode == 0
        if file.exists():
            self.reaches = frozenset(names[int(line)] for line in file.read_text().split())
            file.unlink()


def notices(number, tests):
    """The first test that fails with this change, and what is written of it; None where all pass."""
    at = 0
    for size in [*CHUNKS, len(tests)]:
        part, at = tests[at : at + size], at + size
        by_program = {}
        for test in part:
            by_program.setdefault(test.program, []).append(test)
        for program, own in by_program.items():
            outcome = run(number, program, own)
            if outcome:
                return outcome
        if at >= len(tests):
            return None
    return None


def run(number, program, tests):
    seconds = int(sum(test.seconds for test in tests) * 4 + SPARE)

    def limit():
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    try:
        done = subprocess.run(
            program.command([test.name for test in tests]), cwd=program.folder, env=environment(CVM_MUTANT=str(number)), capture_output=True, preexec_fn=limit,
            timeout=60 * seconds,
        )
    except subprocess.TimeoutExpired:
        return "(time)"
    if done.returncode == 0:
        return None
    return next(iter(program.failed(done.stdout)), f"(ended with {done.returncode})")


def look_closely(tests):
    """How closely each test looks at each file: what it comes by there that few others do, by the second it takes."""
    commonness = collections.Counter(name for test in tests for name in test.reaches)
    closeness = collections.defaultdict(float)
    for test in tests:
        for name in test.reaches:
            closeness[test.program.name, test.name, file_of(name)] += 1 / commonness[name] / max(test.seconds, 0.01)
    return closeness


def within(tests, seconds):
    """The first of the tests, as many as take no longer than this together."""
    kept, spent = [], 0.0
    for test in tests:
        spent += test.seconds
        if spent > seconds:
            break
        kept.append(test)
    return kept
