"""The client may reach the proxy and nothing else: what gets through, and what is said of the rest."""

import pytest

from lab import net
from lab.fleet import Agent, Hub
from lab.servers import raw, squid
from lab.world import HUB_NAME, PROXY

pytestmark = pytest.mark.timeout(90)

USER, PASSWORD = "svc-äsk", "p@ss:w/rd% ü"
CREDENTIALS = f"HTTPS_PROXY_USERNAME={USER}\nHTTPS_PROXY_PASSWORD='{PASSWORD}'\n"
HEARTBEATS = 60  # an hour's worth
FAST = ("--heartbeat-ms", 150, "--heartbeat-jitter-ms", 10, "--heartbeat-timeout-ms", 2000,
        "--backoff-cap-ms", 500)


def open_squid(lab):
    lab.squid()
    return f"HTTPS_PROXY={PROXY}:3128\n"


def basic_squid(lab):
    lab.squid(squid.basic(lab.site, {USER: PASSWORD}))
    return f"HTTPS_PROXY={PROXY}:3128\n{CREDENTIALS}"


def basic_tinyproxy(lab):
    lab.tinyproxy(user=("svc", "secret-7"))
    return f"https_proxy=http://{PROXY}:8888\nHTTPS_PROXY_USERNAME=svc\nHTTPS_PROXY_PASSWORD=secret-7\n"


@pytest.mark.parametrize("proxy", [open_squid, basic_squid, basic_tinyproxy])
def test_online_through_the_proxy(lab, proxy):
    """R18, R19, R21, R22: joins and stays online, an hour's heartbeats long, and never goes direct."""
    hub = Hub(lab, options=FAST).start()
    lab.dns()
    lab.proxy_environment(proxy(lab))
    lab.only_proxy()
    agent = Agent(lab).joined(hub.token()).start().wait_online()
    row, = hub.wait_online()

    net.wait_until(lambda: hub.request("GET", f"/v1/servers/{row['id']}")[1]["check"], 15,
                   "the check that follows coming online")
    first = hub.messages()
    net.wait_until(lambda: hub.messages() >= first + HEARTBEATS, 30, f"{HEARTBEATS} heartbeats")

    status = agent.status()
    assert status["state"] == "online" and status["cause"] is None, status
    assert PROXY in status["proxy"] and PASSWORD not in str(status)
    assert agent.log().count(" online at ") == 1, agent.log()
    assert agent.told() == [], agent.log()
    again, = hub.wait_online()
    assert again["since"] == row["since"], "the hub saw it reconnect"
    assert lab.direct_packets() == 0


def ntlm_only(lab):
    lab.squid(squid.only("ntlm"))
    return f"HTTPS_PROXY={PROXY}:3128\n{CREDENTIALS}"


def wrong_credentials(lab):
    lab.squid(squid.basic(lab.site, {USER: "another"}))
    return f"HTTPS_PROXY={PROXY}:3128\n{CREDENTIALS}"


def wrong_credentials_tinyproxy(lab):
    lab.tinyproxy(user=("svc", "another"))
    return f"HTTPS_PROXY={PROXY}:8888\nHTTPS_PROXY_USERNAME=svc\nHTTPS_PROXY_PASSWORD=wrong\n"


def missing_credentials(lab):
    lab.squid(squid.basic(lab.site, {USER: PASSWORD}))
    return f"HTTPS_PROXY={PROXY}:3128\n"


def connect_denied(lab):
    lab.squid(squid.deny(HUB_NAME))
    return f"HTTPS_PROXY={PROXY}:3128\n"


def dead(lab):
    return f"HTTPS_PROXY={PROXY}:3128\n"


def silent(lab):
    raw.serve(lab.site, PROXY, 3128, "silent")
    return f"HTTPS_PROXY={PROXY}:3128\n"


def inspecting_unknown(lab):
    lab.squid(inspect=squid.inspection_ca())
    return f"HTTPS_PROXY={PROXY}:3128\n"


def inspecting_trusted(lab):
    inspection = squid.inspection_ca()
    lab.trust(inspection)
    lab.squid(inspect=inspection)
    return f"HTTPS_PROXY={PROXY}:3128\n"


def inspecting_trusted_with_upgrades(lab):
    inspection = squid.inspection_ca()
    lab.trust(inspection)
    lab.squid(inspect=inspection, upgrades=True)
    return f"HTTPS_PROXY={PROXY}:3128\n"


BROKEN = [
    (ntlm_only, "proxy-auth-unsupported"),
    (wrong_credentials, "proxy-auth-rejected"),
    (wrong_credentials_tinyproxy, "proxy-auth-rejected"),
    (missing_credentials, "proxy-auth-required"),
    (connect_denied, "proxy-denied"),
    (dead, "proxy-refused"),
    (silent, "proxy-stalled"),
    (inspecting_unknown, "tls-intercepted"),
    (inspecting_trusted, "tls-intercepted"),
    (inspecting_trusted_with_upgrades, "tls-intercepted"),
]


@pytest.mark.parametrize("proxy, cause", BROKEN, ids=[proxy.__name__ for proxy, _ in BROKEN])
def test_one_cause_everywhere(lab, proxy, cause):
    """R23, R24, B2, S13: check, status and connector.log name the same single cause; nothing is sent
    directly, not even a packet that the firewall would have stopped."""
    hub = Hub(lab).start()
    lab.dns()
    agent = Agent(lab).joined(hub.token())  # before the proxy came
    lab.proxy_environment(proxy(lab))
    lab.only_proxy()
    before = lab.direct_packets()

    agent.start()
    check = lab.check(hub=hub.url, deadline=5).run()
    assert check.causes == [cause], check.explain()
    assert check.code == 1

    assert agent.wait_told(timeout=20) == [cause], agent.log()
    status = agent.status()
    assert status["state"] == "offline" and status["cause"] == cause, status
    assert status["remedy"] and status["sentence"]
    for text in (agent.log(), str(status), check.done.stdout):
        assert PASSWORD not in text
    assert lab.direct_packets() == before


@pytest.mark.parametrize("proxy, cause", [(inspecting_trusted, "tls-intercepted"),
                                          (missing_credentials, "proxy-auth-required")],
                         ids=["inspecting", "missing_credentials"])
def test_join_says_the_same(lab, proxy, cause):
    """A machine that has not joined yet hears the cause from `join`, and its token stays good."""
    hub = Hub(lab).start()
    lab.dns()
    token = hub.token(uses=1)
    lab.proxy_environment(proxy(lab))
    lab.only_proxy()
    done = Agent(lab).join(token)
    assert done.returncode == 1 and cause in done.stdout + done.stderr, done
    assert hub.sql("SELECT used FROM tokens") == [(0,)]
    assert lab.direct_packets() == 0


def test_recovers_when_the_proxy_does(lab):
    """The agent keeps trying through the proxy alone and is online soon after it works again."""
    hub = Hub(lab).start()
    lab.dns()
    agent = Agent(lab).joined(hub.token())
    lab.proxy_environment(f"HTTPS_PROXY={PROXY}:3128\n")
    lab.only_proxy()
    before = lab.direct_packets()
    agent.start()
    assert agent.wait_told() == ["proxy-refused"]
    lab.squid()
    agent.wait_online()
    assert agent.told() == ["proxy-refused"], agent.log()
    assert agent.status()["cause"] is None
    assert lab.direct_packets() == before
