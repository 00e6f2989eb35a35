"""`sallyport setup` (rows R11, S3): installs, repairs, upgrades and removes the agent on the machine that it is
run on, with and without a service manager, and leaves everything as it was when it cannot."""

import json
import signal
import stat

import pytest

from lab import net, programs
from machine import FILE, HUB_ROOT, PROGRAM, VERSION, Machine
from test_secrets import CommandLines, files_below, forms, found, token_secret

pytestmark = [
    pytest.mark.timeout(180),
    pytest.mark.skipif(programs.SANITIZED, reason="what is put on machines is never a sanitized program"),
]


@pytest.fixture
def machine(built, tmp_path, request):
    machine = Machine(tmp_path / "copy", **getattr(request, "param", {}))
    yield machine
    machine.stop()


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def check_installed(machine, server):
    assert machine.servers() == {server: "online"}
    assert mode(machine.path(PROGRAM)) == 0o755
    assert mode(machine.path("/etc/sallyport")) == 0o755
    assert mode(machine.path("/etc/sallyport/proxy.env")) == 0o600
    assert mode(machine.path("/var/lib/sallyport")) == 0o700
    assert mode(machine.path("/var/log/sallyport")) == 0o755
    left = [line for line in machine.tree() if "setup" in line or ".before" in line or ".new" in line]
    assert left == []


def test_without_a_manager(machine):
    """Installed, kept, repaired, upgraded, kept because it is newer, removed: one identity all the way."""
    bare = machine.tree()
    first = machine.setup("--location", "Bern", token=machine.token())
    assert (first["result"], first["service"], first["version"]) == ("installed", "none", VERSION)
    assert "after a restart" in first["sentence"] and "/etc/rc.local" in first["remedy"]
    server = first["server"]
    check_installed(machine, server)
    agent = machine.agents()

    # A second token stays unused, and nothing is touched.
    token = machine.token()
    again = machine.setup(token=token)
    assert (again["result"], again["server"], machine.agents()) == ("kept", server, agent)
    assert machine.steps() == ["look", "folders"]

    machine.must("sh", "-c", f"rm {PROGRAM}; echo cut short >{PROGRAM}")
    machine.must("rm", "-r", "/var/log/sallyport")
    mended = machine.setup()
    assert (mended["result"], mended["server"]) == ("repaired", server)
    assert machine.agents() != agent
    check_installed(machine, server)

    newer = machine.other_version("0.1.9")
    upgraded = machine.setup(file=newer)
    assert (upgraded["result"], upgraded["version"], upgraded["server"]) == ("upgraded", "0.1.9", server)
    assert machine.status()["version"] == "0.1.9"
    check_installed(machine, server)
    agent = machine.agents()
    kept = machine.setup(token=token)
    assert (kept["result"], kept["outcome"], kept["version"]) == ("kept", "agent-newer", "0.1.9")
    assert machine.agents() == agent

    removed = machine.setup("--remove")
    assert removed["result"] == "removed" and "outcome" not in removed
    assert machine.tree() == bare
    assert machine.servers() == {} and machine.no_agents()
    assert machine.setup("--remove")["outcome"] == "agent-absent"
    assert machine.setup(token=token)["result"] == "installed"

    # A file that cannot be removed: the rest is, and the next one finds what is left.
    machine.must("mount", "--bind", PROGRAM, PROGRAM)
    failed = machine.setup("--remove")
    assert (failed["result"], failed["outcome"]) == ("failed", "remove-failed") and PROGRAM in failed["sentence"]
    machine.must("umount", PROGRAM)
    assert machine.setup("--remove")["result"] == "removed" and machine.tree() == bare


