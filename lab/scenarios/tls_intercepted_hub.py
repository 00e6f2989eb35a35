"""squid opens TLS to the hub and lets the WebSocket upgrade pass. Its CA is trusted here; the signed exporter
value gives it away (rows R24, B4)."""

from lab.fleet import Hub
from lab.servers import squid
from lab.world import PROXY

causes = ["tls-intercepted"]
look_alike = "cert-untrusted"


def play(lab):
    hub = Hub(lab).start()
    lab.dns()
    inspection = squid.inspection_ca()
    lab.trust(inspection)
    lab.squid(inspect=inspection, upgrades=True)
    return lab.check(hub=hub.url, env={"HTTPS_PROXY": f"http://{PROXY}:3128"})
