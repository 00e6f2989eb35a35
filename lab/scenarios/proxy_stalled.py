"""The proxy accepts the connection and leaves CONNECT unanswered."""

from lab.servers import raw
from lab.world import PROXY

causes = ["proxy-stalled"]
look_alike = "proxy-timeout"


def play(lab):
    lab.endpoint()
    lab.dns()
    lab.proxied = True
    raw.serve(lab.site, PROXY, 3128, "silent")
    return lab.check(env={"HTTPS_PROXY": f"http://{PROXY}:3128"})
