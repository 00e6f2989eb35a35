"""HTTPS_PROXY leads to an SSH server."""

from lab.servers import raw
from lab.world import PROXY

causes = ["proxy-not-a-proxy"]
look_alike = "proxy-stalled"


def play(lab):
    lab.endpoint()
    lab.dns()
    lab.proxied = True
    raw.serve(lab.site, PROXY, 3128, "ssh")
    return lab.check(env={"HTTPS_PROXY": f"http://{PROXY}:3128"})
