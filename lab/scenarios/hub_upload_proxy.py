"""Of a hub at four names the proxy's rules forbid that of uploads: sessions live, bundles do not come."""

from lab.fleet import Agent, FourHub
from lab.servers import squid
from lab.world import PROXY

causes = ["proxy-denied"]
look_alike = "proxy-auth-required"
affects = ["endpoint.upload"]


def play(lab):
    hub = FourHub(lab).start()
    lab.dns()
    lab.squid(squid.deny("upload.lab.example"))
    lab.proxy_environment(f"HTTPS_PROXY=http://{PROXY}:3128\n")
    Agent(lab).joined(hub.token())
    return lab.check(hub=hub.url)
