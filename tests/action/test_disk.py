"""A disk that is full or read-only: no run passes whose results are lost, and the log and an annotation say why."""

import os
import re
import shutil
import subprocess
from contextlib import contextmanager

import pytest

from test_install import NAMESPACE
from test_stale import Runner

FULL = "No space left on device"
READ_ONLY = "Read-only file system"


@contextmanager
def disk(folder, size: str):
    """A small disk of its own."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def fill(folder):
    with open(folder / "ballast", "wb", buffering=0) as file:
        try:
            while file.write(b"\0" * 4096):
                pass
        except OSError:
            pass


def errors(log: str) -> list[str]:
    return re.findall(r"^::error title=[^:]*::(.*)$", log, re.MULTILINE)


def direct(program, machine, *more, lie="none", stdout=subprocess.PIPE, **environment):
    """The program itself, as a shell starts it."""
    inputs = machine(lie).inputs(compose_hash=machine().facts["compose-hash"])
    arguments = [program, "verify", inputs.pop("url"), *inputs.pop("extra-args").split()]
    arguments += [f"--{name}={value}" for name, value in inputs.items()] + list(more)
    arguments += [] if "--cache-dir" in more else ["--no-cache"]
    return subprocess.run(arguments, env=environment, stdout=stdout, stderr=subprocess.PIPE, text=True, timeout=60)


@NAMESPACE
@pytest.mark.parametrize("lie, code", [("none", 3), ("broken-signature", 1)])
def test_on_a_disk_of_any_size_a_run_passes_in_full_or_not_at_all(workspace, program, machine, lie, code):
    """From no room at all to just enough: each of the files in turn is the one that does not fit."""
    runner = Runner(workspace, program, machine(lie).inputs(compose_hash=machine().facts["compose-hash"]))
    assert runner.install() == 0, runner.log
    runner.inputs["output-dir"] = str(runner.results)
    ends = []
    for kilobytes in [4, *range(16, 1000, 16)]:
        with disk(runner.results, f"{kilobytes}k"):
            process = runner.verify()
            log, _ = process.communicate(timeout=60)
            names = {path.name for path in runner.results.iterdir()}
        shutil.rmtree(runner.results)
        ends.append(process.returncode)
        assert not [name for name in names if name.endswith(".part")], names
        if FULL not in log:
            break
        assert process.returncode == code, log
        assert any(FULL in error and str(runner.results) in error for error in errors(log)), log
    assert ends[-1] == (0 if code == 3 else 1) and len(ends) > 3, ends


@NAMESPACE
def test_a_summary_or_an_output_that_cannot_be_written_is_named(workspace, program, machine):
    runner = Runner(workspace, program, machine().inputs())
    assert runner.install() == 0, runner.log
    with disk(workspace.folder / "small", "16k") as small:
        (small / "output").touch()
        fill(small)
        for variable in ("GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"):
            for path in (str(small / "output"), str(small), "/dev/full", "/nowhere/file"):
                kept = runner.runner[variable]
                runner.runner[variable] = path
                process = runner.verify()
                log, _ = process.communicate(timeout=60)
                runner.runner[variable] = kept
                assert process.returncode == 3, f"{variable}={path}: {log}"
                assert any(path in error and "cannot be written" in error for error in errors(log)), f"{variable}={path}: {log}"


@NAMESPACE
@pytest.mark.parametrize("lie, code", [("none", 3), ("broken-signature", 1)])
def test_a_read_only_folder_is_called_that(workspace, program, machine, lie, code):
    with disk(workspace.folder / "small", "1m") as small:
        before = direct(program, machine, "--report-json", small / "report.json")
        assert before.returncode == 0, before.stderr
        os.mkdir(small / "out")
        subprocess.run(["mount", "-o", "remount,ro", small], check=True)
        # An earlier pass stays there, and nothing can be done about it but to say so: before anything is verified.
        done = direct(program, machine, "--report-json", small / "report.json", lie=lie)
        assert done.returncode == 3 and READ_ONLY in done.stderr and "has room" in done.stderr, done.stderr
        for more in (["--evidence", small / "e.json"], ["--output-dir", small / "out"], ["--junit", small / "j.xml"], ["--dotenv", small / "d"], ["--summary", small / "s"]):
            done = direct(program, machine, *more, lie=lie)
            assert done.returncode == code and READ_ONLY in done.stderr, (more, done.stderr)
        done = direct(program, machine, "--output-dir", small / "new", lie=lie)
        assert done.returncode == 3 and READ_ONLY in done.stderr and "has room" in done.stderr, done.stderr
        # What it keeps for later runs is missed by none of this one.
        done = direct(program, machine, "--cache-dir", small / "cache", lie=lie)
        assert done.returncode == (0 if code == 3 else 1), done.stderr


@NAMESPACE
def test_an_earlier_pass_that_cannot_be_replaced_ends_the_run(workspace, program, machine):
    with disk(workspace.folder / "small", "256k") as small:
        assert direct(program, machine, "--report-json", small / "report.json").returncode == 0
        fill(small)
        done = direct(program, machine, "--report-json", small / "report.json")
        assert done.returncode == 3 and FULL in done.stderr and "has room" in done.stderr, done.stderr


@pytest.mark.parametrize("format", ["text", "json", "markdown"])
@pytest.mark.parametrize("lie, code", [("none", 3), ("broken-signature", 1)])
def test_a_report_that_is_lost_on_standard_output_is_no_pass(program, machine, format, lie, code):
    with open("/dev/full", "w") as full:
        done = direct(program, machine, "--format", format, lie=lie, stdout=full)
    assert done.returncode == code and f"standard output: cannot be written: {FULL}" in done.stderr, done.stderr


def test_a_reader_that_went_away_is_no_error(program, machine):
    read, write = os.pipe()
    os.close(read)
    assert direct(program, machine, stdout=write).returncode == 0
    os.close(write)
