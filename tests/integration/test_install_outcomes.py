"""Every way in which an install ends otherwise than well has a result of its own, and leaves nothing behind on the host.

One world with a host for each fault, one install over all of them: what it found of each host, and what is left there,
are the rows below. What takes more than a host that is as it is follows after them.
"""

import re
import subprocess

import pytest

from lab import net, programs
from lab.fleet import Agent, Hub
from lab.hosts import CLOCK, PASSWORD
from lab.installs import LOCATION, Site, of_version, sealed, text_of
from lab.world import HUB

pytestmark = pytest.mark.timeout(240)

# The processor and the system of another machine: there is none here, and binfmt could run its programs but not be it.
UNAME = "#!/bin/sh\ncase $1 in -s) echo {system};; -m) echo {machine};; *) exec busybox uname \"$@\";; esac\n"
# As dpkg has it after `apt install sallyport`; the program is the same file.
PACKAGED = """Package: sallyport
Status: install ok installed
Maintainer: nobody
Architecture: amd64
Version: 0.1.0
Description: agent

"""
EVERYWHERE = ("/tmp", "/var", "/root", "/home", "/opt", "/usr/local", "/srv", "/run", "/dev/shm")


LIVING = ("/var/log/sallyport/", "/var/lib/sallyport/status.json", "/var/lib/sallyport/check.json",
          "/var/lib/sallyport/runs")


class Row:
    """outcome: how it ends; user, options: of the host; by_host: credentials of its own; port: another one; prepare: called
    with the host before it starts; joined: its agent runs already."""

    def __init__(self, outcome, user="ops", by_host=None, port=22, host=None, state="failed", prepare=None,
                 joined=False, **options):
        self.outcome, self.user, self.by_host, self.port, self.host = outcome, user, by_host, port, host
        self.state, self.prepare, self.joined, self.options = state, prepare, joined, options

    def line(self):
        user = f"{self.user}@" if self.user else ""
        return f"{user}{self.address}" + (f":{self.port}" if self.port != 22 else "")

    @property
    def address(self):
        return self.host if isinstance(self.host, str) else self.host.address


def newer(host):
    host.put("/usr/local/bin/sallyport", of_version("9.9.9"), 0o755)


def set_up(host, site):
    """By whoever put it there."""
    host.must("sallyport", "setup", "--location", LOCATION, input=site.hub.token() + "\n")


def packaged(host):
    host.put("/usr/bin/sallyport", Site.portable().read_bytes(), 0o755)
    host.put("/var/lib/dpkg/info/sallyport.list", "/usr/bin/sallyport\n")
    host.put("/var/lib/dpkg/status", PACKAGED)


def no_way(host):
    """The firewall of the site drops what it sends to the hub."""
    host.neighbours.lab.router.nft(f"table inet no_way {{\n\tchain pass {{\n\t\ttype filter hook forward priority 5; "
                                   f"policy accept;\n\t\tip saddr {host.address} tcp dport 443 drop\n\t}}\n}}\n")


def silent(host):
    host.namespace.nft("table inet silent {\n\tchain come {\n\t\ttype filter hook input priority 0; policy accept;\n"
                       "\t\ttcp dport 22 drop\n\t}\n}\n")


def rows(key):
    """name -> Row; `key` is the private key that every user has."""
    return {
        "good": Row(None, state="online"),
        "noexec-tmp": Row(None, state="online", noexec=["/tmp"]),
        "name": Row("host-unresolved", host="nowhere.lab.example"),
        "no-route": Row("host-unreachable", host="10.79.0.5"),
        "other-port": Row("host-refused", port=2222),
        "silent": Row("host-silent", prepare=silent),
        "web": Row("not-ssh", host=HUB, port=443),
        "wrong-password": Row("auth-failed", by_host={"password": "not this one"}),
        "keys-only": Row("auth-method-missing", sshd="PasswordAuthentication no\nKbdInteractiveAuthentication no\n"),
        "bad-key": Row("key-unusable", by_host={"key": "-----BEGIN OPENSSH PRIVATE " "KEY-----\nAAAA\n"
                                                       "-----END OPENSSH PRIVATE " "KEY-----\n"}),
        "expired": Row("password-expired", user="expired"),
        "nologin": Row("login-unusable", user="shut"),
        "bsd": Row("system-unsupported", files={"/usr/bin/uname": (UNAME.format(system="FreeBSD", machine="amd64"), 0o755)}),
        "old-processor": Row("arch-unsupported", persona="i686"),
        "clock": Row("clock-wrong", user="root", environment=CLOCK),
        "no-sudo": Row("no-sudo", user="plain"),
        "sudo-asks": Row("sudo-password-missing", user="asks", by_host={"key": key}),
        "sudo-wrong": Row("sudo-password-wrong", user="asks", by_host={"password": PASSWORD, "sudo_password": "no"}),
        "sudo-tty": Row("sudo-needs-tty", user="tty"),
        "full": Row("disk-full", disk_mb=1),
        "read-only": Row("root-read-only", read_only=True),
        "noexec": Row("no-exec", noexec=EVERYWHERE),
        "small": Row("copy-failed", user="small"),
        "newer": Row("agent-newer", state="kept", prepare=newer, joined=True),
        "packaged": Row("agent-packaged", state="kept", prepare=packaged, joined=True),
        "fenced": Row("no-way", prepare=no_way),
        "no-place": Row("setup-failed", files={"/etc/sallyport": "a file where a folder has to be\n"}),
    }


