"""The API under roles, keys and locations (S10, S11): every answer is held against the OpenAPI document."""

import json
import re

import pytest

import openapi
from api import Events
from lab import net
from lab.fleet import PASSWORD, Agent, Hub
from lab.machine import Machine
from openapi import Client, administrator, key_for, signed_in

OTHER = "another long password"


@pytest.fixture
def hub(lab):
    hub = Hub(lab).start()
    lab.dns()
    return hub


@pytest.fixture
def admin(hub):
    return administrator(hub)


def stored(hub):
    """All bytes of the database, those that still stand in its journal included."""
    return b"".join(net.content(file) for file in hub.database.parent.glob("hub.db*"))


def user(admin, name, role):
    made = admin("POST", "/v1/users", {"name": name, "password": OTHER, "role": role})
    assert made.status == 201, made
    return signed_in(admin.hub, name, OTHER)


def audit(admin, **query):
    """(action, target) of the entries that fit, the oldest first."""
    arguments = "&".join(f"{name}={value}" for name, value in query.items())
    entries = admin("GET", f"/v1/audit?limit=500&{arguments}").json["entries"]
    return [(entry["action"], entry["target"]) for entry in reversed(entries)]


# --- the document ------------------------------------------------------------------------------

def test_document_is_served(hub):
    stranger = Client(hub)
    answer = stranger("GET", "/v1/openapi.json")
    assert answer.json == openapi.document()
    again = stranger("GET", "/v1/openapi.json", If_None_Match=answer.headers["etag"])
    assert (again.status, again.text) == (304, "")


def test_what_everybody_may_ask(hub, admin):
    """The answers of every operation that needs no sign-in and no machine fit the document."""
    stranger = Client(hub)
    for path in ("/.well-known/sallyport", "/.well-known/sallyport/sallyport-hub.yaml", "/v1/session", "/healthz",
                 "/readyz", "/metrics", "/v1/setup"):
        assert stranger("GET", path).status in (200, 426), path
    assert stranger("POST", "/v1/setup", {}, X_Sallyport="1").status == 422
    assert stranger("POST", "/v1/login", {"name": "a", "password": "b"}, X_Sallyport="1").status == 401


# --- users and roles ---------------------------------------------------------------------------

def test_users_come_and_go(hub, admin):
    operator = user(admin, "olga", "operator")
    rows = {row["name"]: row for row in admin("GET", "/v1/users").json["users"]}
    assert rows["olga"]["role"] == "operator" and rows["olga"]["last_login_at"]
    me = operator("GET", "/v1/me").json
    assert (me["name"], me["kind"], me["role"]) == ("olga", "user", "operator")
    assert me["permissions"] == ["read", "operate", "enrol"]
    assert operator("GET", "/v1/users").status == 403
    assert admin("POST", "/v1/users", {"name": "OLGA", "password": OTHER, "role": "operator"}).status == 409
    # A role counts from the next request on.
    assert admin("PATCH", "/v1/users/olga", {"role": "administrator"}).json["role"] == "administrator"
    assert operator("GET", "/v1/users").status == 200
    assert admin("PATCH", "/v1/users/olga", {"role": "architect"}).status == 200
    assert operator("GET", "/v1/users").status == 403
    # A new password ends her sign-ins.
    assert admin("PATCH", "/v1/users/olga", {"password": OTHER + "2"}).status == 200
    assert operator("GET", "/v1/me").status == 401
    operator = signed_in(hub, "olga", OTHER + "2")
    assert admin("DELETE", "/v1/users/olga").status == 204
    assert operator("GET", "/v1/me").status == 401
    assert admin("DELETE", "/v1/users/olga").status == 404
    assert audit(admin, target="olga") == [
        ("user.add", "olga"), ("login", "olga"), ("user.change", "olga"), ("user.change", "olga"),
        ("user.change", "olga"), ("login", "olga"), ("user.remove", "olga")]


