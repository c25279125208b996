"""The job ends as the program ends, leaves its reports, and runs nothing but what the tree names."""

import json
import re
import subprocess

import pytest
import yaml
from junitparser import JUnitXml
from pipeline import JOB, REPOSITORY


def test_an_honest_machine_passes(project, inputs):
    run = project.run(inputs())
    assert run.exit_code == 0, run.log
    assert run.result()["CVM_VERIFY_RESULT_VERDICT"] == "pass"
    assert "SIMULATED" in (run.results / "summary.md").read_text()
    suites = JUnitXml.fromfile(str(run.results / "junit.xml"))
    assert suites.tests > 10 and suites.failures == 0


def test_a_swapped_image_fails(project, inputs):
    run = project.run(inputs("swapped-image"))
    assert run.exit_code == 1, run.log
    result = run.result()
    assert result["CVM_VERIFY_RESULT_VERDICT"] == "fail"
    assert "compose-hash" in result["CVM_VERIFY_RESULT_FAILED_CHECKS"].split(",")
    assert JUnitXml.fromfile(str(run.results / "junit.xml")).failures >= 1
    assert "The VM runs another compose document" in run.log


def test_without_an_expectation_it_is_inconclusive(project, inputs):
    run = project.run(inputs(compose_hash=None))
    assert run.exit_code == 3, run.log
    assert run.result()["CVM_VERIFY_RESULT_VERDICT"] == "inconclusive"


def test_fail_on_makes_the_job_green_and_not_the_verdict(project, inputs):
    run = project.run(inputs(compose_hash=None, fail_on="fail"))
    assert run.exit_code == 0, run.log
    assert run.result()["CVM_VERIFY_RESULT_VERDICT"] == "inconclusive"


def test_several_addresses_have_a_space_between_them(project, inputs, machine):
    both = f"{machine().app} {machine('swapped-image').app}"
    run = project.run(inputs(url=both))
    assert run.exit_code == 1, run.log
    report = json.loads((run.results / "report.json").read_text())
    assert [target["verdict"] for target in report["targets"]] == ["pass", "fail"]


def test_without_a_verdict_the_job_is_not_green(project, inputs):
    """Nor where the folder holds the pass of an earlier job."""
    for _ in range(2):
        run = project.run(inputs(extra_args="--help"))
        assert run.exit_code == 3, run.log
        assert "The program ended without a verdict." in run.log
        assert project.run(inputs()).exit_code == 0


def test_without_an_address_nothing_is_verified(project, inputs):
    run = project.run(inputs(url=None))
    assert run.exit_code == 2, run.log
    assert not (run.results / "result.env").exists()


def test_a_wrong_hash_in_the_manifest_runs_nothing(project, inputs, program):
    project.release(program, sha256="f" * 64)
    run = project.run(inputs())
    assert run.exit_code == 3, run.log
    assert "cvm-verify could not be installed: The binary is not the one that this version names" in run.log
    assert not (run.results / "result.env").exists() and not (run.results / "report.json").exists()


def test_a_download_that_fails_runs_nothing(project, inputs):
    run = project.run(inputs(binary_path=None, mirror="https://127.0.0.1:1"))
    assert run.exit_code == 3, run.log
    assert "The download failed" in run.log


def test_a_mirror_without_tls_is_refused(project, inputs):
    run = project.run(inputs(binary_path=None, mirror="http://127.0.0.1:1"))
    assert run.exit_code == 3, run.log
    assert "http" in run.log and "The download failed" in run.log


@pytest.mark.parametrize("lie, code", [("none", 0), ("swapped-image", 1)])
def test_the_tree_is_fetched_by_its_commit_and_removed(project, inputs, lie, code):
    repository, commit = project.commit_of_tree()
    temporary = project.folder / "temporary"
    temporary.mkdir()
    given = inputs(lie, tree=None, repository=repository, commit=commit)
    run = project.run(given, environment={"TMPDIR": str(temporary)})
    assert run.exit_code == code, run.log
    assert run.result()["CVM_VERIFY_RESULT_EXIT_CODE"] == str(code)
    assert list(temporary.iterdir()) == []


def test_a_commit_that_is_not_there_runs_nothing(project, inputs):
    repository, _ = project.commit_of_tree()
    run = project.run(inputs(tree=None, repository=repository, commit="1" * 40))
    assert run.exit_code == 3, run.log
    assert not run.results.exists()


