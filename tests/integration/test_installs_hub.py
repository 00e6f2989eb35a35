"""Installs at the hub: between those who ask for them and a connector, which is played here, so that it can say what
no real one does (rows R11, R25, S4, B8). The boxes are told from anything else by their text, and looked for."""

import hashlib
import json
import os

import pytest

from api import Events
from lab import net
from lab.fleet import Hub
from lab.machine import Machine
from lab.proof import AGENT, Tls, b64, raw
from lab.world import HUB, HUB_NAME
from openapi import administrator, key_for

PRINT = "SHA256:gFMkCKJvA0n1m6p3Wd5sQ0xqj4b9y8c7z6e5d4f3a2s"
BOX = b64(os.urandom(90)) + "PLANTED"
HOSTS = "10.9.0.1\nops@10.9.0.2:2222\n"


@pytest.fixture
def hub(lab):
    hub = Hub(lab, options=()).start()  # no heartbeats are due while the test runs
    lab.dns()
    return hub


@pytest.fixture
def admin(hub):
    return administrator(hub)


def connector(hub, admin, location="hall", promoted=True):
    machine = Machine(hub).hello()
    machine.id = machine.enrol(hub.token(), inventory={"name": "connector", "location": location})["result"]["server_id"]
    assert "result" in machine.ask("jobs.held", runs=[])
    if promoted:
        assert admin("POST", f"/v1/servers/{machine.id}/promote").status == 200
    return machine


def begin(admin, *machines, hosts=HOSTS, action="install"):
    made = admin("POST", "/v1/installs", {"location": "hall", "hosts": hosts, "action": action,
                                          "credentials": {each.id: BOX for each in machines}})
    assert made.status == 201, made
    return made.json["id"]


def targets(client, install, state=None):
    rows = client("GET", f"/v1/installs/{install}/targets" + (f"?state={state}" if state else "")).json["targets"]
    return {row["host"]: row for row in rows}


def say(machine, install, row, **event):
    key = {"type": "ssh-ed25519", "fingerprint": PRINT, "state": "new"}
    return machine.ask("install.event", install=install, target=row["id"], event={"host_key": key, **event})


def test_from_hosts_to_online(hub, admin):
    """The connector gets the box and the targets, a person confirms, each target gets a token of its own; online is what
    the hub has seen. Those who watch are told; what the machine says of its location does not count (R11, S4)."""
    machine = connector(hub, admin)
    events = Events(hub)
    install = begin(admin, machine)
    start = machine.wait_asked("install.start")
    asked = start["params"]
    assert asked["credentials"] == BOX and asked["install"] == install
    assert [(row["host"], row["port"], row["user"]) for row in asked["targets"]] == \
        [("10.9.0.1", 22, ""), ("10.9.0.2", 2222, "ops")]
    machine.answer(start)
    rows = targets(admin, install)
    for row in rows.values():
        assert "result" in say(machine, install, row, state="ready", stage="host-key")
    assert admin("GET", f"/v1/installs/{install}").json["state"] == "waiting"
    assert events.next("installs", lambda data: data["install"]["state"] == "waiting")["targets"]
    first = rows["10.9.0.1"]["id"]
    url = f"/v1/installs/{install}/start"
    assert admin("POST", url, {}).status == 409, "a key that nobody has seen"
    assert admin("POST", url, {"host_keys": {first: "SHA256:other"}}).status == 409
    assert admin("POST", url, {"host_keys": {first: PRINT}, "targets": [first, "999"]}).status == 409
    assert admin("POST", url, {"host_keys": {first: PRINT}, "targets": [first]}).status == 202
    (going,) = machine.wait_asked("install.go")["params"]["targets"]
    assert (going["id"], going["host_key"]) == (first, PRINT)
    # Tokens of targets are nobody's to list.
    assert "install on" not in admin("GET", "/v1/tokens").text

    assert "result" in say(machine, install, rows["10.9.0.1"], state="working", stage="copy", sent=1, total=9)
    new = Machine(hub).hello()
    welcome = new.enrol(going["token"], inventory={"name": "web", "location": "elsewhere"})
    new.id = welcome["result"]["server_id"]
    assert "result" in say(machine, install, rows["10.9.0.1"], state="joined", stage="setup", server=new.id)
    assert targets(admin, install)["10.9.0.1"]["state"] == "joined", "enrolled, but no agent at work"
    assert "result" in new.ask("jobs.held", runs=[])
    row = net.wait_until(lambda: targets(admin, install, "online").get("10.9.0.1"), 10, "the hub's own word")
    assert row["server"] == new.id and row["outcome"] is None
    assert {each["name"]: each["location"] for each in hub.servers()} == {"connector": "hall", "web": "hall"}
    again = Machine(hub).hello()
    assert "error" in again.enrol(going["token"]), "good for one machine"

    # What is left is cancelled; confirmed keys are pinned in his name, and can be forgotten.
    assert admin("POST", f"/v1/installs/{install}/cancel").status == 202
    assert machine.wait_asked("install.end")["params"]["install"] == install
    assert admin("GET", f"/v1/installs/{install}").json["state"] == "cancelled"
    assert admin("POST", f"/v1/installs/{install}/cancel").status == 409
    (pinned,) = admin("GET", "/v1/locations/hall/host-keys").json["host_keys"]
    assert (pinned["host"], pinned["fingerprint"], pinned["confirmed_by"]) == ("10.9.0.1", PRINT, "admin")
    retried = admin("POST", f"/v1/installs/{install}/retry", {"credentials": {machine.id: BOX}})
    assert retried.status == 201 and list(targets(admin, retried.json["id"])) == ["10.9.0.2"]
    assert admin("DELETE", f"/v1/locations/hall/host-keys/{pinned['id']}").status == 204
    assert admin("DELETE", f"/v1/locations/hall/host-keys/{pinned['id']}").status == 404


