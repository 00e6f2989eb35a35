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

from lab import net

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

# A container that boots: systemd as its first process, and of this machine's services none.
WITH_SYSTEMD = OVERLAY + r"""
rm -rf root/etc/systemd/system/*.wants root/etc/fstab root/etc/rc?.d
# A control group of its own: nspawn puts every container below the one that it is started in.
for tree in /sys/fs/cgroup /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do
	if [ -e $tree/cgroup.procs ]; then
		mkdir -p "$tree/$2"
		echo $$ >"$tree/$2/cgroup.procs"
	fi
done
echo ready
exec systemd-nspawn -q -D "$1/root" -b --private-network --register=no --keep-unit >boot.log 2>&1
"""
# Whoever kills the first of these kills all that runs in the process namespace, a booted systemd as well.
UNSHARE = ["--mount", "--propagation", "private", "--pid", "--fork", "--kill-child"]

counter = itertools.count(1)


class RootCopy:
    def __init__(self, folder, systemd=False):
        """Skips the test, with the reason, where such a root cannot be made."""
        folder.mkdir()
        self.group = f"sallyport-test-{os.getpid()}-{next(counter)}"
        own = ["--mount-proc"] if systemd else ["--net"]
        self.holder = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "--", "unshare", *UNSHARE, *own, "sh", "-ec",
             WITH_SYSTEMD if systemd else WITHOUT_SYSTEMD, "sh", folder, self.group],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if self.holder.stdout.readline() != "ready\n":
            self.skip("no overlay of the root file system here", self.holder.stderr)
        if systemd:
            self.boot(folder)
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
        for tree in ("", "systemd", "unified"):
            group = Path("/sys/fs/cgroup") / tree / self.group
            net.wait_until(lambda: self.is_gone(group), 30, f"the end of all in {group}")

    @staticmethod
    def is_gone(group):
        """A control group can be removed once the last process of it has ended."""
        try:
            for folder, _, _ in os.walk(group, topdown=False):
                os.rmdir(folder)
        except OSError:
            return False
        return not group.exists()
