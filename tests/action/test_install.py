"""T54: what runs is what the manifest names, or what was built from the action's own tree; else nothing runs."""

import os
import re
import shutil
import subprocess

import pytest
from release_server import ReleaseServer

NAMESPACE = pytest.mark.skipif(not os.environ.get("CVM_VERIFY_TEST_NAMESPACE"), reason="needs mounts of its own")
PLANTED = "curl wget sha256sum shasum openssl mktemp sed cp chmod wc cargo rm mv".split()


def plant(workspace) -> dict:
    """A step that puts its own programs first in PATH."""
    for name in PLANTED:
        workspace.write(f"planted/{name}", f"#!/bin/sh\necho {name} >>'{workspace.folder}/planted-ran'\nexit 0\n")
    return {"name": "plant", "run": f'echo "{workspace.folder}/planted" >>"$GITHUB_PATH"'}


def refused(workspace, run, why: str, code="3"):
    """Nothing ran, and the job says why and is not green."""
    assert not workspace.ran()
    assert not run.green
    assert run.outcome == "failure"
    assert run.outputs["verdict"] == "inconclusive" and run.outputs["exit-code"] == code and run.outputs["assurance"] == "none"
    # The job summary, which act reads from a file and never loses.
    assert re.search(r"\*\*INCONCLUSIVE\*\* .*" + why, run.said("subject/install")), run.log


