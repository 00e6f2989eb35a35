"""This machine's own root file system, to be changed without changing it: an overlay whose upper layer
is memory, in mount, process and network namespaces of its own. All of it, and every program in it, ends
with stop(). Its network has a loopback device and nothing else.
"""

import itertools
import os
import signal
import subprocess
from pathlib import Path

import pytest

from lab import net, programs
from lab.machines import OWN_GROUP

# Away with what keeps services from being started, and with the index of manual pages, which takes
# seconds.
OVERLAY = r"""
cd "$1"
mount -t tmpfs -o size=1g,mode=755 tmpfs .
cd "$1"
mkdir upper work root
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" root
test -e root/var/lib/dpkg/status || { echo "/var is a file system of its own" >&2; exit 1; }
rm -f root/usr/sbin/policy-rc.d root/var/lib/man-db/auto-update
"""

# The last line is the holder: it reads from a pipe that nobody writes to, and ends when that closes.
WITHOUT_SYSTEMD = OVERLAY + r"""
mount -t proc proc root/proc
mount --rbind /dev root/dev
mount -t tmpfs -o mode=755 tmpfs root/run
mount -t tmpfs -o mode=1777 tmpfs root/tmp
ip link set lo up
echo ready
cat >/dev/null
"""

# The other ways of starting a system: packages that cannot be installed beside systemd, unpacked over it by
# `./dev deps`. Of this machine's own services none is started.
UNPACKED = OVERLAY + r"""
for deb in "$3"/*.deb; do
	dpkg --fsys-tarfile "$deb" | tar -x --keep-directory-symlink -C root
done
for level in 0 1 2 3 4 5 6 S; do
	rm -rf "root/etc/rc$level.d"
	mkdir "root/etc/rc$level.d"
done
mount -t proc proc root/proc
mount -t tmpfs -o mode=755 tmpfs root/run
mount -t tmpfs -o mode=1777 tmpfs root/tmp
# Nothing of this machine's consoles: an init would take them over.
mount -t tmpfs -o mode=755 tmpfs root/dev
for name in null zero full random urandom; do
	touch "root/dev/$name"
	mount --bind "/dev/$name" "root/dev/$name"
done
: >root/etc/fstab
ip link set lo up
"""
# What openrc-init does, without its power over the machine; these runlevels are empty.
WITH_OPENRC = UNPACKED + r"""
for level in sysinit boot default; do
	chroot root openrc $level >/dev/null 2>&1
done
echo ready
cat >/dev/null
"""
WITH_SYSVINIT = UNPACKED + r"""
printf 'id:2:initdefault:\nl2:2:wait:/etc/init.d/rc 2\n' >root/etc/inittab
echo ready
CONSOLE=/dev/null exec chroot root /sbin/init
"""
INITS = {None: WITHOUT_SYSTEMD, "openrc": WITH_OPENRC, "sysvinit": WITH_SYSVINIT}

# A container that boots: systemd as its first process, and of this machine's services none.
WITH_SYSTEMD = OVERLAY + r"""
rm -rf root/etc/systemd/system/*.wants root/etc/fstab root/etc/rc?.d
set -- "$2" "$1"
""" + OWN_GROUP + r"""
echo ready
exec systemd-nspawn -q -D "$2/root" -b --private-network --register=no --keep-unit >boot.log 2>&1
"""
# Whoever kills the first of these kills all that runs in the process namespace, a booted systemd as well.
UNSHARE = ["--mount", "--propagation", "private", "--pid", "--fork", "--kill-child"]

counter = itertools.count(1)


class RootCopy:
    def __init__(self, folder, systemd=False, init=None):
        """Skips the test, with the reason, where such a root cannot be made."""
        folder.mkdir()
        self.group = f"sallyport-test-{os.getpid()}-{next(counter)}"
        own = ["--mount-proc"] if systemd else ["--net"]
        self.holder = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "--", "unshare", *UNSHARE, *own, "sh", "-ec",
             WITH_SYSTEMD if systemd else INITS[init], "sh", folder, self.group,
             programs.ROOT / f".deps/inits/{init}"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if self.holder.stdout.readline() != "ready\n":
            self.skip("no overlay of the root file system here", self.holder.stderr)
        if systemd:
            self.boot(folder)
        elif init == "sysvinit":
            self.first = self.child_of(self.holder.pid)
            self.enter = ["nsenter", "-t", str(self.first), "--mount", "--net", "--pid", "--root", "--wd"]
            net.wait_until(lambda: self.run("cat", "/proc/1/comm").stdout == "init\n", 30, "init to run")
            self.top = Path(f"/proc/{self.first}/root")
        else:
            self.first = self.child_of(self.holder.pid)  # the namespace's process 1
            self.top = Path(f"/proc/{self.first}/root{folder}/root")
            # Its root too: that of the mount namespace is another where the tests run in a chroot.
            self.enter = ["nsenter", "-t", str(self.first), "--mount", "--net", "--pid", "--root",
                          "chroot", f"{folder}/root"]

    def skip(self, what, log):
        self.holder.kill()
        pytest.skip(f"{what}: {log.read().strip()[-400:]}")

    def boot(self, folder):
        log = Path(f"/proc/{self.holder.pid}/root{folder}/boot.log")

        def booted():
            try:
                # Of the namespace's process 1, which is systemd-nspawn.
                self.first = self.child_of(self.child_of(self.holder.pid))
            except (OSError, IndexError):
                return self.holder.poll() is not None
            self.enter = ["nsenter", "-t", str(self.first), "--all", "--root", "--wd"]
            return self.run("systemctl", "is-system-running").stdout.strip() in ("running", "degraded")

        net.wait_until(booted, 60, "systemd to boot")
        if self.holder.poll() is not None:
            pytest.skip("no systemd-nspawn here: see its own words")
        self.top = Path(f"/proc/{self.first}/root")

    @staticmethod
    def child_of(pid):
        """Whoever enters or makes a process namespace leaves the work in it to a child."""
        return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])

    def path(self, name):
        """A file in it, as seen from here."""
        return self.top / str(name).lstrip("/")

    def run(self, *argv, input=None, timeout=60):
        return subprocess.run([*self.enter, *map(str, argv)], input=input, text=True, timeout=timeout,
                              capture_output=True, cwd="/", env=self.environment())

    def must(self, *argv, input=None):
        done = self.run(*argv, input=input)
        assert done.returncode == 0, (argv, done.stdout, done.stderr)
        return done.stdout

    def popen(self, *argv, log):
        """A program that goes on; its output goes to a file."""
        with open(log, "wb") as sink:
            return subprocess.Popen([*self.enter, *map(str, argv)], stdin=subprocess.DEVNULL, stdout=sink,
                                    stderr=subprocess.STDOUT, cwd="/", env=self.environment())

    def end(self, process):
        """SIGTERM to what popen() started; waits until it has ended."""
        os.kill(self.child_of(process.pid), signal.SIGTERM)
        process.wait(30)

    def environment(self):
        return {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root",
                "LANG": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}

    def stop(self):
        self.holder.kill()  # and with it all that runs in it
        self.holder.communicate()
        net.wait_until(lambda: net.remove_group(self.group), 30, f"the end of all in {self.group}")
