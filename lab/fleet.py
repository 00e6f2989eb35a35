"""A real hub and real agents in a lab's world."""

import http.client
import json
import re
import shutil
import ssl

from lab import net, programs
from lab.world import FOUR, HUB, HUB_NAME

PASSWORD = "correct horse battery"  # of the administrator of a hub that lives for seconds

# Times compressed, so that a test sees in a second what takes a minute outside.
QUICK = ("--heartbeat-ms", 200, "--heartbeat-jitter-ms", 20, "--heartbeat-timeout-ms", 4000,
         "--backoff-cap-ms", 500)


class Hub:
    """sallyport-hub at HUB_NAME, known to the lab's DNS when that is started later."""

    def __init__(self, lab, namespace=None, address=HUB, name=HUB_NAME, options=QUICK, wrapper=(),
                 mounts=()):
        self.lab, self.address, self.name, self.options = lab, address, name, options
        self.namespace = namespace or lab.internet
        self.wrapper, self.mounts = wrapper, mounts
        self.root = self.namespace.folder / f"hub-{address}"
        self.root.mkdir(exist_ok=True)
        lab.names[name] = address
        self.url = f"https://{name}"
        self.listen = address
        self.cookie = self.setup_code = None

    def start(self):
        self.process = self.namespace.popen(
            [*self.wrapper, programs.HUB, "serve", "--root", self.root, "--listen",
             f"{self.listen}:443", "--name", self.name, *self.options], mounts=self.mounts, log="hub")
        self.process.wait_for("^ready", 15)
        code = re.search(r"^first administrator: \S*#/setup/(\S+)", self.process.output(), re.M)
        self.setup_code = code.group(1) if code else self.setup_code
        return self

    def kill(self):
        self.process.kill()

    def stop(self):
        self.process.stop()

    @property
    def database(self):
        return self.root / "var/lib/sallyport-hub/hub.db"

    def command(self, *argv, input=None):
        done = self.namespace.run([programs.HUB, *argv, "--root", self.root], input=input)
        if done.returncode:
            raise net.LabError(f"sallyport-hub {' '.join(map(str, argv))}: {done.stderr}")
        return done.stdout

    def token(self, **options):
        """A join token; options as of `sallyport-hub token new`, uses=2 for instance."""
        argv = [part for key, value in options.items() for part in (f"--{key.replace('_', '-')}", value)]
        return self.command("token", "new", *argv).strip()

    def sql(self, statement, *values):
        """One statement on the database, beside the running hub."""
        import sqlite3

        database = sqlite3.connect(self.database, timeout=net.PATIENCE_S)
        try:
            rows = database.execute(statement, values).fetchall()
            database.commit()
            return rows
        finally:
            database.close()

    # --- the API, as the console uses it ---

    def request(self, method, path, body=None):
        """status and parsed body; signs in first when nobody has."""
        if self.cookie is None:
            self.cookie = ""
            credentials = {"name": "admin", "password": PASSWORD}
            status, answer = self.request("POST", "/v1/setup", {"code": self.setup_code, **credentials})
            assert status == 204, answer
        return self.namespace.inside(self._request, method, path, body)

    def download(self, path):
        """status and bytes."""
        self.servers()  # signs in
        return self.namespace.inside(self._request, "GET", path, None, True)

    def _request(self, method, path, body, raw=False):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPSConnection(self.address, 443, timeout=net.PATIENCE_S, context=context)
        headers = {"Host": self.name, "X-Sallyport": "1"}
        if self.cookie:
            headers["Cookie"] = self.cookie
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            response = connection.getresponse()
            content = response.read()
            if raw:
                return response.status, content
            content = content.decode()
            if response.getheader("Set-Cookie"):
                self.cookie = response.getheader("Set-Cookie").split(";")[0]
            try:
                return response.status, json.loads(content)
            except ValueError:
                return response.status, content
        finally:
            connection.close()

    def metric(self, name):
        """The value of a metric, all its labels added up."""
        status, text = self.request("GET", "/metrics")
        assert status == 200, text
        values = re.findall(rf"^{name}(?:\{{[^}}]*\}})? (\S+)$", text, re.M)
        assert values, f"no metric {name} in:\n{text}"
        return sum(float(value) for value in values)

    def messages(self):
        """Messages from agents: after the first second, heartbeats and nothing else."""
        return self.metric("sallyport_messages_received_total")

    def servers(self):
        status, answer = self.request("GET", "/v1/servers?limit=500")
        assert status == 200, answer
        return answer["servers"]

    def wait_online(self, count=1, timeout=15):
        """Waits until so many servers are online; returns their rows."""

        def online():
            rows = [row for row in self.servers() if row["status"] == "online"]
            return rows if len(rows) >= count else None

        return net.wait_until(online, timeout, f"{count} servers online at the hub")


class FourHub(Hub):
    """The same with its four endpoint roles at four names and addresses (row S6)."""

    def __init__(self, lab, options=QUICK, **elsewhere):
        """`elsewhere`: roles and the names under which they are to be found instead."""
        super().__init__(lab, address=FOUR["console"], name="console.lab.example")
        self.listen = "0.0.0.0"
        self.basic = options
        self.move(**elsewhere)

    def move(self, **elsewhere):
        """From its next start on some roles are elsewhere."""
        self.places = {role: elsewhere.get(role, f"{role}.lab.example") for role in FOUR}
        self.options = [*self.basic, *(part for role, name in self.places.items()
                                       for part in (f"--{role}-url", f"https://{name}"))]
        for role, name in self.places.items():
            self.lab.names.setdefault(name, FOUR[role])
        self.url = f"https://{self.places['discovery']}"


