"""Neighbours of a connector: hosts with a real sshd and a file system of their own, in network namespaces.

    client (the connector) ---- router ---- bridge "hosts" ---- 10.78.0.10, .11, ...

A host is an overlay: this machine's own root below, read-only; one folder of changes that all hosts share (users,
sshd's settings); and what this host itself has changed on top, in memory. So `changes()` is all that anybody has
left on it. Each has mount, process, host-name, IPC and network namespaces of its own, and its first process is a
shell that waits for sshd. Whatever ends a host's holder ends all that runs in it.
"""

import hashlib
import itertools
import os
import shutil
import signal
import stat
import subprocess
from pathlib import Path

from lab import net
from lab.world import DNS, FAKETIME

NETWORK = "10.78.0"
FIRST = 10  # the last number of the first host's address
PASSWORD = "plenty of neighbours"

# Whoever kills the first of these kills all that runs in the process namespace.
UNSHARE = ["--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--uts", "--ipc"]

# The keeper: a mount namespace in which the hosts' disks stand, so that they outlive a host that is switched off.
KEEPER = 'mount -t tmpfs -o size=8g,mode=755 tmpfs "$1" && echo ready && cat >/dev/null'

# $1 the host's disk, $2 what is below it, $3 its name; then what is particular about this host, and its server.
# /dev has few devices and terminals of its own. The old root is let go of, as a machine that has booted does.
ASSEMBLE = r"""
cd "$1"
mkdir -p upper work root
mount -t overlay overlay -o "lowerdir=$2,upperdir=$1/upper,workdir=$1/work" root
mount -t proc proc root/proc
mount -t sysfs -o ro sysfs root/sys
mount -t tmpfs -o mode=755 tmpfs root/dev
for device in null zero full random urandom tty; do
	: >root/dev/$device
	mount --bind /dev/$device root/dev/$device
done
mkdir root/dev/pts root/dev/shm
mount -t devpts -o newinstance,ptmxmode=666,mode=620,gid=5 devpts root/dev/pts
ln -s pts/ptmx root/dev/ptmx
ln -s /proc/self/fd root/dev/fd
mount -t tmpfs -o size=64m,mode=1777 tmpfs root/dev/shm
mount -t tmpfs -o size=64m,mode=755 tmpfs root/run
mount -t tmpfs -o size=64m,mode=1777 tmpfs root/tmp
mkdir root/run/sshd
hostname "$3"
"""
ENTER = r"""
cd root
pivot_root . .
umount -l .
exec chroot . /bin/sh -c "$4"
"""

# USER: (number, what sudo grants, more). All have the same password and the same key.
USERS = {
    "ops": (2001, "ALL=(ALL) NOPASSWD: ALL"),
    "asks": (2002, "ALL=(ALL) ALL"),
    "plain": (2003, None),
    "tty": (2004, "ALL=(ALL) NOPASSWD: ALL"),
    "expired": (2005, "ALL=(ALL) NOPASSWD: ALL"),
    "shut": (2006, "ALL=(ALL) NOPASSWD: ALL"),  # has no login shell
    "small": (2007, "ALL=(ALL) NOPASSWD: ALL"),  # may write small files alone
}
SUDOERS = "Defaults env_reset, lecture=never, secure_path=\"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:" \
          "/sbin:/bin\"\nDefaults:tty requiretty\nroot ALL=(ALL) ALL\n"
SSHD = """UsePAM yes
PermitRootLogin yes
PasswordAuthentication yes
KbdInteractiveAuthentication yes
MaxStartups 100:30:200
UseDNS no
PrintMotd no
PidFile none
Subsystem sftp internal-sftp
"""
# This machine's own that no neighbour should see, and that nobody should find changed.
HIDDEN = ("root", "home", "mnt", "opt", "srv", "work", "usr/local", "var/log", "var/tmp", "etc/ssh", "etc/sudoers.d",
          "etc/systemd/system", "tmp", "run")
FOLDERS = {"root": 0o700, "tmp": 0o1777, "var/tmp": 0o1777, "usr/local/bin": 0o755, "usr/local/sbin": 0o755,
           "home": 0o755, "etc/ssh": 0o755, "etc/sudoers.d": 0o750, "etc/systemd/system": 0o755}

# A clock that is three days ahead, for all that an SSH session runs.
CLOCK = ("FAKETIME=+3d", f"LD_PRELOAD={FAKETIME}")

