"""R11: the portable agent is one file that asks nothing of the system that it runs on.

`./dev portable` builds it, in minutes the first time; a file that is missing skips its tests and says so."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from jobs import script, wait_output, wait_run
from lab import net, programs
from lab.fleet import Agent, Hub

pytestmark = pytest.mark.timeout(120)

MAX_BYTES = 6_000_000
OLD_KERNEL = [sys.executable, Path(__file__).with_name("old_kernel.py")]
QEMU = "/usr/bin/qemu-aarch64-static"
# A user whom /etc/passwd does not know: nss-systemd reads this, as SSSD or LDAP would be asked.
ELSEWHERE = r"""mount -t tmpfs -o mode=755 tmpfs /run
mkdir /run/userdb && cd /run/userdb
echo '{"userName":"remote","uid":4711,"gid":4712,"homeDirectory":"/var/tmp","shell":"/bin/sh"}' >remote.user
echo '{"groupName":"crew","gid":4713,"members":["remote"]}' >crew.group
ln -s remote.user 4711.user
ln -s crew.group 4713.group
: >remote:crew.membership
exec "$@"
"""


def portable(arch):
    file = programs.portable(arch)
    if not file.exists():
        pytest.skip(f"{file} is missing: ./dev portable {arch}")
    return file


@pytest.fixture
def hub(lab):
    hub = Hub(lab).start()
    lab.dns()
    return hub


class Portable(Agent):
    """The portable file as the only program of the project, on this machine's root."""

    arch, before = "x86_64", ()

    def argv(self, *argv):
        return [*self.before, portable(self.arch), *argv, "--root", self.root]

    def online(self, hub):
        self.joined(hub.token()).start().wait_online()
        self.server = hub.wait_online()[0]["id"]
        return self


class Foreign(Portable):
    """For another processor, which qemu plays."""

    arch, before = "aarch64", (QEMU,)


class OldKernel(Portable):
    before = OLD_KERNEL


class Chroot(Portable):
    """In a root of its own that holds nothing but the file, what names resolve by, and /proc."""

    def __init__(self, lab, **options):
        super().__init__(lab, **options)
        (self.root / "proc").mkdir()
        self.mounts = [("/proc", self.root / "proc")]
        shutil.copy(portable(self.arch), self.root / "sallyport")

    def argv(self, *argv):
        return ["chroot", self.root, "/sallyport", *argv]


class Busybox(Chroot):
    """The same with busybox, which is linked statically as well: a system without glibc."""

    def __init__(self, lab, **options):
        super().__init__(lab, **options)
        for folder in ("bin", "sbin", "usr/bin", "usr/sbin", "dev", "tmp"):
            (self.root / folder).mkdir(parents=True)
        shutil.copy("/bin/busybox", self.root / "bin/busybox")
        net.tool("chroot", str(self.root), "/bin/busybox", "--install", "-s")
        (self.root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\nann:x:1000:1000::/tmp:/bin/sh\n")
        (self.root / "etc/group").write_text("root:x:0:\nann:x:1000:\ncrew:x:1001:ann\n")
        self.mounts.append(("/dev", self.root / "dev"))


@pytest.mark.parametrize("arch, machine", [("x86_64", "Advanced Micro Devices X86-64"), ("aarch64", "AArch64")])
def test_needs_no_library(arch, machine):
    """It has no loader and no libraries, code that may lie anywhere, and is small."""
    file = portable(arch)
    told = net.tool("readelf", "-hldW", str(file))
    assert machine in told and "INTERP" not in told and "(NEEDED)" not in told and "(RUNPATH)" not in told
    assert "DYN (" in told and "GNU_RELRO" in told
    assert file.stat().st_size < MAX_BYTES


def test_holds_no_path_of_the_machine_that_built_it():
    """Where source and libraries lay must not show: two builds give the same bytes."""
    data = portable("x86_64").read_bytes()
    assert b"/.deps/" not in data and str(programs.ROOT).encode() not in data


def works(agent, hub):
    """check, join and agent: what the program is there for; returns what `check` says once it has joined."""
    assert agent.command("--version").stdout.startswith("sallyport ")
    agent.online(hub)
    done = agent.command("check", "--format", "json")
    report = json.loads(done.stdout)
    asked = [row for row in report["requirements"] if row["id"].startswith("endpoint.")]
    assert asked and all(row["status"] == "pass" for row in asked), done.stdout
    assert agent.told() == [], agent.log()
    return report


def test_in_an_empty_root(lab, hub):
    works(Chroot(lab), hub)


def test_on_a_system_without_glibc(lab, hub):
    """Its jobs too: the shell is busybox', and so are the users and groups."""
    agent = Busybox(lab)
    works(agent, hub)
    job = script(hub, agent, "id", user="ann")
    assert wait_run(hub, job, agent, "done", "failed")["state"] == "done"
    assert wait_output(hub, job, agent) == "uid=1000(ann) gid=1000(ann) groups=1000(ann),1001(crew)\n"
    job = script(hub, agent, "id", user="nobody-here")
    assert 'this machine has no user "nobody-here"' in str(wait_run(hub, job, agent, "failed"))


def test_on_an_old_kernel(lab, hub):
    """Linux 3.10: what came later is asked for, and done without."""
    agent = OldKernel(lab)
    works(agent, hub)
    job = script(hub, agent, "uname -s")
    assert wait_run(hub, job, agent, "done", "failed")["state"] == "done"
    assert wait_output(hub, job, agent) == "Linux\n"


def test_knows_users_that_the_system_has_elsewhere(lab, hub):
    """It loads no plugin of the machine's glibc, and still knows whom the machine knows."""
    names = lab.folder / "nsswitch.conf"
    names.write_text("passwd: files systemd\ngroup: files systemd\n")
    agent = Portable(lab, mounts=[(names, "/etc/nsswitch.conf")])
    agent.joined(hub.token()).start(wrapper=["sh", "-ec", ELSEWHERE, "sh"]).wait_online()
    agent.server = hub.wait_online()[0]["id"]
    job = script(hub, agent, "id -u; id -g; pwd", user="remote")
    assert wait_run(hub, job, agent, "done", "failed")["state"] == "done"
    assert wait_output(hub, job, agent) == "4711\n4712\n/var/tmp\n"


def test_for_another_processor(lab, hub):
    """aarch64, under qemu: what it says, and a walk to a real hub."""
    agent = Foreign(lab)
    works(agent, hub)
    mine = subprocess.run([programs.SALLYPORT, "explain"], capture_output=True, text=True, check=True).stdout
    assert agent.namespace.run([QEMU, portable("aarch64"), "explain"]).stdout == mine
