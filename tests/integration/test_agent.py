"""The agent as a service: quiet, patient, and back after whatever happens to its hub."""

import signal
import shutil

import pytest

from lab import net
from lab.fleet import Agent, Hub, another_machine
from lab.scenarios import idle_timeout_agent

pytestmark = pytest.mark.timeout(90)

FLEET = 5


@pytest.fixture
def hub(lab):
    hub = Hub(lab).start()
    lab.dns()
    return hub


@pytest.fixture
def agent(lab, hub):
    return Agent(lab).joined(hub.token()).start().wait_online()


def identities(agents):
    return [(agent.state_folder / "identity.json").read_bytes() for agent in agents]


def fleet(lab, hub, count=FLEET):
    token = hub.token(uses=count)
    agents = [Agent(lab, f"m{number}").joined(token).start() for number in range(count)]
    hub.wait_online(count)
    return agents


def intact(hub):
    return hub.sql("PRAGMA integrity_check") == [("ok",)]


def beats_more(hub, count):
    first = hub.messages()
    net.wait_until(lambda: hub.messages() >= first + count, 20, f"{count} more heartbeats")


def test_registers(lab, hub, agent):
    """S1, R25: the machine appears with what the console shows of it."""
    row, = hub.wait_online()
    assert row["address"].startswith("10.77.0.2") and row["platform"] == "linux"
    mac = lab.client.tool("cat", "/sys/class/net/eth0/address").strip()
    assert row["mac"] == mac and row["name"] and row["version"]
    status, server = hub.request("GET", f"/v1/servers/{row['id']}")
    assert status == 200 and server["inventory"]["kernel"]
    net.wait_until(lambda: hub.request("GET", f"/v1/servers/{row['id']}")[1]["path"], 5, "its path")
    assert row["id"] == agent.status()["server_id"]


def test_no_listening_socket(lab, hub, agent):
    """R9: online, through heartbeats and the check that it runs, nothing on the client listens."""
    beats_more(hub, 5)
    sockets = lab.client.tool("ss", "-Hlntup")
    assert sockets == "", sockets
    established = lab.client.tool("ss", "-Htnp", "state", "established")
    assert f"pid={agent.process.pid}," in established, "ss sees the agent at all"


def test_inbound_closed(lab, hub, agent):
    """R14: with everything inbound closed, port 22 included, it stays online."""
    lab.client.nft("table inet closed {\n\tchain arriving {\n"
                   "\t\ttype filter hook input priority 0; policy drop;\n"
                   "\t\tct state established,related accept\n\t}\n}\n")
    beats_more(hub, 15)
    assert agent.told() == [] and agent.log().count(" online at ") == 1, agent.log()


def test_hub_killed(lab, hub):
    """B7: after SIGKILL and a new start every agent is back, none has enrolled anew, and the database
    has what it had."""
    agents = fleet(lab, hub)
    keys = identities(agents)
    before = hub.sql("SELECT id, name, token_id, created FROM servers ORDER BY id")
    used = hub.sql("SELECT used FROM tokens")
    hub.kill()
    for agent in agents:
        agent.wait_told()
    assert intact(hub)
    hub.start()
    hub.wait_online(FLEET)
    assert intact(hub)
    assert hub.sql("SELECT id, name, token_id, created FROM servers ORDER BY id") == before
    assert hub.sql("SELECT used FROM tokens") == used == [(FLEET,)]
    assert identities(agents) == keys
    for agent in agents:
        agent.wait_online(2)
        assert set(agent.told()) <= {"peer-closed", "peer-reset", "connect-refused"}, agent.log()


def test_hub_told_to_end(lab, hub):
    """SIGTERM: the agents hear of it, the hub ends with 0, and all are back after the start."""
    agents = fleet(lab, hub)
    before = hub.sql("SELECT id FROM servers ORDER BY id")
    hub.process.signal(signal.SIGTERM)
    assert hub.process.wait(10) == 0
    for agent in agents:
        assert agent.wait_told()[0] == "hub-restarting", agent.log()
    assert intact(hub)
    assert hub.sql("SELECT id FROM servers ORDER BY id") == before
    hub.start()
    hub.wait_online(FLEET)


def test_told_once(lab, hub, agent):
    """A failure is written to the log once, however often it is met, and the end of it once."""
    hub.kill()
    agent.wait_told()
    lab.router.nft("table inet attempts {\n\tcounter syn { }\n\tchain seen {\n"
                   "\t\ttype filter hook forward priority 10; policy accept;\n"
                   "\t\ttcp dport 443 tcp flags & (syn | ack) == syn counter name \"syn\"\n\t}\n}\n")
    net.wait_until(lambda: lab.router.counter("syn", "attempts") >= 8, 30, "eight attempts")
    told = agent.told()
    assert len(told) == len(set(told)) and told[-1] == "connect-refused", agent.log()
    hub.start()
    agent.wait_online(2)
    assert agent.told() == told and agent.log().count(" online at ") == 2


