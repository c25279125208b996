"""scripts/reference/propose, offline: with answers of GitHub's API as they were on 2026-11-25, shortened, and with altered ones."""

import json
import pathlib
import shutil
import subprocess
import tempfile
import tomllib
import unittest

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
PROPOSE = REPOSITORY / "scripts/reference/propose"
TABLE = REPOSITORY / "crates/core/src/reference/data/os-images.toml"
PAGES = sorted((REPOSITORY / "tests/reference/pages").glob("*.json"))
NEW = "c0ffee" + "0" * 58


class Propose(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        self.table = self.folder / "os-images.toml"
        shutil.copy(TABLE, self.table)

    def run_it(self, pages, *more):
        files = []
        for number, page in enumerate(pages):
            file = self.folder / f"page-{number}.json"
            file.write_text(json.dumps(page))
            files.append(str(file))
        return subprocess.run(
            [PROPOSE, "--table", self.table, "--today", "2026-12-01", *more, "--releases", *files],
            capture_output=True, text=True, env={"PATH": "/usr/bin:/bin"}, timeout=60)

    def pages(self):
        return [json.loads(page.read_text()) for page in PAGES]

    def test_nothing_is_new_on_the_pages_that_the_table_was_made_from(self):
        done = self.run_it(self.pages())
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
        self.assertEqual(self.table.read_text(), TABLE.read_text())

    def test_a_new_release_becomes_a_row_without_registers(self):
        pages = self.pages()
        text = json.dumps(pages[0]).replace("0.6.6", "0.6.7").replace(
            "5aa762ee7cddc62174c13e1081d56f7ab2a9aebc513973a1d63b3775fda250ec", NEW)
        done = self.run_it([json.loads(text)])
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"dstack-0.6.7 (production): {NEW}", done.stdout)
        table = tomllib.loads(self.table.read_text())
        self.assertEqual(table["updated"], "2026-12-01")
        self.assertEqual(table["image"][-1], {
            "name": "dstack-0.6.7", "version": "0.6.7", "class": "production", "os_image_hash": NEW,
            "source": "https://github.com/Dstack-TEE/dstack/releases/tag/mkosi-os-v0.6.7", "date": "2026-12-01"})
        # The hashes of archives and of the MRTD stand in the same table, and are no image.
        self.assertEqual(len(table["image"]), len(tomllib.loads(TABLE.read_text())["image"]) + 1)
        self.assertEqual(self.run_it([json.loads(text)]).stdout, "", "a second run adds nothing")

    def test_each_kind_of_image_gets_its_class(self):
        page = json.loads(json.dumps(self.pages()[1]).replace("0.5.12", "0.5.99"))
        for number, old in enumerate(["8db40cb2", "e866e987", "91fd5d69", "e0c9312d"]):
            page[0]["body"] = page[0]["body"].replace(old, f"0000000{number}")
        self.assertEqual(self.run_it([page]).returncode, 0)
        rows = tomllib.loads(self.table.read_text())["image"][-4:]
        self.assertEqual([(row["name"], row["class"]) for row in rows], [
            ("dstack-0.5.99", "production"), ("dstack-dev-0.5.99", "development"),
            ("dstack-nvidia-0.5.99", "production"), ("dstack-nvidia-dev-0.5.99", "development")])
        page[0]["prerelease"] = True
        shutil.copy(TABLE, self.table)
        self.run_it([page])
        self.assertEqual(tomllib.loads(self.table.read_text())["image"][-4]["class"], "prerelease")

    def test_a_page_that_says_something_else_than_the_table_is_said_and_changes_nothing(self):
        pages = json.loads(json.dumps(self.pages()).replace("5aa762ee", "00000000"))
        done = self.run_it(pages)
        self.assertEqual(done.returncode, 2)
        self.assertIn("contradiction", done.stderr)
        self.assertIn("dstack-0.6.6", done.stderr)
        self.assertEqual(self.table.read_text(), TABLE.read_text())

    def test_pages_of_another_form_are_an_error_and_not_nothing_new(self):
        for pages in [[[]], [[{"tag_name": "v1.0", "body": "words", "html_url": "x"}]], [[{"tag_name": "nonsense", "body": None, "html_url": "x"}]]]:
            done = self.run_it(pages)
            self.assertEqual(done.returncode, 1)
            self.assertIn("did their form change", done.stderr)

    def test_a_hostile_page_writes_nothing_but_a_row(self):
        page = self.pages()[0]
        page[0].update(tag_name='mkosi-os-v0.6.7"\n[[image]]', body="x")
        page.append({"tag_name": "mkosi-os-v9.9.9", "html_url": 'https://x/"\n[[kms]]\nname = "x', "draft": False, "prerelease": False,
                     "published_at": "2026-12-01T00:00:00Z", "body": f"| os_image_hash | `{NEW}` |"})
        self.assertEqual(self.run_it([page]).returncode, 0)
        table = tomllib.loads(self.table.read_text())
        self.assertNotIn("kms", table)
        self.assertEqual(table["image"][-1]["name"], "dstack-9.9.9")

    def test_drafts_are_not_read_and_check_changes_nothing(self):
        page = self.pages()[0]
        page[0]["draft"] = True
        page[0]["body"] = page[0]["body"].replace("5aa762ee", "00000000")
        self.assertEqual(self.run_it([page]).returncode, 0)
        page[0]["draft"] = False
        page[0]["body"] = page[0]["body"].replace("0.6.6", "0.6.7")
        page[0]["tag_name"] = "mkosi-os-v0.6.7"
        done = self.run_it([page], "--check")
        self.assertEqual(done.returncode, 1)
        self.assertIn("dstack-0.6.7", done.stdout)
        self.assertEqual(self.table.read_text(), TABLE.read_text())


unittest.main()
