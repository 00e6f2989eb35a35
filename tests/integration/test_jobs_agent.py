"""What a machine does with its jobs when something goes wrong there (S8, S9): the agent is killed, the hub
is away, the machine restarts, the disk is full. Every step at which agent and supervisor may be killed is
tried in tests/unit/test_agent_kills.c; here whole programs and a real hub do what they do together."""

import os
import signal
from pathlib import Path

import pytest

from jobs import FINAL, script, wait_output, wait_run
from lab import net
from lab.fleet import Agent, Hub

pytestmark = pytest.mark.timeout(120)

# Waits for a file, but not for ever: it outlives the agent, and must not outlive the test by much.
WAIT = "for i in $(seq 1200); do [ -e {go} ] && break; sleep 0.05; done\n"


@pytest.fixture
def hub(lab):
    hub = Hub(lab).start()
    lab.dns()
    return hub


@pytest.fixture
def agent(lab, hub):
    agent = Agent(lab).joined(hub.token()).start()
    agent.server = hub.wait_online()[0]["id"]
    return agent


class Marks:
    """Files by which script and test speak with each other."""

    def __init__(self, agent):
        self.record, self.go = agent.root / "record", agent.root / "go"
        self.begin = f"echo ran >>{self.record}; echo one\n"
        self.wait = WAIT.format(go=self.go)

    def ran(self):
        return self.record.read_text().count("ran\n") if self.record.exists() else 0


@pytest.fixture
def marks(agent):
    return Marks(agent)


def runs_folder(agent):
    return agent.state_folder / "runs"


def wait_told_away(agent):
    """Until nothing but RUN.end is left of the runs."""
    net.wait_until(lambda: not [path for path in runs_folder(agent).iterdir() if path.is_dir()], 20,
                   "all runs to be confirmed")


def test_agent_killed_while_a_script_runs(hub, agent, marks):
    """The script goes on without the agent, ends without it, and is told by the next one."""
    job = script(hub, agent, marks.begin + marks.wait + "echo two\n")
    wait_run(hub, job, agent, "running")
    agent.process.kill()
    agent.start()
    agent.wait_online(2)
    status = agent.status()
    assert status["jobs"] == {"running": 1}, status
    agent.process.kill()
    marks.go.touch()
    net.wait_until(lambda: '"done"' in next(runs_folder(agent).glob("*/state")).read_text(), 20,
                   "the script to end while no agent runs")
    agent.start()
    assert wait_run(hub, job, agent, *FINAL)["state"] == "done"
    assert wait_output(hub, job, agent) == "one\ntwo\n"
    assert marks.ran() == 1
    wait_told_away(agent)
    assert agent.status()["jobs"] == {}


def test_hub_away_while_it_ends(hub, agent, marks):
    """The end waits on the machine until the hub is back to hear it."""
    job = script(hub, agent, marks.begin + marks.wait + "exit 7\n")
    wait_run(hub, job, agent, "running")
    hub.kill()
    marks.go.touch()
    net.wait_until(lambda: " is failed: it ended with exit code 7" in agent.log(), 20,
                   "the agent to hear of the end while offline")
    hub.start()
    assert wait_run(hub, job, agent, *FINAL)["exit_code"] == 7
    assert marks.ran() == 1
    wait_told_away(agent)


def test_machine_restarts_on_request(lab, hub, agent, marks):
    """A script asks for a restart with exit code 194 and goes on after it; also while the hub is away.

    The restart is a stand-in: a real one would take this machine. It gives the boot another name, as the
    kernel does, and everything of the agent's is killed."""
    boot = agent.root / "proc/sys/kernel/random/boot_id"
    boot.parent.mkdir(parents=True)
    boot.write_text("first\n")
    program = agent.root / "restart"
    program.write_text(f"#!/bin/sh\necho second >{boot}\n")
    program.chmod(0o755)
    agent.process.stop()

    def start():
        agent.process = agent.namespace.popen([*agent.argv("agent"), "--reboot-with", program], log="agent")

    start()
    job = script(hub, agent, marks.begin + "echo $SALLYPORT_ATTEMPT $SALLYPORT_REBOOTS\n" + marks.wait +
                 "[ $SALLYPORT_REBOOTS = 1 ] || exit 194\n", reboot="on-request")
    wait_run(hub, job, agent, "running")
    hub.kill()
    marks.go.touch()
    net.wait_until(lambda: boot.read_text() == "second\n", 20, "the machine to restart, without the hub")
    agent.process.kill()
    start()
    net.wait_until(lambda: marks.ran() == 2, 20, "the second attempt, without the hub")
    hub.start()
    run = wait_run(hub, job, agent, *FINAL)
    assert (run["state"], run["attempt"]) == ("done", 2), run
    assert wait_output(hub, job, agent) == "one\n1 0\n[attempt 2]\none\n2 1\n"