def test_the_last_administrator_stays(hub, admin):
    for method, body in (("PATCH", {"role": "operator"}), ("DELETE", None)):
        answer = admin(method, "/v1/users/admin", body)
        assert (answer.status, answer.kind) == (409, "last-administrator")
    with pytest.raises(net.LabError, match="last administrator"):
        hub.command("user", "remove", "admin")
    user(admin, "second", "administrator")
    assert admin("PATCH", "/v1/users/admin", {"role": "operator"}).status == 200
    assert admin("GET", "/v1/users").status == 403


def test_nobody_gives_what_he_does_not_have(hub, admin):
    """A key that manages users makes no administrator, nor takes one over."""
    clerk = key_for(admin, "read", "operate", "enrol", "users", "keys")
    assert clerk("POST", "/v1/users", {"name": "a", "password": OTHER, "role": "operator"}).status == 201
    for role in ("administrator", "architect"):
        answer = clerk("POST", "/v1/users", {"name": "b", "password": OTHER, "role": role})
        assert (answer.status, answer.kind) == (403, "not-permitted")
    assert clerk("PATCH", "/v1/users/admin", {"password": OTHER}).status == 403
    assert clerk("DELETE", "/v1/users/admin").status == 403
    assert clerk("PATCH", "/v1/users/a", {"role": "administrator"}).status == 403
    answer = clerk("POST", "/v1/keys", {"name": "c", "permissions": ["read", "audit"], "expires_in_s": 60})
    assert (answer.status, answer.kind) == (403, "not-permitted")


def test_my_own_password(hub, admin):
    elsewhere = signed_in(hub, "admin", PASSWORD)
    assert admin("POST", "/v1/me/password", {"old": "wrong wrong wrong", "new": OTHER}).status == 403
    assert admin("POST", "/v1/me/password", {"old": PASSWORD, "new": "short"}).status == 422
    answer = admin("POST", "/v1/me/password", {"old": PASSWORD, "new": OTHER})
    assert answer.status == 204
    assert elsewhere("GET", "/v1/me").status == 401 and admin("GET", "/v1/me").status == 401
    admin = Client(hub, cookie=answer.headers["set-cookie"].split(";")[0])
    assert admin("GET", "/v1/me").status == 200
    assert signed_in(hub, "admin", OTHER)("GET", "/v1/me").status == 200
    key = key_for(admin, "read")
    assert key("POST", "/v1/me/password", {"old": OTHER, "new": PASSWORD}).status == 403
    assert ("user.password", "admin") in audit(admin)


# --- keys --------------------------------------------------------------------------------------

def test_key_does_what_it_was_given(hub, admin):
    key = key_for(admin, "read", "enrol")
    assert key("GET", "/v1/servers").status == 200
    assert key("GET", "/v1/me").json["name"] == "key:program"
    made = key("POST", "/v1/tokens", {})  # neither cookie nor X-Sallyport
    assert made.status == 201
    refused = key("GET", "/v1/audit")
    assert (refused.status, refused.kind) == (403, "not-permitted")
    assert '"audit"' in refused.json["detail"]
    assert [row["created_by"] for row in key("GET", "/v1/tokens").json["tokens"]] == ["key:program"]
    row, = admin("GET", "/v1/keys").json["keys"]
    assert (row["state"], row["permissions"]) == ("valid", ["read", "enrol"]) and row["last_used_at"]
    assert key.key.encode() not in stored(hub), "a copy of the database lets nobody in"
    # With a key the cookie counts for nothing, and a key that is none is not overlooked.
    for bad in ("spk_" + "A" * 43, key.key + "x", "x", "", "spk_" + "é" * 43):
        both = Client(hub, cookie=admin.cookie)
        answer = both("GET", "/v1/me", Authorization=f"Bearer {bad}".encode())
        assert answer.status == 401 and answer.kind == "not-signed-in", (bad, answer)
    assert Client(hub)("GET", "/v1/me", Authorization="Basic eDp5").status == 401
    events = Events(hub, key=key.key)
    assert admin("DELETE", f"/v1/keys/{row['id']}").status == 204
    assert key("GET", "/v1/servers").status == 401
    Machine(hub).joined(hub.token())
    assert "event: server" not in events.rest(), "who is let in no more hears no more"
    assert admin("GET", "/v1/keys").json["keys"][0]["state"] == "revoked"
    assert ("key.refused", row["id"]) in audit(admin)


