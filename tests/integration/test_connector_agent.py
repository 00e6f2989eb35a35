"""The connector's agent between hub and worker: whatever of the three ends in the middle (rows R11, S4), the agent for
other machines that it fetches for them, and what it tells of its addresses (row R2)."""

import hashlib
import os
import random
import signal
from pathlib import Path

import pytest

from lab import net, programs
from lab.fleet import Agent, Hub
from lab.installs import FINAL, Site
from lab.world import HUB

pytestmark = pytest.mark.timeout(150)

PIECE = 1 << 20  # bytes, PORTABLE_PIECE_BYTES


# --- the worker ---

@pytest.fixture
def site(lab):
    return Site(lab)


def processes():
    """Process id -> arguments, of the whole machine; those that have ended have none."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            found[int(folder.name)] = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            pass
    return found


def worker_of(connector):
    """The process id of the worker of this very connector: no other has its root."""
    def there():
        return next((pid for pid, argv in processes().items()
                     if "connector-worker" in argv and f"--root={connector.root}" in argv), None)

    return net.wait_until(there, 20, "a worker to run")


def wait_gone(pid):
    net.wait_until(lambda: "connector-worker" not in processes().get(pid, []), 20, f"process {pid} to end")


@pytest.fixture
def looked(site):
    """A connector whose one target waits for somebody to confirm its host key."""
    host = site.neighbours.add()
    site.neighbours.start()
    host.before = host.changes()
    connector = site.connector()
    id = site.begin([host])
    assert [row["state"] for row in site.wait_looked(id).values()] == ["ready"]
    return connector, host, id


def test_a_session_that_is_lost_costs_nothing(lab, site, looked):
    """The worker goes on without the hub; what it said meanwhile is heard in the next session, and the install goes on
    where it was: the host is online in the end."""
    connector, host, id = looked
    worker = worker_of(connector)
    lost = len(connector.told())
    lab.firewall(f"ip daddr {HUB} drop")
    connector.wait_told(lost + 1)
    lab.open_wall()
    connector.wait_online(2)
    site.confirm(id)
    rows = site.wait_over(id)
    assert [row["state"] for row in rows.values()] == ["online"], rows
    assert f"install {id}: {host.address}:22: joined" in connector.log()
    wait_gone(worker)


def test_a_worker_that_is_killed_is_told(site, looked):
    """The hub hears of it at once, and says so of every target that had not come to its end."""
    connector, host, id = looked
    os.kill(worker_of(connector), signal.SIGKILL)
    row, = site.wait_over(id).values()
    assert row["state"] == "failed" and row["outcome"] == "connector-lost", row
    assert host.changes() == host.before
    assert f"install {id} is over; 0 of 1 hosts came to an end: the connector's worker died" in connector.log()


def test_an_agent_that_is_killed_takes_its_worker_along(site, looked):
    """The worker sees the end of its input. The agent that starts again gets the order anew, as its credentials are
    still in the hub's memory; what is cancelled then ends everywhere."""
    connector, host, id = looked
    worker = worker_of(connector)
    connector.process.kill()
    wait_gone(worker)
    connector.start().wait_online(2)
    again = worker_of(connector)
    site.wait_looked(id)
    site.must("POST", f"/v1/installs/{id}/cancel", 202)
    row, = site.wait(id, lambda row: row["state"] in FINAL, "the end of the install").values()
    assert row["state"] == "cancelled", row
    wait_gone(again)
    assert host.changes() == host.before


# --- the file for other machines ---

@pytest.fixture
def portable(lab):
    """A hub that hands out a file of a few pieces, and a machine that has joined it."""
    hub = Hub(lab)
    folder = hub.root / "usr/share/sallyport/portable"
    folder.mkdir(parents=True)
    content = random.Random(1).randbytes(3 * PIECE + 4711)
    (folder / "sallyport-x86_64").write_bytes(content)
    hub.start()
    lab.dns()
    agent = Agent(lab).joined(hub.token())
    agent.hub, agent.content = hub, content
    return agent


