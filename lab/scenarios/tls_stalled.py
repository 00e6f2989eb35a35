"""The endpoint accepts and never answers the ClientHello."""

from lab.servers import raw
from lab.world import CONSOLE, ENDPOINT

causes = ["tls-stalled"]
look_alike = "connect-timeout"


def play(lab):
    lab.names[CONSOLE] = ENDPOINT
    raw.serve(lab.internet, ENDPOINT, 443, "silent")
    lab.dns()
    return lab.check()
