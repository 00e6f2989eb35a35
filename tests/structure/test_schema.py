"""The report's schema is one, and it can refuse: the lab holds every report against it."""
import copy
import json
import os
import pathlib
import subprocess
import sys

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("SALLYPORT_BUILD", TOP / "build"))
sys.path.insert(0, str(TOP))

from lab import report_schema  # noqa: E402

# Nothing in it can be tried, so nothing leaves this machine.
PROFILE = """
profile: sample
title: Sample
variables: [{name: site, purpose: any}]
endpoints:
  - {id: a, host: "*.invalid", port: 443, purpose: a pattern}
  - {id: b, host: "{site}.invalid", port: 443}
"""


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    (folder / "sample.yaml").write_text(PROFILE)
    done = subprocess.run([BUILD / "sallyport", "check", "--format", "json", "--root", folder, "--profile",
                           folder / "sample.yaml"], text=True, stdout=subprocess.PIPE, timeout=60)
    assert done.returncode == 3, done.stdout
    return json.loads(done.stdout)


def test_a_report_fits(report):
    assert report_schema.problems(report) == []
    assert report["profile"]["variables"] == {"site": None}


CAUSE = {"id": "no-route", "stage": "host", "severity": "fail", "confidence": "certain", "sentence": "a",
         "remedy": "b", "who": "c", "affects": ["endpoint.a"], "evidence": [{"name": "n", "value": "v"}]}


def changed(report, path, value):
    other = copy.deepcopy(report)
    at = other
    for key in path[:-1]:
        at = at[key]
    if value is None:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return other


@pytest.mark.parametrize("path, value", [
    (["schema"], "sallyport.check/2"),
    (["verdict"], "maybe"),
    (["host"], None),
    (["elapsed_ms"], -1),
    (["started_at"], "yesterday"),
    (["requirements", 0, "status"], "ok"),
    (["requirements", 0, "status"], "fail"),  # without a cause
    (["requirements", 0, "reason"], None),    # although it is unknown
    (["requirements", 0, "cause"], "no-route"),  # which is not among the causes
    (["requirements", 0, "title"], "a\u001b[31m"),
    (["causes"], [{**CAUSE, "stage": "moon"}]),
    (["causes"], [{**CAUSE, "affects": []}]),
    (["causes"], [{**CAUSE, "affects": ["endpoint.z"]}]),
    (["causes"], [{**CAUSE, "evidence": [{"name": "n", "value": "x" * 500}]}]),
    (["proxy"], {"url": "http://user:secret@p:1", "auth": "basic", "from": "x", "warnings": []}),
])
def test_the_schema_refuses(report, path, value):
    assert report_schema.problems(changed(report, path, value))


def test_the_schema_takes_what_is_new(report):
    assert report_schema.problems(changed(report, ["later"], {"x": 1})) == []
    assert report_schema.problems(changed(report, ["causes"], [CAUSE])) == []


def test_it_names_no_host():
    schema = json.loads(report_schema.SCHEMA.read_text())
    assert schema["$id"].startswith("urn:") and "sallyport.check/1" in schema["$id"]
