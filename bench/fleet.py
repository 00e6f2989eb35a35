"""A hub with thousands of agents, and two message brokers with as many clients: what one costs, how long a
command to all takes, and how a hub that was killed gets its machines back.

Everything runs on loopback with its files in one folder. The clients are simulated, thousands in a process
(bench/swarm, bench/peers), and share this machine's processors with the server that they measure, which
goes first (nice), all three alike.
"""
import http.client
import json
import pathlib
import socket
import ssl
import subprocess
import sys
import threading
import time

import fleet_page
from measure import Crowd, Process, cpu_seconds, memory_kib, share, wait_for

HUB_PORT, MQTT_PORT, NATS_PORT, NATS_PLAIN_PORT = 18543, 18546, 18547, 18548
TOKEN_USES = 10000     # the most that one token allows
SETTLE_S = 10          # after which nothing of the start is under way any more
COMMANDS = 3           # commands to all; the median run is told
SAMPLE_S = 0.1         # between two looks at the list of servers
LIST = "/v1/servers?limit=100"
BACK_S = 300           # the longest that a fleet may take to come back
PASSWORD = "correct horse battery"  # of the administrator of a hub that lives for minutes


def connect():
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2", "http/1.1"])  # as browsers and curl do
    return http.client.HTTPSConnection("127.0.0.1", HUB_PORT, timeout=30, context=context)


