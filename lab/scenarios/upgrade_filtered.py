"""Plain requests reach the hub and prove it; the WebSocket upgrade is answered with 400."""

from lab import ca
from lab.servers import fake_hub
from lab.world import HUB, HUB_NAME

causes = ["upgrade-filtered"]
look_alike = "tls-intercepted"


def play(lab):
    lab.names[HUB_NAME] = HUB
    fake_hub.serve(lab.internet, HUB, ca.authority("Fake Hub CA").issue(HUB_NAME), "filtered")
    lab.dns()
    return lab.check(hub=f"https://{HUB_NAME}")
