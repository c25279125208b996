"""A simulated machine of the product's own simulator, and how to verify it."""

import subprocess
from pathlib import Path


class Machine:
    def __init__(self, simulator: Path, lie: str, folder: Path):
        self.process = subprocess.Popen(
            [simulator, "--lie", lie, "--out", folder, "--stop-after", "1800"], stdout=subprocess.PIPE, text=True
        )
        self.facts: dict[str, str] = {}
        while "pccs" not in self.facts:
            line = self.process.stdout.readline()
            if not line:
                raise RuntimeError("the simulator ended")
            name, _, value = line.strip().partition(": ")
            self.facts[name] = value

    @property
    def app(self) -> str:
        return self.facts["app"]

    def inputs(self, **changed) -> dict:
        """Inputs with which an honest machine passes. `None` leaves one out."""
        inputs = {
            "url": self.app,
            "compose-hash": self.facts["compose-hash"],
            "app-id": self.facts["app-id"],
            "key-provider": self.facts["key-provider"],
            "os-image": "unchecked",
            "pccs-url": self.facts["pccs"],
            "extra-args": f"--allow-private-network\n--insecure-trust-root\n{self.facts['root-ca']}\n",
        }
        inputs |= {name.replace("_", "-"): value for name, value in changed.items()}
        return {name: value for name, value in inputs.items() if value is not None}

    def stop(self):
        self.process.kill()
        self.process.wait()
