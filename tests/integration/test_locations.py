"""Resource locations over the API: made, listed, renamed, deleted; servers put there; connectors; what a location
demands of its machines (rows R2, S4, S5)."""

import pytest

from api import Events
from lab import net
from lab.fleet import Hub
from lab.machine import Machine
from openapi import administrator, key_for

STATIC, DYNAMIC = ({"name": "eth0", "up": True, "ipv4": f"10.0.0.{last}/24", "origin": origin}
                   for last, origin in ((5, "static"), (6, "dhcp")))


@pytest.fixture
def hub(lab):
    hub = Hub(lab, options=()).start()  # no heartbeats are due while the test runs
    lab.dns()
    return hub


@pytest.fixture
def admin(hub):
    return administrator(hub)


def played(hub, name, location="", interface=DYNAMIC):
    """A machine that says where it is."""
    machine = Machine(hub).hello()
    inventory = {"name": name, "location": location, "interfaces": [interface]}
    machine.id = machine.enrol(hub.token(), inventory=inventory)["result"]["server_id"]
    assert "result" in machine.ask("jobs.held", runs=[])
    machine.said = inventory
    return machine


def locations(client):
    return {row["name"]: row for row in client("GET", "/v1/locations").json["locations"]}


def test_names(hub, admin):
    """A location is there once it was made or a machine says it; its name is one whatever the letters' case."""
    made = admin("POST", "/v1/locations", {"name": "Hall 1", "addressing": "dhcp"})
    assert made.status == 201 and made.json["addressing"] == "dhcp" and made.json["servers"] == 0
    assert admin("POST", "/v1/locations", {"name": "HALL 1"}).status == 409
    for bad in ("a/b", " x", "x" * 65, "\u0007"):
        assert admin("POST", "/v1/locations", {"name": bad}).status == 422
    played(hub, "one", "Hall 2")
    played(hub, "two", "hall 1")
    found = locations(admin)
    assert {name: row["servers"] for name, row in found.items()} == {"Hall 1": 1, "Hall 2": 1}
    assert admin("DELETE", "/v1/locations/Hall%202").status == 409
    assert admin("POST", "/v1/locations", {"name": "Hall 3"}).status == 201
    assert admin("DELETE", "/v1/locations/hall%203").status == 204
    assert admin("GET", "/v1/locations/hall%203").status == 404
    assert set(locations(admin)) == {"Hall 1", "Hall 2"}


def test_a_new_name_is_everywhere(hub, admin):
    """Servers, keys, tokens and searches follow it, and a machine that says the old name does not bring it back."""
    machine = played(hub, "one", "old")
    key = key_for(admin, "read", "enrol", location="old")
    assert key("POST", "/v1/tokens", {}).status == 201
    events = Events(hub)
    assert admin("PATCH", "/v1/locations/old", {"name": "new"}).json["name"] == "new"
    events.next("locations")
    assert list(locations(admin)) == ["new"] and list(locations(key)) == ["new"]
    assert [row["name"] for row in key("GET", "/v1/servers?q=new").json["servers"]] == ["one"]
    assert [row["location"] for row in key("GET", "/v1/tokens").json["tokens"]] == ["new"]
    machine.tell("inventory", inventory={**machine.said, "name": "renamed"})
    net.wait_until(lambda: [row["name"] for row in hub.servers()] == ["renamed"], 10, "the inventory")
    assert [row["location"] for row in hub.servers()] == ["new"] and list(locations(admin)) == ["new"]
    other = admin("POST", "/v1/locations", {"name": "other"})
    assert other.status == 201 and admin("PATCH", "/v1/locations/new", {"name": "OTHER"}).status == 409
    assert admin("PATCH", "/v1/locations/new", {"name": "NEW"}).json["servers"] == 1
    refused = admin("DELETE", "/v1/locations/new")
    assert refused.status == 409
    assert "1 server" in refused.json["detail"] and "1 API key" in refused.json["detail"]


