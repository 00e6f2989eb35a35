"""squid opens TLS to the hub and refuses the upgrade: the plain request's proof gives it away."""

from lab.fleet import Hub
from lab.servers import squid
from lab.world import PROXY

causes = ["tls-intercepted"]
look_alike = "upgrade-filtered"


def play(lab):
    hub = Hub(lab).start()
    lab.dns()
    inspection = squid.inspection_ca()
    lab.trust(inspection)
    lab.squid(inspect=inspection)
    return lab.check(hub=hub.url, env={"HTTPS_PROXY": f"http://{PROXY}:3128"})
