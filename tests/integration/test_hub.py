"""The hub's API as a stranger, a console and a thief meet it; users, tokens and events."""

import asyncio
import json
import os
import socket
import ssl

import pytest
import websockets

from api import Events, connect
from lab import net, programs
from lab.fleet import PASSWORD, Agent, Hub
from lab.world import HUB, HUB_NAME


@pytest.fixture
def hub(lab):
    hub = Hub(lab).start()
    lab.dns()
    return hub


def raw(hub, method, path, body=None, **headers):
    """status, headers and text of a request that sends exactly these headers."""

    def ask():
        connection = connect()
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, {"Host": HUB_NAME, **names})
        answer = connection.getresponse()
        result = answer.status, dict((k.lower(), v) for k, v in answer.getheaders()), answer.read().decode()
        connection.close()
        return result

    return hub.namespace.inside(ask)


def stored(hub):
    """All bytes of the database, those that still stand in its journal included."""
    return b"".join(net.content(file) for file in hub.database.parent.glob("hub.db*"))


def sign_in(hub, name="admin", password=PASSWORD):
    body = json.dumps({"name": name, "password": password})
    return raw(hub, "POST", "/v1/login", body, X_Sallyport="1")


# --- what every answer has ---------------------------------------------------------------------

@pytest.mark.parametrize("method, path, status", [
    ("GET", "/", 200), ("GET", "/servers/1", 200), ("GET", "/healthz", 200), ("GET", "/readyz", 200),
    ("GET", "/metrics", 200), ("GET", "/.well-known/sallyport", 200), ("GET", "/v1/setup", 200),
    ("GET", "/v1/session", 426), ("GET", "/v1/servers", 401), ("GET", "/v1/none", 404),
    ("PUT", "/v1/servers", 405), ("GET", "/none.js", 404), ("GET", "/../../etc/passwd", 200),
])
def test_headers(hub, method, path, status):
    got, headers, text = raw(hub, method, path)
    assert got == status, text
    assert headers["sallyport"] == "1"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    if status >= 400:
        assert headers["content-type"] == "application/problem+json"
        assert json.loads(text)["status"] == status
    assert "root:" not in text


def test_asset_is_fetched_once(hub):
    _, headers, _ = raw(hub, "GET", "/")
    status, again, text = raw(hub, "GET", "/", If_None_Match=headers["etag"])
    assert (status, text) == (304, "") and again["etag"] == headers["etag"]


def test_plain_http_is_told(hub):
    def ask():
        with socket.create_connection((HUB, 443), timeout=net.PATIENCE_S) as peer:
            peer.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            return peer.makefile("rb").read()

    assert b"speaks HTTPS" in hub.namespace.inside(ask)


# --- the first administrator -------------------------------------------------------------------

def set_up(hub, **changes):
    body = {"code": hub.setup_code, "name": "admin", "password": PASSWORD, **changes}
    return raw(hub, "POST", "/v1/setup", json.dumps(body), X_Sallyport="1")


def test_first_administrator(hub):
    assert json.loads(raw(hub, "GET", "/v1/setup")[2]) == {"needed": True}
    assert set_up(hub, code="0" * 32)[0] == 403
    assert set_up(hub, password="short")[0] == 422
    status, headers, _ = set_up(hub)
    assert status == 204
    cookie = headers["set-cookie"]
    assert cookie.startswith("__Host-sallyport=")
    for flag in ("Secure", "HttpOnly", "SameSite=Strict", "Path=/"):
        assert flag in cookie
    assert set_up(hub)[0] == 410
    assert json.loads(raw(hub, "GET", "/v1/setup")[2]) == {"needed": False}
    assert json.loads(raw(hub, "GET", "/v1/me", Cookie=cookie.split(";")[0])[2])["name"] == "admin"


def test_link_is_printed_until_it_was_used(hub):
    first = hub.setup_code
    hub.stop()
    hub.start()
    assert hub.setup_code != first, "each start makes a new one, which ends the old one"
    assert set_up(hub, code=first)[0] == 403
    assert set_up(hub)[0] == 204
    hub.stop()
    hub.start()
    assert "setup/" not in hub.process.output()


# --- signing in --------------------------------------------------------------------------------

