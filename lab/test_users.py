"""A vendor's whole page, checked by root and by an ordinary user on the same machine: no requirement passes for
one and fails for the other, and no certain cause of one is denied by the other (rows R1 to R24)."""

import pytest

from lab import own_firewall
from lab.agreement import contradictions
from lab.servers import known_hosts, nginx, odd_dns
from lab.world import DNS, DNS2, FOUR, NOBODY, PORTAL, PROXY, four_endpoints

PAGE = {"addressing": {"ipv4": "dhcp", "dns": "dhcp", "ipv6": "unsupported"},
        "dns": {"external": "required"}, "internet": "required",
        "proxy": {"auth": ["none", "basic"], "inspection": "forbidden"},
        "inbound": [{"port": 22, "protocol": "tcp", "service": "SSH", "os": "linux"}],
        "sections": {"clock": {"row": "R7"}}}


def sound(lab):
    """Nothing is broken but what the lab's static addresses are."""


def one_dropped(lab):
    lab.firewall(f"ip daddr {FOUR['upload']} tcp dport 443 drop")


def all_dropped(lab):
    lab.firewall(f'iifname "lan" ip daddr {DNS} accept', 'iifname "lan" drop')


def dead_first_server(lab):
    odd_dns.serve(lab.site, DNS2, "silent")
    lab.resolvers(DNS2, DNS)


def portal(lab):
    nginx.serve(lab.site, PORTAL, port=80, body="return 302 http://login.hotel-wifi.example/;")
    lab.redirect("tcp dport 80", PORTAL)
    lab.firewall('iifname "lan" tcp dport 443 drop')


def own_rules(lab):
    own_firewall.rules(lab, "ct state established,related accept", "tcp dport 443 drop")


def protected_file(lab):
    """The service's settings differ from the shell's, and hold a password: only root may read them."""
    lab.squid()
    lab.proxy_environment("HTTPS_PROXY=http://svc:secret@10.77.1.8:3128\n")
    (lab.root / "etc/sallyport/proxy.env").chmod(0o600)
    return {"HTTPS_PROXY": f"http://{PROXY}:3128"}


def clock(lab):
    return lab.clock(days=730)


def statuses(outcome):
    return {each["id"]: each["status"] for each in outcome.report["requirements"]}


def as_user(lab, profile, env):
    """What is preloaded makes memory that its program shares, so it must not be loaded by root."""
    preload = env.pop("LD_PRELOAD", None)
    outcome = lab.check(profile=profile, env=env, deadline=8, user=True)
    if preload:
        outcome.argv = [*NOBODY, "env", f"LD_PRELOAD={preload}", *outcome.argv[len(NOBODY):]]
    return outcome.run()


@pytest.mark.timeout(60)
@pytest.mark.parametrize("break_it", [sound, one_dropped, all_dropped, dead_first_server, portal, own_rules,
                                      protected_file, clock])
def test_root_and_user_agree(break_it, lab):
    endpoints = four_endpoints(lab)
    known_hosts.serve(lab)
    lab.dns()
    env = break_it(lab)
    profile = {**PAGE, "endpoints": endpoints}
    root = lab.check(profile=profile, env=env, deadline=8).run()
    user = as_user(lab, profile, dict(env or {}))
    of_root, of_user = statuses(root), statuses(user)
    words = f"root: {root.explain()}\nuser: {user.explain()}"
    assert not contradictions(root, user), words
    if break_it is sound:
        assert all(of_root[f"endpoint.{name}"] == "pass" for name in FOUR), words
        assert of_user["internet"] == of_user["dns.external"] == "pass", words
    if break_it is protected_file:
        assert (of_root["proxy"], of_user["proxy"]) == ("warn", "unknown"), words
        assert "secret" not in words
