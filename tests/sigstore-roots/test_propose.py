"""scripts/sigstore-roots/propose, offline: with the roots that are compiled in, and with altered ones."""

import copy
import json
import pathlib
import shutil
import subprocess
import tempfile
import unittest

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
PROPOSE = REPOSITORY / "scripts/sigstore-roots/propose"
FOLDER = pathlib.Path("crates/core/src/verify/provenance")
FILES = [FOLDER / "root.rs", FOLDER / "roots/public-good.json", FOLDER / "roots/github.json", pathlib.Path("docs/provenance.md")]


class Propose(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        for file in FILES:
            (self.folder / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(REPOSITORY / file, self.folder / file)
        self.roots = [json.loads((REPOSITORY / file).read_text()) for file in FILES[1:3]]

    def run_it(self, lines):
        printed = self.folder / "roots.jsonl"
        printed.write_text("".join(json.dumps(line) + "\n" for line in lines))
        return subprocess.run(
            [PROPOSE, "--repository", self.folder, "--today", "2026-12-01", "--roots", printed],
            capture_output=True, text=True, env={"PATH": "/usr/bin:/bin"}, timeout=60)

    def changed(self):
        return [str(file) for file in FILES if (self.folder / file).read_text() != (REPOSITORY / file).read_text()]

    def test_the_same_roots_change_nothing_however_they_are_written(self):
        shuffled = [dict(reversed(root.items())) for root in reversed(self.roots)]
        done = self.run_it(shuffled)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
        self.assertEqual(self.changed(), [])

    def test_a_new_authority_is_written_with_the_date(self):
        public, github = copy.deepcopy(self.roots)
        added = copy.deepcopy(github["certificateAuthorities"][-1])
        added["validFor"] = {"start": "2026-11-30T00:00:00Z"}
        github["certificateAuthorities"].append(added)
        done = self.run_it([public, github])
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("github.json:\n  + certificateAuthorities: ", done.stdout)
        self.assertIn("from 2026-11-30T00:00:00Z until further notice", done.stdout)
        self.assertNotIn("public-good.json", done.stdout)
        self.assertEqual(self.changed(), [str(FILES[0]), str(FILES[2]), str(FILES[3])])
        text = (self.folder / FILES[0]).read_text()
        self.assertIn("When the two were read: 2026-12-01T00:00:00Z", text)
        self.assertIn("pub const SNAPSHOT: u64 = 1_796_083_200;", text)
        self.assertIn("built in, as of 2026-12-01.", (self.folder / FILES[3]).read_text())

    def test_what_is_not_both_roots_changes_nothing(self):
        public, github = self.roots
        stranger = copy.deepcopy(public)
        stranger["certificateAuthorities"][0]["subject"]["organization"] = "evil.example"
        for lines, words in [
            ([], "no root for github.json, public-good.json"),
            ([public], "no root for github.json"),
            ([public, public, github], "two roots for public-good.json"),
            ([stranger, github], "unknown certificate authorities"),
            ([{"mediaType": "text/plain"}], "not a trusted root"),
        ]:
            done = self.run_it(lines)
            self.assertEqual(done.returncode, 1, words)
            self.assertIn(words, done.stderr)
            self.assertEqual(self.changed(), [], words)


if __name__ == "__main__":
    unittest.main()
