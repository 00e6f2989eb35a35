"""The Debian packages (rows S3 and R26): installed, upgraded in place, removed and purged in a copy of this
machine's root, and used there without systemd."""

import json
import os
import shutil
import stat
import subprocess

import pytest

from lab import net, programs
from root_copy import RootCopy

PACK = programs.ROOT / "tools/package"
PROGRAMS = ("sallyport", "sallyport-hub")
SETTINGS = "# ours\nlisten: 127.0.0.1:8443\nname: [localhost]\n"
pytestmark = [
    pytest.mark.skipif(shutil.which("dh") is None, reason="debhelper is missing: ./dev deps package"),
    pytest.mark.skipif(programs.SANITIZED, reason="what is packed is never a sanitized program"),
]


class Debs:
    """Both packages of two releases; the second differs in its number alone."""

    def __init__(self, folder):
        self.folder, self.again = folder, folder / "again"
        # Twice, side by side, to compare them; and as quickly as dpkg-deb can.
        env = {**os.environ, "DPKG_DEB_COMPRESSOR_TYPE": "gzip", "DPKG_DEB_COMPRESSOR_LEVEL": "1"}
        packing = [subprocess.Popen([PACK, programs.BUILD, place, "0.1.0"], stdout=subprocess.PIPE, env=env,
                                    stderr=subprocess.STDOUT, text=True) for place in (folder, self.again)]
        for process in packing:
            text = process.communicate(timeout=600)[0]
            assert process.returncode == 0, text
        self.old = {deb.name.split("_")[0]: deb for deb in folder.glob("*_0.1.0_*.deb")}
        assert set(self.old) == set(PROGRAMS)
        self.new = {name: self.renumbered(deb) for name, deb in self.old.items()}

    def renumbered(self, deb):
        tree = self.folder / f"tree-{deb.stem}"
        subprocess.run(["dpkg-deb", "-R", deb, tree], check=True)
        control = tree / "DEBIAN/control"
        control.write_text(control.read_text().replace("Version: 0.1.0", "Version: 0.2.0"))
        name = self.folder / deb.name.replace("0.1.0", "0.2.0")
        subprocess.run(["dpkg-deb", "-b", "-Zgzip", "-z1", tree, name], check=True,
                       stdout=subprocess.DEVNULL)
        return name


@pytest.fixture(scope="module")
def debs(built, tmp_path_factory):
    return Debs(tmp_path_factory.mktemp("debs"))


@pytest.fixture
def root(tmp_path, request):
    root = RootCopy(tmp_path / "copy", systemd=getattr(request, "param", False))
    yield root
    root.stop()


def install(root, debs):
    for deb in debs.values():
        shutil.copy(deb, root.path("/var/tmp"))
    return root.must("dpkg", "--force-unsafe-io", "--force-confold", "-i",
                     *(f"/var/tmp/{deb.name}" for deb in debs.values()))


def test_the_same_build_gives_the_same_bytes(debs):
    for deb in debs.old.values():
        assert deb.read_bytes() == (debs.again / deb.name).read_bytes(), deb.name