def test_what_is_missing(hub, admin):
    """A machine that was expected and did not come has its row, until it comes or nobody expects it (R25)."""
    machine = connector(hub, admin)
    install = begin(admin, machine, hosts="10.9.0.1\n10.9.0.2\n10.9.0.3")
    rows = targets(admin, install)
    for row in rows.values():
        say(machine, install, row, state="failed", stage="authenticate", outcome="auth-failed")
    missing = admin("GET", "/v1/targets?limit=2").json
    assert len(missing["targets"]) == 2 and missing["next_cursor"]
    found = missing["targets"] + admin("GET", f"/v1/targets?cursor={missing['next_cursor']}").json["targets"]
    assert {row["host"] for row in found} == set(rows)
    assert all(row["sentence"] and row["remedy"] and row["stage"] == "authenticate" for row in found)
    assert admin("DELETE", f"/v1/targets/{rows['10.9.0.1']['id']}").status == 204
    Machine(hub).hello().enrol(hub.token(), inventory={
        "name": "by hand", "location": "hall", "interfaces": [{"name": "e", "up": True, "ipv4": "10.9.0.2/24"}]})
    assert [row["host"] for row in admin("GET", "/v1/targets?location=hall").json["targets"]] == ["10.9.0.3"]
    assert key_for(admin, "read", location="other")("GET", "/v1/targets").json["targets"] == []


def test_hostile_machines(hub, admin):
    """Who is no connector, or one of another location, can say nothing of an install; a connector nothing of what it was
    not given, nor `online`. Each mistake ends its own session, and what is not well is bounded."""
    machine = connector(hub, admin)
    stranger, other = connector(hub, admin, promoted=False), connector(hub, admin, "far")
    install = begin(admin, machine)
    row = targets(admin, install)["10.9.0.1"]
    for bad in (stranger, other):
        assert say(bad, install, row, state="failed")["error"]["code"] == -32600
        assert bad.end() == 1008
    for changes in ({"state": "online"}, {"state": "failed", "sentence": "x" * 9000}, {"state": ["failed"]}):
        bad = connector(hub, admin)
        own = begin(admin, bad)
        assert say(bad, own, targets(admin, own)["10.9.0.1"], **changes)["error"]["code"] == -32600
        assert bad.end() == 1008
    assert machine.ask("install.event", install="0" * 32, target="1", event={"state": "failed"})["error"]["code"] == 1402
    assert targets(admin, install)["10.9.0.1"]["state"] == "waiting"
    # Neither can anybody be asked to work where he is no connector, nor is a list without bounds taken.
    wish = {"location": "hall", "hosts": HOSTS, "credentials": {other.id: BOX}}
    assert admin("POST", "/v1/installs", wish).status == 422
    for hosts in ("", "10.0.0.0/8", "x " * 40000, "a b\tc:99999"):
        assert admin("POST", "/v1/installs", {**wish, "hosts": hosts, "credentials": {machine.id: BOX}}).status == 422


