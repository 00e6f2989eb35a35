"""Installs as people start them, from the API and on a connector's command line, in a world with neighbours."""

import ctypes
import json
import os
import re
import shutil

from lab import net, programs
from lab.fleet import QUICK, Agent, Hub
from lab.hosts import PASSWORD, Neighbours
from lab.proof import b64, raw
from lab.world import DNS

LOCATION = "hall 3"
FINAL = ("online", "kept", "removed", "absent", "failed", "cancelled")
PORTABLE = programs.BUILD / "portable/sallyport-x86_64"
SEAL_BYTES = 48  # crypto_box_SEALBYTES

sodium = ctypes.CDLL("libsodium.so.23")


def sealed(key, document):
    """What src/wire/credentials.h describes, to the public Ed25519 key of a connector in base64url."""
    plain = json.dumps(document).encode()
    public, box = ctypes.create_string_buffer(32), ctypes.create_string_buffer(len(plain) + SEAL_BYTES)
    assert sodium.crypto_sign_ed25519_pk_to_curve25519(public, raw(key)) == 0
    assert sodium.crypto_box_seal(box, plain, ctypes.c_ulonglong(len(plain)), public) == 0
    return b64(box.raw)


class Site:
    """A hub that has the portable file, and neighbours whose connectors it promotes; see `Neighbours` for the
    hosts themselves. `agent_file` is what the hub hands out."""

    def __init__(self, lab, options=QUICK, agent_file=None, addressing=None):
        self.lab = lab
        self.hub = Hub(lab, options=options)
        folder = self.hub.root / "usr/share/sallyport/portable"
        folder.mkdir(parents=True)
        shutil.copy(agent_file or self.portable(), folder / "sallyport-x86_64")
        self.hub.start()
        lab.dns()
        self.neighbours = Neighbours(lab)
        self.must("POST", "/v1/locations", 201, {"name": LOCATION, **({"addressing": addressing} if addressing else {})})

    @staticmethod
    def portable():
        # A build with sanitizers has no portable file; the hosts find the libraries of the other in their roots.
        return PORTABLE if PORTABLE.exists() else programs.SALLYPORT

    # --- the API ---

    def must(self, method, path, wanted, body=None):
        status, answer = self.hub.request(method, path, body)
        assert status == wanted, f"{method} {path}: {status} {answer}"
        return answer

    def location(self):
        return next(row for row in self.must("GET", "/v1/locations", 200)["locations"] if row["name"] == LOCATION)

    def connector(self, name="agent", namespace=None, **options):
        """An agent that runs, promoted; `server` is its id."""
        known = {row["id"] for row in self.hub.servers()}
        if namespace:
            namespace.set_resolvers([DNS])
        agent = Agent(self.lab, name, namespace=namespace, **options)
        agent.joined(self.hub.token(), "--location", LOCATION).start().wait_online()
        agent.server = net.wait_until(lambda: {row["id"] for row in self.hub.servers() if row["status"] == "online"}
                                      - known, 15, "the connector's row").pop()
        self.must("POST", f"/v1/servers/{agent.server}/promote", 200)
        return agent

    def credentials(self, hosts, port=22, **document):
        """Boxes for every connector of the location."""
        document = {"v": 1, "hosts": hosts, "port": port, **document}
        return {each["id"]: sealed(each["key"], document) for each in self.location()["connectors"]}

    def begin(self, hosts, action="install", port=22, parallel=None, boxes=None, **document):
        """POST /v1/installs of a list of hosts; the password is the neighbours' unless the document says more."""
        text = text_of(hosts)
        document = document or {"user": "ops", "password": PASSWORD, "sudo_password": PASSWORD}
        wish = {"location": LOCATION, "action": action, "hosts": text, "port": port,
                "credentials": self.credentials(text, port, **document) if boxes is None else boxes}
        if "user" in document:
            wish["user"] = document["user"]
        if parallel:
            wish["parallel"] = parallel
        return self.must("POST", "/v1/installs", 201, wish)["id"]

    def install(self, id):
        return self.must("GET", f"/v1/installs/{id}", 200)

    def targets(self, id):
        """host -> target"""
        rows = self.must("GET", f"/v1/installs/{id}/targets?limit=500", 200)["targets"]
        return {row["host"]: row for row in rows}

    def wait(self, id, condition, what, timeout=60):
        """Waits until the condition holds for every target; returns them by host."""

        def reached():
            rows = self.targets(id)
            return rows if all(condition(row) for row in rows.values()) else None

        try:
            return net.wait_until(reached, timeout, what)
        except net.LabError as error:
            raise net.LabError(f"{error}\n{json.dumps(self.targets(id), indent=1)[:6000]}") from None

    def wait_looked(self, id):
        return self.wait(id, lambda row: row["state"] in ("ready", *FINAL), "the end of the look")

    def wait_copying(self, id):
        """Until the agent is on its way to every target; see Host.slow()."""
        return self.wait(id, lambda row: row["state"] == "working" and row["sent"], "bytes under way")

    def wait_over(self, id, timeout=60):
        return self.wait(id, lambda row: row["state"] in FINAL, "the end of the install", timeout)

    def confirm(self, id, hosts=None):
        """Starts what is ready, with every new key confirmed; or these hosts alone."""
        rows = {host: row for host, row in self.targets(id).items() if row["state"] == "ready"
                and (hosts is None or host in addresses(hosts))}
        keys = {row["id"]: row["host_key"]["fingerprint"] for row in rows.values() if row["host_key"]["state"] == "new"}
        self.must("POST", f"/v1/installs/{id}/start", 202,
                  {"host_keys": keys, "targets": [row["id"] for row in rows.values()]})

    def run(self, hosts, timeout=60, **options):
        """Begins, confirms and waits; returns the targets by host."""
        id = self.begin(hosts, **options)
        if any(row["state"] == "ready" for row in self.wait_looked(id).values()):
            self.confirm(id)
        return self.wait_over(id, timeout)

    # --- the command ---

    def command(self, connector, *argv, password=PASSWORD, hosts=(), timeout=90, wrapper=()):
        """`sallyport install` there; what it prints is JSON lines. The password goes by a file."""
        return connector.namespace.run([*wrapper, *self.command_line(connector, *argv, password=password, hosts=hosts)],
                                       timeout=timeout)

    def command_line(self, connector, *argv, password=PASSWORD, hosts=()):
        secret = self.lab.folder / "password"
        if password is not None:
            with open(secret, "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
                file.write(password + "\n")
            argv = ("--password-file", secret, "--sudo-password-file", secret, *argv)
        return connector.argv("install", "--format", "json", *argv, *text_of(hosts).split())


def of_version(number):
    """The agent as another release has it: the same program with that number in it."""
    program, count = re.subn(rb"(?<![0-9.])0\.1\.0(?![0-9.])", number.encode(), Site.portable().read_bytes())
    assert count and len(number) == 5
    return program


def addresses(hosts):
    return [getattr(host, "address", host) for host in hosts]


def text_of(hosts):
    """One line a host: a Host, or (user, Host), or text."""
    lines = []
    for host in hosts:
        user, host = host if isinstance(host, tuple) else (None, host)
        lines.append(f"{user}@{host.address}" if user else getattr(host, "address", host))
    return "".join(f"{line}\n" for line in lines)


def results(done):
    """host -> its last row, of what `sallyport install --format json` printed."""
    found = {}
    for line in done.stdout.splitlines():
        row = json.loads(line)
        if "host" in row:
            found[row["host"]] = row
    return found


def job_output(site, server):
    """What a small job on that server prints."""
    job = site.must("POST", "/v1/jobs", 201, {"interpreter": "sh", "script": "hostname", "servers": [server]})

    def ended():
        run = site.must("GET", f"/v1/jobs/{job['id']}/runs/{server}", 200)
        return run["state"] == "done" and run

    net.wait_until(ended, 30, "a job to be done")
    return site.must("GET", f"/v1/jobs/{job['id']}/runs/{server}/output", 200)["text"].strip()
