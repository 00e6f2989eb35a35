"""Port 443 greets as an SSH server."""

from lab.servers import raw
from lab.world import CONSOLE, ENDPOINT

causes = ["tls-not-spoken"]
look_alike = "tls-stalled"


def play(lab):
    lab.names[CONSOLE] = ENDPOINT
    raw.serve(lab.internet, ENDPOINT, 443, "ssh")
    lab.dns()
    return lab.check()
