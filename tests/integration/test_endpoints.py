"""The four endpoint roles at four names: each found, each followed, each named when it alone is broken (S6, S13)."""

import json

import pytest

from bundle import bundles
from lab import net
from lab.fleet import Agent, FourHub, Hub
from lab.servers import fake_hub
from lab.world import FOUR

pytestmark = pytest.mark.timeout(90)

ROLES = ["endpoint.console", "endpoint.discovery", "endpoint.session", "endpoint.upload"]


def drop(lab, *roles):
    """A firewall that lets nothing through to these roles' addresses."""
    lab.firewall(*(f"ip daddr {FOUR[role]} tcp dport 443 reject with tcp reset" for role in roles))


def statuses(check):
    return {each["id"]: each["status"] for each in check.run().report["requirements"]
            if each["id"].startswith("endpoint.")}


def test_found(lab):
    """A stranger's check, the generated profile and a joined machine's check know all four; the certificate
    is for all of them."""
    hub = FourHub(lab).start()
    lab.dns()
    assert sorted(statuses(lab.check(hub=hub.url))) == ROLES
    done = lab.client.run(Agent(lab).argv("profiles", "hub", hub.url))
    assert done.returncode == 0, done.stderr
    profile = lab.folder / "sallyport-hub.yaml"
    profile.write_text(done.stdout)
    # By the profile they are plain HTTPS endpoints: chain and name of the certificate decide.
    done = lab.client.run(Agent(lab).argv("check", "--profile", profile, "--format", "json"))
    found = {each["id"]: each["status"] for each in json.loads(done.stdout)["requirements"]
             if each["id"].startswith("endpoint.")}
    assert found == dict.fromkeys(ROLES, "pass"), done.stdout
    agent = Agent(lab).joined(hub.token())
    kept = json.loads((agent.state_folder / "endpoints.json").read_text())["endpoints"]
    assert kept["upload"] == "https://upload.lab.example:443/v1/uploads"
    assert statuses(lab.check(hub=hub.url)) == dict.fromkeys(ROLES, "pass")


def test_session_moves(lab):
    """The hub comes back with its sessions elsewhere, and nothing at the old address: the agent asks
    discovery, says so, and follows; a file that got damaged costs it nothing."""
    lab.names["other.lab.example"] = "203.0.113.35"
    hub = FourHub(lab).start()
    lab.dns()
    agent = Agent(lab).joined(hub.token()).start().wait_online()
    hub.stop()
    hub.move(session="other.lab.example")
    drop(lab, "session")
    hub.start()
    agent.wait_online(2)
    assert "the hub's session endpoint is other.lab.example:443" in agent.log()
    assert "connect-refused" in agent.told()
    agent.process.stop()
    (agent.state_folder / "endpoints.json").write_text("{ damaged")
    agent.start().wait_online(3)
    kept = json.loads((agent.state_folder / "endpoints.json").read_text())
    assert kept["endpoints"]["session"].startswith("wss://other.lab.example")


def test_joins_through_a_front(lab):
    """What the token names answers discovery alone: `join` and a stranger's check go on to the session's
    endpoint, and the agent never asks for its session elsewhere."""
    hub = Hub(lab, address=FOUR["session"], name="session.lab.example").start()
    seed = (hub.database.parent / "identity.key").read_text().split()[-1]
    lab.names["discovery.lab.example"] = FOUR["discovery"]
    fake_hub.serve(lab.internet, FOUR["discovery"], lab.public_ca.issue("discovery.lab.example"), "discovery",
                   seed, "session.lab.example")
    lab.dns()
    hub.stop()
    hub.options = [*hub.options, "--discovery-url", "https://discovery.lab.example"]
    hub.start()
    found = statuses(lab.check(hub="https://discovery.lab.example"))
    assert found["endpoint.session"] == "pass" and found["endpoint.discovery"] == "pass"
    agent = Agent(lab).joined(hub.token()).start().wait_online()
    assert " online at session.lab.example:443" in agent.log()


def test_discovery_gone(lab):
    """Without discovery sessions go on; when they fail as well, the log says both and which is which."""
    hub = FourHub(lab).start()
    lab.dns()
    agent = Agent(lab).joined(hub.token()).start().wait_online()
    drop(lab, "discovery")
    agent.process.stop()
    agent.start().wait_online(2)
    assert "discovery endpoint" not in agent.log(), "it is asked only when the session cannot be had"
    lab.open_wall()
    drop(lab, "discovery", "session")
    hub.stop()
    hub.start()
    net.wait_until(lambda: "discovery endpoint discovery.lab.example:443 cannot be asked either" in
                   agent.log(), 15, f"what the log says of discovery\n{agent.log()}")
    assert "cause connect-refused" in agent.log() and "session.lab.example:443" in agent.log()
    assert agent.log().count("cannot be asked either") == 1
    lab.open_wall()
    agent.wait_online(3)


def test_upload_alone(lab):
    """Uploads fail by themselves: the console says why, so does the machine; and they work by themselves."""
    hub = FourHub(lab).start()
    lab.dns()
    agent = Agent(lab).joined(hub.token()).start().wait_online()
    server = hub.wait_online()[0]["id"]
    drop(lab, "upload")
    assert hub.request("POST", f"/v1/servers/{server}/bundles", {})[0] == 202
    net.wait_until(lambda: bundles(hub)[0]["state"] == "failed", 30, "the bundle to fail")
    reason = bundles(hub)[0]["reason"]
    assert reason.startswith("the upload endpoint upload.lab.example:443 cannot be had: "), reason
    done = agent.command("logs", "send")
    assert done.returncode == 1 and "upload.lab.example:443" in done.stderr, done.stderr
    assert "connect-refused" in done.stderr and "logs bundle FILE" in done.stderr
    lab.open_wall()
    drop(lab, "session", "discovery")
    done = agent.command("logs", "send")
    assert done.returncode == 0, done.stderr
    assert ready_one(hub)["requested_by"] == ""


def ready_one(hub):
    return next(row for row in bundles(hub) if row["state"] == "ready")
