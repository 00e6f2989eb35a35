"""What a hostile machine can send to the hub, and that nobody else suffers from it (rows S1, B4): frames,
messages, proofs, floods, other machines' jobs. Beside each of them a real agent keeps its session."""

import json
import random
import socket

import pytest

from lab import ca, machine, net
from lab.fleet import Agent, Hub
from lab.machine import BINARY, CLOSE, PING, Machine, frame
from lab.proof import Identity, b64
from lab.servers import fake_hub
from lab.world import HUB, HUB_NAME

# An honest agent may be slow on a busy computer; what is shown is that it is not cut off.
PATIENT = ("--heartbeat-ms", 300, "--heartbeat-jitter-ms", 20, "--heartbeat-timeout-ms", 8000,
           "--backoff-cap-ms", 500)


@pytest.fixture
def hub(lab):
    hub = Hub(lab, options=PATIENT).start()
    lab.dns()
    return hub


@pytest.fixture
def honest(lab, hub):
    """An agent whose session has to outlive the test, and answer at its end."""
    agent = Agent(lab, "honest").joined(hub.token()).start().wait_online()
    port = agent.local_port()
    yield agent
    before = hub.messages()
    net.wait_until(lambda: hub.messages() > before + 1, 20, "heartbeats of the honest agent")
    assert agent.local_port() == port and agent.told() == [], agent.log()
    assert hub.process.running()


def opened(hub, identity=None):
    played = Machine(hub, identity)
    assert played.upgrade()[0] == 101
    return played


# --- frames ------------------------------------------------------------------------------------

FRAMES = {
    "no frames at all": random.Random(7).randbytes(65536),
    "an HTTP request": b"GET /v1/session HTTP/1.1\r\nHost: x\r\n\r\n" * 50,
    "not masked": frame(b"{}", masked=False),
    "reserved bits": frame(b"{}", reserved=7),
    "reserved opcode": frame(b"{}", opcode=3),
    "reserved control": frame(b"", opcode=11),
    "continues nothing": frame(b"{}", opcode=0),
    "begins twice": frame(b"{", fin=False) + frame(b"}", fin=False) + frame(b"}"),
    "long ping": frame(b"x" * 200, opcode=PING),
    "a ping in pieces": frame(b"x", opcode=PING, fin=False) + frame(b"x", opcode=0),
    "longer than 63 bits": frame(b"{}", length=2**64 - 1),
    "binary": frame(b"\0\1\2", opcode=BINARY),
    "one byte of a close": frame(b"\3", opcode=CLOSE),
    "no UTF-8": frame(b'{"jsonrpc":"2.0","method":"\xff\xfe","params":{}}'),
    "too long for a stranger": frame(b"[" * 98305),
    "too long in pieces": frame(b"[", fin=False) + frame(b"[" * 120, opcode=0, fin=False) * 900,
}


def test_frames(hub, honest):
    """Whatever breaks RFC 6455 or a bound ends its own connection and no other."""
    sessions = hub.metric("sallyport_sessions_opened_total")
    for name, data in FRAMES.items():
        played = opened(hub)
        played.write(data)
        # Where a longer frame is announced the hub waits for the rest: it gets nothing that helps.
        played.write(frame(b"x" * 200, opcode=PING) + frame(b"{}", opcode=3))
        assert played.end() != 1000, name
    assert hub.metric("sallyport_sessions_opened_total") == sessions


def test_random_frames(hub, honest):
    """Frames of any opcode, flags and content, by a seed."""
    dice = random.Random(11)
    for _ in range(60):
        played = opened(hub)
        try:
            for _ in range(dice.randrange(1, 12)):
                played.write(frame(
                    dice.randbytes(dice.choice([0, 1, 5, 125, 126, 300, 4096])), opcode=dice.randrange(16),
                    fin=dice.random() < 0.7, masked=dice.random() < 0.9,
                    reserved=dice.choice([0, 0, 0, 4])))
            played.write(frame(b"", opcode=CLOSE, masked=False))
        finally:
            played.end()


# --- messages ----------------------------------------------------------------------------------

BIG = 10**400
MESSAGES = [
    "", "nothing", "null", "[]", "{}", "[" * 90000, '{"a":' * 15000, '"' + "x" * 90000 + '"',
    '{"jsonrpc":"1.0","id":1,"method":"hello","params":{}}',
    '{"jsonrpc":"2.0","id":1,"method":"hello"}',
    '{"jsonrpc":"2.0","id":1,"method":"hello","params":[]}',
    f'{{"jsonrpc":"2.0","id":{BIG},"method":"hello","params":{{}}}}',
    f'{{"jsonrpc":"2.0","id":1,"method":"hello","params":{{"version_min":{BIG},"version_max":1}}}}',
    '{"jsonrpc":"2.0","id":1e308,"method":"hello","params":{}}',
    '{"jsonrpc":"2.0","id":"' + "9" * 90000 + '","method":"hello","params":{}}',
    '{"jsonrpc":"2.0","id":-9223372036854775808,"result":{}}',
    '{"jsonrpc":"2.0","id":9223372036854775807,"error":{"code":0,"message":"x"}}',
    '{"jsonrpc":"2.0","id":1,"method":"' + "m" * 90000 + '","params":{}}',
    '{"jsonrpc":"2.0","id":1,"method":"hello\\u0000x","params":{}}',
    '{"jsonrpc":"2.0","id":1,"method":"enrol","params":{"token_secret":"AAAA","proof":"AAAA","inventory":{}}}',
    '{"jsonrpc":"2.0","id":1,"method":"resume","params":{"proof":"' + "A" * 86 + '"}}',
    '{"jsonrpc":"2.0","id":1,"method":"heartbeat","params":{"uptime_s":1}}',
    '{"jsonrpc":"2.0","id":1,"method":"jobs.held","params":{"runs":[]}}',
    '{"jsonrpc":"2.0","id":1,"method":"job.run","params":{}}',
]