def test_a_server_is_put_somewhere(hub, admin):
    """What a person says wins over what the machine says, until he takes it back."""
    machine = played(hub, "one", "there")
    url = f"/v1/servers/{machine.id}"
    assert admin("PATCH", url, {"location": "nowhere"}).status == 422
    assert admin("PATCH", url, {}).status == 422
    assert admin("POST", "/v1/locations", {"name": "here"}).status == 201
    assert admin("PATCH", url, {"location": "HERE"}).json["location"] == "here"
    machine.tell("inventory", inventory={**machine.said, "name": "again"})
    net.wait_until(lambda: [row["name"] for row in hub.servers()] == ["again"], 10, "the inventory")
    assert [row["location"] for row in hub.servers()] == ["here"]
    bound = key_for(admin, "read", "enrol", location="here")
    assert bound("PATCH", url, {"location": "there"}).status == 422
    assert bound("PATCH", url, {"location": None}).status == 422
    assert admin("PATCH", url, {"location": None}).json["location"] == "there"
    assert bound("PATCH", url, {"location": "here"}).status == 404


def test_connectors(hub, admin):
    """Promoted and demoted, two of one location (S4); such a machine cannot say that it is elsewhere."""
    one, two, nowhere = played(hub, "one", "hall"), played(hub, "two", "hall"), played(hub, "three")
    assert admin("POST", f"/v1/servers/{nowhere.id}/promote").status == 409
    assert admin("POST", "/v1/servers/0/promote").status == 404
    for machine in (one, two, one):
        assert admin("POST", f"/v1/servers/{machine.id}/promote").json["connector"] is True
    rows = locations(admin)["hall"]["connectors"]
    assert [(row["name"], row["online"]) for row in rows] == [("one", True), ("two", True)]
    assert len({row["key"] for row in rows}) == 2
    assert admin("GET", "/v1/servers?connector=true").json["total"] == 2
    one.tell("inventory", inventory={**one.said, "name": "moved", "location": "elsewhere"})
    net.wait_until(lambda: "moved" in [row["name"] for row in hub.servers()], 10, "the inventory")
    assert set(locations(admin)) == {"hall"}
    assert admin("PATCH", f"/v1/servers/{one.id}", {"location": "hall"}).status == 409
    assert admin("POST", f"/v1/servers/{one.id}/demote").json["connector"] is False
    two.close()
    net.wait_until(lambda: [row["online"] for row in locations(admin)["hall"]["connectors"]] == [False], 10,
                   "the end of a connector's session")
    assert admin("DELETE", f"/v1/servers/{two.id}").status == 204
    assert locations(admin)["hall"]["connectors"] == []
    trail = admin("GET", "/v1/audit").json["entries"]
    assert {"server.promote", "server.demote"} <= {row["action"] for row in trail}


def test_a_location_that_demands_dhcp(hub, admin):
    """Which of its machines have their address set by hand, bounded and with words (R2)."""
    played(hub, "fixed", "hall", STATIC)
    played(hub, "leased", "hall", DYNAMIC)
    assert locations(admin)["hall"]["breaking"] == 0
    assert {row["name"]: row["addressing"] for row in hub.servers()} == {"fixed": "static", "leased": "dhcp"}
    changed = admin("PATCH", "/v1/locations/hall", {"addressing": "dhcp"}).json
    assert changed["breaking"] == 1 and [row["name"] for row in changed["breaks"]] == ["fixed"]
    assert "10.0.0.5" in changed["breaks"][0]["sentence"]
    rows = admin("GET", "/v1/servers?location=hall&addressing=broken").json["servers"]
    assert [row["name"] for row in rows] == ["fixed"]
    assert admin("GET", "/v1/servers?addressing=odd").status == 422


def test_a_key_sees_its_own_location(hub, admin):
    mine, theirs = played(hub, "mine", "hall 1"), played(hub, "theirs", "hall 2")
    key = key_for(admin, "read", "enrol", location="hall 1")
    assert list(locations(key)) == ["hall 1"]
    assert key("POST", "/v1/locations", {"name": "more"}).kind == "limited-to-location"
    for method, path, body in (("GET", "", None), ("PATCH", "", {"addressing": "dhcp"}), ("DELETE", "", None),
                               ("GET", "/host-keys", None)):
        assert key(method, f"/v1/locations/hall%202{path}", body).status == 404
    assert key("POST", f"/v1/servers/{theirs.id}/promote").status == 404
    assert key("POST", f"/v1/servers/{mine.id}/promote").status == 200