def test_takes_over_and_survives_kill(hub, admin):
    """The work goes on at another connector when one is demoted; a hub that is killed in the middle has no credentials
    any more and says so. The boxes were nowhere but in its memory: not in the database, the log, the audit (B8)."""
    one, two = connector(hub, admin), connector(hub, admin)
    install = begin(admin, one, two)
    first = admin("GET", f"/v1/installs/{install}").json["connector"]
    worker, spare = (one, two) if first == one.id else (two, one)
    worker.wait_asked("install.start")
    say(worker, install, targets(admin, install)["10.9.0.1"], state="looking", stage="connect")
    assert admin("POST", f"/v1/servers/{worker.id}/demote").status == 200
    assert spare.wait_asked("install.start")["params"]["install"] == install
    assert admin("GET", f"/v1/installs/{install}").json["connector"] == spare.id
    assert say(worker, install, targets(admin, install)["10.9.0.1"], state="failed")["error"]["code"] == 1402
    assert worker.wait_asked("install.end")["params"]["install"] == install
    say(spare, install, targets(admin, install)["10.9.0.2"], state="looking", stage="ssh")
    trail = admin("GET", "/v1/audit?limit=500").text
    hub.kill()
    places = [path for path in hub.root.rglob("*") if path.is_file()]
    assert hub.database in places
    assert [str(path) for path in places if b"PLANTED" in path.read_bytes()] == []
    assert "PLANTED" not in trail + hub.process.output()
    hub.start()
    rows = targets(admin, install)
    assert {(row["state"], row["outcome"]) for row in rows.values()} == {("failed", "credentials-gone")}
    assert admin("GET", f"/v1/installs/{install}").json["state"] == "done"


class Command:
    """`sallyport install` as it speaks to the hub, without an engine: over one connection, with its proof."""

    def __init__(self, machine):
        self.tls, nonce = Tls.connect(HUB), os.urandom(32)
        answer = self.send("GET", f"/.well-known/sallyport?nonce={b64(nonce)}")[2]
        document = json.loads(answer)
        hub_nonce = raw(document["proof"]["nonce"])
        identity = machine.identity
        signature = identity.sign(AGENT, nonce + hub_nonce + identity.key + raw(document["identity"]["key"]) +
                                  self.tls.binding())
        self.proof = ".".join(map(b64, (identity.key, nonce, hub_nonce, signature)))

    def send(self, method, path, body=b"", **headers):
        import http.client

        head = {"Host": HUB_NAME, "Content-Length": str(len(body)), "X-Sallyport": "1", **headers}
        self.tls.write(f"{method} {path} HTTP/1.1\r\n".encode() +
                       "".join(f"{name}: {value}\r\n" for name, value in head.items()).encode() + b"\r\n" + body)
        response = http.client.HTTPResponse(self.tls, method=method)
        response.begin()
        return response.status, response.headers, response.read()

    def post(self, path, body):
        status, _, answer = self.send("POST", f"/v1/connector/installs{path}", json.dumps(body).encode(),
                                      **{"Sallyport-Proof": self.proof, "Content-Type": "application/json"})
        return status, json.loads(answer)