def test_messages_of_a_stranger(hub, honest):
    """Nothing but a hello is taken from somebody who has not proved anything: the connection ends."""
    sessions = hub.metric("sallyport_sessions_opened_total")
    for text in MESSAGES:
        played = opened(hub)
        played.write(frame(text.encode()))
        played.write(frame(b"{}"))  # an answer to nothing is passed over; this is not
        assert played.end() in (1008, 1009), text[:80]
    assert hub.metric("sallyport_sessions_opened_total") == sessions


# --- proofs (row B4) ---------------------------------------------------------------------------

def refused(answer, code):
    assert answer.get("error", {}).get("code") == code, answer


def test_proofs(hub, honest):
    """A wrong proof, a replayed one, and one that was made for another connection let nobody in."""
    known = Machine(hub).joined(hub.token())
    key, first = known.identity, known.transcript
    known.close()
    sessions = hub.metric("sallyport_sessions_opened_total")
    rejected = hub.metric("sallyport_proofs_rejected_total")

    refused(Machine(hub, key).hello().resume(proof=b64(bytes(64))), 1006)
    refused(Machine(hub, key).hello().resume(proof=known.proof(first)), 1006)
    thief = Machine(hub, Identity())
    thief.identity.key = key.key  # its own secret, somebody else's name
    refused(thief.hello().resume(), 1006)
    # In the middle: the machine's proof of its connection to the thief, passed on.
    victim, thief = Machine(hub, key).hello(), Machine(hub, key).hello()
    passed = thief.transcript[:-32] + victim.tls.binding()
    refused(thief.resume(proof=thief.proof(passed)), 1006)
    # The hub's own signature is no machine's.
    refused(Machine(hub, key).hello().resume(proof=victim.greeting["proof"]), 1006)

    assert hub.metric("sallyport_proofs_rejected_total") == rejected + 5
    assert hub.metric("sallyport_sessions_opened_total") == sessions
    assert "result" in victim.resume()  # the right one still may
    refused(Machine(hub).hello().resume(), 1005)  # a good proof of a key that nobody knows


def test_token_is_not_guessed(hub, honest):
    """A token's secret that is wrong is refused, and a token is worth what it says."""
    token = hub.token()
    refused(Machine(hub).hello().enrol(token, token_secret=b64(bytes(16))), 1001)
    assert "result" in Machine(hub).hello().enrol(token)
    refused(Machine(hub).hello().enrol(token), 1003)


# --- floods ------------------------------------------------------------------------------------

def pour(played, data, times):
    """Sends as long as anybody takes it; the hub may have closed."""
    try:
        for _ in range(times):
            played.tls.connected.setblocking(True)
            played.tls.connected.setsockopt(
                socket.SOL_SOCKET, socket.SO_SNDTIMEO, machine.struct.pack("ll", 2, 0))
            if played.tls.library.SSL_write(played.tls.ssl, data, len(data)) <= 0:
                return
    except OSError:
        pass


def test_flood_of_messages(hub, honest):
    """A machine that has proved itself and talks without end loses its session."""
    played = Machine(hub).joined(hub.token())
    pour(played, frame(json.dumps({"jsonrpc": "2.0", "method": "inventory", "params": {
        "inventory": {"name": "x" * 1000}}}).encode()) * 50, 100)
    assert played.end() in (1008, None)
    served = [row for row in hub.servers() if row["status"] == "online"]
    assert [row["id"] for row in served] == [honest.status()["server_id"]]


def test_flood_that_is_not_read(hub, honest):
    """Pings by the thousand and megabytes of them, from somebody who reads no answer; the hub's memory
    stays what it was."""
    size = lambda: int(net.content(f"/proc/{hub.process.pid}/statm").split()[1]) * 4096  # noqa: E731
    before = size()
    players = [opened(hub) for _ in range(8)]
    for played in players:
        pour(played, frame(b"x" * 125, opcode=PING) * 500, 40)
    assert size() < before + 64 * 1024 * 1024
    for played in players:
        played.close()


