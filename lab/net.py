"""Network namespaces, and programs that run in them and nowhere else.

A Namespace carries the process id of the test that made it in its name, so a later run can tell a
leftover from a neighbour and sweep it away. Nothing here ever touches the root namespace: a program
is started through `ip netns exec`, which fails when the namespace is missing, and the missing case
is refused before that.
"""

import ctypes
import itertools
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path

PREFIX = "splab"
NETNS = Path("/run/netns")
ETC = Path("/etc/netns")
CGROUPS = Path("/sys/fs/cgroup")
CLONE_NEWNET = 0x40000000
PROGRAMS_UNDER_TEST = ("agent", "hub")
SANITIZER = re.compile(r"ERROR: (Address|Leak)Sanitizer|runtime error:")
NOT_ROUTED = "127.0.0.53"  # the resolv.conf of a namespace that nobody gave a DNS server

_counter = itertools.count(1)
_libc = ctypes.CDLL(None, use_errno=True)


class LabError(Exception):
    """The lab itself is broken; never a verdict about the program under test."""


PATIENCE_S = 60


def patient(timeout):
    """What is waited for takes `timeout` seconds at most on a machine with nothing else to do; a busy
    one may need many times that, and only what is broken lasts so long."""
    return max(timeout, PATIENCE_S)


