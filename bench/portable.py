"""The portable agent beside MeshAgent: the size of the file, and the memory of each while it is connected to its own
server and idle.

MeshAgent and MeshCentral come from the npm package `meshcentral`, which is fetched once, to .deps/meshcentral. Both
servers and both agents run in the lab's namespaces, from where nothing leaves this machine. Needs root.
"""
import base64
import hashlib
import json
import os
import pathlib
import secrets
import shutil
import subprocess
import sys
import time

from measure import memory_kib, wait_for

TOP = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TOP))

MESH = TOP / ".deps/meshcentral"
MESH_VERSION = "1.1.55"
MESH_PORT = 4430
SETTLE_S = 20  # what follows a start (inventory, first check) is not idling


class MeshCentral:
    """A server with one group of devices, to which its agents belong."""

    def __init__(self, lab, hub):
        self.space, self.name = lab.internet, hub.name
        self.folder = lab.folder / "mesh"
        self.login = ["--loginuser", "admin", "--loginpass", secrets.token_hex(12) + "-Aa1"]
        self.data = self.folder / "data"
        self.data.mkdir(parents=True)
        (self.data / "config.json").write_text(json.dumps({
            "settings": {"cert": hub.name, "port": MESH_PORT, "aliasPort": MESH_PORT, "redirPort": 0, "mpsPort": 0,
                         "WANonly": True, "selfUpdate": False, "autoBackup": False, "agentTimeStampServer": False},
            "domains": {"": {"newAccounts": False}}}))

    def server(self, *argv):
        return ["node", MESH / "node_modules/meshcentral/meshcentral.js", "--datapath", self.data, *argv]

    def control(self, *argv):
        return self.space.run(
            ["node", MESH / "node_modules/meshcentral/meshctrl.js", *argv, "--url", f"wss://localhost:{MESH_PORT}",
             *self.login], timeout=60, env={"NODE_TLS_REJECT_UNAUTHORIZED": "0"}).stdout

    def start(self):
        for words in (["--createaccount", "admin", "--pass", self.login[3], "--email", "admin@lab.example"],
                      ["--adminaccount", "admin"]):
            self.space.run(self.server(*words), timeout=120)
        self.space.popen(self.server(), log="meshcentral", cwd=self.folder).wait_for("HTTPS server running", 180)
        self.group = self.control("adddevicegroup", "--name", "bench").split("//")[1].strip()
        return self

    def agent(self):
        """The agent's file, and beside it what tells it of server and group."""
        file = self.folder / "meshagent"
        shutil.copy(MESH / "node_modules/meshcentral/agents/meshagent_x86-64", file)
        file.chmod(0o755)
        key = subprocess.run(["openssl", "x509", "-in", self.data / "agentserver-cert-public.crt", "-noout", "-pubkey"],
                             stdout=subprocess.PIPE, check=True).stdout
        key = subprocess.run(["openssl", "rsa", "-pubin", "-RSAPublicKey_out", "-outform", "DER"], input=key,
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout
        group = base64.b64decode(self.group.replace("@", "+").replace("$", "/"))
        file.with_suffix(".msh").write_text(
            f"MeshName=bench\nMeshType=2\nMeshID=0x{group.hex().upper()}\n"
            f"ServerID={hashlib.sha384(key).hexdigest().upper()}\n"
            f"MeshServer=wss://{self.name}:{MESH_PORT}/agent.ashx\n")
        return file

    def connected(self):
        try:
            devices = json.loads(self.control("listdevices", "--json"))
        except ValueError:
            return False
        return any(node.get("conn", 0) & 1 for node in devices)


def fetch():
    if (MESH / "node_modules/meshcentral").exists():
        return
    MESH.mkdir(parents=True, exist_ok=True)
    subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--loglevel=error", "--ignore-scripts",
                    f"meshcentral@{MESH_VERSION}"], cwd=MESH, check=True)


class PortableBench:
    def __init__(self, build, row, runs):
        self.build, self.row, self.runs = build, row, runs

    def ours(self, lab, hub, number):
        from lab.fleet import Agent

        agent = Agent(lab, f"portable{number}")
        agent.argv = lambda *argv: [self.file, *argv, "--root", agent.root]
        agent.joined(hub.token()).start().wait_online()
        return agent.process, json.loads((agent.state_folder / "status.json").read_text())["pid"]

    def theirs(self, lab, mesh, file):
        process = lab.client.popen([file, "run"], log="meshagent", cwd=file.parent)
        wait_for(mesh.connected, "MeshAgent being connected", 120, 1)
        pids = lab.client.tool("pgrep", "-xf", f"{file} run").split()
        return process, int(pids[-1])

    def idle(self, begin):
        process, pid = begin()
        time.sleep(SETTLE_S)
        memory = memory_kib(pid)
        process.stop()
        return memory

    def run(self):
        os.environ["SALLYPORT_BUILD"] = str(self.build)  # lab.programs asks for it
        from lab.fleet import Hub
        from lab.world import Lab

        self.file = self.build / "portable/sallyport-x86_64"
        if not self.file.exists():
            sys.exit(f"bench: {self.file} is missing: ./dev portable x86_64")
        fetch()
        with Lab() as lab:
            hub = Hub(lab, options=()).start()
            mesh = MeshCentral(lab, hub)
            lab.dns()
            file = mesh.start().agent()
            size = file.stat().st_size
            ours, theirs = [], []
            for number in range(self.runs):
                ours.append(self.idle(lambda: self.ours(lab, hub, number)))
                theirs.append(self.idle(lambda: self.theirs(lab, mesh, file)))
                wait_for(lambda: not mesh.connected(), "MeshAgent being gone", 120, 1)
        self.row("portable agent: file", [self.file.stat().st_size / 1e6], [size / 1e6], "MB",
                 "MeshAgent", "6")
        for kind in ("rss", "pss"):
            self.row(f"portable agent, connected: {kind.upper()}", [each[kind] for each in ours],
                     [each[kind] for each in theirs], "KiB", "MeshAgent", "6144")
