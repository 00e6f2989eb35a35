"""The endpoint closes in order as soon as TLS begins."""

from lab.servers import raw
from lab.world import CONSOLE, ENDPOINT

causes = ["tls-closed"]
look_alike = "tls-reset"


def play(lab):
    lab.names[CONSOLE] = ENDPOINT
    raw.serve(lab.internet, ENDPOINT, 443, "closes")
    lab.dns()
    return lab.check()
