"""The credentials stand in the proxy's URL, percent-encoded."""

from lab.servers import squid
from lab.world import PROXY

causes = []
look_alike = None


def play(lab):
    lab.endpoint()
    lab.dns()
    lab.squid(squid.basic(lab.site, {"svc": "p@ss/:%"}))
    return lab.check(env={"HTTPS_PROXY": f"http://svc:p%40ss%2F%3A%25@{PROXY}:3128"})
