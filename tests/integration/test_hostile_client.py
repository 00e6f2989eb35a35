"""A hostile client of the API. The operations come from the OpenAPI document, so that none is forgotten (S10, S11)."""

import http.client
import json
import socket
import ssl

import pytest

import openapi
from lab import net
from lab.fleet import Agent, Hub
from lab.world import HUB, HUB_NAME
from openapi import Client, administrator, key_for, operations

WIDE = ("users", "keys", "audit")  # these concern the whole hub
NARROW = ("read", "operate", "enrol", "remove")


@pytest.fixture
def hub(lab):
    hub = Hub(lab).start()
    lab.dns()
    return hub


@pytest.fixture
def admin(hub):
    return administrator(hub)


def guarded():
    return [one for one in operations() if one.permission != "anyone"]


def collect(client, requests):
    """What is wrong, over all requests: (description, function that gives a sentence or None)."""
    def run():
        wrong = []
        for name, ask in requests:
            try:
                said = ask()
            except AssertionError as error:
                said = str(error)
            if said:
                wrong.append(f"{name}: {said}"[:600])
        return wrong

    wrong = client.many(run)
    assert not wrong, "\n".join(wrong)


def body_of(one):
    """A body that would do, where the operation wants one."""
    if not one.body_schema:
        return "" if one.method in ("POST", "PATCH") else None
    media = one.details["requestBody"]["content"]["application/json"]
    schema = openapi.resolved(one.body_schema)
    return media.get("example") or (schema.get("examples") or [{}])[0]


def must_be(client, one, status, kind=None, **operands):
    def ask():
        answer = client(one.method, one.url(**operands), body_of(one))
        if answer.status != status or (kind and answer.kind != kind):
            return f"{answer} instead of {status} {kind or ''}"
        return None

    return str(one), ask


# --- who is nobody, or may not -----------------------------------------------------------------

def test_strangers_get_nothing(hub, admin):
    revoked = key_for(admin, *NARROW, *WIDE)
    row = admin("GET", "/v1/keys").json["keys"][0]["id"]
    assert admin("DELETE", f"/v1/keys/{row}").status == 204
    for stranger in (Client(hub), Client(hub, key="spk_" + "A" * 43), Client(hub, key="' OR 1=1 --"), revoked,
                     Client(hub, cookie="__Host-sallyport=" + "A" * 43), Client(hub, cookie="x" * 3000)):
        collect(stranger, [must_be(stranger, one, 401, "not-signed-in") for one in guarded()])
    assert [user["name"] for user in admin("GET", "/v1/users").json["users"]] == ["admin"]
    assert len(admin("GET", "/v1/keys").json["keys"]) == 1


def test_another_page_cannot_use_the_cookie(hub, admin):
    """Every operation that changes something wants what only the console can send."""
    class Page(Client):
        def __call__(self, *request, **headers):
            return super().__call__(*request, Cookie=admin.cookie, Origin="https://evil.example", **headers)

    page = Page(hub)
    changing = [one for one in operations() if one.method != "GET" and "/uploads" not in one.path]
    assert len(changing) > 10
    collect(page, [must_be(page, one, 403, "forged") for one in changing])


def test_each_permission_is_needed(hub, admin):
    """Another role's key: one that has everything but what the operation needs."""
    for missing in (*NARROW, *WIDE):
        key = key_for(admin, *(name for name in (*NARROW, *WIDE) if name != missing))
        mine = [one for one in guarded() if one.permission == missing]
        assert mine, f"no operation needs {missing}"
        collect(key, [must_be(key, one, 403, "not-permitted") for one in mine])


