"""The conformance corpus as a test program: each case is a test of it."""

import json
import subprocess
import threading

from trials import environment


class Corpus:
    """`conformance` writes the cases into a folder, and compares how `verifier` ends them."""

    name = "corpus"

    def __init__(self, conformance, verifier, folder, root):
        self.conformance, self.path, self.made, self.folder = conformance, verifier, folder, root
        cases = ["--cases", root / "tests" / "conformance" / "cases"]
        subprocess.run([conformance, *cases, "make", folder], env=environment(), check=True, stdout=subprocess.DEVNULL)
        index = json.loads((folder / "corpus.json").read_text())
        self.index = index
        self.cases = {case["name"]: self.anywhere(case) for case in index["cases"]}

    def anywhere(self, case):
        """A case of an index that stands in another folder."""
        paths = {name: str(self.made / case[name]) for name in ("bundle", "root")}
        arguments = [argument.replace("{folder}", str(self.made)) for argument in case["arguments"]]
        return case | paths | {"arguments": arguments}

    def tests(self):
        return list(self.cases)

    def failing(self):
        done = subprocess.run(self.command(self.cases), cwd=self.folder, env=environment(), capture_output=True)
        return set(self.failed(done.stdout))

    def command(self, names):
        folder = self.made / f"some-{threading.get_ident()}"
        folder.mkdir(exist_ok=True)
        (folder / "corpus.json").write_text(json.dumps(self.index | {"cases": [self.cases[name] for name in names]}))
        return [self.conformance, "run", "--jobs", "1", folder, "--", self.path, "replay", "--format", "json"]

    def failed(self, stdout):
        names = [line.split(": ")[0] for line in stdout.decode(errors="replace").splitlines()]
        return [name for name in names if name in self.cases]
