"""The same machine, checked as root and as an ordinary user: no answer contradicts another.

An ordinary user may know less. What he calls unknown, root may decide; a cause that root does not confirm
is only likely for him, and says what he could not see."""

import pytest

from lab import accounts, inbound, own_firewall
from lab.agreement import contradictions
from lab.world import CLIENT

HIDDEN = "only root can read this machine's firewall"


def drops(lab):
    own_firewall.rules(lab, "tcp dport 443 drop")


def resets(lab):
    own_firewall.rules(lab, "tcp dport 443 reject with tcp reset")


def rejects(lab):
    own_firewall.rules(lab, "tcp dport 443 reject")


def drops_answers(lab):
    own_firewall.rules(lab, "udp sport 53 accept", hook="input", policy="drop")


def drops_dns(lab):
    own_firewall.rules(lab, "udp dport 53 reject")


def router_drops(lab):
    lab.firewall("tcp dport 443 drop")


def closed(lab):
    own_firewall.rules(lab, "ct state established,related accept", hook="input", policy="drop")


def filtered(lab):
    inbound.ssh(lab)
    closed(lab)


def reachable(lab):
    inbound.ssh(lab)
    own_firewall.rules(lab, "ct state established,related accept", "tcp dport 22 accept", hook="input",
                       policy="drop")


def expired(lab):
    accounts.shadow(lab, deploy=(0, 90))


PLAYS = [drops, resets, rejects, drops_answers, drops_dns, router_drops, closed, filtered, reachable, expired]


@pytest.mark.timeout(60)
@pytest.mark.parametrize("play", PLAYS, ids=lambda play: play.__name__)
def test_no_contradiction(play, lab):
    profile = {**inbound.WANTED, **accounts.wanted("deploy")}
    lab.endpoint()
    lab.dns()
    play(lab)
    root = lab.check(profile=profile).run()
    user = lab.check(profile=profile, user=True).run()
    assert not contradictions(root, user), user.explain()
    for cause in user.report["causes"]:
        if cause["id"] not in root.causes:
            said = [item["value"] for item in cause["evidence"]]
            assert cause["confidence"] == "likely", user.explain()
            assert any(HIDDEN in value for value in said), user.explain()


def test_the_rules_are_told_to_root_alone(lab):
    """What only root may read stands in no ordinary user's report."""
    lab.endpoint()
    lab.dns()
    own_firewall.rules(lab, 'tcp dport 443 counter drop comment "planted-secret"')
    assert "planted-secret" in lab.check().run().done.stdout
    done = lab.check(user=True).run().done
    assert "planted-secret" not in done.stdout + done.stderr


def test_listeners_are_read_by_everyone(lab):
    """Who listens where is the same for both, the process is root's to see."""
    inbound.ssh(lab)
    root = inbound.check(lab).run()
    user = lab.check(profile=inbound.WANTED, user=True).run()
    for report in (root.report, user.report):
        evidence = next(each for each in report["requirements"] if each["id"] == "inbound.22")
        assert CLIENT in str(evidence), evidence
