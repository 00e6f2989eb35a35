"""Credentials of an install are in the memory of the connector's worker, and nowhere else (row B8)."""

import os
from pathlib import Path

import pytest

from lab import net
from lab.installs import Site, results
from planted import CommandLines, files_below, forms, found, memory

pytestmark = pytest.mark.timeout(150)

PASSWORD, SUDO_PASSWORD, PASSPHRASE = "Plnt:p@ss/wörd 1", "Plnt:s%do\"word 2", "Plnt:phrase'3 words"


@pytest.fixture
def site(lab):
    return Site(lab)


class Planted:
    """Two hosts whose passwords are the planted ones, and a key with a passphrase that lets in too."""

    def __init__(self, site):
        self.site = site
        self.hosts = [site.neighbours.add() for _ in range(2)]
        self.key = site.lab.folder / "planted_key"
        net.tool("ssh-keygen", "-q", "-t", "ed25519", "-N", PASSPHRASE, "-C", "planted", "-f", str(self.key))
        site.neighbours.start()
        public = self.key.with_suffix(".pub").read_text()
        for host, word in zip(self.hosts, (PASSWORD, SUDO_PASSWORD)):
            host.must("chpasswd", "-c", "SHA512", input=f"asks:{word}\n")
            host.put("/home/asks/.ssh/authorized_keys", public, 0o600)
            host.must("chown", "-R", "asks", "/home/asks")

    @property
    def needles(self):
        secret = self.key.read_text().split("\n", 1)[1].split("\n-----")[0]
        lines = [line for line in secret.splitlines() if len(line) > 30]
        return {needle for word in (PASSWORD, SUDO_PASSWORD, PASSPHRASE, *lines) for needle in forms(word)}

    def credentials(self):
        """The first host takes the password, the second the key and the password for sudo."""
        first, second = (host.address for host in self.hosts)
        return {"user": "asks", "by_host": {
            first: {"user": "asks", "password": PASSWORD, "sudo_password": PASSWORD},
            second: {"user": "asks", "key": self.key.read_text(), "passphrase": PASSPHRASE,
                     "sudo_password": SUDO_PASSWORD}}}

    def places(self, lines, connector):
        """Everything on both sides but the memory of the worker."""
        site = self.site
        places = files_below(site.hub.root, connector.root, connector.namespace.folder, site.hub.namespace.folder)
        for host in self.hosts:
            top = Path(f"/proc/{host.first}/root")
            below = files_below(host.path("/"), *(top / folder for folder in ("tmp", "run", "dev/shm")))
            places.update({f"{host.name}: {name}": content for name, content in below.items()})
        places["ps"] = b"\n".join(lines.seen)
        return places


def worker_of(connector):
    """The process that does an install for the agent."""
    children = Path(f"/proc/{connector.process.pid}/task/{connector.process.pid}/children").read_text().split()
    found = [int(pid) for pid in children if b"connector-worker" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    assert len(found) == 1, children
    return found[0]


def test_planted_credentials_are_nowhere(site):
    """Password, key, passphrase and password for sudo: not on disk on either side, not in the database, in logs, in `ps`, nor in
    the memory of hub or agent, while the work goes on and when it is over."""
    planted = Planted(site)
    connector = site.connector()
    processes = {"hub": site.hub.process.pid, "agent": connector.process.pid}
    with CommandLines(("cmdline", "environ")) as lines:
        for host in planted.hosts:
            host.slow()
        id = site.begin(planted.hosts, **planted.credentials())
        site.wait_looked(id)
        site.confirm(id)
        site.wait_copying(id)
        worker = worker_of(connector)
        memories = {f"{name} at work": memory(pid) for name, pid in processes.items()}
        assert any(needle in memory(worker) for needle in forms(PASSWORD)), "where they are, they would be found"
        at_work = planted.places(lines, connector)
        for host in planted.hosts:
            host.quick()
        assert {row["state"] for row in site.wait_over(id).values()} == {"online"}
        net.wait_until(lambda: not Path(f"/proc/{worker}/cmdline").exists()
                       or not Path(f"/proc/{worker}/cmdline").read_bytes(), 20, "the end of the worker")
    memories.update({f"{name} at last": memory(pid) for name, pid in processes.items()})
    assert any(b"connector-worker" in line for line in lines.seen), "the looks caught the programs"
    needles = planted.needles
    assert found(at_work, needles) == []
    assert found(planted.places(lines, connector), needles) == []
    assert found(memories, needles) == []


def test_a_worker_that_crashes_leaves_no_core(site):
    """Nor can one be asked for: the limit is none, and the kernel may not dump it."""
    planted = Planted(site)
    connector = site.connector()
    host = planted.hosts[0]
    host.slow()
    id = site.begin([host], **planted.credentials())
    site.wait_looked(id)
    site.confirm(id)
    site.wait_copying(id)
    worker = worker_of(connector)
    limit = next(line for line in Path(f"/proc/{worker}/limits").read_text().splitlines() if "core file size" in line)
    assert limit.split()[4:6] == ["0", "0"]
    folder = Path(os.readlink(f"/proc/{worker}/cwd"))
    before = {path for path in folder.glob("core*")}
    os.kill(worker, 11)
    assert site.wait_over(id, 90)
    assert {path for path in folder.glob("core*")} == before
    assert found(files_below(connector.root, site.hub.root), planted.needles) == []


def test_the_command_takes_no_password_as_an_argument(site):
    """`sallyport install` reads passwords from files and terminals; what it prints and leaves holds none."""
    planted = Planted(site)
    connector = site.connector()
    with CommandLines(("cmdline", "environ")) as lines:
        done = site.command(connector, "--yes-host-keys", password=PASSWORD, hosts=[("asks", planted.hosts[0])])
    assert {row["state"] for row in results(done).values()} == {"online"}, done.stdout + done.stderr
    places = planted.places(lines, connector)
    places["output"] = (done.stdout + done.stderr).encode()
    assert found(places, planted.needles) == []
