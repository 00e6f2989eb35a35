"""squid's rules forbid the endpoint: 403 to CONNECT."""

from lab.servers import squid
from lab.world import CONSOLE, PROXY

causes = ["proxy-denied"]
look_alike = "proxy-auth-required"


def play(lab):
    lab.endpoint()
    lab.dns()
    lab.squid(squid.deny(CONSOLE))
    return lab.check(env={"HTTPS_PROXY": f"http://{PROXY}:3128"})
