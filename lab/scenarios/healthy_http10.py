"""The endpoint answers in HTTP/1.0, without a length, and ends with the connection."""

from lab.servers import http10
from lab.world import CONSOLE, ENDPOINT

causes = []
look_alike = "marker-absent"


def play(lab):
    lab.names[CONSOLE] = ENDPOINT
    http10.serve(lab.internet, ENDPOINT, lab.public_ca.issue(CONSOLE))
    lab.dns()
    return lab.check()