def alone(workspace, **changed) -> subprocess.CompletedProcess:
    """The script without act, on a runner of the test's own."""
    runner = {"RUNNER_TEMP": str(workspace.folder), "RUNNER_OS": "Linux", "RUNNER_ARCH": "X64"}
    runner |= {name: str(workspace.folder / name) for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    runner |= {"GITHUB_ACTION_PATH": str(workspace.action), "CVM_VERIFY_INSTALL": "download"}
    runner |= {"CVM_VERIFY_BINARY_PATH": "", "CVM_VERIFY_MIRROR": ""}
    script = workspace.action / "scripts" / "install.sh"
    runner = {name: str(value) for name, value in (runner | changed).items()}
    return subprocess.run(["bash", "-p", script], env=runner, capture_output=True, text=True)


def test_a_failure_is_in_the_job_summary(workspace):
    """Run without act, which empties the summary before every step."""
    done = alone(workspace)
    message = "This version names no binary for Linux X64. Use install: source alone."
    assert done.returncode == 3
    assert done.stdout == f"::error title=cvm-verify could not be installed::{message}\n"
    assert (workspace.folder / "GITHUB_STEP_SUMMARY").read_text() == f"**INCONCLUSIVE** {message}\n"
    assert not (workspace.folder / "GITHUB_OUTPUT").exists()


def told(done) -> str:
    """The one annotation of a run that ended with 3."""
    assert done.returncode == 3, done.stdout
    [said] = re.findall(r"^::error title=cvm-verify could not be installed::(.*)$", done.stdout, re.MULTILINE)
    return said


def test_an_unwritable_summary_still_ends_with_3_and_an_annotation(workspace):
    done = alone(workspace, GITHUB_STEP_SUMMARY="/nowhere/summary")
    assert "names no binary" in told(done)
    assert "::warning title=cvm-verify::The job summary cannot be written." in done.stdout


def test_a_missing_manifest_is_called_that(workspace):
    (workspace.action / "dist" / "manifest.json").unlink()
    assert told(alone(workspace)).startswith("dist/manifest.json is not in the action")


def test_an_unwritable_output_is_called_that(workspace):
    path = workspace.recorder()
    assert told(alone(workspace, CVM_VERIFY_BINARY_PATH=path, GITHUB_OUTPUT="/nowhere/output")).startswith("GITHUB_OUTPUT cannot be written.")


def test_a_folder_for_temporary_files_that_is_not_there_is_called_that(workspace):
    assert told(alone(workspace, RUNNER_TEMP="/nowhere")).startswith("No folder can be made in RUNNER_TEMP.")


@NAMESPACE
def test_a_full_disk_is_no_unreadable_binary(workspace):
    path = workspace.release(workspace.write("large", "#!/bin/sh\n" + "#" * 1_000_000))
    full = workspace.folder / "full"
    full.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", full], check=True)
    try:
        done = alone(workspace, CVM_VERIFY_BINARY_PATH=path, RUNNER_TEMP=full)
    finally:
        subprocess.run(["umount", full], check=True)
    assert told(done) == "The file that the input binary-path names cannot be copied to RUNNER_TEMP. Is the disk of the runner full?"


@pytest.mark.parametrize("install", ["auto", "download", None])
def test_a_named_binary_runs(workspace, install):
    inputs = {"url": "https://app.test", "binary-path": str(workspace.recorder())} | ({"install": install} if install else {})
    run = workspace.run(inputs)
    assert run.green and run.outputs["verdict"] == "pass" and run.outputs["exit-code"] == "0"
    assert workspace.recorded("arguments") == ["verify"]


def test_a_binary_path_may_be_relative_to_the_workspace(workspace):
    shutil.copy(workspace.recorder(), workspace.root / "the binary")
    assert workspace.run({"url": "https://app.test", "binary-path": "the binary"}).green


def test_a_tampered_binary_never_runs(workspace):
    path = workspace.recorder()
    path.write_bytes(path.read_bytes().replace(b"exit-code=0", b"exit-code=1"))
    run = workspace.run({"url": "https://app.test", "binary-path": str(path)})
    refused(workspace, run, "not the one that this version names")


def test_a_wrong_hash_in_the_manifest_ends_the_run(workspace):
    path = workspace.recorder()
    workspace.release(path, sha256="f" * 64)
    refused(workspace, workspace.run({"url": "https://app.test", "binary-path": str(path)}), "not the one that this version names")


def test_a_wrong_size_in_the_manifest_ends_the_run(workspace):
    path = workspace.recorder()
    workspace.release(path, size=1)
    refused(workspace, workspace.run({"url": "https://app.test", "binary-path": str(path)}), "not the one that this version names")


def test_a_hash_that_is_none_names_no_binary(workspace):
    path = workspace.recorder()
    workspace.release(path, sha256="")
    refused(workspace, workspace.run({"url": "https://app.test", "binary-path": str(path)}), "names no binary for Linux")


def test_a_binary_of_another_platform_is_not_for_this_one(workspace):
    path = workspace.recorder()
    workspace.release(path, os="macos")
    refused(workspace, workspace.run({"url": "https://app.test", "binary-path": str(path)}), "names no binary for Linux")


def test_an_unreleased_version_takes_no_binary(workspace):
    path = workspace.write("recorder", "#!/bin/sh\n")
    refused(workspace, workspace.run({"url": "https://app.test", "binary-path": str(path)}), "names no binary for Linux")


def test_a_binary_that_is_not_there_ends_the_run(workspace):
    workspace.recorder()
    run = workspace.run({"url": "https://app.test", "binary-path": "nowhere"})
    refused(workspace, run, "binary-path names cannot be read")


def test_a_binary_path_that_looks_like_an_option_is_a_path(workspace):
    workspace.recorder()
    run = workspace.run({"url": "https://app.test", "binary-path": "--version"})
    refused(workspace, run, "binary-path names cannot be read")


@pytest.mark.parametrize("install", ["latest", "$(touch x)", '"; touch x #', "source\ndownload"])
def test_an_unknown_way_to_install_ends_the_run(workspace, install):
    run = workspace.run({"url": "https://app.test", "install": install, "binary-path": str(workspace.recorder())})
    refused(workspace, run, "The input install must be", code="2")
    assert not list(workspace.folder.rglob("x"))


def test_a_binary_path_contradicts_source(workspace):
    run = workspace.run({"url": "https://app.test", "install": "source", "binary-path": str(workspace.recorder())})
    refused(workspace, run, "without binary-path and mirror", code="2")


def test_planted_tools_are_not_used(workspace):
    run = workspace.run({"url": "https://app.test", "binary-path": str(workspace.recorder())}, before=[plant(workspace)])
    assert run.green and workspace.ran()
    assert not (workspace.folder / "planted-ran").exists()


def test_a_planted_hash_tool_does_not_pass_a_tampered_binary(workspace):
    path = workspace.recorder()
    path.write_bytes(path.read_bytes() + b"#")
    run = workspace.run({"url": "https://app.test", "binary-path": str(path)}, before=[plant(workspace)])
    refused(workspace, run, "not the one that this version names")
    assert not (workspace.folder / "planted-ran").exists()


def fake_cargo(workspace, then="mkdir -p \"$7/release\" && cp '{binary}' \"$7/release/cvm-verify\""):
    """A Rust in a folder of its own, which records how it is called and `builds` the recorder."""
    binary = workspace.recorder()
    (workspace.action / "dist" / "manifest.json").write_text('{"version": "0.1.0", "binaries": []}\n')
    record = f"echo \"$*\" >'{workspace.record}/cargo'; pwd >'{workspace.record}/cargo-at'; cat /proc/$$/environ >'{workspace.record}/cargo-environment'"
    workspace.write("rust/bin/cargo", f"#!/bin/bash\n{record}\n{then.format(binary=binary)}\n")
    return {"name": "rust", "run": f"echo 'CARGO_HOME={workspace.folder}/rust' >>\"$GITHUB_ENV\""}


@pytest.mark.parametrize("install", ["auto", "source"])
def test_without_a_release_it_is_built_from_the_own_tree(workspace, install):
    hostile = "echo RUSTC_WRAPPER=/evil >>$GITHUB_ENV; echo RUSTFLAGS=--evil >>$GITHUB_ENV; echo CARGO_BUILD_RUSTC=/evil >>$GITHUB_ENV"
    run = workspace.run(
        {"url": "https://app.test", "install": install, "slack-webhook-url": "https://hooks.test/secret"},
        before=[fake_cargo(workspace), {"name": "hostile", "run": hostile}],
    )
    assert run.green and workspace.ran(), run.log
    called = (workspace.record / "cargo").read_text().split()
    assert called[:6] == ["build", "--release", "--locked", "--bin", "cvm-verify", "--target-dir"]
    assert (workspace.record / "cargo-at").read_text().strip().endswith("/action")
    environment = (workspace.record / "cargo-environment").read_text()
    assert "evil" not in environment and "secret" not in environment and "CVM_VERIFY" not in environment


def test_a_build_from_source_says_so_what_it_needs_and_how_long_it_takes(workspace):
    run = workspace.run({"url": "https://app.test"}, before=[fake_cargo(workspace)])
    workspace.hears(run, "subject/install", "names no binary for Linux.*Rust 1.90 or later.*5 minutes")


def test_without_rust_it_says_what_is_missing(workspace):
    (workspace.action / "dist" / "manifest.json").write_text('{"version": "0.1.0", "binaries": []}\n')
    (workspace.folder / "empty").mkdir()
    done = alone(workspace, CVM_VERIFY_INSTALL="auto", HOME=workspace.folder / "empty")
    if not os.path.exists("/usr/bin/cargo"):
        assert "Rust is not there" in told(done)


def test_a_build_that_fails_ends_the_run(workspace):
    run = workspace.run({"url": "https://app.test"}, before=[fake_cargo(workspace, then="exit 101")])
    refused(workspace, run, "could not be built from source")


def test_a_relative_cargo_home_is_not_used(workspace):
    fake_cargo(workspace)
    shutil.copytree(workspace.folder / "rust", workspace.root / "rust")
    workspace.run({"url": "https://app.test"}, before=[{"name": "rust", "run": 'echo "CARGO_HOME=rust" >>"$GITHUB_ENV"'}])
    assert not (workspace.record / "cargo").exists()


@pytest.mark.skipif(not os.environ.get("CVM_VERIFY_TEST_SOURCE"), reason="takes minutes: CVM_VERIFY_TEST_SOURCE=1")
def test_the_real_source_builds(workspace):
    here = os.path.dirname(os.path.abspath(__file__))
    files = subprocess.run(["git", "ls-files", "-z"], cwd=f"{here}/../..", capture_output=True, check=True).stdout
    for name in filter(None, files.decode().split("\0")):
        target = workspace.action / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(f"{here}/../../{name}", target)
    cargo = os.environ.get("CARGO_HOME", os.path.expanduser("~/.cargo"))
    rustup = os.environ.get("RUSTUP_HOME", os.path.expanduser("~/.rustup"))
    step = {"name": "rust", "run": f'echo "CARGO_HOME={cargo}" >>"$GITHUB_ENV"; echo "RUSTUP_HOME={rustup}" >>"$GITHUB_ENV"'}
    process = workspace.start({"url": "https://app.test", "extra-args": "--version"}, before=[step])
    run = workspace.finish(process, timeout=1500)
    # `--version` gives no verdict, and that is not green.
    assert not run.green and run.outputs["verdict"] == "inconclusive"
    assert re.search(r"::set-output:: program=.*/release/cvm-verify", run.log), run.log
    assert not (workspace.action / "target").exists()


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    server = ReleaseServer(tmp_path_factory.mktemp("server"))
    yield server
    server.stop()


@NAMESPACE
def test_a_release_is_downloaded_and_runs(workspace, server):
    server.files = {"/v0.1.0/cvm-verify-0.1.0-linux": workspace.recorder().read_bytes()}
    run = workspace.run({"url": "https://app.test"}, before=[plant(workspace)])
    assert run.green and workspace.ran(), run.log
    assert not (workspace.folder / "planted-ran").exists()


@NAMESPACE
def test_a_mirror_takes_the_place_of_the_release(workspace, server):
    server.files = {"/own/cvm-verify-0.1.0-linux": workspace.recorder().read_bytes()}
    assert workspace.run({"url": "https://app.test", "mirror": "https://mirror.test/own"}).green
    assert workspace.ran() and server.hosts[-1] == "mirror.test"


@NAMESPACE
@pytest.mark.parametrize("mirror", ["https://mirror.test/own/", "https://mirror.test/own//\n", "https://mirror.test/own\n"])
def test_the_end_of_a_mirror_may_be_written_in_any_way(workspace, server, mirror):
    server.files = {"/own/cvm-verify-0.1.0-linux": workspace.recorder().read_bytes()}
    assert workspace.run({"url": "https://app.test", "mirror": mirror}).green and workspace.ran()


@NAMESPACE
def test_a_download_is_kept_in_the_tool_cache_and_checked_each_time(workspace, server):
    content = workspace.recorder().read_bytes()
    cache = workspace.folder / "tools"
    install = {"RUNNER_TOOL_CACHE": cache, "PATH": os.environ["PATH"]}
    server.files = {"/v0.1.0/cvm-verify-0.1.0-linux": content}
    assert alone(workspace, **install).returncode == 0
    [kept] = [path for path in cache.rglob("*") if path.is_file()]
    assert kept.read_bytes() == content
    # It is taken from there …
    server.files, server.hosts = {}, []
    done = alone(workspace, **install)
    assert done.returncode == 0 and server.hosts == [], done.stdout
    # … unless it is another one by now, which is neither run nor kept.
    kept.write_bytes(content + b"#")
    assert "The download failed" in told(alone(workspace, **install))
    server.files = {"/v0.1.0/cvm-verify-0.1.0-linux": content}
    assert alone(workspace, **install).returncode == 0 and kept.read_bytes() == content
    # A cache that cannot be written costs nothing but the download.
    done = alone(workspace, **install | {"RUNNER_TOOL_CACHE": "/proc/none"})
    assert done.returncode == 0 and "not kept in the tool cache" in done.stdout


@NAMESPACE
def test_a_tampered_download_never_runs(workspace, server):
    content = workspace.recorder().read_bytes()
    server.files = {"/v0.1.0/cvm-verify-0.1.0-linux": content.replace(b"exit-code=0", b"exit-code=1")}
    refused(workspace, workspace.run({"url": "https://app.test"}), "not the one that this version names")


@NAMESPACE
def test_a_download_longer_than_named_is_cut_off(workspace, server):
    content = workspace.recorder().read_bytes()
    server.files = {"/v0.1.0/cvm-verify-0.1.0-linux": content + b"#" * 1_000_000}
    refused(workspace, workspace.run({"url": "https://app.test"}), "The download failed")


@NAMESPACE
def test_a_failed_download_falls_back_to_nothing(workspace, server):
    cargo = fake_cargo(workspace)
    workspace.recorder()
    server.files = {}
    refused(workspace, workspace.run({"url": "https://app.test"}, before=[cargo]), "The download failed")
    assert not (workspace.record / "cargo").exists()


@NAMESPACE
def test_a_redirect_to_plain_http_is_refused(workspace, server):
    workspace.recorder()
    server.files = {"/v0.1.0/cvm-verify-0.1.0-linux": "http://releases.test/x"}
    refused(workspace, workspace.run({"url": "https://app.test"}), "The download failed")


@NAMESPACE
def test_a_redirect_to_another_https_server_is_followed(workspace, server):
    server.files = {
        "/v0.1.0/cvm-verify-0.1.0-linux": "https://mirror.test/x",
        "/x": workspace.recorder().read_bytes(),
    }
    assert workspace.run({"url": "https://app.test"}).green and workspace.ran()


@NAMESPACE
@pytest.mark.parametrize("mirror", ["http://mirror.test", "file:///", "-o/x", "https://untrusted.test"])
def test_a_mirror_without_trusted_tls_is_refused(workspace, server, mirror):
    server.files = {"/cvm-verify-0.1.0-linux": workspace.recorder().read_bytes()}
    refused(workspace, workspace.run({"url": "https://app.test", "mirror": mirror}), "The download failed")


@NAMESPACE
def test_curl_takes_no_settings_from_the_job(workspace, server):
    server.files = {"/v0.1.0/cvm-verify-0.1.0-linux": workspace.recorder().read_bytes()}
    (workspace.home / ".curlrc").write_text("proxy = http://127.0.0.1:1\n")
    names = "HTTPS_PROXY https_proxy ALL_PROXY all_proxy CURL_CA_BUNDLE SSL_CERT_FILE SSL_CERT_DIR"
    hostile = f'for name in {names}; do echo "$name=http://127.0.0.1:1" >>"$GITHUB_ENV"; done'
    run = workspace.run({"url": "https://app.test"}, before=[{"name": "hostile", "run": hostile}])
    assert run.green and workspace.ran(), run.log


@NAMESPACE
def test_the_proxy_input_is_for_the_download_too(workspace, server):
    server.files = {"/v0.1.0/cvm-verify-0.1.0-linux": workspace.recorder().read_bytes()}
    run = workspace.run({"url": "https://app.test", "proxy": "http://127.0.0.1:1"})
    refused(workspace, run, "The download failed")


@NAMESPACE
def test_a_runner_without_curl_says_what_to_do(workspace):
    workspace.recorder()
    curl = os.path.realpath(shutil.which("curl", path="/usr/bin:/bin"))
    subprocess.run(["mount", "--bind", "/dev/null", curl], check=True)
    try:
        run = workspace.run({"url": "https://app.test"})
        refused(workspace, run, r"\(no curl\?\) use binary-path")
    finally:
        subprocess.run(["umount", curl], check=True)
