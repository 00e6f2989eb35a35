"""Auto-install needs SSH, and no SSH server runs here: a warning, for the agent can be installed by hand."""

from lab import inbound

causes = ["inbound-closed"]
look_alike = "inbound-filtered"


def play(lab):
    return inbound.check(lab)