def test_lintian_finds_no_error(debs):
    done = subprocess.run(["lintian", "--no-cfg", "--allow-root", "--fail-on", "error,warning",
                           *debs.old.values()], text=True, capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def check_installed(root):
    assert "sallyport 0." in root.must("sallyport", "--version")
    for program in PROGRAMS:
        assert root.path(f"/usr/share/man/man1/{program}.1.gz").exists()
        root.must("bash", "-n", f"/usr/share/bash-completion/completions/{program}")
        # There may be no zsh: bash reads what is used of its grammar, and finds a quote that is not closed.
        root.must("bash", "-n", f"/usr/share/zsh/vendor-completions/_{program}")
        unit = root.path(f"/lib/systemd/system/{program}.service").read_text()
        assert f"ExecStart=/usr/bin/{program} " in unit and "@bindir@" not in unit
        assert root.path(f"/etc/systemd/system/multi-user.target.wants/{program}.service").is_symlink()
    assert "citrix-smart-tools" in root.must("sallyport", "profiles")
    assert mode(root.path("/etc/sallyport/proxy.env")) == 0o600
    assert "sallyport-hub" in root.must("id", "-un", "sallyport-hub")
    root.must("sallyport-hub", "config", "--check")
    conffiles = root.must("dpkg-query", "-W", "-f", "${Conffiles}", "sallyport", "sallyport-hub")
    assert "/etc/sallyport/hub.yaml" in conffiles and "/etc/sallyport/proxy.env" in conffiles


def start_hub(root, log):
    """As its unit does: as its own user, from its settings file alone."""
    state = root.path("/var/lib/sallyport-hub")
    if not state.exists():
        root.must("install", "-d", "-m", "700", "-o", "sallyport-hub", "-g", "sallyport-hub",
                  "/var/lib/sallyport-hub")
    hub = root.popen("setpriv", "--reuid=sallyport-hub", "--regid=sallyport-hub", "--clear-groups",
                     "sallyport-hub", "serve", log=log)
    net.wait_until(lambda: "ready" in log.read_text() or hub.poll() is not None, 30, "the hub")
    assert hub.poll() is None, log.read_text()
    return hub


def wait_online(root):
    def online():
        done = root.run("sallyport", "status", "--format", "json")
        return done.returncode == 0 and json.loads(done.stdout)["state"] == "online"

    net.wait_until(online, 30, "the agent to be online")


def set_up(root, tmp_path):
    """A hub and an agent that know each other, configured by files that somebody has edited."""
    root.path("/etc/sallyport/hub.yaml").write_text(SETTINGS)
    with open(root.path("/etc/sallyport/proxy.env"), "a") as file:
        file.write("NO_PROXY=localhost\n")
    hub = start_hub(root, tmp_path / "hub.log")
    root.must("sallyport", "join", "--token", root.must("sallyport-hub", "token", "new").strip())
    agent = root.popen("sallyport", "agent", log=tmp_path / "agent.log")
    wait_online(root)
    return hub, agent


def check_kept(root, before):
    for file, content in before.items():
        assert root.path(file).read_bytes() == content, file
    assert mode(root.path("/etc/sallyport/proxy.env")) == 0o600


KEPT = ("/etc/sallyport/hub.yaml", "/etc/sallyport/proxy.env", "/var/lib/sallyport-hub/identity.key",
        "/var/lib/sallyport/identity.json")


def check_removed(root, before):
    """Programs and services go; what somebody wrote and what was kept stays."""
    for program in PROGRAMS:
        assert not root.path(f"/usr/bin/{program}").exists()
    check_kept(root, before)
    assert root.path("/var/log/sallyport/connector.log").exists()


def check_purged(root):
    left = root.must("find", "/etc", "/usr", "/var", "/lib/systemd", "-xdev", "-not", "-path", "/var/tmp/*",
                     "-name", "*sallyport*")
    assert left == ""
    assert root.run("id", "-un", "sallyport-hub").returncode != 0


def test_without_systemd(debs, root, tmp_path):
    """Installed, upgraded in place, removed and purged where no systemd runs: nothing is started, and hub and
    agent work all the same for whoever starts them."""
    install(root, debs.old)
    check_installed(root)
    assert "sallyport" not in root.must("ps", "-A", "-o", "comm")
    hub, agent = set_up(root, tmp_path)
    before = {file: root.path(file).read_bytes() for file in KEPT}
    install(root, debs.new)
    assert root.must("dpkg-query", "-W", "-f", "${Version}", "sallyport") == "0.2.0"
    check_kept(root, before)
    root.end(hub)
    hub = start_hub(root, tmp_path / "hub-2.log")
    wait_online(root)
    assert agent.poll() is None
    for process in (agent, hub):
        root.end(process)
    assert "this machine stays in its hub's list" in root.must("dpkg", "-r", *PROGRAMS)
    check_removed(root, before)
    root.must("dpkg", "-P", *PROGRAMS)
    check_purged(root)


def states(root):
    return root.run("systemctl", "is-active", *PROGRAMS).stdout.split()


def main_pids(root):
    return [root.must("systemctl", "show", "-P", "MainPID", program).strip() for program in PROGRAMS]


class Api:
    """The hub's API inside the copy, by curl and an API key."""

    def __init__(self, root):
        self.root = root
        self.key = root.must("sallyport-hub", "key", "new", "--name", "test", "--permissions", "read,operate").strip()

    def ask(self, method, path, body=None):
        # The key goes through a pipe: it has no business among the arguments.
        config = f'header = "Authorization: Bearer {self.key}"\nheader = "Content-Type: application/json"\n'
        said = self.root.must("curl", "-sk", "--config", "-", "-X", method, f"https://localhost:8443{path}",
                              *(["-d", json.dumps(body)] if body else []), input=config)
        return json.loads(said)


# Runs until somebody says so, and changes what the agent's own unit may not.
SCRIPT = """
touch /etc/made-by-a-job
until [ -e /var/tmp/enough ]; do sleep 0.1; done
echo enough
"""


def begin_job(root, api):
    server = api.ask("GET", "/v1/servers")["servers"][0]["id"]
    job = api.ask("POST", "/v1/jobs", {"interpreter": "sh", "script": SCRIPT, "servers": [server]})["id"]
    net.wait_until(lambda: root.path("/etc/made-by-a-job").exists(), 30, "the job to begin")
    return f"/v1/jobs/{job}/runs/{server}"


def end_job(root, api, path):
    root.path("/var/tmp/enough").touch()
    run = net.wait_until(lambda: (run := api.ask("GET", path))["finished_at"] and run, 30, "the job to end")
    assert (run["state"], run["attempt"]) == ("done", 1), run
    assert api.ask("GET", f"{path}/output")["text"] == "enough\n"


@pytest.mark.parametrize("root", [True], indirect=True, ids=["booted"])
def test_with_systemd(debs, root):
    """The same with services: the hub starts when it is installed, the agent once it has joined; an upgrade
    restarts both and leaves a job alone; both end when they are removed."""
    root.path("/etc/sallyport").mkdir()
    root.path("/etc/sallyport/hub.yaml").write_text(SETTINGS)
    install(root, debs.old)
    assert states(root) == ["inactive", "active"]
    net.wait_until(lambda: root.run("curl", "-skf", "https://localhost:8443/readyz").returncode == 0, 30, "the hub")
    root.must("sh", "-c", "sallyport-hub token new | sallyport join --token-file -")
    root.must("systemctl", "start", "sallyport")
    wait_online(root)
    before = {file: root.path(file).read_bytes() for file in KEPT}
    first = main_pids(root)
    api = Api(root)
    run = begin_job(root, api)
    install(root, debs.new)
    assert states(root) == ["active", "active"]
    assert not set(first) & set(main_pids(root))
    wait_online(root)
    end_job(root, api, run)
    check_kept(root, before)
    # By root, beside the running service and in its place.
    root.must("sallyport-hub", "backup", "/root/backup")
    assert "stop it first" in root.run("sallyport-hub", "restore", "/root/backup").stderr
    root.must("systemctl", "stop", "sallyport-hub")
    root.must("sallyport-hub", "restore", "/root/backup")
    root.must("systemctl", "start", "sallyport-hub")
    wait_online(root)
    root.must("dpkg", "-r", *PROGRAMS)
    assert states(root) == ["inactive", "inactive"]
    check_removed(root, before)
    root.must("dpkg", "-P", *PROGRAMS)
    check_purged(root)


def test_a_mistake_in_the_settings(debs, root):
    """The hub says where it is and ends with the code on which its unit does not start it again."""
    install(root, {"sallyport-hub": debs.old["sallyport-hub"]})
    root.path("/etc/sallyport/hub.yaml").write_text("listen: 127.0.0.1:8443\nheartbeat: 5\n")
    done = root.run("sallyport-hub", "serve")
    assert done.returncode == 2
    assert '/etc/sallyport/hub.yaml:2: heartbeat: unknown key (did you mean "heartbeat-ms"?)' in done.stderr
    unit = root.path("/lib/systemd/system/sallyport-hub.service").read_text()
    assert "RestartPreventExitStatus=2\n" in unit
