"""A connector's worker, spoken to as the agent does (src/agent/installs/installs.h): what the hub would order goes in,
events come out, so that the engine is tried against real servers without the rest."""

import ctypes
import hashlib
import json
import queue
import subprocess
import threading

from lab import programs
from lab.installs import sealed, sodium
from lab.proof import b64, raw

FINAL = ("joined", "kept", "removed", "absent", "failed", "cancelled")


def public_key(agent):
    """The agent's public identity key, as the hub knows it."""
    seed = raw(json.loads((agent.state_folder / "identity.json").read_text())["seed"])
    public, secret = ctypes.create_string_buffer(32), ctypes.create_string_buffer(64)
    assert sodium.crypto_sign_seed_keypair(public, secret, seed) == 0
    return b64(public.raw)


def own_file():
    """The plan's row for the file that the connector itself runs: nothing has to be fetched for it."""
    data = programs.SALLYPORT.read_bytes()
    return {"x86_64": {"path": "/v1/portable/x86_64", "sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}}


def target(host, number=1, port=22, user="", **more):
    return {"id": str(number), "host": getattr(host, "address", host), "port": port, "user": user, **more}


class Worker:
    """One `sallyport connector-worker` on an agent's machine. `credentials` is what is sealed for it, without the hosts."""

    def __init__(self, agent, targets, credentials, action="install", hub="https://hub.lab.example/", named=None, env=None,
                 **plan):
        hosts = "\n".join(f"{each['host']}:{each['port']}" for each in targets)
        box = sealed(public_key(agent), {"v": 1, "hosts": hosts if named is None else named, **credentials})
        self.process = agent.namespace.popen(
            [programs.SALLYPORT, "connector-worker", f"--root={agent.root}"], stdin=subprocess.PIPE, env=env)
        self.events, self.lines, self.over = {}, queue.Queue(), None
        threading.Thread(target=self.listen, daemon=True).start()
        self.say("install.start", {"install": "a1", "action": action, "targets": targets, "credentials": box,
                                   "portable": own_file(), "hub": {"url": hub, "addressing": "any"}, **plan})

    def listen(self):
        """The worker writes to a file; its lines are followed until it has ended."""
        with open(self.process.stdout) as output:
            line = ""
            while True:
                ended = not self.process.running()
                line += output.readline()
                if line.endswith("\n"):
                    self.lines.put(json.loads(line))
                    line = ""
                elif ended:
                    break
                else:
                    threading.Event().wait(0.02)
        self.lines.put(None)

    def say(self, method, params):
        self.process.popen.stdin.write(json.dumps({"jsonrpc": "2.0", "method": method, "params": params}).encode() + b"\n")
        self.process.popen.stdin.flush()

    def until(self, condition, timeout=60):
        """Takes events until the condition of {target: last event} holds; returns them."""
        while not condition(self.events):
            message = self.lines.get(timeout=timeout)
            assert message is not None, (self.events, self.process.output())
            if message["method"] == "install.over":
                self.over = message["params"]
                continue
            params = message["params"]
            self.events[params["target"]] = params["event"]
        return self.events

    def looked(self, count=1, timeout=60):
        return self.until(lambda events: len(events) == count and all(
            event["state"] in ("ready", *FINAL) for event in events.values()), timeout)

    def go(self, tokens):
        """With {target: token} on all of these, their keys as they were shown."""
        self.say("install.go", {"install": "a1", "targets": [
            {"id": id, "host_key": self.events[id]["host_key"]["fingerprint"], "token": token}
            for id, token in tokens.items()]})

    def ended(self, ids=None, timeout=90):
        return self.until(lambda events: all(events[id]["state"] in FINAL for id in ids or events), timeout)

    def hang_up(self):
        self.process.popen.stdin.close()

    def finish(self, timeout=30):
        """Waits for its last word and its end; returns the exit code."""
        self.until(lambda _: self.over is not None, timeout)
        return self.process.wait(timeout)
