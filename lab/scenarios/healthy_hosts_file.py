"""The hosts file names the endpoint, with the same address as DNS."""

from lab.world import CONSOLE, ENDPOINT

causes = []
look_alike = "hosts-file-stale"


def play(lab):
    lab.endpoint()
    lab.dns()
    lab.hosts({CONSOLE: ENDPOINT})
    return lab.check()
