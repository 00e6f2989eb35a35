"""An SSH server listens on 127.0.0.1 alone: there is a listener, and nobody outside can reach it."""

from lab import inbound

causes = ["inbound-closed"]
look_alike = "inbound-filtered"
evidence = {"listens-on": "127.0.0.1"}


def play(lab):
    inbound.ssh(lab, "127.0.0.1")
    return inbound.check(lab)
