"""The programs under test, what they print, and the catalogue of causes that they are held to."""

import json
import os
import re
from pathlib import Path

import yaml

from lab import report_schema
from lab.net import LabError

ROOT = Path(__file__).resolve().parents[1]
BUILD = Path(os.environ.get("SALLYPORT_BUILD", ROOT / "build")).resolve()
SALLYPORT = BUILD / "sallyport"
HUB = BUILD / "sallyport-hub"
# Sanitizers cost memory and time; what measures either asks this.
SANITIZED = "asan" in BUILD.name

CAUSE_ROW = re.compile(r'^CAUSE\(\w+,\s*"([a-z0-9-]+)",\s*(\w+),\s*(\w+)', re.M)


def portable(arch="x86_64"):
    """The statically linked agent; no build with sanitizers has one."""
    return BUILD / "portable" / f"sallyport-{arch}"


def causes():
    """Every cause of causes.def: id -> (stage, severity), both in lower case."""
    text = (ROOT / "src/diagnosis/causes.def").read_text()
    return {id: (stage.lower(), severity.lower()) for id, stage, severity in CAUSE_ROW.findall(text)}


def write_profile(path, document):
    for number, endpoint in enumerate(document["endpoints"]):
        endpoint.setdefault("id", "console" if number == 0 else f"endpoint{number}")
        endpoint.setdefault("host", "console.lab.example")
        endpoint.setdefault("port", 443)
        endpoint.setdefault("protocol", "https")
        endpoint.setdefault("purpose", "the service under test")
        endpoint.setdefault("required", True)
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    return path


def exit_code(ids):
    """The exit code that `check` documents for these causes."""
    if not ids:
        return 0
    known = causes()
    return 1 if any(known[id][1] == "fail" for id in ids) else 4


class Check:
    """One run of `sallyport check --format json`, still to be run."""

    def __init__(self, namespace, argv, env=None, mounts=()):
        self.namespace, self.argv, self.env, self.mounts = namespace, argv, env, mounts

    def run(self, timeout=40):
        self.done = self.namespace.run(self.argv, timeout=timeout, env=self.env, mounts=self.mounts)
        try:
            self.report = json.loads(self.done.stdout)
        except ValueError:
            raise LabError(f"no report: exit {self.done.returncode}\n{self.done.stdout}\n"
                           f"{self.done.stderr}") from None
        wrong = report_schema.problems(self.report)
        assert not wrong, "\n".join(["docs/report.schema.json:", *wrong, self.explain()])
        return self

    @property
    def causes(self):
        return sorted(cause["id"] for cause in self.report["causes"])

    @property
    def code(self):
        return self.done.returncode

    expected_code = staticmethod(exit_code)

    def explain(self):
        """What a failed test shows."""
        return f"exit {self.code}\n{json.dumps(self.report, indent=1)}\n{self.done.stderr}"
