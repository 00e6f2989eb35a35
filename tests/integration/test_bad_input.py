"""Bad input, tried and answered clearly: what a user, a disk, a clock and a peer can do wrong."""

import json
import os
import re
import socket
import time
from pathlib import Path

import pytest

from lab import ca, net, programs
from lab.fleet import Agent, Hub
from lab.servers import fake_hub
from lab.world import HUB, HUB_NAME

pytestmark = pytest.mark.timeout(120)

GOOD = """
profile: lab
title: Lab
endpoints:
  - {id: console, host: console.lab.example, port: 443, protocol: https}
"""


# --- profiles ----------------------------------------------------------------------------------

def check_profile(lab, text, env=None, argv=()):
    path = lab.folder / "bad.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return lab.client.run([*argv, programs.SALLYPORT, "check", "--root", lab.root, "--profile", path,
                           "--deadline", 2], env=env, timeout=15)


PROFILES = {
    "unknown key": (GOOD.replace("port: 443", "prot: 443"), r"bad\.yaml:5: .*prot"),
    "unknown top key": (GOOD + "colour: green\n", r"bad\.yaml:6: .*colour"),
    "wrong type": (GOOD.replace("port: 443", "port: soon"), r"bad\.yaml:5: .*port"),
    "port out of range": (GOOD.replace("443", "70000"), r"bad\.yaml:5: .*port"),
    "missing host": (GOOD.replace("host: console.lab.example, ", ""), r"bad\.yaml:5: .*host"),
    "list for a map": ("- just\n- a list\n", r"bad\.yaml:1"),
    "no YAML": ("profile: [unclosed\n", r"bad\.yaml:\d"),
    "empty": ("", r"bad\.yaml"),
    "binary": (bytes(range(256)) * 8, r"bad\.yaml"),
    "10 MB": (GOOD + "#" * 10_000_000, r"bad\.yaml.*(1 ?MiB|1048576|bytes|large|big)"),
    "alias bomb": ("a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(9)),
        r"bad\.yaml"),
}


@pytest.mark.parametrize("name", PROFILES)
def test_bad_profile(lab, name):
    """B1: exit 2, with file, line and key, at once, and nothing is sent."""
    text, says = PROFILES[name]
    started = time.monotonic()
    done = check_profile(lab, text)
    assert done.returncode == 2, done
    assert re.search(says, done.stderr), done.stderr
    assert len(done.stderr) < 2000 and done.stdout == ""
    assert time.monotonic() - started < 20
    assert lab.direct_packets() == 0


def test_unreadable_profile(lab):
    for path, says in (("/no/such/profile.yaml", "No such file"), (lab.folder, "")):
        done = lab.client.run([programs.SALLYPORT, "check", "--root", lab.root, "--profile", path])
        assert done.returncode == 2 and str(path) in done.stderr and says in done.stderr, done
    secret = lab.folder / "secret.yaml"
    secret.write_text(GOOD)
    secret.chmod(0o600)
    done = lab.client.run(["setpriv", "--reuid", "nobody", "--clear-groups", "--inh-caps=-all",
                           programs.SALLYPORT, "check", "--root", lab.root, "--profile", secret])
    assert done.returncode == 2 and "Permission denied" in done.stderr, done


def test_unknown_profile_id(lab):
    folder = lab.root / "etc/sallyport/profiles"
    folder.mkdir()
    (folder / "citrix-smart-tools.yaml").write_text(GOOD.replace("lab\n", "citrix-smart-tools\n", 1))
    done = lab.client.run([programs.SALLYPORT, "check", "--root", lab.root, "--profile", "citrix-smart-tool"])
    assert done.returncode == 2, done
    assert '"citrix-smart-tools"' in done.stderr, f"names the one that was meant: {done.stderr}"