class World:
    """The hosts of all rows, and how the one install over them ended."""

    def __init__(self, lab):
        self.site = Site(lab)
        neighbours = self.site.neighbours
        lab.router.ip("route", "add", "unreachable", "10.79.0.0/24")
        self.rows = rows(neighbours.key.read_text())
        for name, row in self.rows.items():
            if row.host is None:
                row.host = neighbours.add(name, **row.options)
                if row.prepare:
                    row.prepare(row.host)
        neighbours.start()
        for row in self.rows.values():
            if row.joined:
                set_up(row.host, self.site)
        self.connector = self.site.connector()
        self.before = {row.host: row.host.changes() for row in self.rows.values() if not isinstance(row.host, str)}
        self.ended = self.site.run([row.line() for row in self.rows.values()], timeout=120, parallel=32, user="ops",
                                   password=PASSWORD, sudo_password=PASSWORD, by_host={
                                       row.address: row.by_host for row in self.rows.values() if row.by_host})


def wrong_result(row, ended):
    """What is wrong with how it ended; None: nothing. A sentence has no hole in it."""
    told = row.outcome is None or (ended["stage"] and ended["sentence"] and ended["remedy"]
                                   and not re.search(r"[{}|]", ended["sentence"] + ended["remedy"]))
    return None if (ended["state"], ended["outcome"]) == (row.state, row.outcome) and told else ended


def left_behind(row, before):
    """What is on the host now and was not, or was and is not, when nothing of ours runs there any more."""
    if not row.joined:
        row.host.wait_alone()
    after = row.host.changes()
    if row.joined:  # an agent that runs writes its log
        before, after = ({path: what for path, what in each.items() if not path.startswith(LIVING)}
                         for each in (before, after))
    return [path for path in {*before, *after} if before.get(path) != after.get(path)]


def test_a_result_for_each_fault_and_nothing_left_behind(lab):
    """(R11, R12) One install over all of them: each host ends with the outcome of its fault, in words; nothing is left on
    those that failed, and the servers that came are those that should."""
    world = World(lab)
    wrong = {name: wrong_result(row, world.ended[row.address]) for name, row in world.rows.items()}
    assert {name: ended for name, ended in wrong.items() if ended} == {}
    left = {name: left_behind(row, world.before[row.host]) for name, row in world.rows.items()
            if row.outcome and not isinstance(row.host, str)}
    assert {name: paths for name, paths in left.items() if paths} == {}
    fenced = {item["name"]: item["value"] for item in world.ended[world.rows["fenced"].address]["evidence"]}
    assert fenced.get("cause") in programs.causes(), "the host's own check says why"
    rows = world.site.hub.servers()
    connector = {row["name"] for row in rows if row["id"] == world.connector.server}
    assert {row["name"] for row in rows} == connector | {"good", "noexec-tmp", "newer", "packaged"}


@pytest.fixture
def site(lab):
    return Site(lab)


def one(site, **options):
    host = site.neighbours.add(**options)
    site.neighbours.start()
    return host


def only(rows):
    assert len(rows) == 1
    return next(iter(rows.values()))


def ends(row, state, outcome):
    assert (row["state"], row["outcome"]) == (state, outcome), row


def test_a_changed_host_key_stops_the_host(site):
    """host-key-changed: pinned when a person confirmed it; another one stops this host before anything is sent. It goes on
    when somebody has removed the old key."""
    host = one(site)
    site.connector()
    ends(only(site.run([host])), "online", None)
    before = host.changes()
    host.kill()
    host.keys()
    host.start().wait()
    changed = only(site.run([host]))
    ends(changed, "failed", "host-key-changed")
    assert changed["host_key"]["state"] == "changed"
    assert host.run("cat", "/var/log/btmp").stdout == ""
    pinned = site.must("GET", f"/v1/locations/{LOCATION.replace(' ', '%20')}/host-keys", 200)["host_keys"]
    assert [key["host"] for key in pinned] == [host.address] and before
    site.must("DELETE", f"/v1/locations/{LOCATION.replace(' ', '%20')}/host-keys/{pinned[0]['id']}", 204)
    ends(only(site.run([host])), "online", None)


def test_nobody_confirmed_the_key(site):
    """host-key-unconfirmed: the command asks; without a terminal and without --yes-host-keys nothing goes on."""
    host = one(site)
    connector = site.connector()
    before = host.changes()
    done = site.command(connector, hosts=[host])
    assert done.returncode and "host-key-unconfirmed" in done.stdout, done.stdout + done.stderr
    assert host.changes() == before


