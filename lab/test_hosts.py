"""The lab's neighbours: each has a file system, processes and a name of its own, and nothing of them is left."""

import os
import re
from pathlib import Path

import pytest

from lab import net
from lab.hosts import CLOCK, PASSWORD, Neighbours
from lab.machines import Bare, Booted
from lab.net import wait_until
from lab.world import Lab

pytestmark = pytest.mark.timeout(120)
SSH = ["ssh", "-oStrictHostKeyChecking=no", "-oUserKnownHostsFile=/dev/null", "-oLogLevel=ERROR"]


def over_ssh(lab, neighbours, user, host, command):
    return lab.client.run([*SSH, "-oBatchMode=yes", "-i", neighbours.key, f"{user}@{host.address}", command])


def left(word):
    """What still carries the mark of a world: namespaces, mounts of any process, processes, control groups."""
    found = [path.name for folder in (net.NETNS, net.ETC) for path in folder.glob(f"*{word}*")]
    for folder in Path("/proc").glob("[0-9]*"):
        if folder.name == str(os.getpid()):
            continue
        for file in ("cmdline", "mounts"):
            try:
                if word.encode() in (folder / file).read_bytes():
                    found.append(f"{folder}/{file}")
            except OSError:
                pass  # it has ended
    found += [str(path) for path in Path("/sys/fs/cgroup").glob(f"**/*{word}*")]
    return found + re.findall(rf"\S*{word}\S*", Path("/proc/self/mounts").read_text())


def test_hosts_are_apart_and_nothing_is_left():
    with Lab() as lab:
        word = lab.folder.name
        neighbours = Neighbours(lab)
        first, second, *_ = [neighbours.add() for _ in range(12)]
        bare, booted = neighbours.add("bare", Bare), neighbours.add("booted", Booted)
        before = second.changes()
        neighbours.start()
        for host in (first, bare, booted):
            done = over_ssh(lab, neighbours, "root", host, "hostname; echo new >/usr/local/bin/thing; cat /etc/machine-id")
            assert done.stdout.split() == [host.name, host.path("/etc/machine-id").read_text().strip()], done.stderr
            assert "/usr/local/bin/thing" in host.changes()
        assert not Path("/usr/local/bin/thing").exists()
        assert {name: second.changes()[name] for name in before} == before
        assert not Path("/proc", str(bare.first), "root/lib64").exists()
        assert "systemd" in booted.must("cat", "/proc/1/comm")
        first.must("sh", "-c", "echo gone >/tmp/gone")
        first.reboot()
        assert "/usr/local/bin/thing" in first.changes() and "/tmp/gone" not in first.changes()
    # Names of its namespaces begin so too.
    wait_until(lambda: not left("-".join(word.split("-")[:2]) + "-"), 20, "the end of all of it")


def test_users_and_faults_of_a_host(lab):
    """What the tests of installs rely on: each user is let in, or kept out, as its name says."""
    neighbours = Neighbours(lab)
    host = neighbours.add(noexec=["/tmp", "/var/tmp"], persona="i686", read_only=True)
    full = neighbours.add(disk_mb=1, environment=CLOCK)
    neighbours.start()

    def says(user, command, machine=host):
        done = over_ssh(lab, neighbours, user, machine, command)
        return done.stdout + done.stderr

    assert "uid=0" in says("root", "id") and "uid=0" in says("ops", "sudo -n id")
    assert "uid=0" in says("asks", f"echo '{PASSWORD}' | sudo -S id")
    assert "not in the sudoers" in says("plain", f"echo '{PASSWORD}' | sudo -S id")
    assert "must have a tty" in says("tty", "sudo -n id")
    assert "expired" in says("expired", "id")
    assert says("ops", "uname -m").strip() == "i686"
    assert "Permission denied" in says("ops", "cp /bin/true /tmp && /tmp/true")
    assert "Read-only file system" in says("root", "touch /etc/x")
    assert "No space left" in says("root", "head -c 2m /dev/zero >/root/x", full)
    ahead = int(says("root", "date +%s", full)) - int(says("root", "date +%s"))
    assert 2 * 86400 < ahead < 4 * 86400