@pytest.mark.parametrize("argv", [["check", "--format", "xml"], ["check", "--deadline", "soon"],
                                  ["check", "--watch", "soon"], ["check", "--watch=0"], ["check", "--watch", "--format", "junit"],
                                  ["check", "--hub", "ftp://hub"], ["check", "--nonsense"],
                                  ["explain", "no-such-cause"], ["dance"], []])
def test_usage_errors(lab, argv):
    done = lab.client.run([programs.SALLYPORT, *argv])
    assert done.returncode == 2 and done.stderr and done.stdout == "", done


# --- tokens ------------------------------------------------------------------------------------

@pytest.fixture
def hub(lab):
    hub = Hub(lab).start()
    lab.dns()
    return hub


@pytest.mark.parametrize("spoil, says", [
    (lambda token: token[:20] + ("A" if token[20] != "A" else "B") + token[21:], "mistyped"),
    (lambda token: token[:-3], "mistyped|cut"),
    (lambda token: token.replace("spj1.", "spj9."), "spj1"),
    (lambda token: "", "token"),
    (lambda token: "x" * 100_000, "token|large|bytes"),
    (lambda token: token + "é\x00\x1b[31m", "token"),
], ids=["one character", "cut short", "other kind", "empty", "huge", "odd bytes"])
def test_mistyped_token(lab, hub, spoil, says):
    """Said before anything is sent; the token itself is not repeated."""
    token = hub.token()
    bad = spoil(token)
    before = lab.direct_packets()
    done = Agent(lab).join(bad)
    assert done.returncode in (1, 2) and re.search(says, done.stderr), done
    assert token[10:40] not in done.stderr + done.stdout and "\x1b" not in done.stderr
    assert lab.direct_packets() == before
    assert hub.sql("SELECT used FROM tokens") == [(0,)]


# --- the clock ---------------------------------------------------------------------------------

@pytest.mark.parametrize("days", [-730, 730])
def test_clock_two_years_off(lab, hub, days):
    """The agent blames the clock or is not harmed by it; it never blames the hub's certificate."""
    agent = Agent(lab).joined(hub.token())
    agent.env = lab.clock(days)
    agent.start()
    cause = "clock-behind" if days < 0 else "clock-ahead"
    net.wait_until(lambda: agent.told() or " online at " in agent.log(), 15, "news from the agent")
    assert set(agent.told()) <= {cause}, agent.log()
    if agent.told():
        assert agent.status()["cause"] == cause
        assert "evidence" in agent.log()


# --- disks -------------------------------------------------------------------------------------

def on_small_disk(agent, *argv):
    """A command that makes a small disk of the folder /var below the agent's root, with what is in it,
    fills it to the last byte, and goes on as the program."""
    folder = agent.root / "var"
    copy = agent.root / "var-copy"
    script = (f"cp -a '{folder}' '{copy}' 2>/dev/null || mkdir -p '{folder}' '{copy}'; "
              f"mkdir -p '{folder}'; mount -t tmpfs -o size=256k,mode=755 tmpfs '{folder}'; "
              f"cp -a '{copy}/.' '{folder}'; dd if=/dev/zero of='{folder}/filler' bs=4096 2>/dev/null; "
              'exec "$@"')
    return ["sh", "-c", script, "sh", *argv]


def test_full_disk_under_the_agent(lab, hub):
    """It goes online all the same; log and status catch up when there is room again."""
    agent = Agent(lab).joined(hub.token())
    agent.process = lab.client.popen(on_small_disk(agent, *agent.argv("agent")), log="agent")
    hub.wait_online()
    inside = Path(f"/proc/{agent.process.pid}/root{agent.root}/var")
    assert os.statvfs(inside).f_bavail == 0, "the disk is full"
    (inside / "filler").unlink()
    hub.kill()
    log = inside / "log/sallyport/connector.log"
    net.wait_until(lambda: log.exists() and "lost" in log.read_text(), 15, "the log to tell of the gap")
    hub.start()
    hub.wait_online()
    status = inside / "lib/sallyport/status.json"
    net.wait_until(lambda: status.exists() and json.loads(status.read_text())["state"] == "online", 10,
                   "the status")
    assert agent.process.running()


