"""Neighbours that are more, or less, than a host with sshd (lab/hosts.py): one that systemd has booted, and one
of busybox alone."""

import shutil
import subprocess
from pathlib import Path

from lab import net
from lab.hosts import Host, child_of

# A control group of its own: nspawn puts every container below the one that it is started in. $1 is its name.
OWN_GROUP = r"""
for tree in /sys/fs/cgroup /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do
	if [ -e $tree/cgroup.procs ]; then
		mkdir -p "$tree/$1"
		echo $$ >"$tree/$1/cgroup.procs"
	fi
done
"""
# What systemd needs besides: this machine's own services are not the container's.
BOOT = r"""
cd "$1"
mkdir -p upper work root
mount -t overlay overlay -o "lowerdir=$2,upperdir=$1/upper,workdir=$1/work" root
rm -rf root/etc/fstab root/etc/rc?.d
group=$4 name=$3 disk=$1
set -- "$group"
""" + OWN_GROUP + r"""
mount -t tmpfs tmpfs /run  # where all containers of a machine leave their traces
mount -t proc proc /proc  # of this process namespace: nspawn looks its child up there
exec systemd-nspawn -q -D "$disk/root" -b --network-namespace-path=/proc/self/ns/net --machine="$name" \
	--register=no --keep-unit --link-journal=no --resolv-conf=off
"""


class Booted(Host):
    """A machine whose first process is systemd, with sshd as its service."""

    def make(self):
        self.server = self.group = f"{self.namespace.name}-group"
        self.namespace.at_end.append(self.remove_groups)
        super().make()

    def keys(self):
        super().keys()
        wants = self.path("/etc/systemd/system/multi-user.target.wants/ssh.service")
        wants.parent.mkdir(parents=True, exist_ok=True)
        wants.unlink(missing_ok=True)
        wants.symlink_to("/lib/systemd/system/ssh.service")

    def script(self):
        return BOOT

    def wait(self):
        def booted():
            if not self.process.running():
                raise net.LabError(f"{self.name} did not boot:\n{self.process.output()}")
            try:
                # unshare, nspawn, systemd
                self.first = child_of(child_of(self.process.pid))
                done = self.run("systemctl", "is-system-running")
            except (OSError, IndexError, subprocess.TimeoutExpired):
                return False
            return done.stdout.strip() in ("running", "degraded")

        net.wait_until(booted, 60, f"{self.name} to boot")
        return self

    def remove_groups(self):
        net.wait_until(lambda: net.remove_group(self.group), 30, f"the end of all in {self.group}")


class Bare(Host):
    """A root of busybox and nothing else: no glibc, no bash, no sudo, no package manager.

    Dropbear is Debian's, which is linked with glibc. It brings its libraries and its loader in a folder of its own,
    and is started by naming that loader; a program that asks for a loader or a library in the usual places finds
    none, so nothing that the tests put there can lean on it."""

    lower = "bare"
    server = "/opt/ssh/ld.so --library-path /opt/ssh /opt/ssh/dropbear -F -E -r /opt/ssh/key -p 22 & wait"
    listening = r"Not backgrounding"

    def make(self):
        bare = self.seen(self.neighbours.disks / "bare")
        if not bare.exists():
            make_bare(self.neighbours, bare)
        super().make()

    def keys(self):
        key = self.path("/opt/ssh/key")
        key.parent.mkdir(parents=True)
        net.tool("dropbearkey", "-t", "ed25519", "-f", str(key))


def make_bare(neighbours, bare):
    for folder in ("bin", "sbin", "usr/bin", "usr/sbin", "etc", "proc", "sys", "dev", "run", "var/log", "var/tmp",
                   "var/lib", "usr/local/bin", "opt/ssh", "tmp"):
        (bare / folder).mkdir(parents=True, exist_ok=True)
    shutil.copy("/bin/busybox", bare / "bin/busybox")
    neighbours.inside("chroot", neighbours.disks / "bare", "/bin/busybox", "--install", "-s")
    shutil.copy(shutil.which("dropbear"), bare / "opt/ssh/dropbear")
    for line in net.tool("ldd", shutil.which("dropbear")).splitlines():
        words = [word for word in line.split() if word.startswith("/")]
        if words:
            name = "ld.so" if "ld-linux" in words[0] else Path(words[0]).name
            shutil.copy(words[0], bare / "opt/ssh" / name)
    base = neighbours.seen(neighbours.disks / "base")
    shadow = next(line for line in (base / "etc/shadow").read_text().splitlines() if line.startswith("root:"))
    for name, text in {"passwd": "root:x:0:0:root:/root:/bin/sh\n", "group": "root:x:0:\n", "shadow": shadow + "\n",
                       "resolv.conf": (base / "etc/resolv.conf").read_text(), "shells": "/bin/sh\n"}.items():
        (bare / "etc" / name).write_text(text)
    (bare / "etc/shadow").chmod(0o600)
    neighbours.make_home(bare / "root", 0)
