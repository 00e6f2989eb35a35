"""Support bundles and the log, from a machine to whoever supports it (R26, R27, R28, S2, S13)."""

import hashlib
import json

import pytest

from api import connect
from bundle import bundles, ready, verified
from lab.fleet import Agent, Hub
from lab.world import HUB_NAME

pytestmark = pytest.mark.timeout(90)

LISTENED = {"log/connector.log", "status.json", "inventory.json", "configuration/identity.json"}


def test_saved_and_asked_for(lab):
    """One saved to a file; one asked for in the console; one sent without a session; each whole."""
    hub = Hub(lab).start()
    lab.dns()
    agent = Agent(lab).joined(hub.token()).start().wait_online()
    server = hub.wait_online()[0]["id"]

    path = lab.folder / "saved.tar.gz"
    done = agent.command("logs", "bundle", path)
    assert done.returncode == 0, done.stderr
    found, manifest = verified(path.read_bytes())
    assert LISTENED <= found.keys() and manifest["server_id"] == server
    assert path.stat().st_mode & 0o777 == 0o600
    assert b" online at " in found["log/connector.log"]

    status, asked = hub.request("POST", f"/v1/servers/{server}/bundles", {})
    assert status == 202 and asked["state"] == "asked" and asked["requested_by"] == "admin", asked
    row = ready(hub)[0]
    assert row["id"] == asked["id"] and row["received"] == row["size"] > 0
    assert row["manifest"]["server_id"] == server and row["server_name"]
    status, data = hub.download(f"/v1/bundles/{row['id']}/file")
    assert status == 200 and hashlib.sha256(data).hexdigest() == row["sha256"]
    assert LISTENED <= verified(data)[0].keys()

    agent.process.stop()
    done = agent.command("logs", "send")
    assert done.returncode == 0 and "Sent to" in done.stdout, done.stderr
    newest = ready(hub, 2)[0]
    assert newest["requested_by"] == "" and newest["id"] in done.stdout
    assert [each["id"] for each in bundles(hub, f"?server={server}")] == [newest["id"], row["id"]]

    status, _ = hub.request("DELETE", f"/v1/bundles/{row['id']}")
    assert status == 204
    assert hub.request("GET", f"/v1/bundles/{row['id']}")[0] == 404
    assert not (hub.database.parent / "bundles" / row["id"]).exists()
    # What a restored database knows may have lost its file.
    (hub.database.parent / "bundles" / newest["id"]).unlink()
    assert hub.request("GET", f"/v1/bundles/{newest['id']}/file")[0] == 410
    status, _ = hub.request("POST", f"/v1/servers/{server}/bundles", {})
    assert status == 409, "an offline machine cannot be asked"


class Log:
    """The stream of a machine's log, from inside the hub's namespace."""

    def __init__(self, hub, server, lines=200):
        def open_stream():
            self.connection = connect()
            self.connection.request("GET", f"/v1/servers/{server}/log?lines={lines}",
                                    headers={"Host": HUB_NAME, "Cookie": hub.cookie})
            return self.connection.getresponse()

        hub.servers()
        self.response = hub.namespace.inside(open_stream)
        self.status = self.response.status
        self.seen = []

    def event(self):
        name = None
        while True:
            line = self.response.readline().decode()
            assert line, "the stream ended without a word"
            if line.startswith("event: "):
                name = line[7:].strip()
            elif line.startswith("data: "):
                return name, json.loads(line[6:])

    def until(self, words):
        """Reads on until a line has these words."""
        while not any(words in line for line in self.seen):
            name, data = self.event()
            assert name == "lines", (name, data)
            self.seen += data["lines"]
        return self

    def ended(self):
        while True:
            name, data = self.event()
            if name == "end":
                assert not self.response.readline().strip(), "and then nothing more"
                return data["reason"]


def test_log_followed(lab):
    """The last lines and what is written then, for two who look at once; it ends with the session."""
    hub = Hub(lab).start()
    lab.dns()
    agent = Agent(lab).joined(hub.token()).start().wait_online()
    server = hub.wait_online()[0]["id"]
    first = Log(hub, server).until(" online at ").until("follows this log")
    assert any("sallyport" in line and " starts " in line for line in first.seen)
    second = Log(hub, server, lines=1).until("follows this log")
    assert len(second.seen) == 1, "one line was asked for"
    status, _ = hub.request("POST", f"/v1/servers/{server}/checks", {})
    assert status == 202
    first.until("the hub asks for a check")
    second.until("the hub asks for a check")
    assert agent.log().count("follows this log") == 1
    # Rotation: what is written to the new file comes as well.
    agent.log_path.rename(agent.log_path.with_name("connector.log.1"))
    agent.log_path.write_text("2026-01-01T00:00:00Z INFO  in the new file\n")
    first.until("in the new file")
    first.connection.close()
    agent.process.stop()
    assert "session has ended" in second.ended()
    assert Log(hub, server).status == 409
    assert Log(hub, "0" * 32).status == 404
