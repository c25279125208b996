"""Makes a copy of the project with all changes in it, each behind a switch, and builds its tests.

Changes that the compiler refuses are taken out until the rest compiles: its errors name places, and the text there says
which change they belong to.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from names import names_of
from rewrite import File

SWITCH = """
/// Which change is switched on: `CVM_MUTANT`. With `CVM_MUTANT_REACHED=FILE`, which ones are come by.
#[allow(missing_docs, clippy::all)]
pub mod mutant {
    use std::io::Write;
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicBool, Ordering};
    static ACTIVE: LazyLock<u32> =
        LazyLock::new(|| std::env::var("CVM_MUTANT").ok().and_then(|text| text.parse().ok()).unwrap_or(0));
    static REACHED: LazyLock<Option<std::ffi::OsString>> = LazyLock::new(|| std::env::var_os("CVM_MUTANT_REACHED"));
    static SEEN: [AtomicBool; COUNT] = [const { AtomicBool::new(false) }; COUNT];
    #[must_use]
    pub fn active(number: u32) -> bool {
        if let Some(file) = &*REACHED {
            if !SEEN[number as usize].swap(true, Ordering::Relaxed) {
                let file = std::fs::OpenOptions::new().append(true).create(true).open(file);
                let _ = file.and_then(|mut file| file.write_all(format!("{number}\\n").as_bytes()));
            }
            return false;
        }
        *ACTIVE == number
    }
}
"""
# The crate that has the switch.
LIBRARY = "crates/core/src/lib.rs"
TESTS = ["--lib", "--test", "attacks", "--test", "program"]
BINARIES = ("cvm-verify", "conformance")
MAX_ROUNDS = 40


def put(path, content, like=None):
    if content is None or (path.is_file() and path.read_bytes() == content):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    if like:
        shutil.copymode(like, path)


def cargo(tree, target, *arguments):
    environment = os.environ | {"CARGO_TARGET_DIR": str(target), "CARGO_PROFILE_DEV_DEBUG": "0"}
    done = subprocess.run(
        ["cargo", *arguments, "--workspace", "--locked", "--message-format=json"],
        cwd=tree, env=environment, stdout=subprocess.PIPE, text=True,
    )
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def is_error(said):
    return said.get("reason") == "compiler-message" and said["message"]["level"] == "error"


class Tree:
    def __init__(self, root, out, changes):
        """`changes` are those of cargo-mutants, by their numbers."""
        self.root, self.tree, self.target = root, out / "tree", out / "build"
        self.changes, self.names = changes, names_of(changes)
        self.dropped, self.copied, self.kept_const = {}, set(), set()
        self.notes = out / "refused.json"
        by_file = {}
        for number, listed in changes.items():
            by_file.setdefault(listed["file"], []).append((number, listed))
        self.files = {
            path: File(path, (root / path).read_text(), listed, self.active(path)) for path, listed in by_file.items()
        }

    @staticmethod
    def active(path):
        return "crate::mutant::active" if path.startswith("crates/core/") else "cvm_verify_core::mutant::active"

    def write(self):
        for path, file in self.files.items():
            own = {key[1:] for key in self.copied if key[0] == path}
            text = file.text(self.dropped, own, self.kept_const)
            put(self.tree / path, text.encode())
        library = (self.root / LIBRARY).read_text()
        put(self.tree / LIBRARY, (library + SWITCH.replace("COUNT", str(max(self.changes) + 1))).encode())

    def unswitchable(self):
        found = {}
        for file in self.files.values():
            found |= file.unswitchable
        return found

    def build(self):
        """The test programs, and what runs the corpus, by name: paths, and the folders they are run in."""
        copy(self.root, self.tree, self.files.keys() | {LIBRARY})
        self.load()
        for _ in range(MAX_ROUNDS):
            self.write()
            # Checking is quick; a few errors show only where code is made.
            code, said = cargo(self.tree, self.target, "check", "--lib")
            if code == 0:
                code, said = cargo(self.tree, self.target, "test", "--no-run", *TESTS)
            if code == 0:
                break
            errors = [one["message"] for one in said if is_error(one)]
            print(f"{len(errors)} errors of the compiler: what they speak of is taken out", flush=True)
            if not self.learn(errors):
                sys.exit("these errors belong to no change:\n" + "\n".join(e["rendered"] or "" for e in errors)[:6000])
            self.save()
        else:
            sys.exit(f"it does not compile after {MAX_ROUNDS} rounds")
        programs = {}
        for one in said:
            if one.get("reason") == "compiler-artifact" and one.get("executable") and one["profile"]["test"]:
                programs[one["target"]["name"]] = (one["executable"], str(Path(one["manifest_path"]).parent))
        if cargo(self.tree, self.target, "build", *(f"--bin={name}" for name in BINARIES))[0]:
            sys.exit("the programs of the corpus do not compile")
        binaries = {name: (str(self.target / "debug" / name), str(self.tree)) for name in BINARIES}
        return {name: programs[name] for name in ("cvm_verify_core", "cvm_verify", "attacks", "program")} | binaries

    def load(self):
        if self.notes.exists():
            notes = json.loads(self.notes.read_text())
            names = {name: number for number, name in self.names.items()}
            self.dropped = {names[name]: why for name, why in notes["dropped"].items() if name in names}
            self.kept_const = set(notes["kept_const"])
            self.copied = {tuple(key) for key in notes.get("copied", [])}

    def save(self):
        self.notes.write_text(json.dumps({
            "dropped": {self.names[number]: why for number, why in self.dropped.items()},
            "kept_const": sorted(self.kept_const),
            "copied": sorted(map(list, self.copied)),
        }))

    def learn(self, errors):
        """Takes out what errors speak of. Whether anything was."""
        progress, self.just_copied = False, set()
        for error in errors:
            if error["code"] and error["code"]["code"] == "E0015":
                match = re.search(r"non-const (?:associated )?(?:function|method) `(?:.*::)?(\w+)(?:(?:::)?<.*>)?`", error["message"])
                if match and match[1] != "active" and match[1] not in self.kept_const:
                    self.kept_const.add(match[1])
                    progress = True
                    continue
            if error["code"] and error["code"]["code"] == "E0004" and self.keep_arms(error["spans"][0]):
                progress = True
                continue
            for span in sorted(error["spans"], key=lambda span: not span["is_primary"]):
                if self.blame(span, error):
                    progress = True
                    break
        return progress

    def keep_arms(self, span):
        """Takes out the deleted arms of a match whose last arm has a guard of its own."""
        file = self.files.get(span["file_name"])
        text = (self.tree / span["file_name"]).read_bytes()
        for match in re.finditer(rb"/\*\{(\d+)\*/", text):
            number = int(match[1])
            if match.start() < span["byte_end"] or self.changes[number]["genre"] != "MatchArm":
                continue
            own = {change.number: file.source.node(change.start, change.end - 1, {"match_block"}) for change in file.changes
                   if change.kind == "MatchArm"}
            together = [other for other, block in own.items() if block == own[number]]
            self.dropped |= {other: "non-exhaustive patterns" for other in together}
            return True
        return False

    def blame(self, span, error):
        while span:
            file = self.files.get(span["file_name"])
            if file:
                text = (self.tree / span["file_name"]).read_bytes()
                if self.blame_at(file, text, span, error):
                    return True
            span = span["expansion"] and span["expansion"]["span"]
        return False

    def blame_at(self, file, text, span, error):
        inside = []
        for match in re.finditer(rb"/\*([\[\]{}])(\d+)\*/", text):
            if match.start() >= span["byte_end"]:
                break
            kind, number = match[1].decode(), int(match[2])
            if kind in "[{":
                inside.append((kind, number, match.start()))
            elif match.end() <= span["byte_start"]:
                inside.pop()
        for kind, number, _ in reversed(inside):
            if number in self.dropped:
                return True
            site = next(site for site in file.sites.values() if any(one.number == number for one in site.changes))
            if kind == "[":
                self.dropped[number] = error["message"]
                return True
            key = (file.path, *site.key)
            if key in self.just_copied:
                return True
            if key not in self.copied and len(site.changes) == 1 and site.key[0] == "op":
                self.copied.add(key)
                self.just_copied.add(key)
                return True
            self.dropped |= {one.number: error["message"] for one in site.changes}
            return True
        return False


def copy(root, tree, but):
    """The files of the project as they are in the working folder, but for some that are written otherwise, and no others. A file
    that did not change keeps its time."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=root, capture_output=True, check=True
    ).stdout.split(b"\0")
    names = {name for name in map(os.fsdecode, listed) if name and (root / name).is_file()}
    for name in names - but:
        put(tree / name, (root / name).read_bytes(), root / name)
    # What the project has no more: a module that moved would be there twice.
    for path in tree.rglob("*"):
        if not path.is_dir() and str(path.relative_to(tree)) not in names:
            path.unlink()
    # Recorded evidence lies beside the project, where it is there.
    beside, link = root.parent / "shared", tree.parent / "shared"
    if beside.exists() and not link.exists():
        link.symlink_to(beside.resolve())