# What login, sshd, sudo and faketime themselves write, whoever logs in.
TRACES = ("/var/log/wtmp", "/var/log/btmp", "/var/log/lastlog", "/var/log/faillog", "/run/sudo", "/run/utmp",
          "/run/motd.dynamic", "/var/lib/sudo", "/run/faillock", "/var/log/auth.log",
          "/dev/shm/faketime", "/dev/shm/sem.faketime")
FOLDER = "folder"
MEMORY = ("tmp", "run", "dev/shm")  # what of a host is not in its disk


class Host:
    """One neighbour. Options of `Neighbours.add`:

    disk_mb: its disk is as small; read_only: its root is; noexec: folders in which no program may run; persona: an
    architecture that the kernel says it is (setarch); environment: NAME=VALUE, for who comes by sshd; sshd: lines of its
    settings; files: path -> content, or (content, mode); prepare: a line for the shell, before its root is entered and
    seen as `root`."""

    lower = "base:/"
    server = "/usr/sbin/sshd -D -e & wait"
    listening = r"^Server listening on 0\.0\.0\.0"

    def __init__(self, neighbours, name, address, *, disk_mb=None, read_only=False, noexec=(), persona=None,
                 environment=(), sshd="", files=None, prepare=""):
        self.neighbours, self.name, self.address = neighbours, name, address
        self.disk_mb, self.read_only, self.noexec, self.persona = disk_mb, read_only, noexec, persona
        self.environment, self.sshd, self.files, self.prepare = environment, sshd, files or {}, prepare
        self.namespace = neighbours.lab.namespace(name)
        self.process = None

    # --- how it comes up and goes down ---

    def make(self):
        """Its cable, and its disk with what is its own from the start."""
        space, router = self.namespace, self.neighbours.lab.router
        self.device = f"h{self.address.rsplit('.', 1)[1]}"  # the router's end of its cable
        space.ip("link", "add", "eth0", "type", "veth", "peer", "name", self.device, "netns", router.name)
        router.ip("link", "set", self.device, "master", "hosts", "up")
        space.ip("link", "set", "eth0", "up")
        space.ip("addr", "add", f"{self.address}/24", "dev", "eth0")
        space.ip("route", "add", "default", "via", f"{NETWORK}.1")
        self.disk = self.neighbours.disks / f"of-{self.name}"
        self.seen(self.disk).mkdir()
        if self.disk_mb:
            self.neighbours.inside("mount", "-t", "tmpfs", "-o", f"size={self.disk_mb}m,mode=755", "tmpfs", self.disk)
        self.seen(self.disk / "upper").mkdir()
        number = hashlib.md5(f"{os.getpid()} {self.name} {self.address}".encode()).hexdigest()
        self.put("/etc/hostname", f"{self.name}\n")
        self.put("/etc/machine-id", f"{number}\n")
        self.put("/etc/hosts", f"127.0.0.1 localhost\n{self.address} {self.name}\n")
        self.keys()
        for path, what in self.files.items():
            self.put(path, *(what if isinstance(what, tuple) else (what,)))
        # What it is on its first day.
        shutil.copytree(self.path("/"), self.seen(self.disk / "new"), symlinks=True)

    def renew(self):
        """As on its first day, and not started."""
        self.kill()
        self.process = None
        for folder in ("upper", "work"):
            shutil.rmtree(self.seen(self.disk / folder))
        shutil.copytree(self.seen(self.disk / "new"), self.path("/"), symlinks=True)

    def keys(self):
        """A host key of its own; another one when it is called again."""
        self.put("/etc/ssh/sshd_config", self.sshd + SSHD + (
            f"SetEnv {' '.join(self.environment)}\n" if self.environment else ""))
        key = self.path("/etc/ssh/ssh_host_ed25519_key")
        for old in (key, key.with_name(key.name + ".pub")):
            old.unlink(missing_ok=True)
        net.tool("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", self.name, "-f", str(key))

    def seen(self, path):
        return self.neighbours.seen(path)

    def path(self, name):
        """A file of its own, as seen from here; made or changed before it starts, or looked at later."""
        return self.seen(self.disk / "upper") / str(name).lstrip("/")

    def put(self, name, text, mode=0o644):
        """Writes a file; while it runs, where its programs see it at once."""
        path = Path(f"/proc/{self.first}/root/{name}") if self.running() else self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text) if isinstance(text, bytes) else path.write_text(text)
        path.chmod(mode)

    def script(self):
        lines = [ASSEMBLE, self.prepare]
        for folder in self.noexec:
            # /tmp is a mount already; of the root only this folder becomes one.
            lines.append(f"mkdir -p root{folder}; mountpoint -q root{folder} || mount --bind root{folder} root{folder}; "
                         f"mount -o remount,bind,noexec root{folder}")
        if self.read_only:
            lines.append("mount -o remount,ro root")
        return "\n".join(lines) + ENTER

    def start(self):
        """Begins to start it; `wait()` tells when it listens."""
        lower = ":".join(str(self.neighbours.disks / part) if part != "/" else part for part in self.lower.split(":"))
        persona = ["setarch", self.persona] if self.persona else []
        keeper = f"/proc/{self.neighbours.keeper.pid}"
        argv = ["setpriv", "--pdeathsig", "KILL", "--", "nsenter", f"--net=/run/netns/{self.namespace.name}",
                f"--mount={keeper}/ns/mnt", f"--root={keeper}/root", f"--wd={keeper}/root", *persona, "unshare", *UNSHARE,
                "sh", "-ec", self.script(), "sh", self.disk, lower, self.name, self.server]
        self.process = self.namespace.adopt([str(part) for part in argv], "host")
        return self

    def wait(self):
        self.process.wait_for(self.listening, 30)
        self.first = child_of(self.process.pid)
        return self

    def running(self):
        return self.process is not None and self.process.running()

    def kill(self):
        """As a power cut: its disk stays, what it had in memory goes."""
        os.kill(self.first, signal.SIGKILL)  # its holder then ends by itself, and has reaped it
        self.process.wait(20)

    def reboot(self):
        self.kill()
        return self.start().wait()

    def slow(self):
        """Its cable takes a megabit a second: what is copied to it is under way for many seconds."""
        self.neighbours.lab.router.tool("tc", "qdisc", "add", "dev", self.device, "root", "tbf", "rate", "1mbit",
                                        "burst", "16k", "latency", "400ms")

    def quick(self):
        self.neighbours.lab.router.tool("tc", "qdisc", "del", "dev", self.device, "root")

    # --- what runs in it, and what is left on it ---

    def run(self, *argv, input=None, timeout=30):
        return subprocess.run(["nsenter", "-t", str(self.first), "--all", "--root", "--wd=/", *map(str, argv)],
                              input=input, text=True, timeout=timeout, capture_output=True, cwd="/",
                              env={"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                                   "HOME": "/root", "LANG": "C.UTF-8"})

    def must(self, *argv, input=None):
        done = self.run(*argv, input=input)
        if done.returncode:
            raise net.LabError(f"{argv} on {self.name}: {done.stdout}{done.stderr}")
        return done.stdout

    def processes(self):
        """Process id as of here -> its arguments; without the holder's own and the SSH sessions that end."""
        space = os.readlink(f"/proc/{self.first}/ns/pid")
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if os.readlink(folder / "ns/pid") == space:
                    found[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
            except OSError:
                pass
        return found

    def programs(self, word="sallyport"):
        return [line for line in self.processes().values() if word in line]

    def wait_alone(self, word="sallyport"):
        """Until none of these runs there; a shell that has cleared away is on its own way out still."""
        net.wait_until(lambda: not self.programs(word), 20, f"{self.name} to be without {word}")

    def changes(self):
        """path -> what stands there, of all that was ever changed on its disk or lies in its memory."""
        found = {}
        places = [(self.path("/"), "")]
        if self.running():
            places += [(Path(f"/proc/{self.first}/root/{folder}"), f"/{folder}") for folder in MEMORY]
        for top, prefix in places:
            for path in sorted(top.rglob("*")):
                name = f"{prefix}/{path.relative_to(top)}"
                if not name.startswith(TRACES):
                    found[name] = describe(path)
        return {name: what for name, what in found.items() if what and what != self.below(name, what)}

    def below(self, name, what):
        """What stands there below its own changes, of a folder: one that something was put into is no change itself."""
        if what[2] != FOLDER:
            return None
        for layer in self.lower.split(":"):
            path = Path(name) if layer == "/" else self.seen(self.neighbours.disks / layer) / name.lstrip("/")
            if path.is_dir():
                return describe(path)
        return None


def describe(path):
    try:
        status = path.lstat()
        if stat.S_ISREG(status.st_mode):
            return oct(status.st_mode), status.st_uid, hashlib.sha256(path.read_bytes()).hexdigest()
        if stat.S_ISLNK(status.st_mode):
            return oct(status.st_mode), status.st_uid, os.readlink(path)
        return oct(status.st_mode), status.st_uid, FOLDER if stat.S_ISDIR(status.st_mode) else ""
    except FileNotFoundError:
        return None


def child_of(pid):
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])


class Neighbours:
    """The hosts of one world. `add` them, `start` all side by side; they end with the world, or with `close`."""

    def __init__(self, lab):
        self.lab, self.hosts = lab, []
        self.numbers = itertools.count(FIRST)
        router = lab.router
        router.ip("link", "add", "hosts", "type", "bridge", "forward_delay", "0")
        router.ip("link", "set", "hosts", "up")
        router.ip("addr", "add", f"{NETWORK}.1/24", "dev", "hosts")
        self.disks = lab.folder / "disks"
        self.disks.mkdir()
        self.keeper = router.adopt(["setpriv", "--pdeathsig", "KILL", "--", "unshare", "--mount", "--propagation",
                                    "private", "sh", "-ec", KEEPER, "sh", str(self.disks)], "keeper", subprocess.PIPE)
        self.keeper.wait_for("^ready")
        self.make_base()

    def seen(self, path):
        """A file below the disks: they are mounted in the keeper's namespace alone."""
        return Path(f"/proc/{self.keeper.pid}/root{path}")

    def inside(self, *argv):
        return net.tool("nsenter", "-t", str(self.keeper.pid), "--mount", "--root", "--wd=/", *map(str, argv))

    def make_base(self):
        base = self.seen(self.disks / "base")
        for folder in HIDDEN:
            (base / folder).mkdir(parents=True)
            os.setxattr(base / folder, "trusted.overlay.opaque", b"y")
        for folder, mode in FOLDERS.items():
            (base / folder).mkdir(parents=True, exist_ok=True)
            (base / folder).chmod(mode)
        net.tool("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "ops", "-f", str(self.key))
        self.make_users(base)
        (base / "etc/sudoers").write_text(SUDOERS + "".join(
            f"{name} {grant}\n" for name, (_, grant) in USERS.items() if grant))
        (base / "etc/sudoers").chmod(0o440)
        (base / "etc/security").mkdir()
        (base / "etc/security/limits.conf").write_text("small hard fsize 100\n")  # KiB
        (base / "etc/resolv.conf").write_text(f"nameserver {DNS}\noptions timeout:1 attempts:2\n")

    @property
    def key(self):
        return self.lab.folder / "ops_key"

    def make_users(self, base):
        word = net.tool("openssl", "passwd", "-6", "-stdin", input=PASSWORD + "\n").strip()
        lines = {file: Path(f"/etc/{file}").read_text().splitlines() for file in ("passwd", "shadow", "group")}
        lines["shadow"] = [line for line in lines["shadow"] if not line.startswith("root:")]
        lines["shadow"].append(f"root:{word}:19000:0:99999:7:::")
        for name, (number, _) in USERS.items():
            shell = "/usr/sbin/nologin" if name == "shut" else "/bin/sh"
            lines["passwd"].append(f"{name}:x:{number}:{number}::/home/{name}:{shell}")
            lines["group"].append(f"{name}:x:{number}:")
            lines["shadow"].append(f"{name}:{word}:{0 if name == 'expired' else 19000}:0:99999:7:::")
        for file, content in lines.items():
            path = base / "etc" / file
            path.write_text("\n".join(content) + "\n")
            path.chmod(0o640 if file == "shadow" else 0o644)
        self.make_home(base / "root", 0)
        for name, (number, _) in USERS.items():
            self.make_home(base / "home" / name, number)

    def make_home(self, home, number):
        (home / ".ssh").mkdir(parents=True, mode=0o700)
        shutil.copy(self.key.with_suffix(".pub"), home / ".ssh/authorized_keys")
        for path in (home, home / ".ssh", home / ".ssh/authorized_keys"):
            path.chmod(0o600 if path.is_file() else 0o700)
            os.chown(path, number, number)

    def add(self, name=None, kind=Host, **options):
        number = next(self.numbers)
        host = kind(self, name or f"host{number}", f"{NETWORK}.{number}", **options)
        host.make()
        self.hosts.append(host)
        return host

    def start(self):
        """All that do not run yet, side by side."""
        waiting = [host.start() for host in self.hosts if host.process is None]
        for host in waiting:
            host.wait()
        return self

    def close(self):
        """Ends all of them; the namespaces end with the world."""
        for host in self.hosts:
            if host.process:
                host.process.kill()
        self.keeper.signal(signal.SIGKILL)

    # --- their network ---

    def close_port_22(self):
        """From now on nobody reaches a neighbour's sshd; connections that stand are cut too."""
        self.lab.router.nft("table inet no_ssh {\n\tchain pass {\n\t\ttype filter hook forward priority 0; "
                            "policy accept;\n\t\ttcp dport 22 counter drop\n\t}\n}\n")