def test_another_location_is_not_there(lab, hub, admin):
    for name, place in (("agent", "hall 1"), ("second", "hall 2")):
        Agent(lab, name).joined(hub.token(), "--location", place)
    ids = {row["location"]: row["id"] for row in hub.servers()}
    theirs = ids["hall 2"]
    marks = {"server": theirs}
    script = {"interpreter": "sh", "script": "exit 0", "title": "their job", "servers": [theirs]}
    marks["job"] = admin("POST", "/v1/jobs", script).json["id"]
    marks["token"] = admin("POST", "/v1/tokens", {}).json["id"]
    marks["bundle"] = "00112233445566778899aabbccddeeff"
    hub.sql("INSERT INTO bundles(id, server, state, reason, requested_by, requested, finished, size, hash, manifest)"
            " VALUES(?, ?, 3, 'it failed', '', 1, 1, 0, x'', '')", marks["bundle"], theirs)
    hub.sql("INSERT INTO checks(id, server, state, requested_by, profile, title, deep, requested, started, finished,"
            " repeats, verdict, causes, outcome, reason) VALUES('0011223344556677', ?, 2, '', '', '', 0, 1, 1, 1, 1,"
            " 'pass', '[]', '', '')", theirs)
    marks["check"] = "0011223344556677"
    marks["install"], marks["target"], marks["key"] = "ffeeddccbbaa99887766554433221100", "700700701", "700700702"
    hub.sql("INSERT INTO installs(seq, id, location, action, hosts, user, port, parallel, state, by_command, connector,"
            " reason, created_by, created, finished) VALUES(7, ?, 'hall 2', 'install', 'x', '', 22, 16, 3, 0, '', '',"
            " 'admin', 1, 1)", marks["install"])
    hub.sql("INSERT INTO install_targets(seq, install, location, host, port, user, name, from_range, state, updated)"
            " VALUES(?, 7, 'hall 2', 'their-host', 22, '', '', 0, 0, 1)", int(marks["target"]))
    hub.sql("INSERT INTO host_keys(seq, location, host, port, fingerprint, confirmed_by, confirmed)"
            " VALUES(?, 'hall 2', 'their-host', 22, 'SHA256:x', 'admin', 1)", int(marks["key"]))
    key = key_for(admin, *NARROW, location="hall 1")

    def operands(one):
        kind = one.path.split("/")[2].rstrip("s")
        return {"id": marks.get(kind, "0"), "server": theirs, "check": marks["check"], "target": marks["target"],
                "key": marks["key"], "name": "hall%202" if kind == "location" else "admin"}

    def must_not_tell(one):
        def ask():
            answer = key(one.method, one.url(**operands(one)), body_of(one))
            told = [name for name, mark in marks.items() if mark in answer.text]
            if told:
                return f"tells of the {told}: {answer}"
            if one.permission in WIDE and answer.kind != "not-permitted":
                return f"{answer}"
            if "{" in one.path and one.permission in NARROW and answer.status != 404:
                return f"{answer} instead of 404"
            return None

        return str(one), ask

    collect(key, [must_not_tell(one) for one in guarded()])
    # All of it is still there, and as it was.
    for path in (f"/v1/servers/{theirs}", f"/v1/jobs/{marks['job']}", f"/v1/bundles/{marks['bundle']}",
                 f"/v1/installs/{marks['install']}/targets/{marks['target']}", "/v1/locations/hall%202"):
        assert admin("GET", path).status == 200, path
    assert admin("GET", f"/v1/jobs/{marks['job']}").json["state"] == "active"
    assert len(admin("GET", "/v1/locations/hall%202/host-keys").json["host_keys"]) == 1
    # Nor can a job of its own reach there.
    answer = key("POST", "/v1/jobs", script)
    assert answer.status in (404, 422), answer
    everywhere = key("POST", "/v1/jobs", {**script, "servers": None, "filter": {}})
    if everywhere.status == 201:
        runs = key("GET", f"/v1/jobs/{everywhere.json['id']}/runs").json["runs"]
        assert [run["server"] for run in runs] == [ids["hall 1"]]


# --- bad requests ------------------------------------------------------------------------------

NO_OBJECTS = [b"", b"{", b"[]", b"null", b'"x"', b"1", b"\xff\xfe", b'{"a": 1, "a": 2}', b'{"a": "\xc3\x28"}',
              b'{"a": "\\u0000"}', b"[" * 60000, b'{"a":' * 10000, b'{"a": 1e999}', b"{}" * 2]
VALUES = [None, True, 0, -1, 1.5, 2**31, 2**63 - 1, 10**30, "", "x", "x" * 5000, "\x1b[31m", "../../etc/passwd",
          "%s%n%s%n", "'; DROP TABLE users; --", "\u202e", [], ["x"], [None], [[[[]]]], {}, {"a": {"b": []}},
          {"secret": None}, ["x"] * 5000]