@pytest.mark.parametrize("given", [{}, {"repository": "file:///x"}, {"repository": "file:///x", "commit": "main"}])
def test_without_a_commit_nothing_runs(project, inputs, given):
    run = project.run(inputs(tree=None, **given))
    assert run.exit_code == 2, run.log
    assert "The inputs repository and commit (40 hex digits), or tree" in run.log


@pytest.mark.parametrize("repository", ["ext::touch ran", "ssh://127.0.0.1:1/x", "--upload-pack=touch ran"])
def test_another_protocol_than_https_is_not_spoken(project, inputs, repository):
    run = project.run(inputs(tree=None, repository=repository, commit="1" * 40))
    assert run.exit_code == 3, run.log
    assert not list(project.folder.rglob("ran"))


@pytest.mark.parametrize("names", ["url lock compose_hash extra_args", "tree", "repository commit", "binary_path", "mirror"])
@pytest.mark.parametrize("attack", ["$(touch ran)`touch ran`'; touch ran; '\"; touch ran; \"", "\ntouch ran\n"])
def test_no_input_is_run(project, inputs, names, attack):
    """Without GitLab's own test of inputs, which gitlab-ci-local does not know: they are data all the same."""
    given = {name: attack for name in names.split()}
    given |= {"repository commit": {"tree": None}, "mirror": {"binary_path": None}}.get(names, {})
    run = project.run(inputs(**given))
    assert run.exit_code in (2, 3, 127), run.log
    assert not list(project.folder.rglob("ran"))


OLD = {
    "result.env": "CVM_VERIFY_RESULT_VERDICT=pass\n",
    "report.json": '{\n  "schema": "cvm-verify/report/v1",\n  "verdict": "pass"\n}\n',
    "junit.xml": '<testsuites name="cvm-verify" errors="0"/>\n',
    "report.txt": "PASS (code)\n\nWritten by cvm-verify 0.1.0 (abc)\n",
    "summary.md": "PASS (code)\n\n<sub>cvm-verify 0.1.0</sub>\n",
}


def on_a_runner_that_keeps_folders(project, program, old: dict) -> tuple[int, dict]:
    """Without gitlab-ci-local, which begins with a fresh one; the installation fails."""
    project.release(program, sha256="f" * 64)
    stale = project.root / "cvm-verify-results"
    stale.mkdir()
    for name, text in old.items():
        (stale / name).write_text(text)
    environment = {"PATH": "/usr/bin:/bin", "CVM_VERIFY_BINARY_PATH": str(program)}
    script = project.tree / "scripts" / "gitlab" / "verify"
    code = subprocess.run(["bash", script], cwd=project.root, env=environment).returncode
    return code, {path.name: path.read_text() for path in stale.iterdir()}


SIGNED = {
    "statement.json": '{"predicateType":"x","predicate":{"verifier":{"id":"https://github.com/o/cvm-verify","version":{}}}}',
    "predicate.json": '{"verifier":{"id":"https://github.com/o/cvm-verify"},"verificationResult":"PASSED"}',
    "shop.statement.json": '{"predicate":{"verifier":{"id":"https://github.com/o/cvm-verify"}}}',
}
THEIRS = {"other.statement.json": '{"predicate":{"verifier":{"id":"https://else.example"}}}'}


def test_a_signed_result_of_an_earlier_job_is_removed_and_another_program_s_stays(project, program):
    code, files = on_a_runner_that_keeps_folders(project, program, OLD | SIGNED | THEIRS)
    assert code == 3 and set(files) == set(OLD) | set(THEIRS)


def test_results_of_an_earlier_job_say_inconclusive(project, program):
    code, files = on_a_runner_that_keeps_folders(project, program, OLD)
    assert code == 3 and set(files) == set(OLD)
    assert "CVM_VERIFY_RESULT_VERDICT=inconclusive" in files["result.env"]
    assert json.loads(files["report.json"])["verdict"] == "inconclusive" and 'errors="1"' in files["junit.xml"]
    assert "PASS" not in files["summary.md"] + files["report.txt"]


def test_a_file_of_somebody_else_is_not_touched(project, program):
    old = OLD | {"report.json": "somebody's"}
    assert on_a_runner_that_keeps_folders(project, program, old) == (2, old)