def test_sign_in_and_out(hub):
    set_up(hub)
    status, headers, _ = sign_in(hub)
    assert status == 204
    cookie = headers["set-cookie"].split(";")[0]
    assert raw(hub, "GET", "/v1/me", Cookie=cookie)[0] == 200
    secret = cookie.split("=", 1)[1].encode()
    assert secret not in stored(hub), "a copy of the database signs nobody in"
    assert PASSWORD.encode() not in stored(hub)
    assert raw(hub, "POST", "/v1/logout", "", Cookie=cookie, X_Sallyport="1")[0] == 204
    assert raw(hub, "GET", "/v1/me", Cookie=cookie)[0] == 401
    assert raw(hub, "GET", "/v1/me", Cookie=cookie + "x")[0] == 401


def test_guessing_is_slowed(hub):
    set_up(hub)
    answers = [sign_in(hub, password="wrong wrong wrong") for _ in range(6)]
    assert [status for status, _, _ in answers] == [401] * 5 + [429]
    assert int(answers[-1][1]["retry-after"]) >= 1
    assert sign_in(hub, name="nobody")[0] == 429, "the address waits as well"


def test_users_from_the_command_line(hub):
    set_up(hub)
    hub.command("user", "add", "alice", input="another long password\n")
    status, headers, _ = sign_in(hub, "alice", "another long password")
    assert status == 204
    cookie = headers["set-cookie"].split(";")[0]
    assert "alice" in hub.command("user", "list")
    hub.command("user", "remove", "alice")
    assert raw(hub, "GET", "/v1/me", Cookie=cookie)[0] == 401
    with pytest.raises(net.LabError, match="too short"):
        hub.command("user", "add", "bob", input="short\n")


# --- forged requests ---------------------------------------------------------------------------

@pytest.mark.parametrize("headers, status", [
    ({}, 403),
    ({"X_Sallyport": "1"}, 201),
    ({"X_Sallyport": "1", "Origin": f"https://{HUB_NAME}"}, 201),
    ({"X_Sallyport": "1", "Origin": "https://evil.example"}, 403),
    ({"X_Sallyport": "1", "Origin": f"http://{HUB_NAME}"}, 403),
    ({"X_Sallyport": "1", "Origin": "null"}, 403),
    ({"Origin": f"https://{HUB_NAME}"}, 403),
])
def test_forged_requests(hub, headers, status):
    _, got, _ = set_up(hub)
    cookie = got["set-cookie"].split(";")[0]
    assert raw(hub, "POST", "/v1/tokens", "{}", Cookie=cookie, **headers)[0] == status


@pytest.mark.parametrize("body, words", [
    ("", "JSON object"), ("[]", "JSON object"), ("{", "JSON object"), ('{"uses": 0}', '"uses"'),
    ('{"uses": "3"}', '"uses"'), ('{"expires_in_s": 59}', '"expires_in_s"'),
    ('{"expires_in_s": 1e99}', '"expires_in_s"'), ('{"label": 7}', '"label"'),
    (json.dumps({"label": "x" * 101}), '"label"'), ('{"a":1,"a":2}', "JSON object"),
])
def test_bad_bodies(hub, body, words):
    _, got, _ = set_up(hub)
    status, _, text = raw(hub, "POST", "/v1/tokens", body, X_Sallyport="1",
                          Cookie=got["set-cookie"].split(";")[0])
    assert status in (400, 422) and words in json.loads(text)["detail"], text


# --- tokens ------------------------------------------------------------------------------------

def test_tokens_live_and_end(lab, hub):
    status, made = hub.request("POST", "/v1/tokens", {"label": "lab", "uses": 1})
    assert status == 201 and made["token"] in made["commands"][0]
    assert made["token"].encode() not in stored(hub)
    beside = hub.token(label="beside")

    def states():
        return {row["label"]: row["state"] for row in hub.request("GET", "/v1/tokens")[1]["tokens"]}

    assert states() == {"lab": "valid", "beside": "valid"}
    Agent(lab).joined(made["token"])
    assert states() == {"lab": "used-up", "beside": "valid"}
    done = Agent(lab, "second").join(made["token"])
    assert done.returncode == 1 and "token-used-up" in done.stderr + done.stdout
    row = next(r for r in hub.request("GET", "/v1/tokens")[1]["tokens"] if r["label"] == "beside")
    assert hub.request("DELETE", f"/v1/tokens/{row['id']}")[0] == 204
    assert states()["beside"] == "revoked"
    done = Agent(lab, "second").join(beside)
    assert done.returncode == 1 and "token-unknown" in done.stderr + done.stdout
    assert hub.request("DELETE", "/v1/tokens/none")[0] == 404
    hub.sql("UPDATE tokens SET expires = 5, revoked = 0")
    done = Agent(lab, "second").join(beside)
    assert done.returncode == 1 and "token-expired" in done.stderr + done.stdout