def test_half_said(hub, honest):
    """Many that stop in the middle: of the upgrade, of a frame, of a message, of the proof."""
    halves = []
    for number in range(80):
        played = Machine(hub)
        if number % 4 == 0:
            played.write(b"GET /v1/session HTTP/1.1\r\nHost: ")
        else:
            assert played.upgrade()[0] == 101
            played.write([frame(b"{" * 1000, fin=False), frame(b"{", length=2**40), frame(b"")][number % 3])
        halves.append(played)
    late = Machine(hub).joined(hub.token())
    assert "result" in late.ask("heartbeat", uptime_s=1)
    for played in halves:
        played.close()


# --- what is not theirs ------------------------------------------------------------------------

def test_job_of_another_machine(hub, honest):
    """A machine can neither end, nor answer, nor read what another machine was asked to do."""
    owner, thief, other = (Machine(hub).joined(hub.token()) for _ in range(3))
    status, job = hub.request("POST", "/v1/jobs", {"interpreter": "sh", "script": "true", "title": "theirs",
                                                   "servers": [owner.id]})
    assert status == 201, job
    request = owner.wait_asked("job.run")
    run = request["params"]["run"]
    said = {"run": run, "state": "done", "attempt": 1, "exit_code": 0}
    refused(thief.ask("job.state", **said), -32600)
    refused(other.ask("job.output", run=run, offset=0, data=b64(b"stolen")), -32600)
    assert thief.asked == other.asked == [] and thief.end() == other.end() == 1008

    def runs():
        status, answer = hub.request("GET", f"/v1/jobs/{job['id']}/runs")
        return [(row["server"], row["state"], row["output_bytes"]) for row in answer["runs"]]

    assert runs() in ([(owner.id, "queued", 0)], [(owner.id, "delivered", 0)])
    owner.answer(request)
    assert "result" in owner.ask("job.state", **said)
    assert runs() == [(owner.id, "done", 0)]


def test_check_of_another_machine(hub, honest):
    """Nor give a report in its name."""
    owner, thief = Machine(hub).joined(hub.token()), Machine(hub).joined(hub.token())
    status, check = hub.request("POST", f"/v1/servers/{owner.id}/checks", {})
    assert status in (201, 202), check
    run = owner.wait_asked("check.run")["params"]["run"]
    thief.tell("check.failed", run=run, reason="stolen")
    assert thief.end() == 1008
    status, answer = hub.request("GET", f"/v1/servers/{owner.id}/checks")
    assert "stolen" not in json.dumps(answer)
    owner.tell("check.failed", run=run, reason="its own")
    assert "result" in owner.ask("heartbeat", uptime_s=1)
    status, answer = hub.request("GET", f"/v1/servers/{owner.id}/checks")
    assert "its own" in json.dumps(answer)


# --- a hub that has no time --------------------------------------------------------------------

def test_busy_hub_is_waited_for(lab, hub):
    """503 with Retry-After is no failure: one line in the log, and the agent comes back as asked."""
    agent = Agent(lab, "asked").joined(hub.token()).start().wait_online()
    hub.kill()
    fake_hub.serve(lab.internet, HUB, ca.authority("Fake Hub CA").issue(HUB_NAME), "busy")
    net.wait_until(lambda: "is busy and asks to come back in 7" in agent.log(), 20, "the agent to be asked")
    assert "hub-busy" not in agent.told(), agent.log()
    assert agent.log().count("is busy") == 1


# --- a new certificate -------------------------------------------------------------------------

def served_certificate(hub):
    import ssl

    def look():
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with socket.create_connection((hub.address, 443), net.PATIENCE_S) as raw, context.wrap_socket(raw) as secure:
            return ssl.DER_cert_to_PEM_cert(secure.getpeercert(True))

    return hub.namespace.inside(look)


def test_certificate_is_exchanged(lab):
    """New files are taken as they come, also without a signal; no session ends by it, and files that do not
    fit each other change nothing."""
    authority = ca.authority("Company CA")
    first, second, third = (authority.issue(HUB_NAME) for _ in range(3))
    chain, key = lab.folder / "hub.pem", lab.folder / "hub.key"

    def put(path, text):
        fresh = path.with_suffix(".new")
        fresh.write_text(text)
        fresh.rename(path)

    put(chain, first.chain_pem), put(key, first.key_pem)
    hub = Hub(lab, options=(*PATIENT, "--cert", chain, "--key", key)).start()
    lab.dns()
    agent = Agent(lab).joined(hub.token()).start().wait_online()
    port = agent.local_port()
    assert served_certificate(hub) == first.pem
    put(chain, second.chain_pem)
    net.wait_until(lambda: "does not hold the key of" in hub.process.output(), 20, "the hub to complain")
    assert served_certificate(hub) == first.pem
    put(key, second.key_pem)
    net.wait_until(lambda: served_certificate(hub) == second.pem, 20, "the new certificate")
    put(chain, third.chain_pem), put(key, third.key_pem)
    hub.process.signal(1)
    net.wait_until(lambda: served_certificate(hub) == third.pem, 20, "the newest certificate")
    # Every loop has it: connections go to each in turn.
    assert {served_certificate(hub) for _ in range(6)} == {third.pem}
    before = hub.messages()
    net.wait_until(lambda: hub.messages() > before + 1, 20, "heartbeats")
    assert agent.local_port() == port and agent.told() == [], agent.log()
