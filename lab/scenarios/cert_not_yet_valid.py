"""The endpoint's certificate begins tomorrow, and the clock is right."""

from lab import ca
from lab.world import CONSOLE

causes = ["cert-not-yet-valid"]
look_alike = "clock-behind"


def play(lab):
    lab.endpoint(certificate=lab.public_ca.issue(CONSOLE, not_before=ca.now() + ca.DAY))
    lab.dns()
    return lab.check()
