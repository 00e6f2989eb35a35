"""A planted proxy password and a planted join token turn up nowhere (R27)."""

import os
import re
import signal
import urllib.parse
from pathlib import Path

import pytest

from lab import net
from lab.fleet import PASSWORD as ADMIN_PASSWORD
from lab.fleet import Agent, Hub
from lab.servers import squid
from lab.world import PROXY
from planted import CommandLines, files_below, forms, found, token_secret

pytestmark = pytest.mark.timeout(90)

USER, PASSWORD = "svc-planted", "Zq9:pl@nted/%pass"


def test_planted_secrets(lab):
    """Joins, runs, checks and fails behind a Basic proxy; then looks everywhere."""
    hub = Hub(lab).start()
    lab.dns()
    lab.squid(squid.basic(lab.site, {USER: PASSWORD}))
    lab.only_proxy()
    lab.proxy_environment(f"HTTPS_PROXY={PROXY}:3128\nHTTPS_PROXY_USERNAME={USER}\n"
                          f"HTTPS_PROXY_PASSWORD='{PASSWORD}'\n")
    token = hub.token()
    agent = Agent(lab)
    output = []
    with CommandLines() as lines:
        output.append(agent.join(token))
        agent.start().wait_online()
        hub.wait_online()
        output += [agent.command("status"), agent.command("status", "--format", "json"),
                   agent.command("check", "--hub", hub.url, "--deadline", 4)]
        for form in ("json", "junit", "text"):
            output.append(agent.command("check", "--hub", hub.url, "--deadline", 4, "--format", form))
        # Once more, with a proxy that does not accept them.
        lab.squid(squid.only("ntlm"), port=3129)
        (lab.site.folder / "squid-users").write_text("")
        lab.proxy_environment(f"HTTPS_PROXY=http://{USER}:{urllib.parse.quote(PASSWORD, safe='')}"
                              f"@{PROXY}:3129\n")
        hub.kill()
        net.wait_until(lambda: "proxy-auth-unsupported" in agent.told(), 15, "the proxy's refusal")
        output += [agent.command("status"), agent.command("check", "--hub", hub.url, "--deadline", 4)]
        bad = "http://u:" + urllib.parse.quote(PASSWORD, safe="") + "@bad host:99999"
        output.append(agent.command("check", "--hub", hub.url, env={"HTTPS_PROXY": bad}))
        hub.start()

    needles = forms(PASSWORD, f"{USER}:{PASSWORD}") | forms(token) | forms(token_secret(token))
    needles |= forms(ADMIN_PASSWORD)
    places = files_below(lab.root, hub.root, agent.namespace.folder)
    places["output"] = "".join(done.stdout + done.stderr for done in output).encode()
    places["hub's output"] = hub.process.output().encode()
    places["ps"] = b"\n".join(lines.seen)
    assert any(b"sallyport" in line for line in lines.seen), "the snapshots caught the programs"
    assert found(places, needles) == []


def test_token_as_argument_is_wiped(lab):
    """A token given as an argument is gone from the process list while `join` waits for the network."""
    hub = Hub(lab).start()
    lab.dns()
    token = hub.token()
    lab.firewall("tcp dport 443 drop")
    join = lab.client.popen(Agent(lab).argv("join", "--token", token))
    join.wait_for("connect")  # the stage that it is in now
    line = Path(f"/proc/{join.pid}/cmdline").read_bytes()
    assert b"join" in line and token.encode() not in line
    assert not re.search(rb"spj1\.\S", line)


def test_crash(lab):
    """A crash leaves no core file, and nothing secret on stderr."""
    hub = Hub(lab).start()
    lab.dns()
    lab.squid(squid.basic(lab.site, {USER: PASSWORD}))
    lab.proxy_environment(f"HTTPS_PROXY={PROXY}:3128\nHTTPS_PROXY_USERNAME={USER}\n"
                          f"HTTPS_PROXY_PASSWORD='{PASSWORD}'\n")
    token = hub.token()
    agent = Agent(lab).joined(token)
    folder = lab.folder / "cwd"
    folder.mkdir()
    agent.process = lab.client.popen(["prlimit", "--core=unlimited", *agent.argv("agent")], cwd=folder)
    agent.wait_online()
    os.kill(agent.process.pid, signal.SIGSEGV)
    assert agent.process.wait(5) != 0
    needles = forms(PASSWORD, f"{USER}:{PASSWORD}") | forms(token_secret(token))
    places = files_below(folder)
    places["output"] = agent.process.output().encode()
    assert found(places, needles) == []
    agent.process.stderr.unlink()  # a sanitizer tells of this crash as well, which was asked for
