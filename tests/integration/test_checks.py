"""A machine checks itself because somebody at the hub wants it, and the hub remembers what came out.

What a hostile agent may say is tested message by message in tests/unit/test_hub_session.c: the real
agent, which is what stands here, says nothing of the kind.
"""

import pytest

from api import Events
from lab import net, programs
from lab.fleet import QUICK, Agent, Hub
from lab.servers import raw
from lab.world import HUB, HUB_NAME

pytestmark = pytest.mark.timeout(120)

STUCK = "203.0.113.40"  # accepts and is silent, until a test ends it
FINAL = ("done", "failed", "lost")


@pytest.fixture
def hub(lab):
    lab.names["stuck.lab.example"] = STUCK
    hub = Hub(lab).start()
    lab.dns()
    return hub


@pytest.fixture
def agent(lab, hub):
    agent = Agent(lab)
    profiles = agent.root / "etc/sallyport/profiles"
    profiles.mkdir(parents=True)
    programs.write_profile(profiles / "lab.yaml", {
        "profile": "lab", "title": "The lab's own",
        "endpoints": [{"host": hub.name, "protocol": "tcp"}]})
    programs.write_profile(profiles / "stuck.yaml", {
        "profile": "stuck", "title": "One that does not end",
        "endpoints": [{"host": "stuck.lab.example", "protocol": "tls"}]})
    (profiles / "broken.yaml").write_text("profile: [unclosed\n")
    agent.joined(hub.token()).start()
    agent.server = hub.wait_online()[0]["id"]
    wait_first(hub, agent)
    return agent


@pytest.fixture
def stuck(lab):
    return raw.serve(lab.internet, STUCK, 443, "silent")


def post(hub, agent, **wish):
    return hub.request("POST", f"/v1/servers/{agent.server}/checks", wish)


def history(hub, agent, query=""):
    status, answer = hub.request("GET", f"/v1/servers/{agent.server}/checks{query}")
    assert status == 200, answer
    return answer["checks"]


def one(hub, agent, check):
    status, answer = hub.request("GET", f"/v1/servers/{agent.server}/checks/{check}")
    assert status == 200, answer
    return answer


def wait_state(hub, agent, check, *states):
    def reached():
        row = next(row for row in history(hub, agent) if row["id"] == check)
        return row if row["state"] in states else None

    return net.wait_until(reached, 40, f"the check to be {' or '.join(states)}\n{agent.log()}")


def wait_first(hub, agent):
    """The agent's own check, which it makes when it comes online."""
    return net.wait_until(lambda: history(hub, agent), 40, f"the first check\n{agent.log()}")[0]


def test_first_check_is_the_machines_own(hub, agent):
    first, = history(hub, agent)
    assert first["requested_by"] is None and first["state"] == "done"
    assert first["profile"]["id"] is None and first["profile"]["title"]
    status, server = hub.request("GET", f"/v1/servers/{agent.server}")
    report = one(hub, agent, first["id"])["report"]
    assert server["check"] == report and report["schema"] == "sallyport.check/1"
    assert first["verdict"] == report["verdict"]
    assert {"id": "lab", "title": "The lab's own"} in server["inventory"]["profiles"]
    assert "broken" not in {row["id"] for row in server["inventory"]["profiles"]}


def test_own_checks_that_agree_stand_once(hub, agent):
    agent.process.stop()
    agent.start()
    net.wait_until(lambda: history(hub, agent)[0]["repeats"] == 2, 40, "the second of its own checks")
    assert len(history(hub, agent)) == 1


def test_check_on_demand(hub, agent):
    """Somebody asks, watches it run, and reads the report; the history keeps both."""
    events = Events(hub)
    status, row = post(hub, agent, profile="lab")
    assert status == 202 and row["state"] == "queued" and row["requested_by"] == "admin", row
    assert events.next("check")["state"] == "queued"
    told = [events.next("check", lambda data: data["id"] == row["id"])]
    while told[-1]["state"] not in FINAL:
        told.append(events.next("check", lambda data: data["id"] == row["id"]))
    assert {event["state"] for event in told} <= {"running", "done"}, "a quick one may skip running"
    done = one(hub, agent, row["id"])
    assert done["state"] == "done" and done["verdict"] == "pass", done
    assert done["report"]["profile"]["id"] == "lab"
    assert done["requested_at"] <= done["started_at"] <= done["finished_at"]
    assert [check["requested_by"] for check in history(hub, agent)] == ["admin", None]
    assert "asks for a check of the profile lab" in agent.log()
    assert hub.request("GET", f"/v1/servers/{agent.server}")[1]["check"] == done["report"]


