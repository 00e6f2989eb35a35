"""The lab itself: it never leaves its namespaces, and it leaves nothing behind."""

import os
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from lab import net
from lab.agreement import contradictions
from lab.world import CLIENT, CONSOLE, ENDPOINT, PROXY, Lab


def curl(lab, *argv):
    return lab.client.run(["curl", "-sS", "-m", "5", *argv])


def test_refuses_without_its_namespace():
    """A missing namespace is an error, never the root namespace in its place."""
    with Lab() as lab:
        client = lab.client
    assert not client.exists()
    for attempt in (lambda: client.run(["true"]), lambda: client.popen(["true"]),
                    lambda: client.inside(os.getpid), lambda: client.ip("link"),
                    lambda: client.nft("table inet x { }")):
        with pytest.raises(net.LabError):
            attempt()


def test_runs_inside():
    root = os.readlink("/proc/self/ns/net")
    with Lab() as lab:
        assert lab.client.tool("readlink", "/proc/self/ns/net").strip() != root
        assert lab.client.inside(os.readlink, "/proc/thread-self/ns/net") != root
        assert CLIENT in lab.client.tool("ip", "-4", "addr")
    assert os.readlink("/proc/thread-self/ns/net") == root


def test_leaves_nothing_behind():
    """Also when the scenario raised in the middle: no namespace, no process, no file, no shared memory."""
    shared = set(os.listdir("/dev/shm"))
    root_links = subprocess.run(["ip", "-br", "link"], capture_output=True, text=True).stdout
    with pytest.raises(ZeroDivisionError):
        with Lab() as lab:
            lab.endpoint()
            lab.dns()
            lab.squid()
            pids = [process.pid for process in lab.internet.processes + lab.site.processes]
            assert all(Path(f"/proc/{pid}").exists() for pid in pids) and len(pids) == 3
            names = [namespace.name for namespace in lab.namespaces]
            1 / 0
    assert not lab.folder.exists()
    for name in names:
        assert not (net.NETNS / name).exists() and not (net.ETC / name).exists()
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    assert not {name for name in os.listdir("/dev/shm") if name.startswith("s")} - shared
    assert subprocess.run(["ip", "-br", "link"], capture_output=True, text=True).stdout == root_links


def test_sweeps_what_the_dead_left():
    dead = subprocess.Popen(["true"])
    dead.wait()
    name = f"{net.PREFIX}-{dead.pid}-1-client"
    net.tool("ip", "netns", "add", name)
    (net.ETC / name).mkdir()
    net.sweep()
    assert not (net.NETNS / name).exists() and not (net.ETC / name).exists()


def test_files_of_its_own(tmp_path):
    """resolv.conf, hosts and the CA bundle are the client's own, and the machine's stay as they are."""
    before = [Path(path).read_bytes() for path in ("/etc/resolv.conf", "/etc/hosts")]
    with Lab() as lab:
        lab.hosts({CONSOLE: ENDPOINT})
        assert ENDPOINT in lab.client.tool("cat", "/etc/hosts")
        assert lab.client.tool("cat", "/etc/resolv.conf").startswith("nameserver 10.77.1.53")
        assert lab.client.tool("cat", "/etc/ssl/certs/ca-certificates.crt") == lab.public_ca.pem
        assert lab.client.tool("ls", "/usr/share/ca-certificates/mozilla") == "Lab_Public_Root.crt\n"
    assert [Path(path).read_bytes() for path in ("/etc/resolv.conf", "/etc/hosts")] == before


def test_counts_what_goes_out_directly():
    with Lab() as lab:
        lab.endpoint()
        lab.dns()
        lab.squid()
        assert curl(lab, "-x", f"http://{PROXY}:3128", f"https://{CONSOLE}/").stdout == "here\n"
        assert lab.direct_packets() == 0
        assert curl(lab, f"https://{CONSOLE}/").stdout == "here\n"
        assert lab.direct_packets() > 0
        lab.only_proxy()
        assert curl(lab, "--connect-timeout", "1", f"https://{ENDPOINT}/").returncode == 28


def test_a_slow_path_is_slow():
    """Forty milliseconds in each direction: what takes a round trip takes no less than eighty."""
    with Lab() as lab:
        lab.endpoint()
        lab.dns()
        lab.slow_path(delay_ms=40)
        took = curl(lab, "-o", "/dev/null", "-w", "%{time_connect}", f"https://{CONSOLE}/")
        assert float(took.stdout) >= 0.08, took


def run_of(status, cause, confidence="certain"):
    causes = [{"id": cause, "confidence": confidence}] if cause else []
    return SimpleNamespace(report={"causes": causes,
                                   "requirements": [{"id": "clock", "status": status, "cause": cause}]})


def test_a_contradiction_is_seen():
    sound, broken = run_of("pass", None), run_of("fail", "clock-ahead")
    assert not contradictions(sound, sound) and not contradictions(broken, run_of("unknown", None))
    assert not contradictions(broken, run_of("fail", "cert-expired", "likely"))
    for root, user in ((sound, broken), (broken, sound), (run_of("warn", "path-lossy"), sound),
                       (broken, run_of("fail", "cert-expired"))):
        assert contradictions(root, user)
    nothing = SimpleNamespace(report={"causes": [], "requirements": []})
    assert contradictions(sound, nothing)
