"""A connector puts the agent on its neighbours over SSH (rows R11, R12, S3, S4): with one command, or from the API; once
more; and off again. Afterwards nobody needs port 22 (row R14)."""

import pytest

from lab import net
from lab.fleet import another_machine
from lab.installs import LOCATION, PORTABLE, Site, job_output, of_version, results
from lab.machines import Bare, Booted

pytestmark = pytest.mark.timeout(150)
HOSTS = 7


@pytest.fixture
def site(lab):
    return Site(lab)


def online(site):
    """name -> id of the servers that are online."""
    return {row["name"]: row["id"] for row in site.hub.servers() if row["status"] == "online"}


def end_states(done):
    assert done.stderr == "" or done.returncode == 0, done.stdout + done.stderr
    return {host: row["state"] for host, row in results(done).items()}


def snapshots(hosts):
    return {host.name: host.changes() for host in hosts}


def without_logs(changes):
    """A removal leaves what may be wanted later: the log, and the folders that programs come to."""
    return {name: what for name, what in changes.items()
            if not name.startswith("/var/log/sallyport") and what[0][2:3] != "4"}


def test_one_command_for_all_then_port_22_closes(site):
    """Hosts with sshd, one that systemd has booted, and one of busybox and dropbear without glibc: one command, all
    online (R11, R12). A second run makes no second identity. With inbound 22 dropped all stay and take a job (R14)."""
    neighbours = site.neighbours
    hosts = [neighbours.add() for _ in range(HOSTS)]
    booted = neighbours.add("booted", Booted)
    # Where nothing but the portable file runs; `./dev portable` builds it.
    bare = [neighbours.add("bare", Bare)] if PORTABLE.exists() else []
    neighbours.start()
    before = snapshots(hosts + bare)
    connector = site.connector()
    wanted = [("ops", host) for host in hosts[:3]] + [("asks", host) for host in hosts[3:5]] + \
        [("root", host) for host in (*hosts[5:], booted, *bare)]
    done = site.command(connector, "--yes-host-keys", hosts=wanted)
    assert done.returncode == 0, done.stdout + done.stderr
    assert end_states(done) == {host.address: "online" for host in neighbours.hosts}
    servers = online(site)
    assert {host.name for host in neighbours.hosts} < set(servers)
    assert booted.must("systemctl", "is-active", "sallyport").strip() == "active"
    assert booted.must("systemctl", "is-enabled", "sallyport").strip() == "enabled"

    again = site.command(connector, "--yes-host-keys", hosts=wanted)
    assert again.returncode == 0, again.stdout + again.stderr
    assert set(end_states(again).values()) <= {"online", "kept"}
    assert online(site) == servers and len(site.hub.servers()) == len(servers)

    neighbours.close_port_22()
    assert site.lab.client.run(["nc", "-z", "-w", "1", hosts[0].address, "22"]).returncode != 0
    for host in neighbours.hosts:
        assert job_output(site, servers[host.name]) == host.name
    assert online(site) == servers

    site.lab.router.nft("delete table inet no_ssh\n")
    gone = site.command(connector, "--remove", hosts=wanted)
    assert gone.returncode == 0, gone.stdout + gone.stderr
    assert set(end_states(gone).values()) == {"removed"}
    for host in hosts + bare:
        assert without_logs(host.changes()) == without_logs(before[host.name]), host.name
        host.wait_alone()
    net.wait_until(lambda: set(online(site)) == {name for name, id in servers.items() if id == connector.server}, 20,
                   "the hub to know that they left")


def test_from_the_api_with_a_range(site):
    """A range finds who is there, and who is not is no failure; all at another port (S5)."""
    neighbours = site.neighbours
    hosts = [neighbours.add(sshd="Port 2222\n") for _ in range(3)]
    neighbours.start()
    site.connector()
    # The router answers for addresses that nobody has at once, as one with a static neighbour table does.
    site.lab.router.ip("route", "add", "unreachable", "10.78.0.13/32")
    id = site.begin(["10.78.0.10-13"], port=2222)
    assert {row["state"] for row in site.wait_looked(id).values()} == {"ready", "absent"}
    site.confirm(id)
    rows = site.wait_over(id)
    assert {host: row["state"] for host, row in rows.items()} == {
        **{host.address: "online" for host in hosts}, "10.78.0.13": "absent"}, rows
    assert site.install(id)["state"] == "done"
    servers = online(site)
    assert all(rows[host.address]["server"] == servers[host.name] for host in hosts)
    assert {row["location"] for row in site.hub.servers()} == {LOCATION}


def test_an_old_agent_is_upgraded_and_stays_itself(site):
    """An older agent, which runs and has joined, becomes the new one under the same identity."""
    host = site.neighbours.add()
    site.neighbours.start()
    connector = site.connector()
    host.put("/usr/local/bin/sallyport", of_version("0.0.9"), 0o755)
    assert host.must("sallyport", "--version").strip() == "sallyport 0.0.9"
    host.must("sallyport", "setup", input=site.hub.token() + "\n")
    site.hub.wait_online(2)
    servers = online(site)
    done = site.command(connector, "--yes-host-keys", hosts=[("ops", host)])
    assert end_states(done) == {host.address: "online"}, done.stdout + done.stderr
    assert host.must("sallyport", "--version").strip() == "sallyport 0.1.0"

    def upgraded():
        rows = {row["name"]: row for row in site.hub.servers()}
        return rows[host.name]["status"] == "online" and rows[host.name]["version"] == "0.1.0"

    net.wait_until(upgraded, 20, "the new version at the hub")
    assert online(site) == servers and len(site.hub.servers()) == 2


def test_another_connector_takes_over(site):
    """When the connector that is at work dies in the middle, the other one of the location does the rest (S4)."""
    neighbours = site.neighbours
    hosts = [neighbours.add() for _ in range(3)]
    second = neighbours.add("second")
    neighbours.start()
    first = site.connector()
    other = site.connector("other", namespace=second.namespace, mounts=another_machine(site.lab))
    connectors = {first.server: first, other.server: other}
    id = site.begin(hosts)
    site.wait_looked(id)
    worker = connectors[site.install(id)["connector"]]
    survivor = first if worker is other else other
    for host in hosts:
        host.slow()
    site.confirm(id)
    site.wait_copying(id)
    worker.process.kill()
    for host in hosts:
        host.quick()
    rows = site.wait_over(id, 90)
    assert {row["state"] for row in rows.values()} == {"online"}
    assert site.install(id)["connector"] == survivor.server
    assert len([row for row in site.hub.servers() if row["name"] in {host.name for host in hosts}]) == len(hosts)