def test_causes_are_in_the_history(hub, agent):
    """Nobody listens there."""
    status, row = post(hub, agent, profile="stuck")
    done = wait_state(hub, agent, row["id"], *FINAL)
    report = one(hub, agent, row["id"])["report"]
    assert done["verdict"] == "fail"
    assert [cause["id"] for cause in done["causes"]] == [cause["id"] for cause in report["causes"]]
    assert done["causes"][0]["id"] == "connect-refused"
    assert STUCK in done["causes"][0]["sentence"]


def test_pages(hub, agent):
    for _ in range(2):
        wait_state(hub, agent, post(hub, agent)[1]["id"], "done")
    everything = [row["id"] for row in history(hub, agent)]
    status, page = hub.request("GET", f"/v1/servers/{agent.server}/checks?limit=2")
    assert [row["id"] for row in page["checks"]] == everything[:2] and page["next_cursor"]
    rest = hub.request("GET", f"/v1/servers/{agent.server}/checks?limit=2&cursor={page['next_cursor']}")[1]
    assert [row["id"] for row in rest["checks"]] == everything[2:] and rest["next_cursor"] is None


@pytest.mark.parametrize("wish, status, words", [
    ({"profile": "/etc/passwd"}, 422, "id of a profile"), ({"profile": "x.yaml"}, 422, "id of a profile"),
    ({"profile": "--hub=https://evil.example"}, 422, "id of a profile"), ({"profile": 7}, 422, "id"),
    ({"profile": "x" * 65}, 422, "id of a profile"), ({"profile": "broken"}, 422, "no profile"),
    ({"profile": "none"}, 422, "no profile"), ({"deep": "yes"}, 422, "deep"),
])
def test_bad_wishes(hub, agent, wish, status, words):
    got, answer = post(hub, agent, **wish)
    assert got == status and words in answer["detail"], answer
    assert len(history(hub, agent)) == 1


def test_unknown_things(hub, agent):
    assert hub.request("POST", "/v1/servers/none/checks", {})[0] == 404
    assert hub.request("GET", "/v1/servers/none/checks")[0] == 404
    assert hub.request("GET", f"/v1/servers/{agent.server}/checks/none")[0] == 404
    for query in ("limit=0", "limit=51", "limit=x", "cursor=x", "cursor=-1"):
        assert hub.request("GET", f"/v1/servers/{agent.server}/checks?{query}")[0] == 422, query


def test_offline_machine_cannot_be_asked(hub, agent):
    agent.process.stop()
    net.wait_until(lambda: hub.servers()[0]["status"] == "offline", 10, "the hub to notice")
    status, answer = post(hub, agent)
    assert status == 409
    assert "offline" in answer["detail"] and "sudo sallyport check" in answer["detail"]


def test_one_check_at_a_time(hub, agent, stuck):
    status, row = post(hub, agent, profile="stuck", deep=False)
    wait_state(hub, agent, row["id"], "running")
    status, answer = post(hub, agent)
    assert status == 409 and "admin" in answer["detail"], answer
    stuck.kill()
    assert wait_state(hub, agent, row["id"], *FINAL)["state"] == "done"
    assert post(hub, agent)[0] == 202


def test_profile_that_went_bad_meanwhile(hub, agent):
    """What the check itself says of it reaches whoever asked."""
    (agent.root / "etc/sallyport/profiles/lab.yaml").write_text("profile: lab\ntitle: Lab\nendpoints: 7\n")
    row = post(hub, agent, profile="lab")[1]
    failed = wait_state(hub, agent, row["id"], *FINAL)
    assert failed["state"] == "failed" and "lab.yaml:3" in failed["reason"], failed


def test_agent_that_dies_loses_it(hub, agent, stuck):
    row = post(hub, agent, profile="stuck")[1]
    wait_state(hub, agent, row["id"], "running")
    agent.process.kill()
    agent.start()
    lost = wait_state(hub, agent, row["id"], *FINAL)
    assert lost["state"] == "lost" and "restarted" in lost["reason"], lost