def test_another_hub_has_it(lab):
    """agent-elsewhere: a machine of another hub stays there."""
    other = Hub(lab, address="203.0.113.40", name="other.lab.example").start()
    site = Site(lab)
    host = one(site)
    site.connector()
    host.put("/usr/local/bin/sallyport", site.portable().read_bytes(), 0o755)
    host.must("sallyport", "join", "--token-file", "-", input=other.token() + "\n")
    before = host.changes()
    ends(only(site.run([host])), "failed", "agent-elsewhere")
    assert host.changes() == before


def test_removing_what_is_not_there(site):
    """agent-absent."""
    host = one(site)
    site.connector()
    before = host.changes()
    ends(only(site.run([host], action="remove")), "kept", "agent-absent")
    assert host.changes() == before


def test_credentials_that_do_not_fit(site):
    """credentials-unusable and not-named: a box for somebody else opens nothing, and a password goes to no host that was
    not named with it."""
    host = one(site)
    site.connector()
    text = text_of([host])
    location = site.location()["connectors"][0]
    other = Agent(site.lab, "other")
    other.root.joinpath("etc").mkdir(parents=True, exist_ok=True)
    junk = {location["id"]: sealed(location["key"], {"v": 1, "hosts": text})[:-8] + "AAAAAAAA"}
    ends(only(site.run([host], boxes=junk)), "failed", "credentials-unusable")
    elsewhere = {location["id"]: sealed(location["key"], {
        "v": 1, "hosts": "10.78.0.99\n", "user": "ops", "password": PASSWORD})}
    ends(only(site.run([host], boxes=elsewhere)), "failed", "not-named")
    assert host.run("cat", "/var/log/btmp").stdout == ""


def test_two_at_once_on_one_host(site):
    """setup-busy: two connectors' installs on one host at once: one of them does it, the other says so or finds it done, and
    the host is one server."""
    host = one(site)
    site.connector()
    ids = [site.begin([host]) for _ in range(2)]
    for id in ids:
        site.wait_looked(id)
    for id in ids:
        site.confirm(id)
    rows = [only(site.wait_over(id)) for id in ids]
    assert "online" in {row["state"] for row in rows}
    assert {row["outcome"] for row in rows} <= {None, "setup-busy"}, rows
    assert [row["name"] for row in site.hub.servers()].count(host.name) == 1


def test_the_lock_of_a_setup_holds_off_another(site):
    """setup-busy, for certain: the lock is held all the while."""
    host = one(site)
    site.connector()
    lock = Locked(host)
    before = host.changes()
    ends(only(site.run([host])), "failed", "setup-busy")
    lock.release()
    assert {name for name in host.changes()} <= {*before, *lock.files}


class Locked:
    """The lock that `sallyport setup` takes on the host, taken by somebody else."""

    PATH = "/run/sallyport-setup.lock"
    files = (PATH,)

    def __init__(self, host):
        self.process = subprocess.Popen(
            ["nsenter", "-t", str(host.first), "--all", "--root", "--wd=/", "flock", self.PATH, "sh", "-c",
             "echo held; cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "held\n"

    def release(self):
        self.process.communicate()


def test_cancelled_in_the_middle(site):
    """cancelled: what was under way is taken back."""
    host = one(site)
    site.connector()
    before = host.changes()
    host.slow()
    id = site.begin([host])
    site.wait_looked(id)
    site.confirm(id)
    site.wait_copying(id)
    site.must("POST", f"/v1/installs/{id}/cancel", 202)
    ends(only(site.wait_over(id)), "cancelled", "cancelled")
    host.quick()
    net.wait_until(lambda: host.changes() == before and not host.programs(), 30, "the host to be as it was")


def test_the_host_reboots_in_the_middle(site):
    """It goes on when the host is back, and what the first try had left there is gone."""
    host = one(site)
    site.connector()
    before = set(host.changes())
    host.slow()
    id = site.begin([host])
    site.wait_looked(id)
    site.confirm(id)
    site.wait_copying(id)
    host.kill()
    host.quick()
    host.start().wait()
    ends(only(site.wait_over(id)), "online", None)
    assert not [name for name in set(host.changes()) - before if ".sallyport-" in name]
    assert [row["name"] for row in site.hub.servers()].count(host.name) == 1


def test_the_only_connector_dies_in_the_middle(site):
    """connector-lost: nobody can take over, and the host takes back what was under way by itself."""
    host = one(site)
    connector = site.connector()
    before = host.changes()
    host.slow()
    id = site.begin([host])
    site.wait_looked(id)
    site.confirm(id)
    site.wait_copying(id)
    connector.process.kill()
    ends(only(site.wait_over(id, 120)), "failed", "connector-lost")
    host.quick()
    net.wait_until(lambda: host.changes() == before and not host.programs(), 30, "the host to be as it was")


def test_the_hub_restarts_in_the_middle(site):
    """credentials-gone: the boxes were in its memory alone, so whoever has to begin anew has none."""
    host = one(site)
    connector = site.connector()
    id = site.begin([host])
    site.wait_looked(id)
    connector.process.kill()
    site.hub.kill()
    site.hub.start()
    connector.start().wait_online(2)
    ends(only(site.wait_over(id, 120)), "failed", "credentials-gone")