def test_agent_killed(lab, hub, agent):
    """It is the same machine after SIGKILL, and `status` does not claim that the dead one runs."""
    first, = hub.wait_online()
    agent.process.kill()
    assert agent.status()["state"] == "stopped"
    agent.start().wait_online(2)
    row, = hub.wait_online()
    assert row["id"] == first["id"] and len(hub.servers()) == 1


def test_stops_at_once(agent):
    """SIGTERM ends it within a second or two, with code 0, also while it is offline."""
    agent.process.signal(signal.SIGTERM)
    assert agent.process.wait(3) == 0
    assert agent.status()["state"] == "stopped"


def test_stops_in_the_middle_of_a_walk(lab, hub, agent):
    """The walk is cancelled, not waited for."""
    lab.firewall("tcp dport 443 drop")
    assert agent.wait_told() == ["keepalive-lost"]
    agent.process.signal(signal.SIGTERM)
    assert agent.process.wait(3) == 0


def test_leave(lab, hub, agent):
    """S1, S3: the machine deregisters and forgets the hub; a running service ends by itself."""
    done = agent.command("leave")
    assert done.returncode == 0, done
    assert hub.servers() == []
    assert not (agent.state_folder / "identity.json").exists()
    assert agent.process.wait(10) == 0
    assert agent.command("status").returncode == 1


def test_leave_local(lab, hub, agent):
    """S3: a copy of a machine forgets its identity here alone; the original stays, and the copy joins
    anew."""
    copy = agent.copied("copy", namespace=lab.site, mounts=another_machine(lab))
    copy.start()
    assert copy.wait_told() == ["agent-duplicate"]
    done = copy.command("leave", "--local")
    assert done.returncode == 0, done
    assert copy.process.wait(10) == 0 and not (copy.state_folder / "identity.json").exists()
    assert agent.told() == [] and [row["status"] for row in hub.servers()] == ["online"]
    copy.joined(hub.token()).start()
    hub.wait_online(2)
    assert agent.told() == [], agent.log()


def test_heartbeat_that_was_learnt_survives_a_restart(lab):
    """B5: what the way has taught is on the disk, and no session is spent on learning it again; another
    way starts anew."""
    settled = idle_timeout_agent.play(lab).run()
    agent, told = settled.agent, settled.agent.told()
    agent.process.stop()
    agent.start().wait_online(4)
    beats_more(settled.hub, 5)
    assert agent.told() == told and agent.log().count(" online at ") == 4, agent.log()
    assert "heartbeat" in agent.command("status").stdout
    assert agent.command("leave").returncode == 0
    assert not (agent.state_folder / "rhythm.json").exists()


def test_log_is_copied_while_it_runs(lab, hub, agent):
    """R26, R27: `cp connector.log log.txt` at any moment gives whole lines that stay as they are."""
    copy = lab.folder / "log.txt"
    for _ in range(3):
        told = len(agent.told())
        hub.kill()
        agent.wait_told(told + 1)
        shutil.copyfile(agent.log_path, copy)
        times = agent.log().count(" online at ")
        hub.start()
        agent.wait_online(times + 1)
        text = copy.read_text()
        assert text.endswith("\n") and agent.log().startswith(text)


def test_log_rotates(lab, hub):
    """A full log makes room for a new one, and nothing that was said is lost in between."""
    agent = Agent(lab).joined(hub.token())
    agent.log_path.parent.mkdir(parents=True, exist_ok=True)
    agent.log_path.write_text("2026-01-01T00:00:00Z INFO  an old line\n" * 28000)  # above 1 MiB
    agent.start()
    agent.wait_online()
    old = agent.log_path.with_name("connector.log.1")
    assert old.exists() and "an old line" in old.read_text()
    assert agent.log_path.stat().st_size < 100_000
    assert " starts as process " in agent.log() + old.read_text()[-500:]


def test_only_one_agent(lab, agent):
    """A second service on the same machine says who runs already."""
    done = agent.command("agent", timeout=5)
    assert done.returncode == 1 and str(agent.process.pid) in done.stderr, done


def test_joined_twice(lab, hub, agent):
    """A machine that has joined does not join again by accident, and spends no token on it."""
    identity = identities([agent])
    done = agent.join(hub.token())
    assert done.returncode == 1 and "--force" in done.stderr, done
    assert identities([agent]) == identity
    assert sorted(hub.sql("SELECT used FROM tokens")) == [(0,), (1,)]


def test_location_shows_at_the_hub(lab, hub):
    """S1: where a machine stands is said once, at joining, and survives its restarts."""
    agent = Agent(lab).joined(hub.token(), "--location", "Zürich, rack 4").start()
    hub.wait_online()
    assert [row["location"] for row in hub.servers()] == ["Zürich, rack 4"]
    agent.process.stop()
    agent.start()
    hub.wait_online()
    assert [row["location"] for row in hub.servers()] == ["Zürich, rack 4"]
    refused = agent.command("join", "--force", "--location", "x" * 65)
    assert refused.returncode == 2 and "64 bytes" in refused.stderr