def mutations(one):
    """The body that would do, with one member after the other replaced by what will not, or left out."""
    good = body_of(one)
    properties = openapi.resolved(one.body_schema).get("properties", {})
    for name in properties:
        for value in VALUES:
            yield {**good, name: value}
        yield {key: value for key, value in good.items() if key != name}


def test_bad_bodies(hub, admin):
    """What the document does not allow is refused, with the member's name; nothing makes the hub fail."""
    key = key_for(admin, *NARROW, *WIDE)

    def send(one, body):
        def ask():
            client = key if one.permission != "anyone" else stranger
            headers = {} if one.permission != "anyone" else {"X_Sallyport": "1"}
            answer = client(one.method, one.url(name="admin"), body, **headers)
            if answer.status >= 500 and answer.status != 503:
                return f"{answer}"
            if isinstance(body, bytes) and answer.status < 400:
                return f"{body[:40]} was taken: {answer}"
            if not isinstance(body, bytes) and answer.status < 300 and openapi.problems(one.body_schema, body):
                return f"{json.dumps(body)[:200]} was taken: {answer}"
            return None

        return f"{one} {str(body)[:100]}", ask

    stranger = Client(hub)
    wanting = [one for one in operations() if one.body_schema and "/uploads" not in one.path]
    stranger.connection = stranger.connect()
    collect(key, [send(one, body) for one in wanting for body in NO_OBJECTS])
    # The hashing of passwords is slow on purpose: the few operations that do it are tried with less.
    collect(key, [send(one, body) for one in wanting for body in mutations(one)
                  if one.permission != "users" or body.get("password") != body_of(one).get("password")])
    stranger.connection.close()
    assert admin("GET", "/readyz").status == 200


def test_bad_paths_and_arguments(hub, admin):
    key = key_for(admin, *NARROW, *WIDE)
    odd = ["..", "%2e%2e%2f%2e%2e", "%00", "%0a", "'", "%c3%28", "x" * 128, "x" * 129, "x" * 250, "%25s%25n", "{id}",
           "-1", "%e2%80%ae"]

    def send(one, url):
        def ask():
            # Some are refused before any operation is found: the connection is closed, or it is another's answer.
            try:
                answer = key.ask(one.method, url, body_of(one), {})
            except http.client.HTTPException:
                return None
            if answer.status >= 500 and answer.status != 503:
                return f"{answer}"
            if "root:" in answer.text:
                return "it reads files"
            return None

        return f"{one.method} {url[:80]}", ask

    requests = [send(one, one.path.replace("{", "").replace("}", "").replace(name["name"], value))
                for one in guarded() for name in one.parameters if name["in"] == "path" for value in odd]
    requests += [send(one, f"{one.url()}?{name['name']}={value}") for one in guarded() if not one.streams
                 for name in one.parameters if name["in"] == "query"
                 for value in ("", *odd, "9" * 40, "%7b%7d", "a&" * 40)]
    assert len(requests) > 200
    collect(key, requests)
    assert admin("GET", "/readyz").status == 200


def test_huge_requests_starve_nobody(hub, admin):
    """Bodies that are announced and never sent, and bodies that are too long, while others work."""
    def begin(request):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = context.wrap_socket(socket.create_connection((HUB, 443), net.PATIENCE_S))
        connection.settimeout(net.PATIENCE_S)
        connection.sendall(request)
        return connection

    def head(one, length):
        return (f"{one.method} {one.url()} HTTP/1.1\r\nHost: {HUB_NAME}\r\nAuthorization: Bearer {key.key}\r\n"
                f"Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n").encode()

    key = key_for(admin, *NARROW)
    wanting = [one for one in operations() if one.body_schema]
    waiting = hub.namespace.inside(lambda: [begin(head(one, 60000) + b'{"a": "') for one in wanting * 5], timeout=60)
    for one in wanting:
        def ask():
            with begin(head(one, 2**40)) as connection:
                return connection.recv(100)

        assert hub.namespace.inside(ask).startswith(b"HTTP/1.1 413"), one
    assert admin("GET", "/v1/servers").status == 200
    assert key("POST", "/v1/tokens", {}).status == 201
    for connection in waiting:
        connection.close()
    assert key("GET", "/v1/me").status == 200