class Agent:
    """sallyport with a root of its own, on the lab's client unless another namespace is named."""

    def __init__(self, lab, name="agent", env=None, namespace=None, mounts=()):
        self.lab, self.namespace = lab, namespace or lab.client
        self.env, self.mounts = env, mounts
        self.root = lab.root if name == "agent" else lab.folder / f"root-{name}"
        (self.root / "etc/sallyport").mkdir(parents=True, exist_ok=True)
        for file in ("resolv.conf", "hosts"):
            (self.root / "etc" / file).write_text((self.namespace.etc / file).read_text())
        self.process = None

    @property
    def log_path(self):
        return self.root / "var/log/sallyport/connector.log"

    @property
    def state_folder(self):
        return self.root / "var/lib/sallyport"

    def argv(self, *argv):
        return [programs.SALLYPORT, *argv, "--root", self.root]

    def command(self, *argv, input=None, timeout=30, env=None):
        return self.namespace.run(self.argv(*argv), input=input, timeout=timeout,
                                  env={**(self.env or {}), **(env or {})}, mounts=self.mounts)

    def join(self, token, *options):
        return self.command("join", "--token-file", "-", *options, input=token + "\n")

    def joined(self, token, *options):
        done = self.join(token, *options)
        if done.returncode:
            raise net.LabError(f"join: {done.returncode}\n{done.stdout}{done.stderr}")
        return self

    def copied(self, name, **options):
        """Another machine with this one's identity, as on a disk that was copied."""
        copy = Agent(self.lab, name, **options)
        copy.state_folder.mkdir(mode=0o700, parents=True)
        shutil.copy(self.state_folder / "identity.json", copy.state_folder)
        return copy

    def start(self, wrapper=()):
        self.process = self.namespace.popen(
            [*wrapper, *self.argv("agent")], env=self.env, mounts=self.mounts, log="agent")
        return self

    def log(self):
        try:
            return self.log_path.read_text(errors="replace")
        except FileNotFoundError:
            return ""

    def told(self):
        """The causes that connector.log names, in order."""
        return re.findall(r"^\S+ +\S+ +cause: (\S+)", self.log(), re.M)

    def status(self):
        done = self.command("status", "--format", "json")
        try:
            return json.loads(done.stdout)
        except ValueError:
            raise net.LabError(f"status: {done.returncode}\n{done.stdout}{done.stderr}") from None

    def local_port(self):
        """The port from which it is connected."""
        for line in self.namespace.tool("ss", "-Htnp", "state", "established").splitlines():
            if f"pid={self.process.pid}," in line:
                return int(line.split()[2].rsplit(":", 1)[1])
        raise net.LabError("the agent has no connection")

    def _alive(self):
        if self.process and not self.process.running():
            raise net.LabError(f"the agent ended: {self.process.output()}")

    def wait_online(self, times=1, timeout=15):
        def online():
            self._alive()
            return len(re.findall(r" online at ", self.log())) >= times

        net.wait_until(online, timeout, f"the agent to be online\n{self.log()}")
        return self

    def wait_told(self, count=1, timeout=15):
        """Waits until connector.log names so many causes; returns them."""

        def told():
            self._alive()
            causes = self.told()
            return causes if len(causes) >= count else None

        return net.wait_until(told, timeout, f"{count} causes in connector.log")


class Told:
    """An outcome as of programs.Check: the causes that an agent's log tells from now on."""

    code = None

    def __init__(self, agent, after=0, count=1):
        self.agent, self.after, self.count = agent, after, count

    def run(self):
        self.causes = sorted(set(self.agent.wait_told(self.after + self.count)[self.after:]))
        return self

    @staticmethod
    def expected_code(causes):
        return None

    def explain(self):
        return self.agent.log()


class Quiet(Told):
    """An agent that comes online and has nothing to tell of it."""

    def __init__(self, agent, times=1):
        super().__init__(agent)
        self.times = times

    def run(self):
        self.agent.wait_online(self.times)
        self.causes = sorted(set(self.agent.told()))
        return self


def another_machine(lab):
    """Mounts that give an agent a machine-id of its own: namespaces share the file system, real machines
    do not."""
    path = lab.folder / "machine-id"
    path.write_text("0123456789abcdef0123456789abcdef\n")
    return [(path, "/etc/machine-id")]


class Refused:
    """The same of a `sallyport join` that does not get in."""

    def __init__(self, agent, token):
        self.agent, self.token = agent, token

    def run(self):
        self.done = self.agent.join(self.token)
        self.code = self.done.returncode
        words = set(re.findall(r"[a-z0-9]+(?:-[a-z0-9]+)+", self.done.stdout + self.done.stderr))
        self.causes = sorted(words & set(programs.causes()))
        return self

    @staticmethod
    def expected_code(causes):
        return 1 if causes else 0

    def explain(self):
        return f"exit {self.code}\n{self.done.stdout}{self.done.stderr}"
