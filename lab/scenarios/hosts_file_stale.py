"""The service moved; the hosts file still names the old address, where the old machine still answers."""

from lab.world import CONSOLE, ENDPOINT

causes = ["hosts-file-stale"]
look_alike = "dns-nxdomain"


def play(lab):
    lab.endpoint()
    lab.endpoint(address="203.0.113.99")
    lab.dns({CONSOLE: ENDPOINT})
    lab.hosts({CONSOLE: "203.0.113.99"})
    return lab.check()