def test_the_template_begins_with_the_variables_of_an_earlier_job(project):
    """They would be handed on where the fetch of the tree fails."""
    script = template()[1]["$[[ inputs.job ]]"]["script"][0]
    environment = {"PATH": "/usr/bin:/bin", "CVM_VERIFY_TREE": "", "CVM_VERIFY_REPOSITORY": "", "CVM_VERIFY_COMMIT": ""}
    stale = project.root / "cvm-verify-results"
    stale.mkdir()
    for text, said in [(OLD["result.env"], "CVM_VERIFY_RESULT_VERDICT=inconclusive"), ("somebody's", "somebody's")]:
        (stale / "result.env").write_text(text)
        assert subprocess.run(["sh", "-c", script], cwd=project.root, env=environment).returncode == 2
        assert (stale / "result.env").read_text().startswith(said)


@pytest.mark.parametrize("kind", ["file", "link", "link to the folder"])
def test_reports_that_are_not_of_this_job_are_gone_where_nothing_can_be_fetched(project, kind):
    """GitLab would show them as the results of this job: they are of an earlier one, or the merge request holds them."""
    script = template()[1]["$[[ inputs.job ]]"]["script"][0]
    stale, elsewhere = project.root / "cvm-verify-results", project.folder / "elsewhere"
    elsewhere.mkdir()
    for name, text in OLD.items():
        (elsewhere / name).write_text(text)
    if kind == "link to the folder":
        stale.symlink_to(elsewhere)
    else:
        stale.mkdir()
        for name in OLD:
            if kind == "link":
                (stale / name).symlink_to(elsewhere / name)
            else:
                (stale / name).write_text(OLD[name])
    for given, code in [({}, 2), ({"CVM_VERIFY_REPOSITORY": "https://127.0.0.1:1", "CVM_VERIFY_COMMIT": "f" * 40}, 3)]:
        environment = {"CVM_VERIFY_TREE": "", "CVM_VERIFY_REPOSITORY": "", "CVM_VERIFY_COMMIT": ""} | given
        environment["PATH"] = "/usr/bin:/bin"
        assert subprocess.run(["sh", "-c", script], cwd=project.root, env=environment).returncode == code
        left = {path.name for path in stale.iterdir()} if stale.exists() else set()
        assert left == ({"result.env"} if kind == "file" else set())
    if kind == "file":
        assert "CVM_VERIFY_RESULT_VERDICT=inconclusive" in (stale / "result.env").read_text()
    assert {path.name: path.read_text() for path in elsewhere.iterdir()} == OLD


def template() -> list:
    return list(yaml.safe_load_all((REPOSITORY / "templates" / "cvm-verify.yml").read_text()))


def test_inputs_stand_where_they_are_data():
    """In variables, and where GitLab itself reads them: never in a script."""
    header, content = template()
    name = "$[[ inputs.job ]]"
    assert list(content) == [name]
    job = content[name]
    for key, value in job.items():
        assert key in ("stage", "image", "variables") or "$[[" not in str(value), key
    told = [each for key in ("stage", "image") for each in [job[key]]] + list(job["variables"].values()) + [name]
    assert sorted(told) == sorted(f"$[[ inputs.{each} ]]" for each in header["spec"]["inputs"])


def test_no_input_can_end_the_string_that_it_stands_in():
    header, _ = template()
    for name, said in header["spec"]["inputs"].items():
        assert ("regex" in said) != ("options" in said), name
        if "regex" in said:
            for text in ('a"b', "a\\b", "a\nb", "a\rb"):
                assert not re.fullmatch(said["regex"].removeprefix("^").removesuffix("$"), text), (name, text)
            assert re.fullmatch(said["regex"].removeprefix("^").removesuffix("$"), said["default"]), name


def test_variables_of_an_earlier_job_are_not_taken():
    assert template()[1]["$[[ inputs.job ]]"]["dependencies"] == []


def test_the_reports_are_kept_whatever_the_verdict():
    job = template()[1]["$[[ inputs.job ]]"]
    assert job["artifacts"]["when"] == "always"
    assert job["artifacts"]["reports"] == {
        "junit": "cvm-verify-results/junit.xml",
        "dotenv": "cvm-verify-results/result.env",
    }
    assert JOB == template()[0]["spec"]["inputs"]["job"]["default"]