def test_keys_that_are_refused(hub, admin):
    for change, pointer in [
        ({"name": ""}, "/name"), ({"name": "a/b"}, "/name"), ({"name": None}, "/name"),
        ({"permissions": []}, "/permissions"), ({"permissions": "read"}, "/permissions"),
        ({"permissions": ["read", "write"]}, "/permissions/1"), ({"permissions": [1]}, "/permissions/0"),
        ({"permissions": ["audit"], "location": "x"}, "/permissions"), ({"location": ""}, "/location"),
        ({"location": "x" * 65}, "/location"), ({"expires_in_s": None}, "/expires_in_s"),
        ({"expires_in_s": 59}, "/expires_in_s"), ({"expires_in_s": 63072001}, "/expires_in_s"),
        ({"expires_in_s": 1.5}, "/expires_in_s"),
    ]:
        answer = admin("POST", "/v1/keys", {"name": "k", "permissions": ["read"], "expires_in_s": 60, **change})
        assert answer.status == 422, (change, answer)
        assert [error["pointer"] for error in answer.json["errors"]] == [pointer], change


def test_key_ends_with_its_maker_its_parent_and_its_time(hub, admin):
    second = user(admin, "second", "administrator")
    parent = key_for(second, "read", "keys", "audit")
    child = key_for(parent, "read", "audit")
    assert child("GET", "/v1/audit").status == 200
    # No more than its maker may do now.
    assert admin("PATCH", "/v1/users/second", {"role": "operator"}).status == 200
    assert child("GET", "/v1/servers").status == 200
    assert child("GET", "/v1/audit").status == 403
    assert admin("PATCH", "/v1/users/second", {"role": "administrator"}).status == 200
    assert child("GET", "/v1/audit").status == 200
    # Revoking takes those that were made with it.
    ids = {row["created_by"]: row["id"] for row in admin("GET", "/v1/keys").json["keys"]}
    assert admin("DELETE", f"/v1/keys/{ids['second']}").status == 204
    assert parent("GET", "/v1/me").status == 401 and child("GET", "/v1/me").status == 401
    third = key_for(second, "read")
    assert admin("DELETE", "/v1/users/second").status == 204
    assert third("GET", "/v1/me").status == 401
    late = key_for(admin, "read")
    hub.sql("UPDATE keys SET expires = 5 WHERE maker = 'admin'")
    assert late("GET", "/v1/me").status == 401


def test_keys_from_the_command_line(hub, admin):
    text = hub.command("key", "new", "--name", "nightly", "--permissions", "read,audit").strip()
    key = Client(hub, key=text)
    assert key("GET", "/v1/audit").status == 200 and key("GET", "/v1/users").status == 403
    listed = hub.command("key", "list")
    assert "nightly" in listed and text not in listed
    row, = admin("GET", "/v1/keys").json["keys"]
    hub.command("key", "revoke", row["id"])
    assert key("GET", "/v1/audit").status == 401
    for argv, words in ((("--name", ""), "--name"), (("--name", "x", "--permissions", "write"), "--permissions"),
                        (("--name", "x", "--expires-in", "1s"), "--expires-in"),
                        (("--name", "x", "--permissions", "users", "--location", "y"), "--permissions")):
        with pytest.raises(net.LabError, match=words):
            hub.command("key", "new", *argv)
    hub.command("user", "add", "bob", "--role", "operator", input=OTHER + "\n")
    hub.command("user", "role", "bob", "architect")
    hub.command("user", "password", "bob", input=OTHER + "2\n")
    assert signed_in(hub, "bob", OTHER + "2")("GET", "/v1/me").json["role"] == "architect"
    with pytest.raises(net.LabError, match="--role"):
        hub.command("user", "add", "eve", "--role", "king", input=OTHER + "\n")
    done = [action for action, _ in audit(admin, actor=row["created_by"])]
    assert done == ["key.add", "key.revoke", "user.add", "user.change", "user.change"]


