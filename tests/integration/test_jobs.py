"""Jobs from the API to the machines and back (S8, S9, S11): what is shown, what waits, what ends how.

What a hostile agent may say of runs is tested message by message in tests/unit/test_hub_jobs.c; what an
agent does with its journal in test_jobs_agent.py; what survives kill -9 in test_chaos.py.
"""

import time

import pytest

from api import Events
from jobs import FINAL, output, post, run_of, script, wait_run
from lab import net
from lab.fleet import Agent, Hub

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def hub(lab):
    hub = Hub(lab).start()
    lab.dns()
    return hub


@pytest.fixture
def agent(lab, hub):
    agent = Agent(lab).joined(hub.token()).start()
    agent.server = hub.wait_online()[0]["id"]
    return agent


def test_script_runs_and_everything_is_told(hub, agent):
    events = Events(hub)
    job = script(hub, agent, 'echo "hello $1 $COLOUR"; printf "\\377" ; exit 3', title="Greeting",
                 args=["you"], env={"COLOUR": "red"})
    assert job["state"] == "active" and job["runs"]["total"] == 1, job
    assert job["created_by"] == "admin" and job["script"].startswith("echo")
    run = wait_run(hub, job, agent, *FINAL)
    assert (run["state"], run["exit_code"], run["attempt"]) == ("failed", 3, 1), run
    assert run["queued_at"] <= run["delivered_at"] and run["started_at"] <= run["finished_at"]
    piece = net.wait_until(lambda: (lambda p: p if p["complete"] else None)(output(hub, job, agent)),
                           20, "the whole output")
    assert piece["text"] == "hello you red\n\ufffd" and piece["size"] == piece["next"] == 15
    assert output(hub, job, agent, offset=6)["text"].startswith("you")
    told = events.next("job", lambda data: data["state"] == "done")
    assert told["id"] == job["id"] and told["runs"]["failed"] == 1 and "script" not in told
    status, whole = hub.request("GET", f"/v1/jobs/{job['id']}")
    assert whole["state"] == "done" and whole["finished_at"] and whole["silent"] == 0
    status, listed = hub.request("GET", "/v1/jobs?state=done&q=greet")
    assert [row["id"] for row in listed["jobs"]] == [job["id"]] and "script" not in listed["jobs"][0]
    status, activity = hub.request("GET", f"/v1/servers/{agent.server}/activity")
    kinds = {row["kind"]: row for row in activity["past"]}
    assert kinds["run"]["title"] == "Greeting" and kinds["run"]["job"] == job["id"], activity
    again = post(hub, f"/v1/jobs/{job['id']}/repeat", only="failed")
    assert again["id"] != job["id"] and again["args"] == ["you"]
    assert wait_run(hub, again, agent, *FINAL)["exit_code"] == 3


def test_offline_server_gets_it_when_it_comes(hub, agent):
    agent.process.stop()
    net.wait_until(lambda: hub.servers()[0]["status"] == "offline", 20, "the server to be offline")
    late = script(hub, agent, "echo late")
    short = script(hub, agent, "echo never", expires_in_s=1)
    assert late["silent"] == 1
    run = wait_run(hub, short, agent, "expired")
    assert run["reason"] and not run["delivered_at"]
    status, silent = hub.request("GET", f"/v1/jobs/{late['id']}/runs?state=silent")
    assert [row["server"] for row in silent["runs"]] == [agent.server]
    hub.kill()
    hub.start()
    agent.start()
    assert wait_run(hub, late, agent, *FINAL)["state"] == "done"
    assert output(hub, late, agent)["text"] == "late\n"
    assert run_of(hub, short, agent)["state"] == "expired"


def test_cancelling(hub, agent):
    waits = script(hub, agent, "echo begun; sleep 600")
    net.wait_until(lambda: output(hub, waits, agent)["text"], 30, "its first output")
    answer = post(hub, f"/v1/jobs/{waits['id']}/cancel", status=202)
    assert answer["id"] == waits["id"]
    run = wait_run(hub, waits, agent, *FINAL)
    assert run["state"] == "cancelled", run
    status, job = hub.request("GET", f"/v1/jobs/{waits['id']}")
    assert job["state"] == "cancelled" and job["runs"]["cancelled"] == 1


