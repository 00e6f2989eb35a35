"""What the benchmarks measure with: programs that are started and surely ended, and what the kernel says of
their memory and time."""
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


def memory_kib(pid):
    """Resident, proportional and private anonymous memory of a process, in KiB."""
    fields = {}
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        name, _, rest = line.partition(":")
        if rest.strip().endswith("kB"):
            fields[name] = int(rest.split()[0])
    return {"rss": fields["Rss"], "pss": fields["Pss"], "anonymous": fields["Anonymous"]}


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS


def wake_ups(pid):
    """How often the kernel put the process to sleep of its own will: once a wake-up."""
    total = 0
    for status in pathlib.Path(f"/proc/{pid}/task").glob("*/status"):
        for line in status.read_text().splitlines():
            if line.startswith("voluntary_ctxt_switches"):
                total += int(line.split()[1])
    return total


def share(values, part):
    """The value that a part (0 to 1) of them does not exceed; None of nothing."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * part), len(ordered) - 1)] if ordered else None


def wait_for(condition, what, seconds=60, pause=0.002):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(pause)
    sys.exit(f"bench: {what} did not happen within {seconds} s")


class Process:
    """A program that prints "ready" on its standard output once it serves; `said` are the lines before."""

    def __init__(self, *argv, ready=True, stderr=None):
        self.process = subprocess.Popen([str(a) for a in argv], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=stderr, text=True)
        self.pid = self.process.pid
        self.said = []
        for line in self.process.stdout if ready else ():
            if line.strip() == "ready":
                return
            self.said.append(line.strip())
        if ready:
            sys.exit(f"bench: {argv[0]} did not become ready")

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.stdin.close()
        self.process.wait(timeout=60)

    def kill(self):
        """As a power cut: no goodbye."""
        self.process.kill()
        self.process.wait(timeout=60)
        self.process.stdin.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


CROWD_NICE = 5  # in the field the clients have processors of their own, and take none from their server


class Crowd(Process):
    """Many clients in one process (bench/swarm or bench/peers); `told` is what it says once all are there."""

    def __init__(self, *argv):
        super().__init__("nice", "-n", CROWD_NICE, *argv, ready=False)
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"bench: {argv[0]} ended without a word")
        self.told = json.loads(line)
        if self.told["failed"]:
            self.stop()
            sys.exit(f"bench: {self.told['failed']} of {argv[2]} clients failed")

    def ask(self, question):
        self.process.stdin.write(question + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if "error" in answer:
            sys.exit(f"bench: {question}: {answer['error']}")
        return answer