def test_join_on_a_full_disk(lab, hub):
    """Nothing is spent when the identity could not be kept."""
    agent = Agent(lab)
    token = hub.token()
    done = lab.client.run(on_small_disk(agent, *agent.argv("join", "--token", token)))
    assert done.returncode == 1 and "No space left" in done.stderr, done
    assert hub.sql("SELECT used FROM tokens") == [(0,)] and hub.servers() == []


def test_full_disk_under_the_hub(lab):
    """Who is online stays so, /readyz says why the hub is not ready, and nothing is half written."""
    hub = Hub(lab)
    folder = hub.root / "var"
    folder.mkdir()
    hub.mounts = [("tmpfs:size=8m,mode=755", folder)]
    hub.start()
    lab.dns()
    inside = Path(f"/proc/{hub.process.pid}/root{folder}")
    status, made = hub.request("POST", "/v1/tokens", {"label": "lab", "expires_in_s": 600, "uses": 5})
    assert status == 201, made
    agent = Agent(lab).joined(made["token"]).start().wait_online()
    filler = os.open(inside / "filler", os.O_WRONLY | os.O_CREAT)
    with pytest.raises(OSError, match="No space left"):
        while True:
            os.write(filler, b"\0" * 4096)
    os.close(filler)

    def not_ready():
        code, text = hub.request("GET", "/readyz")
        return (code, text) if code == 503 else None

    code, text = net.wait_until(not_ready, 15, "/readyz to notice")
    assert re.search("full|space|written", str(text)), text
    status, answer = hub.request("POST", "/v1/tokens", {"label": "more", "expires_in_s": 600, "uses": 1})
    assert status in (500, 503, 507) and answer["detail"], answer
    second = Agent(lab, "second").join(made["token"])
    assert second.returncode == 1, second
    assert agent.told() == [] and hub.process.running()
    (inside / "filler").unlink()
    net.wait_until(lambda: hub.request("GET", "/readyz")[0] == 200, 15, "the hub to be ready again")
    assert Agent(lab, "third").join(made["token"]).returncode == 0
    assert len(hub.servers()) == 2 and agent.told() == []


# --- files of its own --------------------------------------------------------------------------

@pytest.mark.parametrize("content", [b"", b"{", b"\0" * 4096, b"[]", b'{"version": 99}', None],
                         ids=["empty", "cut short", "zeros", "no object", "a later version", "a folder"])
def test_corrupt_identity(lab, hub, content):
    """The service and `join` say which file and what to do, and never write over it."""
    agent = Agent(lab).joined(hub.token())
    path = agent.state_folder / "identity.json"
    path.unlink()
    path.mkdir() if content is None else path.write_bytes(content)
    for argv in (["agent"], ["status"], ["leave"]):
        done = agent.command(*argv, timeout=5)
        assert done.returncode == 1 and str(path) in done.stderr, (argv, done)
    done = agent.join(hub.token())
    assert done.returncode == 1 and str(path) in done.stderr, done
    assert path.is_dir() if content is None else path.read_bytes() == content


def test_corrupt_status(lab, hub):
    agent = Agent(lab).joined(hub.token())
    (agent.state_folder / "status.json").write_bytes(b"\xff\xfe{{{")
    agent.start().wait_online()
    assert agent.status()["state"] == "online", "it was written anew"


def test_corrupt_database(lab, hub):
    """A hub with a broken database says so and ends; it never starts an empty one in its place."""
    hub.stop()
    hub.database.write_bytes(b"this is no database " * 1000)
    for side in ("-wal", "-shm"):
        Path(str(hub.database) + side).unlink(missing_ok=True)
    done = hub.namespace.run([programs.HUB, "serve", "--root", hub.root, "--listen", f"{HUB}:443",
                              "--name", HUB_NAME], timeout=10)
    assert done.returncode == 1 and "hub.db" in done.stderr, done
    assert hub.database.read_bytes().startswith(b"this is no database")


