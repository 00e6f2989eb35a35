"""The same as an ordinary user, on a machine with a firewall: where nothing listens its rules do not matter."""

from lab import inbound, own_firewall

causes = ["inbound-closed"]
look_alike = "inbound-filtered"


def play(lab):
    own_firewall.rules(lab, "ct state established,related accept", hook="input", policy="drop")
    return inbound.check(lab, user=True)