def test_nothing_of_another_hub_is_touched(machine):
    """And nothing without a token, nor while another setup works."""
    other = machine.start_hub("/srv/other", 9443)
    bare = machine.tree()
    none = machine.setup()
    assert none["result"] == "failed" and "no join token" in none["sentence"]
    spoilt = machine.run(FILE, "setup", "--format", "json", input="spj1.AAAA\n")
    assert spoilt.returncode == 2 and json.loads(spoilt.stdout)["result"] == "failed" and "AAAA" not in spoilt.stderr
    assert machine.tree() == bare
    lock = machine.popen("flock", "/run/sallyport-setup.lock", "sh", "-c", "echo locked; exec sleep 60",
                         log=machine.folder / "lock.log")
    net.wait_until(lambda: "locked" in (machine.folder / "lock.log").read_text(), 10, "the lock")
    for argv in ((), ("--remove",)):
        busy = machine.setup(*argv, token=machine.token())
        assert (busy["result"], busy["outcome"]) == ("failed", "setup-busy")
    machine.must("pkill", "-f", "^sleep 60")
    lock.wait(10)
    machine.path("/run/sallyport-setup.lock").unlink()
    assert machine.setup(token=machine.token())["result"] == "installed"
    before, agent = machine.path(PROGRAM).stat(), machine.agents()
    elsewhere = machine.setup(token=machine.token("/srv/other"))
    assert (elsewhere["result"], elsewhere["outcome"]) == ("failed", "agent-elsewhere")
    assert "localhost:8443" in elsewhere["sentence"]
    assert (machine.path(PROGRAM).stat(), machine.agents()) == (before, agent)
    assert machine.steps() == ["look"] and list(machine.servers().values()) == ["online"]
    machine.end(other)


def test_a_package_is_left_to_its_manager(machine):
    """It is joined and started, and neither replaced nor removed."""
    tree = machine.path("/var/tmp/deb")
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "DEBIAN/control").write_text("Package: sallyport\nVersion: 0.0.1\nArchitecture: all\n"
                                         "Maintainer: nobody <nobody@example.invalid>\nDescription: as packed\n")
    machine.must("install", "-D", FILE, "/var/tmp/deb/usr/bin/sallyport")
    machine.must("dpkg-deb", "-b", "-Znone", "/var/tmp/deb", "/var/tmp/sallyport.deb")
    machine.must("dpkg", "--force-unsafe-io", "-i", "/var/tmp/sallyport.deb")
    first = machine.setup(token=machine.token(), file=machine.other_version("0.1.9"))
    assert (first["result"], first["outcome"], first["version"]) == ("installed", "agent-packaged", VERSION)
    assert not machine.path(PROGRAM).exists()
    again = machine.setup()
    assert (again["result"], again["outcome"]) == ("kept", "agent-packaged")
    removed = machine.setup("--remove")
    assert (removed["result"], removed["outcome"]) == ("kept", "agent-packaged")
    assert machine.agents() and list(machine.servers().values()) == ["online"]


def small(machine, place, kilobytes):
    """A file system with so much room in place of what is there."""
    machine.must("mount", "-t", "tmpfs", "-o", f"size={kilobytes}k,mode=755", "tmpfs", place)


def use_up(machine):
    token = machine.token()
    machine.must("sh", "-c", f"{FILE} join --root /var/tmp/elsewhere --token-file - >/dev/null", input=token)
    return token


# What is in the way, how the setup is given it, and what it has to say.
FAULTS = {
    "token-used-up": (None, use_up, "setup-failed", "used"),
    "hub-away": (lambda m: m.end(m.started["hub"]), Machine.token, "no-way", "refuse"),
    "program-disk-full": (lambda m: small(m, "/usr/local", 2000), Machine.token, "disk-full", "/usr/local"),
    "state-disk-full": (lambda m: small(m, "/var/lib", 8), Machine.token, "disk-full", ""),
    "read-only": (lambda m: m.must("mount", "-o", "bind,ro", "/usr/local", "/usr/local"), Machine.token,
                  "root-read-only", "/usr/local"),
    "noexec": (lambda m: m.must("mount", "-t", "tmpfs", "-o", "noexec", "tmpfs", "/usr/local"), Machine.token,
               "no-exec", "/usr/local"),
}


def test_what_is_in_the_way_is_named_and_leaves_nothing(machine):
    for name, (make, get_token, outcome, words) in FAULTS.items():
        if name == "hub-away":
            continue
        token = get_token(machine)
        if make:
            make(machine)
        before = machine.tree()
        said = machine.setup(token=token)
        assert (said["result"], said["outcome"]) == ("failed", outcome), (name, machine.lines)
        assert words in said["sentence"] and said["remedy"], (name, said)
        assert machine.tree() == before and machine.no_agents(), name
        for place in ("/usr/local", "/var/lib"):
            machine.run("umount", place)
    # The last of them, because nothing works afterwards.
    make, get_token, outcome, words = FAULTS["hub-away"]
    token = get_token(machine)
    make(machine)
    before = machine.tree()
    said = machine.setup(token=token)
    assert (said["outcome"], machine.tree()) == (outcome, before), said
    assert words in said["sentence"] and {"name": "cause", "value": "connect-refused"} in said["evidence"]


