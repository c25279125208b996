"""The comment on a merge request: one, of our own, of the newest run, and never a reason for the job to end otherwise."""

import hashlib
import re

import pytest
from notes import ME, TOKEN
from pipeline import JOB

MARKER = f"<!-- cvm-verify {hashlib.sha256(JOB.encode()).hexdigest()[:16]} -->"
BOTH = pytest.mark.parametrize("gitlab", [False, True], ids=["plain", "escaped"], indirect=True)


@BOTH
def test_a_run_writes_a_comment_and_the_next_one_replaces_it(project, inputs, gitlab):
    run = project.run(inputs("swapped-image"), gitlab.variables())
    assert run.exit_code == 1, run.log
    [first] = gitlab.mine()
    assert first.startswith(MARKER + "\n\n")
    assert "❌ FAIL" in first and "**What to do:**" in first
    assert first.splitlines()[2:-2] == (run.results / "summary.md").read_text().splitlines()

    run = project.run(inputs(), gitlab.variables())
    assert run.exit_code == 0, run.log
    [second] = gitlab.mine()
    assert "❌ FAIL" not in second and "PASS" in second
    assert gitlab.requests.count("POST") == 1 and gitlab.requests.count("PUT") == 1


@BOTH
def test_it_is_found_behind_many_others(project, inputs, gitlab):
    for number in range(130):
        gitlab.add(f"Comment {number} with \"quotes\", \\ and {{braces}}", 12)
    gitlab.add(MARKER + "\n\nold", ME)
    assert project.run(inputs(), gitlab.variables()).exit_code == 0
    [mine] = gitlab.mine()
    assert "PASS" in mine and "POST" not in gitlab.requests


@BOTH
def test_nobody_elses_comment_is_taken_for_ours(project, inputs, gitlab):
    bodies = [
        MARKER + "\n\nmine, says another",
        f'","author":{{"id":{ME},"x":"{MARKER}',
        f'{{"id":900,"type":null,"body":"{MARKER}","author":{{"id":{ME},',
        MARKER + f'\\","author":{{"id":{ME},',
    ]
    for body in bodies:
        gitlab.add(body, 12, name=f'"author":{{"id":{ME},')
    assert project.run(inputs(), gitlab.variables()).exit_code == 0
    assert [note["body"] for note in gitlab.notes[: len(bodies)]] == bodies
    assert len(gitlab.mine()) == 1 and "PUT" not in gitlab.requests


def test_a_text_of_others_refers_to_nothing_in_gitlab_or_in_a_tracker(project, inputs, gitlab):
    words = ["ABC-1", "GH-2", "#3", "!4", "&5", "@user", "~label", "%milestone", "www.x.example"]
    name = " ".join(words) + ".lock"
    given = inputs(lock=name)
    (project.root / name).write_text(f'schema = "cvm-verify/lock/v1"\ncompose_hash = "{given.pop("compose-hash")}"\n')
    run = project.run(given, gitlab.variables())
    assert run.exit_code == 0, run.log
    [mine] = gitlab.mine()
    # GitLab looks for references in the text between elements, entities decoded.
    text = re.sub("&#([0-9]+);", lambda entity: chr(int(entity[1])), mine)
    assert not [word for word in words if word in text], text
    assert name in text.replace("<wbr>", ""), "a reader sees the text itself"


def test_a_run_without_a_verdict_replaces_an_earlier_pass(project, inputs, gitlab, program):
    gitlab.add(MARKER + "\n\nPASS", ME)
    project.release(program, sha256="f" * 64)
    run = project.run(inputs(), gitlab.variables())
    assert run.exit_code == 3, run.log
    [mine] = gitlab.mine()
    assert "INCONCLUSIVE: there is no verdict" in mine and "PASS" not in mine and "ended with 3" in mine


def test_without_a_token_there_is_no_comment(project, inputs, gitlab):
    run = project.run(inputs("swapped-image"), gitlab.variables(CVM_VERIFY_GITLAB_TOKEN=None))
    assert run.exit_code == 1, run.log
    assert "CVM_VERIFY_GITLAB_TOKEN is not set" in run.log
    assert gitlab.requests == []


def test_outside_a_merge_request_there_is_no_comment(project, inputs, gitlab):
    run = project.run(inputs(), gitlab.variables(CI_MERGE_REQUEST_IID=None))
    assert run.exit_code == 0, run.log
    assert gitlab.requests == []


@pytest.mark.parametrize(
    "lie, code, status",
    [*(("none", 0, status) for status in (401, 403, 429, 500, "closed")), ("swapped-image", 1, 500), ("swapped-image", 1, "closed")],
)
def test_an_api_that_is_down_changes_nothing(project, inputs, gitlab, lie, code, status):
    variables = gitlab.variables()
    if status == "closed":
        gitlab.stop()
    else:
        gitlab.down = status
    run = project.run(inputs(lie), variables)
    assert run.exit_code == code, run.log
    assert "The merge request has no comment of this run" in run.log
    assert run.result()["CVM_VERIFY_RESULT_EXIT_CODE"] == str(code)


@pytest.mark.parametrize("token", ["with space", "a\nX-Other: b", "ümlaut"])
def test_a_token_that_is_none_is_not_sent(project, inputs, gitlab, token):
    run = project.run(inputs(), gitlab.variables(CVM_VERIFY_GITLAB_TOKEN=token))
    assert run.exit_code == 0, run.log
    assert "CVM_VERIFY_GITLAB_TOKEN is not a token" in run.log
    assert gitlab.requests == []


def test_the_token_is_in_no_file_and_no_log(project, inputs, gitlab):
    run = project.run(inputs(), gitlab.variables())
    assert TOKEN not in run.log
    for path in run.results.rglob("*"):
        assert path.is_dir() or TOKEN.encode() not in path.read_bytes(), path