def fetch(agent, content=None, size=None, arch="x86_64", path="/v1/portable/x86_64"):
    content = content or agent.content
    done = agent.namespace.run([programs.BUILD / "tests/unit/portable-fetch", agent.root, arch, path,
                                hashlib.sha256(content).hexdigest(), str(size or len(content))], timeout=60)
    return (Path(done.stdout.strip()) if done.returncode == 0 else None), done.stderr


def received(agent):
    return int(agent.namespace.tool("cat", "/sys/class/net/eth0/statistics/rx_bytes"))


def test_the_file_is_fetched_once_and_verified(portable):
    folder = portable.state_folder / "portable"
    net.wait_until(lambda: fetch(portable)[0], 20, "the hub to know its file")
    file, _ = fetch(portable)
    assert file.parent == folder and file.read_bytes() == portable.content
    assert file.name == f"x86_64-{hashlib.sha256(portable.content).hexdigest()}"
    assert folder.stat().st_mode & 0o777 == 0o700 and [file] == list(folder.iterdir())

    # What an earlier try has left is gone on with, whatever it is.
    file.rename(folder / f".{file.name}")
    os.truncate(folder / f".{file.name}", 3 * PIECE)
    before = received(portable)
    assert fetch(portable)[0].read_bytes() == portable.content
    assert received(portable) - before < PIECE, "more than what was missing came"
    (folder / f".{file.name}").write_bytes(b"x" * PIECE)
    file.unlink()
    assert fetch(portable)[0].read_bytes() == portable.content

    # A file that the disk has spoilt is no file; one that nobody asks for makes room.
    file.write_bytes(b"x" + portable.content[1:])
    old = folder / "x86_64-0"
    old.write_bytes(b"old")
    os.utime(old, (1, 1))
    assert fetch(portable)[0].read_bytes() == portable.content and not old.exists()

    portable.hub.stop()
    assert fetch(portable)[0] == file, "without the hub, too"


def test_a_file_that_is_not_what_the_hub_tells(portable):
    folder = portable.state_folder / "portable"
    net.wait_until(lambda: fetch(portable)[0], 20, "the hub to know its file")
    for wrong, words in (({"content": b"x" * len(portable.content)}, "is damaged: its SHA-256 is not the one"),
                         ({"size": len(portable.content) - 1}, "is damaged"),
                         ({"size": len(portable.content) + 1}, "another one than it told"),
                         ({"size": 1 << 30}, "tells no portable agent for x86_64"),
                         ({"path": "/v1/portable/none", "content": b"y"}, "the hub answers 404"),
                         ({"arch": "../x"}, "tells no portable agent"),
                         ({"path": "/v1/x y"}, "tells no portable agent")):
        file, error = fetch(portable, **wrong)
        assert file is None and words in error, (wrong, error)
    assert [path.name for path in folder.iterdir() if not path.name.startswith(".")] == \
        [f"x86_64-{hashlib.sha256(portable.content).hexdigest()}"]
    portable.hub.stop()
    file, error = fetch(portable, b"another")
    assert file is None and error and "/" not in error.split(":")[0], error


def test_its_own_program_is_not_fetched(portable):
    """Where this very program is the file that the hub wants, it is taken as it is."""
    own = programs.BUILD / "tests/unit/portable-fetch"
    assert fetch(portable, own.read_bytes())[0] == own
    assert not (portable.state_folder / "portable").exists()


# --- its addresses ---

def test_the_inventory_says_who_gave_an_address(lab):
    """R2: an address that ends with its lease is DHCP's, a permanent one of which nobody has a lease is static."""
    hub = Hub(lab).start()
    lab.dns()
    agent = Agent(lab).joined(hub.token()).start().wait_online()
    row, = hub.wait_online()

    def origin():
        interfaces = hub.request("GET", f"/v1/servers/{row['id']}")[1]["inventory"]["interfaces"]
        return next(each.get("origin") for each in interfaces if each["name"] == "eth0")

    assert origin() == "static"
    address = next(each["ipv4"] for each in
                   hub.request("GET", f"/v1/servers/{row['id']}")[1]["inventory"]["interfaces"] if each["name"] == "eth0")
    lab.client.ip("addr", "change", address, "dev", "eth0", "valid_lft", "3600", "preferred_lft", "3600")
    agent.process.stop()
    agent.start().wait_online(2)
    net.wait_until(lambda: origin() == "dhcp", 15, "the new origin")