# --- the audit trail ---------------------------------------------------------------------------

def test_audit_tells_who_did_what_and_no_secret(hub, admin):
    assert Client(hub)("POST", "/v1/login", {"name": "admin", "password": "wrong wrong wrong"},
                       X_Sallyport="1").status == 401
    assert Client(hub)("POST", "/v1/login", {"name": "pass phrase as a name", "password": "wrong wrong wrong"},
                       X_Sallyport="1").status == 401
    key = key_for(admin, "enrol")
    token = key("POST", "/v1/tokens", {"label": "web"}).json
    assert key("DELETE", f"/v1/tokens/{token['id']}").status == 204
    assert admin("POST", "/v1/logout", "").status == 204
    admin = signed_in(hub, "admin", PASSWORD)
    entries = list(reversed(admin("GET", "/v1/audit").json["entries"]))
    assert [entry["action"] for entry in entries] == [
        "setup", "login.failed", "login.failed", "key.add", "token.add", "token.revoke", "logout", "login"]
    assert [entry["actor"] for entry in entries] == ["admin", "", "", "admin", "key:program", "key:program",
                                                     "admin", "admin"]
    assert [entry["target"] for entry in entries[:3]] == ["admin", "admin", ""]
    assert entries[4]["actor_kind"] == "key" and entries[4]["detail"] == "web"
    assert {bool(re.fullmatch(r"[0-9.]+", entry["peer"])) for entry in entries} == {True}
    everything = json.dumps(entries) + hub.process.output()
    for secret in (PASSWORD, "wrong wrong", "pass phrase", key.key, token["token"], admin.cookie.split("=")[1]):
        assert secret not in everything
    assert "wrong wrong" not in stored(hub).decode(errors="replace")
    # Pages, and filters.
    paged, cursor = [], ""
    while cursor is not None:
        page = admin("GET", f"/v1/audit?limit=3&cursor={cursor}").json
        paged += page["entries"]
        cursor = page["next_cursor"]
    assert paged == list(reversed(entries))
    assert len(admin("GET", "/v1/audit?actor=key:program&action=token.add").json["entries"]) == 1
    for bad in ("limit=0", "limit=501", "limit=x", "cursor=x", "cursor=-1"):
        answer = admin("GET", f"/v1/audit?{bad}")
        assert answer.status == 422 and answer.json["errors"][0]["parameter"] == bad.split("=")[0]


# --- the same request twice --------------------------------------------------------------------

def test_idempotency_key(hub, admin):
    key = key_for(admin, "enrol")
    first = key("POST", "/v1/tokens", {"label": "a"}, Idempotency_Key="one")
    again = key("POST", "/v1/tokens", {"label": "a"}, Idempotency_Key="one")
    assert first.status == again.status == 201 and first.json == again.json
    assert again.headers["idempotent-replay"] == "true" and "idempotent-replay" not in first.headers
    assert first.json["token"].encode() not in stored(hub), "answers are sealed"
    other = key("POST", "/v1/tokens", {"label": "b"}, Idempotency_Key="one")
    assert (other.status, other.kind) == (422, "idempotency-mismatch")
    # Another key, another caller: another request.
    assert key("POST", "/v1/tokens", {"label": "a"}, Idempotency_Key="two").json != first.json
    assert admin("POST", "/v1/tokens", {"label": "a"}, Idempotency_Key="one").json != first.json
    assert len(admin("GET", "/v1/tokens").json["tokens"]) == 3
    # What failed may come again.
    assert key("POST", "/v1/tokens", {"uses": 0}, Idempotency_Key="three").status == 422
    assert key("POST", "/v1/tokens", {"uses": 1}, Idempotency_Key="three").status == 201
    for bad in ("a b", "x" * 129, "x" * 3000, "é"):
        answer = key("POST", "/v1/tokens", {}, Idempotency_Key=bad.encode())
        assert answer.status == 422 and answer.json["errors"][0]["parameter"] == "Idempotency-Key", bad
    # An answer that took its time, and a restart in between.
    body = {"name": "bob", "password": OTHER, "role": "operator"}
    made = admin("POST", "/v1/users", body, Idempotency_Key="four")
    hub.stop()
    hub.start()
    repeated = admin("POST", "/v1/users", body, Idempotency_Key="four")
    assert repeated.status == 201 and repeated.json == made.json
    assert OTHER.encode() not in stored(hub)
    # A crash after the request had begun: nobody knows, so nothing is done twice.
    hub.sql("UPDATE replays SET status = 0, answer = NULL")
    unknown = admin("POST", "/v1/users", body, Idempotency_Key="four")
    assert (unknown.status, unknown.kind) == (409, "idempotency-unknown")
    hub.sql("UPDATE replays SET created = created - 86400")
    assert admin("POST", "/v1/users", body, Idempotency_Key="four").status == 409, "there is a bob"