# --- peers -------------------------------------------------------------------------------------

MEASURED = ("import resource, subprocess, sys; code = subprocess.call(sys.argv[1:]);"
            "print('maxrss', resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr);"
            "sys.exit(code)")


@pytest.mark.parametrize("behaviour", ["garbage", "huge"])
def test_hostile_hub(lab, behaviour):
    """A hub that answers garbage, and one that sends a message of 1 GB: told as a cause, in bounded
    time and memory."""
    lab.names[HUB_NAME] = HUB
    fake_hub.serve(lab.internet, HUB, ca.authority("Fake Hub CA").issue(HUB_NAME), behaviour)
    lab.dns()
    check = lab.check(hub=f"https://{HUB_NAME}", deadline=5)
    check.argv = ["/usr/bin/python3", "-c", MEASURED, *check.argv]
    check.run()
    assert check.code == 1 and check.causes == ["marker-absent"], check.explain()
    maxrss = int(re.search(r"maxrss (\d+)", check.done.stderr).group(1))
    assert maxrss < (500_000 if programs.SANITIZED else 40_000), f"{maxrss} KiB"


def hold_open(namespace, count, first_bytes):
    """A program that opens connections to the hub and leaves them half done."""
    script = (f"import socket, time\nheld = []\nfor _ in range({count}):\n"
              f"    s = socket.create_connection(('{HUB}', 443), {net.PATIENCE_S})\n    s.send({first_bytes!r})\n"
              "    held.append(s)\nprint('held', flush=True)\ntime.sleep(600)\n")
    process = namespace.popen(["prlimit", "--nofile=20000", "/usr/bin/python3", "-c", script], log="holder")
    process.wait_for("^held$", 60)
    return process


@pytest.mark.parametrize("first_bytes", [b"", b"\x16\x03\x01\x02\x00\x01"], ids=["silent", "half a hello"])
def test_half_open_connections(lab, first_bytes):
    """Ten thousand connections that never finish their handshake keep no agent out."""
    hub = Hub(lab)
    hub.wrapper = ("prlimit", "--nofile=20000")
    hub.start()
    lab.dns()
    token = hub.token(uses=2)
    early = Agent(lab, "early").joined(token).start().wait_online()
    hold_open(lab.site, 10_000, first_bytes)
    started = time.monotonic()
    Agent(lab, "late").joined(token).start().wait_online()
    assert time.monotonic() - started < 10
    assert early.told() == [], early.log()
    hub.wait_online(2)


@pytest.mark.parametrize("request_bytes", [
    b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: " + b"a" * 200_000 + b"\r\n\r\n",
    b"POST /v1/login HTTP/1.1\r\nHost: x\r\nX-Sallyport: 1\r\nContent-Type: application/json\r\n"
    b"Content-Length: 99999999999\r\n\r\n{",
    b"POST /v1/login HTTP/1.1\r\nHost: x\r\nX-Sallyport: 1\r\nContent-Type: application/json\r\n"
    b"Content-Length: 12\r\n\r\n[[[[[[[[[[[[",
    b"\x00\xff" * 5000,
    b"GET /../../../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n",
], ids=["long header", "huge body", "bad JSON", "no HTTP", "path outside"])
def test_hub_takes_bad_requests(lab, hub, request_bytes):
    """Whatever a stranger sends, the hub answers or closes, and goes on."""
    import ssl

    def send():
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        raw = socket.create_connection((HUB, 443), net.PATIENCE_S)
        with context.wrap_socket(raw) as connection:
            connection.settimeout(5)
            try:
                connection.sendall(request_bytes)
                return connection.recv(65536)
            except OSError:
                return b""

    answer = lab.internet.inside(send)
    assert not answer.startswith(b"HTTP/1.1 2") or b"root:" not in answer
    assert hub.process.running() and hub.request("GET", "/healthz")[0] == 200
