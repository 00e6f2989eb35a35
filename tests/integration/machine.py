"""A machine that `sallyport setup` is run on: a copy of this one's root, with a hub inside, where somebody has
put the agent's file."""

import json
import os
import shutil
import subprocess
from pathlib import Path

from lab import net, programs
from root_copy import RootCopy

HUB_ROOT = "/srv/hub"
FILE = "/var/tmp/portable/sallyport"
PROGRAM = "/usr/local/bin/sallyport"
VERSION = "0.1.0"
# Where a setup may leave something.
PLACES = ("etc", "usr", "var/lib", "var/log", "var/lock", "var/spool", "opt")
NOISE = ("/run/systemd", "/run/udev", "/run/log", "/run/dbus", "var/log/journal", "var/lib/systemd", "var/log/wtmp")


class Machine(RootCopy):
    def __init__(self, folder, **how):
        super().__init__(folder, **how)
        self.folder = folder.parent
        self.variables = {}  # of what is run in it
        self.path("/var/tmp/portable").mkdir()
        shutil.copy(programs.SALLYPORT, self.path(FILE))
        self.started = {"hub": self.start_hub(HUB_ROOT, 8443)}

    def environment(self):
        return {**super().environment(), **getattr(self, "variables", {})}

    # --- its hub ---

    def start_hub(self, root, port):
        self.path(f"{root}/etc/sallyport").mkdir(parents=True)
        self.path(f"{root}/etc/sallyport/hub.yaml").write_text(f"listen: 127.0.0.1:{port}\nname: [localhost]\n")
        shutil.copy(programs.HUB, self.path(f"{root}/sallyport-hub"))
        log = self.folder / f"hub-{port}.log"
        hub = self.popen(f"{root}/sallyport-hub", "serve", "--root", root, log=log)
        net.wait_until(lambda: "ready" in log.read_text() or hub.poll() is not None, 30, "the hub")
        assert hub.poll() is None, log.read_text()
        return hub

    def token(self, root=HUB_ROOT):
        return self.must(f"{root}/sallyport-hub", "token", "new", "--root", root).strip()

    def api(self, path, body=None):
        if not hasattr(self, "key"):
            self.key = self.must(f"{HUB_ROOT}/sallyport-hub", "key", "new", "--root", HUB_ROOT, "--name", "test",
                                 "--permissions", "read,operate").strip()
        # The key goes through a pipe: it has no business among the arguments.
        config = f'header = "Authorization: Bearer {self.key}"\nheader = "Content-Type: application/json"\n'
        return json.loads(self.must("curl", "-sk", "--noproxy", "*", "--config", "-", f"https://localhost:8443{path}",
                                    *(["-d", json.dumps(body)] if body else []), input=config))

    def servers(self):
        return {row["id"]: row["status"] for row in self.api("/v1/servers")["servers"]}

    # --- setup ---

    def setup(self, *argv, token="", file=FILE):
        """The last line that it says, after a look at the others."""
        done = self.run(file, "setup", "--format", "json", *argv, input=token + "\n", timeout=90)
        self.lines = [json.loads(line) for line in done.stdout.splitlines()]
        assert self.lines, done.stderr
        assert all("result" not in line and line["state"] in ("working", "joined") for line in self.lines[:-1])
        assert done.returncode == (self.lines[-1]["result"] == "failed"), (self.lines, done.stderr)
        return self.lines[-1]

    def steps(self):
        return [line["step"] for line in self.lines[:-1]]

    def begin_setup(self, *argv, token="", file=FILE):
        process = subprocess.Popen([*self.enter, file, "setup", "--format", "json", *argv], text=True,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd="/",
                                   env=self.environment())
        # It stays open, as a connection does.
        process.stdin.write(token + "\n")
        process.stdin.flush()
        return process

    @staticmethod
    def read_until(process, step):
        for line in process.stdout:
            said = json.loads(line)
            assert "result" not in said, said
            if step in (said["step"], said["state"]):
                return
        raise AssertionError(f"it ended before {step}")

    def signal(self, process, number):
        os.kill(self.child_of(process.pid), number)

    def end_setup(self, process):
        """Its last line."""
        text, _ = process.communicate(timeout=90)
        return json.loads(text.splitlines()[-1])

    def other_version(self, version, file=FILE):
        """The same file, by its own word of another release. Returns where it is."""
        assert len(version) == len(VERSION)
        content = self.path(file).read_bytes()
        old = f"{VERSION}\0".encode()
        assert old in content, "the program's version is no text of its own"
        path = f"/var/tmp/portable/sallyport-{version}"
        self.path(path).write_bytes(content.replace(old, f"{version}\0".encode()))
        self.path(path).chmod(0o755)
        return path

    def tree(self):
        """What was changed in the places that a setup may touch. A folder that is there below the copy as well
        says nothing: it is copied when something in it changes."""
        top = Path(f"/proc/{self.child_of(self.holder.pid)}/root{self.folder}/copy/upper")
        found = [f"{path.relative_to(top)} {path.lstat().st_mode:o} {path.lstat().st_size}"
                 for place in PLACES for path in (top / place).rglob("*")
                 if not path.is_dir() or not (Path("/") / path.relative_to(top)).is_dir()]
        mounted = self.must("find", "/run", "/usr/local", "!", "-type", "d", "-printf", "%p %m %s\\n")
        return sorted(line for line in found + mounted.splitlines() if not line.startswith(NOISE))

    def status(self):
        done = self.run(PROGRAM, "status", "--format", "json")
        return json.loads(done.stdout)

    def agents(self):
        """The process ids of the agents that run."""
        return self.run("pgrep", "-f", "^[^ ]*sallyport agent").stdout.split()

    def no_agents(self):
        """None runs; one that has let go of its lock may take a moment longer to be gone."""
        net.wait_until(lambda: not self.agents(), 30, "the last agent's end")
        return True