def test_removed_server_ends_its_runs(hub, agent):
    waits = script(hub, agent, "sleep 600")
    wait_run(hub, waits, agent, "running")
    assert hub.request("DELETE", f"/v1/servers/{agent.server}")[0] == 204
    run = run_of(hub, waits, agent)
    assert run["state"] == "undetermined" and "removed" in run["reason"], run


def test_secret_values_are_shown_to_nobody(hub, agent):
    secret = "a value for the script alone"
    job = script(hub, agent, 'printf %s "$WORD" | wc -c', env={"WORD": {"secret": secret}, "OPEN": "x"})
    assert job["env"] == {"WORD": None, "OPEN": "x"}
    assert wait_run(hub, job, agent, *FINAL)["state"] == "done"
    assert output(hub, job, agent)["text"].strip() == str(len(secret))
    hub.stop()
    for path in hub.root.rglob("hub.db*"):
        assert secret.encode() not in path.read_bytes(), path
    hub.start()
    hub.wait_online()
    status, answer = hub.request("POST", f"/v1/jobs/{job['id']}/repeat", {"only": "all"})
    assert status == 409 and "secret" in answer["detail"], answer


def test_wrong_wishes_are_named(hub, agent):
    base = {"interpreter": "sh", "script": "true", "servers": [agent.server]}
    for member, value in [
        ("interpreter", "cobol"), ("script", ""), ("args", "x"), ("args", [5]), ("env", {"A B": "x"}),
        ("env", {"A": 5}), ("user", "a/b"), ("cwd", "relative"), ("timeout_s", 0),
        ("output_limit", 1 << 30), ("expires_in_s", 0), ("rerun", "often"), ("reboot", "maybe"),
        ("servers", []), ("servers", ["0" * 32]), ("servers", "all"), ("title", "x\ny"),
        ("filter", {"q": "x"}),
    ]:
        status, answer = hub.request("POST", "/v1/jobs", {**base, member: value})
        assert status == 422 and f"/{member}" in answer["errors"][0]["pointer"], (member, value, answer)
    for wish in ({**base, "servers": None, "filter": {"platform": "plan9"}}, {**base, "servers": None}):
        assert hub.request("POST", "/v1/jobs", wish)[0] == 422
    assert hub.request("GET", "/v1/jobs")[1]["jobs"] == []
    for path in ("/v1/jobs/" + "0" * 32, f"/v1/jobs/{'0' * 32}/runs", "/v1/jobs/x/runs/y/output"):
        assert hub.request("GET", path)[0] == 404


def test_runs_are_listed_by_what_went_wrong(lab, hub, agent):
    """One job on a server that is here, and on many that are not."""
    now = int(time.time())
    hub.sql("INSERT INTO servers SELECT printf('%032x', value), randomblob(32), '', "
            "printf('server-%04d', value), 'linux', '', '', '', '', '', '', 0, '', '', 0, 0, 0, '', 0, '' "
            "FROM (WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n "
            "WHERE value < 250) SELECT value FROM n)")
    job = post(hub, interpreter="sh", script="true", filter={"platform": "linux"}, expires_in_s=600)
    assert job["runs"]["total"] == 251 and job["silent"] == 250
    wait_run(hub, job, agent, "done")
    some = [f"{number:032x}" for number in range(1, 4)]
    post(hub, f"/v1/jobs/{job['id']}/cancel", status=202, servers=some)
    seen, cursor = [], ""
    while cursor is not None:
        status, page = hub.request("GET", f"/v1/jobs/{job['id']}/runs?limit=100&cursor={cursor}")
        seen += page["runs"]
        cursor = page["next_cursor"]
    assert [row["server"] for row in seen[:3]] == some and len({row["id"] for row in seen}) == 251
    assert [row["state"] for row in seen] == ["cancelled"] * 3 + ["queued"] * 247 + ["done"]
    names = [row["server_name"] for row in seen[3:250]]
    assert names == sorted(names) and seen[250]["online"] and not seen[0]["online"]
    for state, count in (("live", 247), ("silent", 247), ("cancelled", 3), ("failed", 0)):
        page = hub.request("GET", f"/v1/jobs/{job['id']}/runs?state={state}&limit=500")[1]
        assert len(page["runs"]) == count, state
    assert hub.request("GET", f"/v1/jobs/{job['id']}/runs?state=odd")[0] == 422
    assert hub.request("GET", f"/v1/jobs/{job['id']}/runs?cursor=odd")[0] == 422
    assert job["created_at"] >= time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now - 5))