# --- events ------------------------------------------------------------------------------------

def test_events(lab, hub):
    """S1: a row is pushed when a server appears, goes, comes back and is removed."""
    token = hub.token()
    events = Events(hub)
    agent = Agent(lab).joined(token).start()
    row = events.next("server", lambda row: row["status"] == "online")
    assert row == hub.wait_online()[0] | {"last_seen": row["last_seen"]}
    assert events.next("counts", lambda counts: counts["online"]) == {"all": 1, "online": 1, "offline": 0}
    agent.process.kill()
    gone = events.next("server", lambda row: row["status"] == "offline")
    assert gone["id"] == row["id"] and gone["cause"] in ("peer-closed", "peer-reset") and gone["reason"]
    agent.start()
    events.next("server", lambda row: row["status"] == "online")
    assert hub.request("DELETE", f"/v1/servers/{row['id']}")[0] == 204
    assert events.next("removed") == {"id": row["id"]}
    assert events.next("counts", lambda counts: not counts["all"]) == {"all": 0, "online": 0, "offline": 0}
    net.wait_until(lambda: agent.told()[-1:] == ["agent-revoked"], 10, "the agent to learn of it")


def test_events_need_a_sign_in(hub):
    assert raw(hub, "GET", "/v1/events")[0] == 401


# --- presence ----------------------------------------------------------------------------------

def test_silent_machine_is_offline(lab, hub):
    agent = Agent(lab).joined(hub.token()).start()
    hub.wait_online()
    os.kill(agent.process.pid, 19)  # SIGSTOP: alive, and without a word
    row = net.wait_until(lambda: next((r for r in hub.servers() if r["status"] == "offline"), None), 10,
                         "the hub to notice")
    assert row["cause"] == "keepalive-lost" and "heartbeat" in row["reason"]
    os.kill(agent.process.pid, 18)
    hub.wait_online()


def test_second_hub_on_one_state_is_refused(lab, hub):
    done = hub.namespace.run([programs.HUB, "serve", "--root", hub.root, "--listen", f"{HUB}:444"],
                             timeout=10)
    assert done.returncode == 1 and "another hub" in done.stderr
    assert hub.request("GET", "/healthz")[0] == 200


def test_port_in_use_is_named(lab, hub, tmp_path):
    done = hub.namespace.run([programs.HUB, "serve", "--root", tmp_path, "--listen", f"{HUB}:443"],
                             timeout=10)
    assert done.returncode == 1 and f"{HUB}:443" in done.stderr and "in use" in done.stderr


def test_heartbeat_that_would_be_too_many_messages_is_refused(lab, hub, tmp_path):
    done = hub.namespace.run([programs.HUB, "serve", "--root", tmp_path, "--heartbeat-ms", "100"],
                             timeout=10)
    assert done.returncode == 2 and "from 125" in done.stderr


# --- how a session ends ------------------------------------------------------------------------

@pytest.mark.parametrize("message, code", [
    (b"\x00", 1003),  # text is spoken here
    ("no JSON", 1008),
    ('{"jsonrpc":"2.0","id":1,"method":"resume","params":{}}', 1008),  # before the hello
    ("x" * (1024 * 1024 + 1), 1009),
], ids=["binary", "no JSON", "before the hello", "too long"])
def test_refused_session_ends_with_a_close_frame(hub, message, code):
    async def speak():
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        async with websockets.connect(f"wss://{HUB}/v1/session", ssl=context, max_size=None) as line:
            try:
                await line.send(message)
                while True:
                    await asyncio.wait_for(line.recv(), net.PATIENCE_S)
            except websockets.ConnectionClosed as closed:
                return closed.rcvd.code if closed.rcvd else None

    assert hub.namespace.inside(lambda: asyncio.run(speak())) == code
