"""An open squid is configured and works, and the direct way would work as well: it must not be taken
(row R21)."""

from lab.world import PROXY

causes = []
look_alike = None


def play(lab):
    lab.endpoint()
    lab.dns()
    lab.squid()
    return lab.check(env={"HTTPS_PROXY": f"http://{PROXY}:3128"})