# --- locations ---------------------------------------------------------------------------------

def test_key_of_one_location_sees_nothing_else(lab, hub, admin):
    agents = {place: Agent(lab, name).joined(hub.token(), "--location", place).start()
              for name, place in (("agent", "hall 1"), ("second", "hall 2"))}
    rows = {row["location"]: row for row in hub.wait_online(2)}
    mine, other = rows["hall 1"], rows["hall 2"]
    key = key_for(admin, "read", "operate", "enrol", "remove", location="HALL 1")
    listed = key("GET", "/v1/servers").json
    assert [row["id"] for row in listed["servers"]] == [mine["id"]]
    assert listed["total"] == 1 and listed["counts"] == {"all": 1, "online": 1, "offline": 0}
    assert key("GET", "/v1/servers?location=hall%202").json["servers"] == []
    assert admin("GET", "/v1/servers?location=hall%202").json["servers"][0]["id"] == other["id"]
    place, = key("GET", "/v1/locations").json["locations"]
    assert (place["name"], place["servers"]) == ("hall 1", 1)
    assert len(admin("GET", "/v1/locations").json["locations"]) == 2
    for path in ("", "/checks", "/checks/0", "/activity"):
        there, gone = key("GET", f"/v1/servers/{other['id']}{path}"), key("GET", f"/v1/servers/none{path}")
        assert (there.status, there.text) == (gone.status, gone.text) == (404, gone.text), path
    assert key("GET", f"/v1/servers/{mine['id']}").json["location"] == "hall 1"
    assert key("POST", f"/v1/servers/{other['id']}/checks", {}).status == 404
    assert key("DELETE", f"/v1/servers/{other['id']}").status == 404
    asked = key("POST", f"/v1/servers/{mine['id']}/checks", {})
    assert asked.status == 202 and asked.json["requested_by"] == "key:program"
    # Tokens: those of the location.
    admin("POST", "/v1/tokens", {"label": "hub"})
    own = key("POST", "/v1/tokens", {"label": "mine"}).json
    assert [row["label"] for row in key("GET", "/v1/tokens").json["tokens"]] == ["mine"]
    theirs = next(row for row in admin("GET", "/v1/tokens").json["tokens"] if row["label"] == "hub")
    assert key("DELETE", f"/v1/tokens/{theirs['id']}").status == 404
    assert key("DELETE", f"/v1/tokens/{own['id']}").status == 204
    # Events: those of its servers. The other one's comes first, so that it would have been seen.
    events = Events(hub, key=key.key)
    agents["hall 2"].process.kill()
    net.wait_until(lambda: len(admin("GET", "/v1/servers?status=offline").json["servers"]) == 1, 10,
                   "the hub to see that one is gone")
    agents["hall 1"].process.kill()
    assert events.next("server")["id"] == mine["id"]
    assert audit(admin, action="server.join", target=mine["id"]) == [("server.join", mine["id"])]
    # What concerns the whole hub.
    answer = key("POST", "/v1/me/password", {"old": "x", "new": OTHER})
    assert (answer.status, answer.kind) == (403, "limited-to-location")
    assert key("DELETE", f"/v1/servers/{mine['id']}").status == 204
    assert [row["id"] for row in hub.servers()] == [other["id"]]
    for agent in agents.values():
        agent.process.stop()