def tool(*argv, input=None, timeout=10):
    """Runs a tool that sets the lab up; what it complains about is the error."""
    done = subprocess.run(argv, input=input, capture_output=True, text=True, timeout=patient(timeout))
    if done.returncode:
        raise LabError(f"{' '.join(argv)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def wait_until(condition, timeout, what):
    """Polls a condition that no descriptor announces; returns its first true value."""
    timeout = patient(timeout)
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise LabError(f"waited {timeout} s for {what}")
        time.sleep(0.01)


class Process:
    """A program in a namespace, with its output in files. It leads a process group of its own."""

    def __init__(self, popen, log, stdout, stderr):
        self.popen, self.log, self.stdout, self.stderr = popen, log, stdout, stderr

    @property
    def pid(self):
        return self.popen.pid

    def running(self):
        return self.popen.poll() is None

    def output(self):
        return self.stdout.read_text(errors="replace") + self.stderr.read_text(errors="replace")

    def wait(self, timeout=10):
        return self.popen.wait(patient(timeout))

    def wait_for(self, pattern, timeout=10):
        """Waits for a line of output that matches; returns the match."""

        def look():
            match = re.search(pattern, self.output(), re.M)
            if not match and not self.running():
                raise LabError(f"{self.popen.args} ended before {pattern!r}:\n{self.output()}")
            return match

        return wait_until(look, timeout, f"{pattern!r} of {self.popen.args}")

    def signal(self, number):
        if self.running():
            self.popen.send_signal(number)

    def stop(self, timeout=5):
        """SIGTERM to it, then SIGKILL to what is left of its group."""
        if self.running():
            self.popen.terminate()
            try:
                self.popen.wait(timeout)
            except subprocess.TimeoutExpired:
                pass
        self.kill()

    def kill(self):
        """SIGKILL to its group, helpers included. The group is ours: it was made with the process."""
        try:
            os.killpg(self.popen.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass
        self.popen.wait()


class Namespace:
    """One machine's worth of network. `mounts` are (source, target) pairs, seen by all that runs in it
    and made in a mount namespace private to each process: a file or folder is bind-mounted,
    "tmpfs:OPTIONS" is a file system of its own."""

    def __init__(self, role, folder):
        self.role = role
        self.name = f"{PREFIX}-{os.getpid()}-{next(_counter)}-{role}"
        self.folder = Path(folder) / role
        self.folder.mkdir(mode=0o755)
        # Shared memory that a killed program (squid, faketime) would leave on the machine.
        self.mounts = [("tmpfs:size=64m,mode=1777", "/dev/shm")]
        self.processes = []
        self.at_end = []  # what else to undo once they have ended
        self.etc = ETC / self.name
        self.etc.mkdir(parents=True)
        self.set_resolvers([NOT_ROUTED])
        self.set_hosts({})
        tool("ip", "netns", "add", self.name)
        self.inode = (NETNS / self.name).stat().st_ino
        self.ip("link", "set", "lo", "up")

    # --- its own files ---

    def set_resolvers(self, servers, options="timeout:1 attempts:1"):
        """Rewrites resolv.conf in place, so that programs that already run see it as well."""
        lines = [f"nameserver {server}" for server in servers] + [f"options {options}"]
        (self.etc / "resolv.conf").write_text("\n".join(lines) + "\n")

    def set_hosts(self, names):
        lines = ["127.0.0.1 localhost"] + [f"{address} {name}" for name, address in names.items()]
        (self.etc / "hosts").write_text("\n".join(lines) + "\n")

    # --- its network ---

    def exists(self):
        try:
            return (NETNS / self.name).stat().st_ino == self.inode
        except FileNotFoundError:
            return False

    def _must_exist(self):
        if not self.name.startswith(PREFIX) or not self.exists():
            raise LabError(f"namespace {self.name!r} is missing: refusing to run in the root namespace")

    def ip(self, *argv):
        self._must_exist()
        return tool("ip", "-n", self.name, *argv)

    def nft(self, rules):
        """Loads rules; give a chain any name but fwd, and never two closing braces on one line."""
        return self.tool("nft", "-f", "-", input=rules)

    def sysctl(self, **settings):
        for key, value in settings.items():
            path = key.replace("__", ".").replace(".", "/")
            self.tool("sh", "-c", f"echo '{value}' >/proc/sys/{path}")

    def counter(self, name, table="guard"):
        """Packets that a named nft counter of this namespace has seen."""
        listing = json.loads(self.tool("nft", "-j", "list", "counter", "inet", table, name))
        return next(item["counter"]["packets"] for item in listing["nftables"] if "counter" in item)

    # --- programs in it ---

    def _command(self, argv, mounts, preloads):
        # What is preloaded is for the program alone, not for the tools that lead to it.
        argv = [str(arg) for arg in (*(["env"] if preloads else []), *preloads, *argv)]
        binds = [*self.mounts, *mounts]
        if binds:
            # `ip netns exec` has already made a mount namespace; these mounts end with the process.
            steps = []
            for source, target in binds:
                if str(source).startswith("tmpfs:"):
                    steps.append(f"mount -t tmpfs -o {str(source)[6:]} tmpfs '{target}'")
                else:
                    steps.append(f"mount --bind '{source}' '{target}'")
            argv = ["sh", "-ec", "; ".join(steps) + '; exec "$@"', "sh", *argv]
        # A test that dies takes its servers along.
        return ["setpriv", "--pdeathsig", "KILL", "--", "ip", "netns", "exec", self.name, *argv]

    def environment(self, extra=None):
        kept = {name: value for name, value in os.environ.items() if name.endswith("SAN_OPTIONS")}
        return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(self.folder), "LANG": "C.UTF-8",
                "TZ": "UTC", **kept, **(extra or {})}

    def run(self, argv, timeout=20, env=None, input=None, mounts=()):
        """Runs to the end; returns the CompletedProcess, whatever its exit code."""
        self._must_exist()
        with tempfile.TemporaryFile() as stdin:
            stdin.write((input or "").encode())
            stdin.seek(0)
            process = self.popen(argv, env=env, stdin=stdin, mounts=mounts)
        timeout = patient(timeout)
        try:
            code = process.popen.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            raise LabError(f"{argv} still ran after {timeout} s:\n{process.output()}") from None
        self.processes.remove(process)
        return subprocess.CompletedProcess(argv, code, process.stdout.read_text(errors="replace"),
                                           process.stderr.read_text(errors="replace"))

    def tool(self, *argv, input=None):
        done = self.run(argv, input=input)
        if done.returncode:
            raise LabError(f"{' '.join(argv)} in {self.name}: {done.stderr or done.stdout}")
        return done.stdout

    def popen(self, argv, env=None, stdin=subprocess.DEVNULL, mounts=(), log=None, cwd="/"):
        self._must_exist()
        env = dict(env or {})
        preloads = [f"LD_PRELOAD={env.pop('LD_PRELOAD')}"] if "LD_PRELOAD" in env else []
        return self.adopt(self._command(argv, mounts, preloads), log or Path(str(argv[0])).name, stdin,
                          env=env, cwd=cwd)

    def adopt(self, command, stem, stdin=subprocess.DEVNULL, env=None, cwd="/"):
        """Starts a command that goes to its namespaces by itself; it ends with this one."""
        number = next(_counter)
        stdout = self.folder / f"{number}-{stem}.out"
        stderr = self.folder / f"{number}-{stem}.err"
        with open(stdout, "wb") as out, open(stderr, "wb") as err:
            popen = subprocess.Popen(command, stdin=stdin, stdout=out, stderr=err,
                                     env=self.environment(env), start_new_session=True, cwd=cwd)
        process = Process(popen, stem, stdout, stderr)
        self.processes.append(process)
        return process

    def inside(self, function, *args, timeout=10):
        """Calls function(*args) on a thread that has entered this namespace; returns its result."""
        self._must_exist()
        outcome = {}

        def enter():
            try:
                with open(NETNS / self.name, "rb") as fd:
                    if _libc.setns(fd.fileno(), CLONE_NEWNET):
                        raise LabError(f"cannot enter {self.name}: {os.strerror(ctypes.get_errno())}")
                outcome["value"] = function(*args)
            except BaseException as error:  # handed over to the caller's thread
                outcome["error"] = error

        thread = threading.Thread(target=enter, daemon=True)
        thread.start()
        timeout = patient(timeout)
        thread.join(timeout)
        if thread.is_alive():
            raise LabError(f"{function} in {self.name} still ran after {timeout} s")
        if "error" in outcome:
            raise outcome["error"]
        return outcome["value"]

    def wait_listening(self, process, address, port, timeout=10):
        """Waits until a server accepts connections; returns it."""

        def accepted():
            if not process.running():
                raise LabError(f"{process.popen.args} ended at once:\n{process.output()}")
            try:
                self.inside(lambda: socket.create_connection((address, port), 1).close())
                return True
            except OSError:
                return False

        wait_until(accepted, timeout, f"{address}:{port} in {self.name}")
        return process

    def sanitizer_reports(self):
        """What sanitizers wrote on stderr; the long-lived programs are ended in order first, for leaks
        are told at the end."""
        for process in self.processes:
            if process.log in PROGRAMS_UNDER_TEST:
                process.stop()
        return [path.read_text(errors="replace") for path in self.folder.glob("*.err")
                if SANITIZER.search(path.read_text(errors="replace"))]

    def remove(self):
        for process in reversed(self.processes):
            process.kill()
        for undo in self.at_end:
            undo()
        tool("ip", "netns", "del", self.name)
        shutil.rmtree(self.etc, ignore_errors=True)


def content(path):
    """The bytes of a file; none if it went away since it was listed, as files do that are replaced."""
    try:
        return Path(path).read_bytes()
    except FileNotFoundError:
        return b""


def connect(left, left_device, right, right_device):
    """A cable between two namespaces, made inside them: the root namespace never sees it. Segments are
    not offloaded, so that firewall rules see what a wire would carry."""
    left.ip("link", "add", left_device, "type", "veth", "peer", "name", right_device,
            "netns", right.name)
    for namespace, device in ((left, left_device), (right, right_device)):
        namespace.ip("link", "set", device, "up")


def remove_group(name):
    """Takes control groups of this name away; true once all in them have ended and they are gone."""
    try:
        for tree in ("", "systemd", "unified"):
            for folder, _, _ in os.walk(CGROUPS / tree / name, topdown=False):
                os.rmdir(folder)
    except OSError:
        return False
    return True


def sweep():
    """Removes what runs that were killed have left: namespaces of processes that no longer live."""
    leftovers = {path.name for folder in (NETNS, ETC) if folder.is_dir()
                 for path in folder.iterdir() if path.name.startswith(PREFIX + "-")}
    for name in leftovers:
        owner = name.split("-")[1]
        if not owner.isdigit() or Path(f"/proc/{owner}").exists():
            continue
        if (NETNS / name).exists():
            pids = subprocess.run(["ip", "netns", "pids", name], capture_output=True, text=True).stdout
            for pid in pids.split():
                try:
                    os.kill(int(pid), signal.SIGKILL)
                except ProcessLookupError:
                    pass
            subprocess.run(["ip", "netns", "del", name], capture_output=True)
        shutil.rmtree(ETC / name, ignore_errors=True)
    for group in CGROUPS.glob(f"unified/{PREFIX}-*"):
        if not Path(f"/proc/{group.name.split('-')[1]}").exists():
            remove_group(group.name)
    for folder in Path(tempfile.gettempdir()).glob(PREFIX + "-*-*"):
        owner = folder.name.split("-")[1]
        if owner.isdigit() and not Path(f"/proc/{owner}").exists():
            shutil.rmtree(folder, ignore_errors=True)
