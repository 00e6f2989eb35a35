"""Port 443 speaks plain HTTP."""

from lab.servers import nginx
from lab.world import CONSOLE, ENDPOINT

causes = ["tls-not-spoken"]
look_alike = "tls-closed"


def play(lab):
    lab.names[CONSOLE] = ENDPOINT
    nginx.serve(lab.internet, ENDPOINT)
    lab.dns()
    return lab.check()
