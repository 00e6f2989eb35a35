#!/usr/bin/env python3
"""`./dev bench`: what agent and hub cost, each beside a bare minimum measured in the same run.

Every figure is the median of several runs; the spread stands beside it. Agent and hub run on
loopback, `check` in network namespaces of its own (bench/check.py), and all is ended here. `--quick`
takes fewer runs and shorter ones, for trying the benchmark; `--check` measures `check` alone; `--fleet`
measures a hub with thousands of agents beside two message brokers (bench/fleet.py), and with `--docs`
writes what it found into docs/figures.md and docs/images/recovery.svg; `--install` measures a connector that puts the
agent on its neighbours, beside Ansible (bench/install.py).
"""
import argparse
import json
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import tempfile
import time

from check import CheckBench
from fleet import FleetBench
from install import InstallBench
from measure import Crowd, Process, cpu_seconds, memory_kib, wait_for, wake_ups
from portable import PortableBench


class Bench:
    def __init__(self, build, folder, quick):
        self.build, self.folder, self.quick = build, pathlib.Path(folder), quick
        self.port, self.bare_port = 18443, 18444
        self.hub_root = self.folder / "hub"
        self.rows = []

    def row(self, what, ours, bare=None, unit="", bare_is="", target=None):
        """Notes a figure: lists of runs in, median and spread out."""
        middle = statistics.median(ours)
        text = f"{what:44} {middle:10.1f} {unit:12} ({min(ours):.1f} to {max(ours):.1f})"
        if bare:
            base = statistics.median(bare)
            text += f"   {bare_is}: {base:.1f}   ratio {middle / base:.2f}"
        if target:
            text += f"   target {target}"
        print(text, flush=True)
        self.rows.append({"what": what, "unit": unit, "median": middle, "runs": ours,
                          "bare": bare, "bare_is": bare_is})

    def hub(self):
        return Process(self.build / "sallyport-hub", "serve", "--root", self.hub_root, "--listen",
                       f"127.0.0.1:{self.port}", "--name", "localhost",
                       stderr=open(self.folder / "hub.log", "ab"))

    def bare(self):
        keys = self.hub_root / "var/lib/sallyport-hub"
        return Process(self.build / "bench/bare_tls", self.bare_port, keys / "server.pem",
                       keys / "server.key")

    def token(self, uses):
        path = self.folder / "token"
        with open(path, "w") as out:
            subprocess.run([self.build / "sallyport-hub", "token", "new", "--root", self.hub_root,
                            "--uses", str(uses), "--label", "bench"], stdout=out, check=True)
        return path

    def swarm(self, port, count, *token):
        """Connects `count` peers; returns what the swarm says and the process that holds them."""
        swarm = Crowd(self.build / "bench/swarm", f"127.0.0.1:{port}", count, *token)
        return swarm.told, swarm

    # --- the agent ------------------------------------------------------------------------------

    def agent_start(self, runs):
        root = self.folder / "agent"
        joined = subprocess.run([self.build / "sallyport", "join", "--root", root, "--token-file",
                                 self.token(1)], stdout=subprocess.DEVNULL,
                                stderr=subprocess.PIPE, text=True)
        if joined.returncode:
            sys.exit(f"bench: join failed: {joined.stderr}")
        status = root / "var/lib/sallyport/status.json"
        ours, bare = [], []
        url = f"https://localhost:{self.port}/healthz"
        for _ in range(runs):
            began = time.monotonic()
            agent = subprocess.Popen([self.build / "sallyport", "agent", "--root", root],
                                     stderr=subprocess.DEVNULL)

            def online():
                try:
                    told = json.loads(status.read_text())
                    return told["state"] == "online" and told["pid"] == agent.pid
                except (OSError, ValueError, KeyError):
                    return False
            wait_for(online, "online")
            ours.append((time.monotonic() - began) * 1000)
            agent.send_signal(signal.SIGTERM)
            agent.wait(timeout=10)
            began = time.monotonic()
            subprocess.run(["curl", "-sko", "/dev/null", url], check=True)
            bare.append((time.monotonic() - began) * 1000)
        self.row("from `sallyport agent` to online", ours, bare, "ms", "curl GET of the same hub")

    def agent_idle(self):
        seconds = 60 if self.quick else 180  # whole heartbeats
        root = self.folder / "agent"
        agent = subprocess.Popen([self.build / "sallyport", "agent", "--root", root],
                                 stderr=subprocess.DEVNULL)
        status = root / "var/lib/sallyport/status.json"
        wait_for(lambda: status.exists() and json.loads(status.read_text()).get("pid") == agent.pid
                 and json.loads(status.read_text())["state"] == "online", "online")
        time.sleep(10)  # what follows the start (inventory, first check) is not idling
        _, bare = self.swarm(self.bare_port, 1)
        before, began = wake_ups(agent.pid), time.monotonic()
        time.sleep(seconds)
        minutes = (time.monotonic() - began) / 60
        wakes = (wake_ups(agent.pid) - before) / minutes
        mine, least = memory_kib(agent.pid), memory_kib(bare.pid)
        bare_is = "one bare TLS connection"
        self.row("agent, idle: RSS", [mine["rss"]], [least["rss"]], "KiB", bare_is, "8192")
        self.row("agent, idle: PSS", [mine["pss"]], [least["pss"]], "KiB", bare_is)
        self.row("agent, idle: wake-ups", [wakes], None, "a minute", target="3")
        bare.stop()
        agent.send_signal(signal.SIGTERM)
        agent.wait(timeout=10)

    # --- the hub --------------------------------------------------------------------------------

    def per_connection(self, server, port, count, *token):
        """Process memory a connection, in KiB."""
        _, few = self.swarm(port, 50, *token)  # what is allocated once is not a connection's
        before = memory_kib(server.pid)["anonymous"]
        _, many = self.swarm(port, count, *token)
        after = memory_kib(server.pid)["anonymous"]
        many.stop()
        few.stop()
        return (after - before) / count

    def hub_memory(self, runs):
        count = 1000 if self.quick else 5000
        ours, bare = [], []
        for _ in range(runs):
            token = self.token(count + 50)
            with self.hub() as hub, self.bare() as server:
                ours.append(self.per_connection(hub, self.port, count, token))
                bare.append(self.per_connection(server, self.bare_port, count))
        self.row(f"hub: process memory an agent, {count} online", ours, bare, "KiB",
                 "bare OpenSSL", "20")

    def handshakes(self, hub, server, runs):
        count = 500 if self.quick else 2000
        ours, bare = [], []
        for _ in range(runs):
            for figures, process, port in ((ours, hub, self.port), (bare, server, self.bare_port)):
                before = cpu_seconds(process.pid)
                _, swarm = self.swarm(port, count)
                figures.append(count / (cpu_seconds(process.pid) - before))
                swarm.stop()
        self.row("hub: full TLS handshakes a CPU-second", ours, bare, "", "bare OpenSSL")

    def enrolments(self, hub, runs):
        count = 200 if self.quick else 1000
        rates, cpu = [], []
        for _ in range(runs):
            token = self.token(count)
            before = cpu_seconds(hub.pid)
            told, swarm = self.swarm(self.port, count, token)
            cpu.append((cpu_seconds(hub.pid) - before) * 1000 / count)
            rates.append(told["median_ms"])
            swarm.stop()
        self.row("hub: TLS, proof and enrolment, 64 at once", rates, None, "ms median")
        self.row("hub: processor time of one enrolment", cpu, None, "ms")

    def check(self):
        if os.geteuid():
            print("check: its world of network namespaces takes root; left out", flush=True)
            return
        CheckBench(self.build, self.row, 3 if self.quick else 11).run()

    def run(self):
        runs = 3 if self.quick else 7
        print(f"medians; the range of {runs} runs in brackets (of check: "
              f"{3 if self.quick else 11})", flush=True)
        self.check()
        with self.hub() as hub, self.bare() as server:
            self.agent_start(runs)
            self.handshakes(hub, server, runs)
            self.enrolments(hub, 3)
            self.agent_idle()
        self.hub_memory(1 if self.quick else 3)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--build", default="build", type=pathlib.Path)
    arguments.add_argument("--quick", action="store_true")
    arguments.add_argument("--check", action="store_true", help="measure `check` alone")
    arguments.add_argument("--fleet", action="store_true", help="measure a fleet alone")
    arguments.add_argument("--agents", type=int, default=15000, help="of the fleet")
    arguments.add_argument("--install", action="store_true", help="measure a connector's installs alone")
    arguments.add_argument("--portable", action="store_true", help="measure the portable agent beside MeshAgent")
    arguments.add_argument("--hosts", type=int, default=50, help="of the installs")
    arguments.add_argument("--docs", action="store_true", help="write the fleet's or the installs' figures into docs/")
    arguments.add_argument("--json", type=pathlib.Path, help="write the figures here as well")
    options = arguments.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("bench: ended"))  # so that what runs is ended too
    with tempfile.TemporaryDirectory(prefix="sallyport-bench-") as folder:
        if options.fleet:
            bench = FleetBench(options.build.resolve(), folder, options.agents, options.quick)
            bench.run()
        elif options.install:
            bench = InstallBench(options.build.resolve(), options.hosts, options.quick)
            bench.run()
        else:
            bench = Bench(options.build.resolve(), folder, options.quick)
            if options.portable:
                PortableBench(bench.build, bench.row, 3 if options.quick else 5).run()
            else:
                bench.check() if options.check else bench.run()
    if (options.fleet or options.install) and options.docs:
        bench.write_docs()
    if options.json:
        options.json.write_text(json.dumps(bench.rows, indent="\t"))


if __name__ == "__main__":
    main()
