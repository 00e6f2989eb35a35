"""A connector that puts the agent on its neighbours, beside Ansible that copies the same file there and starts it.

The hosts are the lab's (lab/hosts.py): a real sshd and a file system of its own each. Some are more: systemd has booted
three, and one is busybox and dropbear alone, which Ansible leaves out for it has no Python. Before each run every host
is as on its first day. A run has ended when the hub has seen the last agent. All share this machine's processors. Needs
root, and ansible-core.
"""
import json
import os
import pathlib
import signal
import statistics
import sys
import threading
import time

import install_page
from measure import memory_kib

TOP = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TOP))

PARALLEL = (16, 50)  # the connector's own bound, and all at once
BOOTED = 3
RUN_S = 600

# Facts are not gathered, connections are kept, and modules are piped instead of copied: Ansible at its quickest.
ANSIBLE = {"ANSIBLE_GATHERING": "explicit", "ANSIBLE_PIPELINING": "True", "ANSIBLE_HOST_KEY_CHECKING": "False",
           "ANSIBLE_NOCOLOR": "1", "ANSIBLE_SSH_RETRIES": "2", "ANSIBLE_TIMEOUT": "60"}
PLAYBOOK = """
- hosts: all
  become: true
  gather_facts: false
  tasks:
    - copy: {src: "%(file)s", dest: /usr/local/sbin/sallyport-portable, mode: "0755"}
    - command: {cmd: /usr/local/sbin/sallyport-portable setup --format json, stdin: "{{ token }}"}
"""


class Memory(threading.Thread):
    """The most that all processes of a namespace had together, in KiB (proportional)."""

    PAUSE_S = 0.1

    def __init__(self, namespace, ours):
        super().__init__(daemon=True)
        self.namespace, self.ours, self.peak, self.over = namespace, ours, 0, threading.Event()

    def run(self):
        while not self.over.wait(self.PAUSE_S):
            self.peak = max(self.peak, sum(map(self.of, processes_of(self.namespace))))

    def of(self, pid):
        try:
            line = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
            return memory_kib(pid)["pss"] if (b"sallyport" in line.split(b"\0")[0]) == self.ours else 0
        except (OSError, KeyError):
            return 0  # it has ended

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()


def processes_of(namespace):
    from lab import net

    return [int(pid) for pid in net.tool("ip", "netns", "pids", namespace.name).split()]


class InstallBench:
    def __init__(self, build, hosts, quick):
        os.environ["SALLYPORT_BUILD"] = str(build)  # before the lab is loaded
        self.count, self.runs = hosts, 1 if quick else 3
        self.rows = {"hosts": hosts, "runs": self.runs}

    def run(self):
        from lab.installs import Site
        from lab.world import Lab

        with Lab() as lab:
            self.lab, self.site = lab, Site(lab, options=())
            self.connector = self.site.connector()
            self.people()
            self.rows["file"] = self.site.portable().stat().st_size
            for parallel in PARALLEL:
                self.measure(f"connector.{parallel}", lambda: self.by_connector(parallel), self.hosts, True)
            self.rows["again_s"] = self.again()
            for parallel in PARALLEL:
                self.measure(f"ansible.{parallel}", lambda: self.by_ansible(parallel), self.with_python, False)

    def people(self):
        from lab.machines import Bare, Booted

        neighbours = self.site.neighbours
        booted = min(BOOTED, max(self.count - 2, 0))
        for number in range(self.count - booted - 1):
            neighbours.add()
        for number in range(booted):
            neighbours.add(f"booted{number}", Booted)
        self.bare = neighbours.add("bare", Bare)
        self.hosts = neighbours.hosts
        self.with_python = [host for host in self.hosts if host is not self.bare]
        neighbours.start()

    # --- one run ---

    def renew(self):
        """Every host as on its first day, and the hub knows none of them."""
        for host in self.hosts:
            host.renew()
        self.site.neighbours.start()
        for row in self.site.hub.servers():
            if row["id"] != self.connector.server:
                self.site.must("DELETE", f"/v1/servers/{row['id']}", 204)

    def sent(self):
        lines = self.lab.client.tool("cat", "/proc/net/dev").splitlines()
        return int(next(line for line in lines if "eth0:" in line).split()[9])

    def measure(self, name, work, hosts, ours):
        seconds, sent = [], []
        for number in range(self.runs + 1):
            self.renew()
            before, began = self.sent(), time.monotonic()
            if number < self.runs:
                work()
                self.wait_online(len(hosts))
                seconds.append(time.monotonic() - began)
                sent.append(self.sent() - before)
            else:  # looking at the memory costs time: a run of its own
                with Memory(self.lab.client, ours) as memory:
                    work()
                    self.wait_online(len(hosts))
        row = {"seconds": statistics.median(seconds), "seconds_runs": seconds, "sent": statistics.median(sent),
               "sent_runs": sent, "memory_kib": memory.peak, "hosts": len(hosts)}
        self.rows[name] = row
        print(f"{name:14} {len(hosts)} hosts online after {row['seconds']:.1f} s ({min(seconds):.1f} to {max(seconds):.1f}), "
              f"{row['sent'] / 1e6:.1f} MB sent, {row['memory_kib'] / 1024:.1f} MiB at most", flush=True)

    def wait_online(self, count):
        from lab import net

        net.wait_until(lambda: sum(row["status"] == "online" for row in self.site.hub.servers()) > count or None,
                       RUN_S, f"{count} servers online")  # and the connector itself

    def by_connector(self, parallel):
        done = self.site.command(self.connector, "--key", self.site.neighbours.key, "--yes-host-keys", "--parallel", parallel,
                                 password=None, hosts=[("root", host) for host in self.hosts], timeout=RUN_S)
        if done.returncode:
            sys.exit(f"bench: sallyport install: {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-2000:]}")

    def again(self):
        """The same command once more, where nothing is left to do but to look."""
        began = time.monotonic()
        self.by_connector(PARALLEL[0])
        return time.monotonic() - began

    def by_ansible(self, parallel):
        folder = self.lab.folder / "ansible"
        folder.mkdir(exist_ok=True)
        (folder / "play.yaml").write_text(PLAYBOOK % {"file": self.site.portable()})
        token = self.site.hub.token(uses=len(self.with_python))
        (folder / "hosts").write_text("".join(
            f"{host.address} ansible_user=root ansible_ssh_private_key_file={self.site.neighbours.key} "
            "ansible_python_interpreter=/usr/bin/python3\n" for host in self.with_python))
        (folder / "token.json").write_text(json.dumps({"token": token}))
        env = {**ANSIBLE, "HOME": str(folder), "ANSIBLE_SSH_CONTROL_PATH_DIR": str(folder / "cp"),
               "ANSIBLE_SSH_ARGS": "-C -o ControlMaster=auto -o ControlPersist=60s -o UserKnownHostsFile=/dev/null"}
        done = self.lab.client.run(["ansible-playbook", "-f", parallel, "-i", folder / "hosts", "-e",
                                    f"@{folder / 'token.json'}", folder / "play.yaml"], timeout=RUN_S, env=env)
        for pid in processes_of(self.lab.client):  # connections that it keeps
            if pathlib.Path(f"/proc/{pid}/comm").read_text().strip() == "ssh":
                os.kill(pid, signal.SIGTERM)
        if done.returncode:
            sys.exit(f"bench: ansible-playbook: {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-2000:]}")

    def write_docs(self):
        install_page.write(self.rows)