def keep_offline(machine):
    """The setup gets through by its environment, and the agent does not: it waits for ever."""
    machine.variables["NO_PROXY"] = "*"
    machine.path("/etc/sallyport").mkdir(exist_ok=True)
    machine.path("/etc/sallyport/proxy.env").write_text("HTTPS_PROXY=127.0.0.1:9\n")


STEPS = ("folders", "program", "join", "start", "wait")


def test_called_off_at_any_step(machine):
    """By a signal, and by a connection that is lost: all is as before, and the hub has forgotten the machine."""
    keep_offline(machine)
    before = machine.tree()
    for step in STEPS:
        process = machine.begin_setup(token=machine.token())
        machine.read_until(process, step)
        machine.signal(process, signal.SIGHUP if step == "join" else signal.SIGTERM)
        said = machine.end_setup(process)
        assert (said["result"], said["outcome"]) == ("failed", "cancelled"), (step, said)
        assert machine.tree() == before and machine.no_agents(), step
        assert machine.servers() == {}, step
    process = machine.begin_setup(token=machine.token())
    machine.read_until(process, "wait")
    process.stdout.close()
    process.stdin.close()
    assert process.wait(60) == 1
    assert machine.no_agents() and (machine.tree(), machine.servers()) == (before, {})


def test_killed_at_any_step(machine):
    """The next setup goes on from there, and at the end there is one identity."""
    bare = machine.tree()
    for step in ("folders", "program", "joined", "start", "wait"):
        process = machine.begin_setup(token=machine.token())
        machine.read_until(process, step)
        machine.signal(process, signal.SIGKILL)
        process.communicate(timeout=30)
        said = machine.setup(token=machine.token())
        assert said["result"] == "installed", (step, machine.lines)
        check_installed(machine, said["server"])
        assert machine.setup("--remove")["result"] == "removed"
        assert machine.tree() == bare, step


def test_an_upgrade_that_fails_brings_the_old_one_back(machine):
    """Also when the first try was killed and the second one fails."""
    server = machine.setup(token=machine.token())["server"]
    old = machine.path(PROGRAM).read_bytes()
    keep_offline(machine)
    newer = machine.other_version("0.1.9")
    for number in (signal.SIGKILL, signal.SIGTERM):
        process = machine.begin_setup(file=newer)
        machine.read_until(process, "wait")
        assert machine.path(PROGRAM).read_bytes() != old
        machine.signal(process, number)
        process.stdout.read()
        process.wait(60)
    machine.path("/etc/sallyport/proxy.env").write_text("")
    net.wait_until(lambda: machine.agents() and machine.status()["state"] == "online", 30, "the old agent")
    assert machine.path(PROGRAM).read_bytes() == old and machine.status()["version"] == VERSION
    check_installed(machine, server)


def test_removed_without_the_hub(machine):
    """It is said that the hub still lists the machine; the log stays where that is wanted."""
    machine.setup(token=machine.token())
    machine.end(machine.started["hub"])
    said = machine.setup("--remove", "--keep-logs")
    assert said["result"] == "removed" and "hub could not be told" in said["sentence"]
    assert "console" in said["remedy"] and machine.no_agents()
    assert machine.path("/var/log/sallyport/connector.log").exists()
    assert not machine.path("/var/lib/sallyport").exists() and not machine.path(PROGRAM).exists()


def test_the_token_is_nowhere(machine):
    """Neither in arguments nor in files nor in what is said, when it is used and when it is not."""
    good, bad = machine.token(), use_up(machine)
    with CommandLines() as lines:
        refused = machine.setup(token=bad)
        said = machine.lines
        machine.setup(token=good)
    assert refused["result"] == "failed"
    places = [machine.path(place) for place in ("/etc/sallyport", "/var/lib/sallyport", "/var/log/sallyport")]
    where = files_below(*places)
    assert len(where) >= 4
    where["arguments"] = b"\n".join(lines.seen)
    where["what was said"] = json.dumps(said + machine.lines).encode()
    for token in (good, bad):
        assert found(where, forms(token) | forms(token_secret(token))) == []


