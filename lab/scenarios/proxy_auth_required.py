"""squid demands Basic, and no credentials are set."""

from lab.servers import squid
from lab.world import PROXY

causes = ["proxy-auth-required"]
look_alike = "proxy-auth-rejected"


def play(lab):
    lab.endpoint()
    lab.dns()
    lab.squid(squid.basic(lab.site, {"svc": "right"}))
    return lab.check(env={"HTTPS_PROXY": f"http://{PROXY}:3128"})
