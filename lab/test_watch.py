"""`check --watch` runs again and again and says what has changed (row B2)."""

import json
import signal

import pytest

from lab import programs
from lab.world import ENDPOINT

QUICK = ["--deadline", 3, "--watch", 1]


def watch(lab, log, *options):
    """The machine of all tests here: one endpoint, and a profile of it alone."""
    profile = programs.write_profile(lab.folder / "profile.yaml",
                                     {"profile": "lab", "title": "Lab", "endpoints": [{}]})
    return lab.client.popen([programs.SALLYPORT, "check", "--root", lab.root, "--profile", profile, *QUICK,
                             *options], log=log)


def drop(lab):
    lab.firewall(f"ip daddr {ENDPOINT} tcp dport 443 reject with tcp reset")


@pytest.mark.timeout(60)
def test_only_changes_are_printed(lab):
    lab.endpoint()
    lab.dns()
    process = watch(lab, "watch")
    process.wait_for(r"^PASS  Lab: ")
    drop(lab)
    process.wait_for(r"^\S+Z  fail \(was pass\)\n  new   connect-refused: .*\n"
                     r"        What to do \(operator of the endpoint\): ")
    process.wait_for(r"^  endpoint.console: fail, was pass$")
    failed = process.output()
    lab.open_wall()
    process.wait_for(r"^\S+Z  pass \(was fail\)\n  gone  connect-refused\n  endpoint.console: pass, was fail$")
    assert process.output().count("connect-refused") == failed.count("connect-refused") + 1
    process.signal(signal.SIGINT)
    assert process.wait() == 0
    assert "interrupted" not in process.output()


@pytest.mark.timeout(60)
def test_json_is_a_report_a_line(lab):
    lab.endpoint()
    lab.dns()
    process = watch(lab, "watch-json", "--format", "json")
    process.wait_for(r'"verdict":"pass"')
    drop(lab)
    process.wait_for(r'"verdict":"fail"')
    process.signal(signal.SIGTERM)
    assert process.wait() == 1  # of the last whole run
    reports = [json.loads(line) for line in process.stdout.read_text().splitlines()]
    assert [report["verdict"] for report in reports] == ["pass", "fail"]
    assert [cause["id"] for cause in reports[1]["causes"]] == ["connect-refused"]


@pytest.mark.timeout(60)
def test_settings_are_read_again(lab):
    """proxy.env is read before every run, as the service does before every walk."""
    lab.endpoint()
    lab.dns()
    lab.squid()
    process = watch(lab, "watch-proxy", "--format", "json")
    process.wait_for(r'"proxy":null')
    lab.proxy_environment("HTTPS_PROXY=http://10.77.1.9:1\n")
    process.wait_for(r'"id":"proxy-refused"')
    process.signal(signal.SIGINT)
    assert process.wait() == 1