def test_hub_that_restarts_still_gets_it(hub, agent, stuck):
    """Neither end forgets: the hub's row and the agent's check outlive the session."""
    row = post(hub, agent, profile="stuck")[1]
    wait_state(hub, agent, row["id"], "running")
    hub.kill()
    hub.start()
    hub.wait_online()
    stuck.kill()
    done = wait_state(hub, agent, row["id"], *FINAL)
    assert done["state"] == "done" and done["verdict"] == "fail", done


def test_removed_server_takes_its_history_along(hub, agent):
    check = history(hub, agent)[0]["id"]
    assert hub.request("DELETE", f"/v1/servers/{agent.server}")[0] == 204
    assert hub.request("GET", f"/v1/servers/{agent.server}/checks/{check}")[0] == 404
    assert hub.sql("SELECT count(*) FROM checks") == [(0,)]


# --- the outside view (row R12) ----------------------------------------------------------------

INBOUND = {22: "open", 23: "refused", 24: "silent"}


def inbound_profile(agent):
    folder = agent.root / "etc/sallyport/profiles"
    folder.mkdir(parents=True)
    programs.write_profile(folder / "inbound.yaml", {
        "profile": "inbound", "title": "Ports that must be open",
        "endpoints": [{"host": HUB_NAME, "protocol": "tcp"}],
        "inbound": [{"port": port, "protocol": "tcp", "os": "linux"} for port in INBOUND] + [
            {"port": 25, "protocol": "udp", "os": "linux"}, {"port": 26, "protocol": "tcp", "os": "windows"}]})


def outside_of(hub, agent):
    """The outside view of each inbound requirement, as a check through the API reports it."""
    agent.joined(hub.token()).start()
    agent.server = hub.wait_online()[0]["id"]
    wait_first(hub, agent)
    row = post(hub, agent, profile="inbound")[1]
    assert wait_state(hub, agent, row["id"], *FINAL)["state"] == "done"
    report = one(hub, agent, row["id"])["report"]
    return {requirement["id"]: requirement.get("outside") for requirement in report["requirements"]
            if requirement["id"].startswith("inbound.")}


def outside_agent(lab):
    """A machine that has the address which the hub sees: it stands on the router."""
    lab.router.set_hosts({HUB_NAME: HUB})
    agent = Agent(lab, "outside", namespace=lab.router)
    inbound_profile(agent)
    raw.serve(lab.router, "0.0.0.0", 22, "silent")
    lab.router.nft("table inet inbound {\n\tchain in {\n\t\ttype filter hook input priority 0; policy accept;\n"
                   "\t\ttcp dport 24 drop\n\t}\n}\n")
    return agent


def test_hub_looks_from_outside(lab, hub):
    seen = outside_of(hub, outside_agent(lab))
    assert seen == {**{f"inbound.{port}": {"from": "hub", "result": result} for port, result in INBOUND.items()},
                    "inbound.25-udp": None, "inbound.26": None}


def test_hub_looks_once_a_minute(lab, hub):
    agent = outside_agent(lab)
    assert outside_of(hub, agent)["inbound.22"]
    row = post(hub, agent, profile="inbound")[1]
    wait_state(hub, agent, row["id"], "done")
    report = one(hub, agent, row["id"])["report"]
    assert not [requirement for requirement in report["requirements"] if "outside" in requirement]
    assert hub.servers()[0]["status"] == "online", "asking too early costs no session"


def test_administrator_switches_the_look_off(lab):
    hub = Hub(lab, options=(*QUICK, "--no-outside-look")).start()
    lab.dns()
    assert set(outside_of(hub, outside_agent(lab)).values()) == {None}


def test_hub_does_not_look_at_a_router(lab, hub):
    """The client's address is translated on the way: what the hub sees is not the client."""
    agent = Agent(lab)
    inbound_profile(agent)
    assert set(outside_of(hub, agent).values()) == {None}


def test_hub_does_not_look_at_itself(lab, hub):
    """As every machine would seem to be the hub's own behind a proxy on the hub's machine."""
    lab.internet.set_hosts({HUB_NAME: HUB})
    agent = Agent(lab, "beside", namespace=lab.internet)
    inbound_profile(agent)
    assert set(outside_of(hub, agent).values()) == {None}