# What another manager says of a service that is started at boot, and how it boots once more.
OTHERS = {
    "openrc": ("/etc/runlevels/default/sallyport", "rc-service sallyport stop; openrc nonetwork; openrc default"),
    "sysvinit": ("/etc/rc2.d/S02sallyport", "/etc/init.d/sallyport stop; /etc/init.d/rc 1; /etc/init.d/rc 2"),
}


@pytest.mark.parametrize("machine", [{"init": "openrc"}, {"init": "sysvinit"}], indirect=True, ids=list(OTHERS))
def test_with_another_manager(machine, request):
    link, boot = OTHERS[request.node.callspec.id]
    bare = machine.tree()
    first = machine.setup(token=machine.token())
    assert (first["result"], first["service"]) == ("installed", request.node.callspec.id.removesuffix("init"))
    server, agent = first["server"], machine.agents()
    check_installed(machine, server)
    assert machine.path(link).is_symlink()
    assert machine.setup()["result"] == "kept" and machine.agents() == agent
    machine.must("sh", "-c", boot)
    net.wait_until(lambda: machine.agents() not in ([], agent), 30, "the agent to be started")
    # It comes again when it has ended by itself.
    (agent,) = machine.agents()
    machine.must("kill", "-KILL", agent)
    net.wait_until(lambda: machine.agents() not in ([], [agent]), 30, "the agent to be started again")
    upgraded = machine.setup(file=machine.other_version("0.1.9"))
    assert (upgraded["result"], upgraded["server"], machine.status()["version"]) == ("upgraded", server, "0.1.9")
    assert machine.setup("--remove")["result"] == "removed"
    assert machine.no_agents() and machine.servers() == {}
    assert [line for line in machine.tree() if "sallyport" in line] == [line for line in bare if "sallyport" in line]


# Runs until somebody says so.
SCRIPT = "touch /var/tmp/begun; until [ -e /var/tmp/enough ]; do sleep 0.1; done; echo enough"


def unit(machine, what):
    return machine.run("systemctl", what, "sallyport").stdout.strip()


def main_pid(machine):
    return machine.must("systemctl", "show", "-P", "MainPID", "sallyport").strip()


@pytest.mark.parametrize("machine", [{"systemd": True}], indirect=True, ids=["booted"])
def test_with_systemd(machine):
    """A service, enabled and running; an upgrade restarts it and leaves a job alone, one that fails brings the old
    one back, and at the end systemd knows nothing of it."""
    first = machine.setup(token=machine.token())
    assert (first["result"], first["service"]) == ("installed", "systemd") and "sentence" not in first
    assert (unit(machine, "is-active"), unit(machine, "is-enabled")) == ("active", "enabled")
    server, pid = first["server"], main_pid(machine)
    check_installed(machine, server)
    assert machine.setup()["result"] == "kept" and main_pid(machine) == pid
    machine.must("systemctl", "disable", "--now", "sallyport")
    assert machine.setup()["result"] == "repaired"
    assert (unit(machine, "is-active"), unit(machine, "is-enabled")) == ("active", "enabled")

    job = machine.api("/v1/jobs", {"interpreter": "sh", "script": SCRIPT, "servers": [server]})["id"]
    net.wait_until(lambda: machine.path("/var/tmp/begun").exists(), 30, "the job to begin")
    pid, newer = main_pid(machine), machine.other_version("0.1.9")
    assert machine.setup(file=newer)["result"] == "upgraded"
    assert main_pid(machine) != pid and machine.status()["version"] == "0.1.9"
    machine.path("/var/tmp/enough").touch()
    run = f"/v1/jobs/{job}/runs/{server}"
    ended = net.wait_until(lambda: (row := machine.api(run))["finished_at"] and row, 30, "the job to end")
    assert (ended["state"], ended["attempt"]) == ("done", 1)

    old = machine.path(PROGRAM).read_bytes()
    keep_offline(machine)
    process = machine.begin_setup(file=machine.other_version("0.2.0"))
    machine.read_until(process, "wait")
    machine.signal(process, signal.SIGTERM)
    assert machine.end_setup(process)["outcome"] == "cancelled"
    assert machine.path(PROGRAM).read_bytes() == old and unit(machine, "is-active") == "active"

    assert machine.setup("--remove")["result"] == "removed"
    assert machine.run("systemctl", "cat", "sallyport").returncode != 0
    # The system itself works meanwhile: what it has changed is its own.
    assert [line for line in machine.tree() if "sallyport" in line] == [] and machine.servers() == {}
