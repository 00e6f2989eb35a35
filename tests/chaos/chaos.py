"""Hub, agents and supervisors killed at random moments while jobs run; then everything is compared.

Each script writes down that it began and that it ended, under the id of its run: the machine's own
record, which no part of Sallyport writes. Afterwards nobody may be in doubt:

  every job is whole and all its runs have ended; a run that is done began and ended once; nothing began
  twice unless it is `rerun: safe`; what is undetermined is a run whose supervisor was killed, and nothing
  else is; the output of what is done is there once, without a hole.

The moments come from a seed, which is printed; the same seed makes the same choices, though the machines
will not be equally far each time.
"""

import collections
import http.client
import os
import random
import re
import signal
import threading
import time

from lab import net
from lab.fleet import Agent, Hub

FINAL = {"done", "failed", "cancelled", "expired", "undetermined"}
SETTLE_S = 120

SCRIPT = """echo "begin $SALLYPORT_RUN $SALLYPORT_ATTEMPT" >>{record}
echo "$SALLYPORT_RUN $SALLYPORT_ATTEMPT"
sleep {seconds}
echo "end $SALLYPORT_RUN $SALLYPORT_ATTEMPT" >>{record}
"""


class Chaos:
    def __init__(self, lab, jobs, machines, seed=None):
        self.seed = random.SystemRandom().randrange(1 << 32) if seed is None else seed
        print(f"chaos: {jobs} jobs on {machines} machines, seed {self.seed}", flush=True)
        self.random = random.Random(self.seed)
        self.lab, self.wanted = lab, jobs
        self.record = lab.folder / "record"
        self.record.touch()
        self.kills = collections.Counter()
        self.shot = set()  # runs whose supervisor was killed
        self.jobs = {}  # by title: servers, whether it is safe, whether it was cancelled
        self.hub = Hub(lab).start()
        lab.dns()
        token = self.hub.token(uses=machines)
        self.machines = [Agent(lab, f"m{number}").joined(token).start() for number in range(machines)]
        rows = self.hub.wait_online(machines, timeout=30)
        self.servers = [row["id"] for row in rows]
        self.asleep = {}  # killed agents, and when they come back

    # --- what is done to them ---

    def await_an_end(self):
        """Until a script ends: its result is about to be sent, stored and confirmed."""
        size = self.record.stat().st_size
        end = time.monotonic() + 1
        while self.record.stat().st_size == size and time.monotonic() < end:
            time.sleep(0.001)
        time.sleep(self.random.uniform(0, 0.04))

    def kill_hub(self):
        if self.random.random() < 0.7:
            self.await_an_end()
        os.kill(self.hub.process.pid, signal.SIGKILL)
        self.hub.process.wait()
        self.kills["hub"] += 1
        time.sleep(self.random.uniform(0, 0.3))
        self.hub.start()

    def kill_agent(self):
        machine = self.random.choice(self.machines)
        if machine in self.asleep:
            return
        os.kill(machine.process.pid, signal.SIGKILL)
        machine.process.wait()
        self.kills["agent"] += 1
        self.asleep[machine] = time.monotonic() + self.random.uniform(0, 2)

    def wake_agents(self, everybody=False):
        for machine, when in list(self.asleep.items()):
            if everybody or time.monotonic() >= when:
                del self.asleep[machine]
                machine.start()

    def supervisors(self):
        """Process ids by run, of this world alone."""
        found = {}
        for entry in os.listdir("/proc"):
            if not entry.isdigit():
                continue
            try:
                argv = open(f"/proc/{entry}/cmdline", "rb").read().decode().split("\0")
                parent = int(open(f"/proc/{entry}/stat").read().rsplit(")", 1)[1].split()[1])
            except (OSError, IndexError):
                continue
            run = next((word for word in argv if re.fullmatch("[0-9a-f]{32}", word)), None)
            if "supervise" in argv and run and any(str(self.lab.folder) in word for word in argv):
                found.setdefault(run, []).append((int(entry), parent))
        # A script that has not been started yet still looks like its supervisor.
        return {run: pid for run, some in found.items()
                for pid, parent in some if parent not in [other for other, _ in some]}

    def kill_supervisor(self):
        found = sorted(self.supervisors().items())
        if not found:
            return
        run, pid = self.random.choice(found)
        self.shot.add(run)
        try:
            os.kill(pid, signal.SIGKILL)
            self.kills["supervisor"] += 1
        except ProcessLookupError:
            pass

    # --- what is asked of them ---

    def request(self, method, path, body=None):
        """As of Hub.request(); None when the hub was not there to answer."""
        try:
            return self.hub.request(method, path, body)
        except (OSError, http.client.HTTPException):
            return None

    def job_named(self, title):
        status, answer = self.hub.request("GET", f"/v1/jobs?q={title}")
        assert status == 200, answer
        named = [job for job in answer["jobs"] if job["title"] == title]
        assert len(named) <= 1, named
        return named[0] if named else None

    def post(self, kill=False):
        title = f"job-{len(self.jobs):05d}"
        servers = self.random.sample(self.servers, self.random.randint(1, len(self.servers)))
        safe = self.random.random() < 0.3
        wish = {"title": title, "interpreter": "sh", "servers": servers, "expires_in_s": 3600,
                "rerun": "safe" if safe else "never",
                "script": SCRIPT.format(record=self.record, seconds=round(self.random.uniform(0, 0.4), 2))}
        if kill:  # while it stores the job, or signs, or answers
            shot = threading.Timer(
                self.random.uniform(0, 0.02), os.kill, (self.hub.process.pid, signal.SIGKILL))
            shot.start()
        answer = self.request("POST", "/v1/jobs", wish)
        assert answer is None or answer[0] == 201, answer
        if kill:
            shot.join()
            self.hub.process.wait()
            self.kills["hub"] += 1
            self.hub.start()
        job = self.job_named(title)
        assert job or answer is None, f"{title} was answered and is lost"
        if job is None:
            status, job = self.hub.request("POST", "/v1/jobs", wish)
            assert status == 201, job
        cancelled = self.random.random() < 0.03
        if cancelled:
            self.hub.request("POST", f"/v1/jobs/{job['id']}/cancel", {})
        self.jobs[title] = {"id": job["id"], "servers": servers, "safe": safe, "cancelled": cancelled}

    # --- the run of it ---

    def step(self):
        self.wake_agents()
        chance = self.random.random()
        if chance < 0.08:
            self.kill_hub()
        elif chance < 0.18:
            self.kill_agent()
        elif chance < 0.24:
            self.kill_supervisor()
        elif len(self.jobs) < self.wanted:
            self.post(kill=self.random.random() < 0.05)
        time.sleep(self.random.uniform(0, 0.05))

    def active(self):
        answer = self.request("GET", "/v1/jobs?state=active&limit=500")
        assert answer and answer[0] == 200, answer
        return answer[1]["jobs"]

    def settle(self):
        self.wake_agents(everybody=True)
        net.wait_until(lambda: not self.active(), SETTLE_S, f"the jobs to end: {self.doubts()}")
        self.kill_hub()  # nothing of it is in memory alone
        assert not self.active()

    def doubts(self):
        return [(job["title"], job["runs"]) for job in self.active()[:5]]

    def run(self):
        while len(self.jobs) < self.wanted:
            self.step()
        for _ in range(20):
            self.step()
        self.settle()
        return self.compare()

    # --- afterwards ---

    def runs_of(self, job):
        runs, cursor = [], ""
        while cursor is not None:
            status, page = self.hub.request("GET", f"/v1/jobs/{job['id']}/runs?cursor={cursor}")
            assert status == 200, page
            runs += page["runs"]
            cursor = page["next_cursor"]
        return runs

    def records(self):
        begun, ended = collections.defaultdict(list), collections.defaultdict(list)
        for line in self.record.read_text().splitlines():
            word, run, attempt = line.split()
            (begun if word == "begin" else ended)[run].append(int(attempt))
        return begun, ended

    def compare(self):
        """The tally of states; the first thing that does not fit fails, with the seed."""
        begun, ended = self.records()
        tally = collections.Counter()
        known = set()
        for title, job in self.jobs.items():
            runs = self.runs_of(job)
            assert sorted(run["server"] for run in runs) == sorted(job["servers"]), self.told(title, runs)
            for run in runs:
                known.add(run["id"])
                tally[run["state"]] += 1
                self.compare_run(job, run, begun[run["id"]], ended[run["id"]])
        assert set(begun) <= known, self.told("what nobody asked for began", set(begun) - known)
        print(f"chaos: {dict(tally)}, killed {dict(self.kills)}, seed {self.seed}", flush=True)
        return tally

    def compare_run(self, job, run, begun, ended):
        told = self.told(run, begun, ended, job)
        state, killed = run["state"], run["id"] in self.shot
        assert state in FINAL, told
        assert len(begun) == len(set(begun)), f"the same attempt began twice: {told}"
        assert job["safe"] or len(begun) <= 1, f"it ran twice: {told}"
        assert len(begun) <= 1 or killed, f"it ran again without need: {told}"
        if state == "done":
            assert run["attempt"] in begun and ended.count(run["attempt"]) == 1, f"it was not done: {told}"
            if run["attempt"] == 1 and (self.wanted <= 100 or self.random.random() < 0.1):
                assert self.output(job, run) == f"{run['id']} 1\n", f"its output is another: {told}"
        elif state == "undetermined":
            assert killed, f"nobody killed it: {told}"
        elif state == "failed":
            assert killed and run["signal"] == signal.SIGKILL, f"nothing could fail: {told}"
        else:
            assert state == "cancelled" and job["cancelled"], told

    def output(self, job, run):
        status, piece = self.hub.request("GET", f"/v1/jobs/{job['id']}/runs/{run['server']}/output")
        assert status == 200 and piece["complete"], self.told(run, piece)
        return piece["text"]

    def told(self, *what):
        return f"seed {self.seed}: {what}"

    def end(self):
        """What a test that failed left at work."""
        for pid in self.supervisors().values():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