def test_by_command(hub, admin):
    """An install of a connector's own command: the hub keeps it, gives tokens, and never any host key but what was
    confirmed; other machines are kept out, and the console cannot start it (R11)."""
    machine, stranger = connector(hub, admin), connector(hub, admin, promoted=False)

    def attempt():
        command, nobody = Command(machine), Command(stranger)
        wish = {"id": "ab" * 16, "action": "install", "hosts": HOSTS, "parallel": 4}
        assert nobody.post("", wish)[0] == 403
        assert command.post("", {**wish, "hosts": "10.0.0.0/8"})[0] == 422
        status, plan = command.post("", wish)
        assert status == 201 and plan["id"] == wish["id"] and plan["location"] == "hall", plan
        assert plan["hub"]["addressing"] == "any" and plan["hub"]["url"] == f"https://{HUB_NAME}:443"
        assert command.post("", wish) == (200, plan), "said again"
        one, two = (row["id"] for row in plan["targets"])
        assert command.post(f"/{plan['id']}/go", {"targets": [one]})[0] == 409, "nobody looked at it"
        event = {"state": "ready", "stage": "host-key", "host_key": {"type": "x", "fingerprint": PRINT}}
        status, answer = command.post(f"/{plan['id']}/events", {"events": [{"target": one, "event": event}]})
        assert (status, {row["id"]: row["state"] for row in answer["targets"]}) == (200, {one: "ready", two: "waiting"})
        assert nobody.post(f"/{plan['id']}/events", {"events": []})[0] == 403
        assert command.post(f"/{'0' * 32}/events", {"events": []})[0] == 404
        assert command.post(f"/{plan['id']}/events", {"events": [{"target": "999", "event": event}]})[0] == 422
        status, answer = command.post(f"/{plan['id']}/go", {"targets": [one]})
        assert status == 200 and answer["targets"][0]["token"]
        assert command.post(f"/{plan['id']}/events", {"events": [], "over": True})[0] == 200
        return plan["id"]

    install = hub.namespace.inside(attempt)
    assert {row["outcome"] for row in targets(admin, install).values()} == {"connector-lost"}
    assert admin("POST", f"/v1/installs/{install}/start", {}).status == 409
    assert admin("GET", "/v1/installs?state=live").json["installs"] == []


def test_portable_file(hub, lab):
    """Whole, in part, unchanged, replaced (R11)."""
    folder = hub.root / "usr/share/sallyport/portable"
    assert not folder.exists() and hub.download("/v1/portable/x86_64")[0] == 404
    hub.stop()
    folder.mkdir(parents=True)
    data = os.urandom(300000)
    (folder / "sallyport-x86_64").write_bytes(data)
    hub.start()

    def ask(**headers):
        from api import connect

        connection = connect()
        connection.request("GET", "/v1/portable/x86_64",
                           headers={"Host": HUB_NAME, **{key.replace("_", "-"): value for key, value in headers.items()}})
        response = connection.getresponse()
        return response.status, dict(response.getheaders()), response.read()

    def fetched(**headers):
        return hub.namespace.inside(lambda: ask(**headers))

    status, headers, content = net.wait_until(lambda: (lambda got: got if got[0] == 200 else None)(fetched()), 10,
                                              "the hash of the file")
    assert content == data and hashlib.sha256(data).hexdigest().startswith(headers["etag"].strip('"'))
    assert fetched(If_None_Match=headers["etag"])[0] == 304
    for text, part in (("bytes=10-19", data[10:20]), ("bytes=299990-", data[-10:]), ("bytes=-5", data[-5:]),
                       ("bytes=0-999999", data)):
        status, headers, content = fetched(Range=text)
        assert (status, content) == (206, part), text
        at = data.index(part)
        assert headers["content-range"] == f"bytes {at}-{at + len(part) - 1}/300000"
    assert fetched(Range="bytes=300000-")[0] == 416
    for text in ("bytes=x", "bytes=5-1", "lines=1-2", "bytes=0-1,3-4", "bytes=", "bytes=-"):
        assert fetched(Range=text)[0] == 200, text
    assert hub.download("/v1/portable/sparc")[0] == 404