def test_power_fails(hub, agent, marks):
    """Agent, supervisor and script are gone in one moment: undetermined, and run again only where the job
    says that this is safe."""
    once = script(hub, agent, marks.begin + marks.wait)
    wait_run(hub, once, agent, "running")
    again = script(hub, agent, marks.begin + "[ $SALLYPORT_ATTEMPT = 2 ] && exit 0\n" + marks.wait, rerun="safe")
    wait_run(hub, again, agent, "running")
    agent.process.kill()
    for pid in supervisors(agent):
        os.kill(pid, signal.SIGKILL)
    agent.start()
    run = wait_run(hub, once, agent, *FINAL)
    assert run["state"] == "undetermined" and run["reason"], run
    run = wait_run(hub, again, agent, *FINAL)
    assert (run["state"], run["attempt"]) == ("done", 2), run
    assert marks.ran() == 3


def supervisors(agent):
    """Processes of this agent's runs, by their command line."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue  # it is gone
        if b"supervise" in words and f"--root={agent.root}".encode() in words:
            found.append(int(folder.name))
    assert found
    return found


def test_full_disk(lab, hub, agent, marks):
    """What cannot be kept is refused, with a clear word in the log, and taken later; what runs already has
    the room that its end needs."""
    agent.process.stop()
    place = agent.state_folder
    agent.process = agent.namespace.popen(
        ["sh", "-ec", f"cp -a {place} {place}.copy; mount -t tmpfs -o size=400k,mode=700 tmpfs {place}; "
         f"cp -a {place}.copy/. {place}; exec \"$@\"", "sh", *agent.argv("agent")], log="agent")
    agent.wait_online(2)
    fill = f"dd if=/dev/zero of={place}/filler bs=1k 2>/dev/null\n"
    job = script(hub, agent, marks.begin + fill + marks.wait + "echo two\n")
    wait_run(hub, job, agent, "running")
    net.wait_until(lambda: marks.ran() == 1, 20, "the script to fill the disk")
    refused = script(hub, agent, "true")
    net.wait_until(lambda: "refused for now" in agent.log(), 20, "the log to tell of the full disk")
    assert "No space left on device" in agent.log()
    marks.go.touch()
    run = wait_run(hub, job, agent, *FINAL)
    assert run["state"] == "done" and marks.ran() == 1, run
    assert (run["dropped_bytes"] or 0) in (0, 4), "its last line had room, or is counted as lost"
    Path(f"/proc/{agent.process.pid}/root/{place}/filler").unlink()
    agent.process.signal(signal.SIGHUP)
    assert wait_run(hub, refused, agent, *FINAL)["state"] == "done"


def test_secrets_stay_where_they_are_needed(hub, agent, marks):
    """A variable reaches the script; no argument list, log, status or journal has it afterwards."""
    secret = "swordfish-3141"
    job = script(hub, agent, 'tr "\\0" " " </proc/$$/cmdline | grep -c "$TOKEN"; env | grep -c "$TOKEN"\n'
                 + marks.wait, env={"TOKEN": {"secret": secret}})
    wait_run(hub, job, agent, "running")
    for pid in supervisors(agent):
        assert secret.encode() not in Path(f"/proc/{pid}/cmdline").read_bytes()
    marks.go.touch()
    wait_run(hub, job, agent, *FINAL)
    assert wait_output(hub, job, agent) == "0\n1\n"
    wait_told_away(agent)
    for path in agent.root.rglob("*"):
        if path.is_file():
            assert secret.encode() not in path.read_bytes(), path


def test_leaving_forgets_its_runs(hub, agent, marks):
    """The next hub hears nothing of them, and what they held is gone from the disk: of one that has ended at
    once, of one that runs when it has."""
    ended = script(hub, agent, marks.begin + marks.wait + "exit 3\n")
    wait_run(hub, ended, agent, "running")
    runs = script(hub, agent, marks.begin + WAIT.format(go=f"{marks.go}-2"))
    wait_run(hub, runs, agent, "running")
    hub.kill()
    marks.go.touch()
    net.wait_until(lambda: " is failed: it ended with exit code 3" in agent.log(), 20, "the first to end")
    done = agent.command("leave", "--local")
    assert done.returncode == 0, done.stderr
    agent.process.wait()
    assert len([path for path in runs_folder(agent).iterdir() if path.is_dir()]) == 1
    Path(f"{marks.go}-2").touch()
    net.wait_until(lambda: not [path for path in runs_folder(agent).iterdir() if path.is_dir()], 20,
                   "the second to be forgotten")
    assert marks.ran() == 2
