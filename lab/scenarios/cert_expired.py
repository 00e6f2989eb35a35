"""The endpoint's certificate ran out yesterday, and the clock is right."""

from lab import ca
from lab.world import CONSOLE

causes = ["cert-expired"]
look_alike = "clock-ahead"


def play(lab):
    lab.endpoint(certificate=lab.public_ca.issue(CONSOLE, not_after=ca.now() - ca.DAY))
    lab.dns()
    return lab.check()
