#!/usr/bin/env python3
"""`./dev run`: a hub on this machine, this machine joined to it, and the console's URL.

Everything lives below build/run, so a second run finds the same hub, the same administrator and the
same server again. Ctrl-C ends both programs cleanly. `--once` ends after the server is online (for
tests); `--fresh` forgets what earlier runs left.
"""
import argparse
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import threading
import time

DEADLINE_S = 30


class Programs:
    """The programs that were started here, ended in reverse order."""

    def __init__(self):
        self.running = []

    def start(self, argv, log, **options):
        with open(log, "ab") as sink:
            process = subprocess.Popen(argv, stderr=sink, **options)
        self.running.append(process)
        return process

    def stop(self):
        for process in reversed(self.running):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in reversed(self.running):
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def fail(message, log=None):
    print(message, file=sys.stderr)
    if log and pathlib.Path(log).exists():
        print(f"The last lines of {log}:", file=sys.stderr)
        print("\n".join(pathlib.Path(log).read_text(errors="replace").splitlines()[-10:]),
              file=sys.stderr)
    sys.exit(1)


def start_hub(programs, build, state, port):
    """Starts the hub and returns the lines that it prints until it is ready."""
    log = state / "hub.log"
    hub = programs.start(
        [build / "sallyport-hub", "serve", "--root", state / "hub", "--listen",
         f"127.0.0.1:{port}", "--name", "localhost"],
        log, stdout=subprocess.PIPE, text=True)
    lines = []
    timer = threading.Timer(DEADLINE_S, hub.kill)
    timer.start()
    for line in hub.stdout:
        lines.append(line.strip())
        if lines[-1] == "ready":
            timer.cancel()
            return lines
    timer.cancel()
    fail("The hub did not start.", log)


def join(build, state):
    if (state / "agent/var/lib/sallyport/identity.json").exists():
        return
    token = subprocess.run(
        [build / "sallyport-hub", "token", "new", "--root", state / "hub", "--label", "dev run",
         "--expires-in", "10m"],
        stdout=subprocess.PIPE, text=True, check=True).stdout
    joined = subprocess.run(
        [build / "sallyport", "join", "--root", state / "agent", "--token-file", "-"],
        input=token, text=True)
    if joined.returncode:
        fail("This machine could not join the hub; the cause stands above.")


def wait_online(build, state, agent):
    command = [build / "sallyport", "status", "--root", state / "agent", "--format", "json"]
    end = time.monotonic() + DEADLINE_S
    while time.monotonic() < end and agent.poll() is None:
        answer = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        if answer.returncode == 0 and json.loads(answer.stdout).get("state") == "online":
            return
        time.sleep(0.05)  # the status file has no event that crosses processes here
    subprocess.run(command[:-2])
    fail("The agent did not come online.", state / "agent.log")


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--build", default="build", type=pathlib.Path)
    arguments.add_argument("--port", default=8443, type=int, help="port of the hub (8443)")
    arguments.add_argument("--fresh", action="store_true", help="forget earlier runs")
    arguments.add_argument("--once", action="store_true", help="end once the server is online")
    options = arguments.parse_args()
    build = options.build.resolve()
    state = build / "run"
    if options.fresh:
        shutil.rmtree(state, ignore_errors=True)
    for folder in ("hub", "agent"):
        (state / folder).mkdir(parents=True, exist_ok=True)

    # The machine's own proxy is no way to a hub on the machine itself.
    os.environ["NO_PROXY"] = "localhost,127.0.0.1"
    os.environ.pop("no_proxy", None)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    programs = Programs()
    try:
        lines = start_hub(programs, build, state, options.port)
        join(build, state)
        agent = programs.start([build / "sallyport", "agent", "--root", state / "agent"],
                               state / "agent.log")
        wait_online(build, state, agent)
        print("\n".join(line for line in lines if line != "ready"))
        print("1 server online: this machine", flush=True)
        if options.once:
            return
        print("Its certificate is from the hub's own CA, so the browser asks once. Ctrl-C ends both.",
              flush=True)
        agent.wait()
        fail("The agent ended.", state / "agent.log")
    except KeyboardInterrupt:
        print("\nStopping.")
    finally:
        programs.stop()


if __name__ == "__main__":
    main()
