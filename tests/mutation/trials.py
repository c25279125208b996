"""Switches on one change after the other and runs the tests that come by it, until one of them fails."""

import concurrent.futures
import json
import os
import resource
import subprocess
import time

# Seconds of processor time that tests may take beyond four times what they take without a change.
SPARE = 20
# How many tests are run at first, and then: most changes are noticed by the first few.
CHUNKS = (12, 60)
WORDS = {"INSTA_UPDATE": "no", "INSTA_FORCE_PASS": "0", "PROPTEST_DISABLE_FAILURE_PERSISTENCE": "1", "RUST_BACKTRACE": "0"}


def environment(**more):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CVM_MUTANT", "UPDATE_", "TRYCMD"))}
    # `--fail-fast` of the test programs is not stable yet.
    return kept | WORDS | {"RUSTC_BOOTSTRAP": "1"} | more


class Test:
    """A test: its program, its name, the seconds it takes and the changes that it comes by."""

    def __init__(self, program, folder, name):
        self.program, self.folder, self.name = program, folder, name
        self.seconds, self.passes, self.reaches = 0.0, False, frozenset()
        self.is_learned = False

    def learn(self, scratch):
        file = scratch / f"{os.path.basename(self.program)}-{abs(hash(self.name))}"
        file.unlink(missing_ok=True)
        began = time.monotonic()
        process = subprocess.Popen(
            [self.program, "--exact", self.name, "--test-threads=1", "-q"], cwd=self.folder,
            env=environment(CVM_MUTANT_REACHED=str(file)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.seconds, self.passes = used.ru_utime + used.ru_stime, process.returncode == 0
        if file.exists():
            self.reaches = frozenset(int(line) for line in file.read_text().split())
            file.unlink()
        self.is_learned = True
        return time.monotonic() - began


def all_tests(programs):
    for program, folder in programs.values():
        listed = subprocess.run(
            [program, "--list", "--format", "terse"], cwd=folder, env=environment(), capture_output=True, text=True, check=True
        ).stdout
        for line in listed.splitlines():
            name, _, kind = line.rpartition(": ")
            if kind == "test":
                yield Test(program, folder, name)


def notices(number, tests):
    """The name of a test that fails with this change; a word where they run too long; None where all pass."""
    at = 0
    sizes = [*CHUNKS, len(tests)]
    for size in sizes:
        part, at = tests[at : at + size], at + size
        by_program = {}
        for test in part:
            by_program.setdefault((test.program, test.folder), []).append(test)
        for (program, folder), own in by_program.items():
            seconds = int(sum(test.seconds for test in own) * 4 + SPARE)

            def limit(seconds=seconds):
                resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
                resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
                resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

            try:
                done = subprocess.run(
                    [program, "-Zunstable-options", "--fail-fast", "--exact", "--test-threads=1", *(test.name for test in own)],
                    cwd=folder, env=environment(CVM_MUTANT=str(number)), capture_output=True, preexec_fn=limit,
                    timeout=60 * seconds,
                )
            except subprocess.TimeoutExpired:
                return "(time)"
            if done.returncode:
                said = done.stdout.decode(errors="replace")
                failed = [line[5:].rsplit(" ... ", 1)[0] for line in said.splitlines() if line.endswith("... FAILED")]
                return failed[0] if failed else f"(ended with {done.returncode})"
        if at >= len(tests):
            return None
    return None


def learn(programs, scratch, workers, kept):
    """The tests and what they come by. Written to `kept` now and then: a run that was cut short goes on where it ended."""
    known = {(test.program, test.name): test for test in (load(kept.read_text()) if kept.exists() else [])}
    tests = [known.get((test.program, test.name), test) for test in all_tests(programs)]
    left = [test for test in tests if (test.program, test.name) not in known]
    scratch.mkdir(parents=True, exist_ok=True)

    def save():
        done = [test for test in tests if test.is_learned or (test.program, test.name) in known]
        temporary = kept.with_suffix(".new")
        temporary.write_text(dump(done))
        temporary.replace(kept)

    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        for count, _ in enumerate(pool.map(lambda test: test.learn(scratch), left), 1):
            if count % 50 == 0:
                save()
                print(f"{count} of {len(left)} tests run alone", flush=True)
    save()
    return tests


def order(tests):
    """Quick tests first, and of these the ones that come by little: they look closely."""
    return sorted(tests, key=lambda test: (test.seconds > 0.5, len(test.reaches) // 50, test.seconds))


def dump(tests):
    return json.dumps([[t.program, t.folder, t.name, t.seconds, t.passes, sorted(t.reaches)] for t in tests])


def load(text):
    found = []
    for program, folder, name, seconds, passes, reaches in json.loads(text):
        test = Test(program, folder, name)
        test.seconds, test.passes, test.reaches = seconds, passes, frozenset(reaches)
        found.append(test)
    return found
