"""squid opens TLS to the hub, under a CA that this machine does not know."""

from lab.fleet import Hub
from lab.servers import squid
from lab.world import PROXY

causes = ["tls-intercepted"]
look_alike = "cert-untrusted"


def play(lab):
    hub = Hub(lab).start()
    lab.dns()
    inspection = squid.inspection_ca()
    lab.squid(inspect=inspection)
    return lab.check(hub=hub.url, env={"HTTPS_PROXY": f"http://{PROXY}:3128"})