class Hub(Process):
    def __init__(self, build, root, log):
        super().__init__(build / "sallyport-hub", "serve", "--root", root, "--listen",
                         f"127.0.0.1:{HUB_PORT}", "--name", "localhost", stderr=log)
        self.build, self.root = build, root

    def tokens(self, path, agents):
        with open(path, "w") as out:
            for _ in range(-(-agents // TOKEN_USES)):
                subprocess.run([self.build / "sallyport-hub", "token", "new", "--root", self.root, "--uses",
                                str(TOKEN_USES), "--label", "fleet"], stdout=out, check=True)
                out.flush()
        return path

    def sign_in(self):
        """Makes the first administrator; returns the cookie, which a restart does not end."""
        code = next(line.rpartition("#/setup/")[2] for line in self.said if "#/setup/" in line)
        connection = connect()
        connection.request("POST", "/v1/setup", json.dumps(
            {"code": code, "name": "admin", "password": PASSWORD}),
            {"Host": "localhost", "X-Sallyport": "1", "Content-Type": "application/json"})
        response = connection.getresponse()
        if response.status != 204:
            sys.exit(f"bench: the first administrator: {response.status} {response.read().decode()}")
        return response.getheader("Set-Cookie").split(";")[0]


class Client:
    """A signed-in client of the API on one connection, which is made again when it has ended."""

    def __init__(self, cookie):
        self.cookie, self.connection = cookie, None

    def request(self, method, path, body=None):
        """Status and parsed answer; OSError or http.client.HTTPException where there is no hub."""
        if self.connection is None:
            self.connection = connect()
        headers = {"Host": "localhost", "X-Sallyport": "1", "Cookie": self.cookie}
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            self.connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            response = self.connection.getresponse()
            return response.status, json.loads(response.read() or b"null")
        except (OSError, http.client.HTTPException):
            self.connection.close()
            self.connection = None
            raise

    def must(self, method, path, body=None, status=200):
        got, answer = self.request(method, path, body)
        if got != status:
            sys.exit(f"bench: {method} {path}: {got} {json.dumps(answer)[:300]}")
        return answer


class Watch(threading.Thread):
    """Looks at the first page of the list ten times a second, as a person with a console does. Each sample
    is (when, milliseconds) with the time of the connection in it where a new one was needed, and None for the
    milliseconds where no hub was there."""

    def __init__(self, cookie):
        super().__init__(daemon=True)
        self.client, self.samples, self.ending = Client(cookie), [], threading.Event()

    def run(self):
        due = time.monotonic()
        while not self.ending.wait(max(0, due - time.monotonic())):
            began = time.monotonic()
            try:
                status, _ = self.client.request("GET", LIST)
                took = (time.monotonic() - began) * 1000 if status == 200 else None
            except (OSError, http.client.HTTPException):
                took = None
            self.samples.append((began, took))
            due = max(due + SAMPLE_S, time.monotonic())

    def end(self):
        """The samples, oldest first."""
        self.ending.set()
        self.join()
        return self.samples


def spread(milliseconds):
    return {"median": share(milliseconds, .5), "p99": share(milliseconds, .99), "all": max(milliseconds),
            "count": len(milliseconds)}


class FleetBench:
    def __init__(self, build, folder, agents, quick=False):
        self.build, self.folder, self.agents = build, pathlib.Path(folder), agents
        self.settle_s, self.commands = (0.5, 1) if quick else (SETTLE_S, COMMANDS)
        self.rows = {"agents": agents}
        self.log = open(self.folder / "fleet.log", "ab")

    def note(self, name, value):
        self.rows[name] = value
        told = {key: round(each, 1) if isinstance(each, float) else each for key, each in value.items()
                if not isinstance(each, list)}
        print(f"{name}: {json.dumps(told)}", flush=True)

    # --- the same for all three ---------------------------------------------------------------------

    def gather(self, name, server, program, *argv):
        """All clients connected to the server; notes what each costs it."""
        empty, busy = memory_kib(server.pid), cpu_seconds(server.pid)
        crowd = Crowd(self.build / "bench" / program, *argv)
        cpu = cpu_seconds(server.pid) - busy
        self.wait_for_all(crowd)
        time.sleep(self.settle_s)
        full = memory_kib(server.pid)
        self.note(f"{name}.memory", {kind: (full[kind] - empty[kind]) / self.agents for kind in full}
                  | {"empty": empty["anonymous"]})
        self.note(f"{name}.arrival", {"seconds": crowd.told["seconds"],
                                      "cpu_ms": cpu * 1000 / self.agents})
        return crowd

    def wait_for_all(self, crowd, seconds=60):
        wait_for(lambda: crowd.ask("status")["online"] >= self.agents, "all clients online", seconds, .05)

    def answered(self, crowd, began, what):
        """Milliseconds from `began` (monotonic milliseconds) to each answer."""
        wait_for(lambda: crowd.ask("status")["answers"] >= self.agents, what, 180, .02)
        return spread([at - began for at in crowd.ask("answers")["answers_ms"]])

    def command(self, name, server, run):
        """The median of several commands to all, by the time of the last answer."""
        runs = []
        for _ in range(self.commands):
            busy = cpu_seconds(server.pid)
            runs.append(run())
            runs[-1]["cpu_ms"] = (cpu_seconds(server.pid) - busy) * 1000 / self.agents
            time.sleep(self.settle_s / 5)
        self.note(name, sorted(runs, key=lambda each: each["all"])[self.commands // 2])

    # --- the hub -----------------------------------------------------------------------------------

    def hub(self):
        return Hub(self.build, self.folder / "hub", self.log)

    def job(self, cookie, swarm):
        client = Client(cookie)
        client.must("GET", LIST)  # the connection stands before the clock runs, as that of the brokers' publisher
        swarm.ask("clear")
        began = time.monotonic() * 1000
        job = client.must("POST", "/v1/jobs", {"title": "to all", "interpreter": "sh",
                                               "script": "hostname\n", "filter": {"platform": "linux"}}, 201)
        posted = time.monotonic() * 1000 - began
        figures = self.answered(swarm, began, "the answer of every agent")
        path = f"/v1/jobs/{job['id']}"
        wait_for(lambda: client.must("GET", path)["runs"]["done"] == self.agents, "the end of every run", 60, .1)
        return figures | {"posted": posted}

    def list_page(self, name, cookie, work=None):
        watch = Watch(cookie)
        watch.start()
        work() if work else time.sleep(self.settle_s)
        self.note(name, spread([took for _, took in watch.end() if took is not None]))

    def measure_hub(self):
        hub = self.hub()
        try:
            cookie = hub.sign_in()
            tokens = hub.tokens(self.folder / "tokens", self.agents)
            with self.gather("hub", hub, "swarm", f"127.0.0.1:{HUB_PORT}", self.agents, tokens) as swarm:
                self.list_page("hub.list", cookie)
                self.list_page("hub.list_busy", cookie, lambda: self.command(
                    "hub.command", hub, lambda: self.job(cookie, swarm)))
                hub = self.recover(hub, swarm, cookie)
                time.sleep(self.settle_s)
                self.note("hub.memory_later", {kind: value / self.agents for kind, value in
                                               memory_kib(hub.pid).items()})
                self.note("hub.command_after", self.job(cookie, swarm))
        finally:
            hub.stop()

    def recover(self, hub, swarm, cookie):
        """Kills the hub, starts it again, and watches until every agent is back."""
        swarm.ask("clear")
        watch = Watch(cookie)
        watch.start()
        time.sleep(self.settle_s / 5)
        killed = time.monotonic()
        hub.kill()
        hub = self.hub()
        ready = time.monotonic()
        busy = cpu_seconds(hub.pid)
        self.wait_for_all(swarm, BACK_S)
        cpu = cpu_seconds(hub.pid) - busy
        time.sleep(self.settle_s / 5)
        samples = [(at - killed, took) for at, took in watch.end()]
        curve = [(at / 1000 - killed, online) for at, online in swarm.ask("curve")["curve"]]
        back = [at for at, online in curve if at > 0 and online >= self.agents]
        answered = [took for at, took in samples if at > 0 and took is not None]
        self.note("hub.recovery", {
            "ready_s": ready - killed, "half_s": next(at for at, online in curve if at > ready - killed
                                                      and online >= self.agents / 2),
            "back_s": back[-1], "cpu_s": cpu, "list_median": share(answered, .5),
            "list_p99": share(answered, .99), "list_worst": max(answered),
            "list_over_100": sum(took > 100 for took in answered), "list_samples": len(answered),
            "attempts": swarm.ask("reasons")["reasons"], "curve": curve, "list": samples})
        return hub

    # --- the brokers -------------------------------------------------------------------------------

    def certificate(self):
        keys = self.folder / "hub/var/lib/sallyport-hub"
        return keys / "server.pem", keys / "server.key"

    def broker(self, name, port, *argv):
        """A broker that is ready as soon as it takes connections."""
        process = Process(*argv, ready=False, stderr=self.log)

        def there():
            if process.process.poll() is not None:
                sys.exit(f"bench: {name} ended at its start")
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0
        wait_for(there, f"{name} listening", 20, .05)
        return process

    def mosquitto(self):
        chain, key = self.certificate()
        config = self.folder / "mosquitto.conf"
        config.write_text(f"listener {MQTT_PORT} 127.0.0.1\ncertfile {chain}\nkeyfile {key}\n"
                          "allow_anonymous true\npersistence false\nmax_queued_messages 0\n"
                          "max_inflight_messages 0\nuser root\nlog_type error\n")
        return self.broker("Mosquitto", MQTT_PORT, "/usr/sbin/mosquitto", "-c", config)

    def nats(self):
        chain, key = self.certificate()
        config = self.folder / "nats.conf"
        config.write_text(f'listen: "127.0.0.1:{NATS_PLAIN_PORT}"\nmax_connections: 20000\n'
                          f'websocket {{ listen: "127.0.0.1:{NATS_PORT}", '
                          f'tls {{ cert_file: "{chain}", key_file: "{key}" }} }}\n')
        return self.broker("nats-server", NATS_PORT, "/usr/sbin/nats-server", "-c", config)

    def publish(self, crowd, how):
        return self.answered(crowd, crowd.ask(how)["at_ms"], f"every answer to {how}")

    def measure_broker(self, name, server, port, protocol, ways):
        with server, self.gather(name, server, "peers", protocol, f"127.0.0.1:{port}", self.agents) as crowd:
            for way, how in ways.items():
                self.command(f"{name}.{way}", server, lambda: self.publish(crowd, how))

    def run(self):
        print(f"{self.agents} agents; all processes share this machine's processors", flush=True)
        self.measure_hub()
        self.measure_broker("mosquitto", self.mosquitto(), MQTT_PORT, "mqtt",
                            {"command": "publish", "command_sure": "publish sure"})
        self.measure_broker("nats", self.nats(), NATS_PORT, "nats", {"command": "publish"})

    def write_docs(self):
        fleet_page.write(self.rows)
