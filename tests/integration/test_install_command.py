"""The command line of `sallyport install`: keys that an ssh-agent holds, lists as CSV, other ports, looking alone, a
location that demands DHCP, and what a person reads (rows R2, R11, R12, R25, S5)."""

import re

import pytest

from lab.installs import LOCATION, Site, results

pytestmark = pytest.mark.timeout(150)


@pytest.fixture
def site(lab):
    return Site(lab)


def states(done):
    return {host: row["state"] for host, row in results(done).items()}


def with_ssh_agent(site, connector):
    """What comes before a command so that it finds an ssh-agent that has the neighbours' key."""
    socket = site.lab.folder / "ssh-agent"
    agent = connector.namespace.popen(["ssh-agent", "-D", "-a", socket])
    agent.wait_for("^SSH_AUTH_SOCK=")
    wrapper = ("env", f"SSH_AUTH_SOCK={socket}")
    added = connector.namespace.run([*wrapper, "ssh-add", site.neighbours.key])
    assert added.returncode == 0, added.stderr
    return wrapper


def test_a_list_a_look_and_the_keys_of_an_ssh_agent(site):
    """Looking alone changes nothing, also not on the host; then the same list goes through (R11)."""
    hosts = [site.neighbours.add(), site.neighbours.add(sshd="Port 2222\n")]
    site.neighbours.start()
    before = [host.changes() for host in hosts]
    connector = site.connector()
    wrapper = with_ssh_agent(site, connector)
    names = site.lab.folder / "hosts.csv"
    names.write_text(f"name,host,port,user\nfirst,{hosts[0].address},,ops\nsecond,{hosts[1].address},2222,root\n")
    command = ["--agent", "--yes-host-keys", "--hosts", names]

    looked = site.command(connector, "--look-only", *command, password=None, wrapper=wrapper)
    assert looked.returncode == 0, looked.stdout + looked.stderr
    assert states(looked) == {host.address: "ready" for host in hosts}
    assert [host.changes() for host in hosts] == before
    assert len(site.hub.servers()) == 1

    done = site.command(connector, *command, password=None, wrapper=wrapper)
    assert done.returncode == 0, done.stdout + done.stderr
    assert states(done) == {host.address: "online" for host in hosts}
    assert {row["name"] for row in site.hub.servers() if row["location"] == LOCATION} > {host.name for host in hosts}


def test_another_port_for_all_and_words_for_people(site):
    """With --port; a person reads a line a host, and for the one that failed what to do (R25)."""
    good = site.neighbours.add(sshd="Port 2022\n")
    silent = site.neighbours.add()  # nobody listens on that port
    site.neighbours.start()
    connector = site.connector()
    argv = [word for word in site.command_line(connector, "--port", 2022, "--key", site.neighbours.key,
                                               "--yes-host-keys", password=None, hosts=[("root", good), ("root", silent)])
            if word not in ("--format", "json")]
    done = connector.namespace.run(argv, timeout=90)
    assert done.returncode == 1
    assert re.search(rf"^{re.escape(good.address)}\S*\s.*online", done.stdout, re.M), done.stdout
    line = re.search(rf"^{re.escape(silent.address)}\S*\s.*failed.*(\n +\S.*)+", done.stdout, re.M)
    assert line and "refuse" in line[0], done.stdout


def test_a_location_that_demands_dhcp(lab):
    """R2: a host with a fixed address is not joined to such a location; its own check says why, and nothing is left."""
    site = Site(lab, addressing="dhcp")
    host = site.neighbours.add()
    site.neighbours.start()
    before = host.changes()
    connector = site.connector()
    done = site.command(connector, "--yes-host-keys", hosts=[("ops", host)])
    row = results(done)[host.address]
    assert (row["state"], row["outcome"]) == ("failed", "no-way"), done.stdout
    assert "DHCP" in row["sentence"] and row["remedy"]
    host.wait_alone()
    assert host.changes() == before
