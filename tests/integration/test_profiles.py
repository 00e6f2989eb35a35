"""Profiles as programs see them (row B1): the hub's own, variables, the linter."""

import json
import re

import pytest
import yaml

from lab import programs
from lab.fleet import Agent, Hub
from lab.servers import squid
from lab.world import HUB_NAME, PROXY

pytestmark = pytest.mark.timeout(60)

SERVED = "/.well-known/sallyport/sallyport-hub.yaml"


def profiles(lab, *argv, env=None):
    return lab.client.run([programs.SALLYPORT, "profiles", *argv, "--root", lab.root], env=env, timeout=40)


def check(lab, profile, *argv, env=None):
    done = lab.client.run([programs.SALLYPORT, "check", "--profile", profile, "--root", lab.root, "--format",
                           "json", "--deadline", 5, *argv], env=env, timeout=30)
    try:
        return done.returncode, json.loads(done.stdout)
    except ValueError:
        raise AssertionError(f"exit {done.returncode}\n{done.stdout}{done.stderr}") from None


def save(lab, text):
    path = lab.folder / "sallyport-hub.yaml"
    path.write_text(text)
    return path


def assert_useful(lab, text, env=None):
    """It lints clean, names every role once, and a check by it passes."""
    path = save(lab, text)
    lint = profiles(lab, "lint", path)
    assert (lint.returncode, lint.stderr) == (0, ""), lint.stdout
    document = yaml.safe_load(text)
    assert [endpoint["purpose"] for endpoint in document["endpoints"]] == [
        "console, discovery, session and upload"]
    assert document["endpoints"][0]["host"] == HUB_NAME
    assert "BEGIN CERTIFICATE" in document["endpoints"][0]["ca"]
    assert document["proxy"] == {"auth": ["none", "basic"], "inspection": "forbidden"}
    code, report = check(lab, path, env=env)
    assert code == 0 and report["verdict"] == "pass", json.dumps(report, indent=1)
    assert report["requirements"][0]["section"] == "endpoints"


def test_hub_profile_of_a_hub_that_is_not_known(lab):
    hub = Hub(lab).start()
    lab.dns()
    done = profiles(lab, "hub", hub.url)
    assert done.returncode == 0, done.stderr
    assert "knows no hub there: compare the fingerprint" in done.stdout
    assert_useful(lab, done.stdout)
    status, served = hub.request("GET", SERVED)
    assert status == 200
    assert_useful(lab, served)
    strip = re.compile(r"^#.*\n", re.M)
    assert strip.sub("", served) == strip.sub("", done.stdout), "one text, made in one place"


def test_hub_profile_of_the_hub_that_was_joined(lab):
    hub = Hub(lab).start()
    lab.dns()
    Agent(lab).joined(hub.token())
    done = profiles(lab, "hub")
    assert done.returncode == 0, done.stderr
    assert "has proven to the machine that printed this" in done.stdout
    assert_useful(lab, done.stdout)


def test_hub_profile_through_a_proxy_with_basic(lab):
    hub = Hub(lab).start()
    lab.dns()
    lab.squid(squid.basic(lab.site, {"svc": "p@ss word"}))
    lab.only_proxy()
    env = {"HTTPS_PROXY": f"http://{PROXY}:3128", "HTTPS_PROXY_USERNAME": "svc",
           "HTTPS_PROXY_PASSWORD": "p@ss word"}
    done = profiles(lab, "hub", hub.url, env=env)
    assert done.returncode == 0, done.stderr
    assert "p@ss" not in done.stdout + done.stderr
    path = save(lab, done.stdout)
    code, report = check(lab, path, env=env)
    assert code == 0, json.dumps(report, indent=1)
    assert lab.direct_packets() == 0


def test_hub_profile_is_not_taken_from_whoever_decrypts_tls(lab):
    """The inspecting CA is even trusted here, and the document came whole: the proof does not fit."""
    hub = Hub(lab).start()
    lab.dns()
    inspection = squid.inspection_ca()
    lab.trust(inspection)
    lab.squid(inspect=inspection)
    done = profiles(lab, "hub", hub.url, env={"HTTPS_PROXY": f"http://{PROXY}:3128"})
    assert done.returncode == 1 and done.stdout == ""
    assert "tls-intercepted" in done.stderr


def test_hub_profile_of_something_else(lab):
    lab.endpoint()
    lab.dns()
    done = profiles(lab, "hub", "https://console.lab.example")
    assert done.returncode == 1 and done.stdout == "" and "marker-absent" in done.stderr
    assert profiles(lab, "hub").returncode == 2, "no hub was joined"
    assert profiles(lab, "hub", "http://x").returncode == 2


def test_variables_name_the_host(lab):
    lab.endpoint("api.eu.lab.example")
    lab.dns()
    path = lab.folder / "regional.yaml"
    path.write_text("""
profile: regional
title: Regional
variables:
  - {name: region, purpose: eu or us}
endpoints:
  - {id: api, host: "api.{region}.lab.example", port: 443}
""")
    code, report = check(lab, path)
    assert code == 3, "nothing failed, and nothing could be tried"
    requirement = report["requirements"][0]
    assert requirement["status"] == "unknown" and "--set region=..." in requirement["reason"]
    code, report = check(lab, path, "--set", "region=eu")
    assert code == 0, json.dumps(report, indent=1)
    assert report["profile"]["variables"] == {"region": "eu"}
    code, report = check(lab, path, "--set", "region=us")
    assert code == 1 and report["causes"][0]["id"] == "dns-nxdomain"
    done = lab.client.run([programs.SALLYPORT, "check", "--profile", path, "--set", "regoin=eu"])
    assert done.returncode == 2 and "it has region" in done.stderr


def test_lint_and_list_answer_scripts(lab):
    folder = lab.root / "etc/sallyport/profiles"
    folder.mkdir(parents=True)
    (folder / "good.yaml").write_text((programs.ROOT / "profiles/netdata-cloud.yaml").read_text().replace(
        "profile: netdata-cloud", "profile: good"))
    done = profiles(lab, "--format", "json")
    listed = {entry["id"]: entry for entry in json.loads(done.stdout)["profiles"]}
    assert done.returncode == 0 and listed["good"]["endpoints"] == 3
    assert listed["good"]["source"]["read"] == "2026-11-22" and listed["good"]["error"] is None
    assert profiles(lab, "lint", "good").returncode == 0

    (folder / "doubtful.yaml").write_text("profile: doubtful\ntitle: D\n")
    done = profiles(lab, "lint", "doubtful")
    assert done.returncode == 1 and "(warning)" in done.stdout and "0 errors" in done.stdout

    (folder / "bad.yaml").write_text("profile: bad\ntittle: B\nendpoints:\n  - {id: a, hots: b}\n")
    done = profiles(lab, "lint", "bad", "--format", "json")
    problems = json.loads(done.stdout)["problems"]
    assert done.returncode == 2 and len(problems) == 5, problems
    assert {problem["line"] for problem in problems} == {1, 2, 4}
    done = profiles(lab)
    assert done.returncode == 2 and "bad.yaml" in done.stdout and "good" in done.stdout
    assert profiles(lab, "lint").returncode == 2, "all of them"
    assert lab.direct_packets() == 0
