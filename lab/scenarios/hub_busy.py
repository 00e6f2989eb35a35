"""The hub answers the upgrade with 503 and Retry-After."""

from lab import ca
from lab.servers import fake_hub
from lab.world import HUB, HUB_NAME

causes = ["hub-busy"]
look_alike = "upgrade-filtered"


def play(lab):
    lab.names[HUB_NAME] = HUB
    fake_hub.serve(lab.internet, HUB, ca.authority("Fake Hub CA").issue(HUB_NAME), "busy")
    lab.dns()
    return lab.check(hub=f"https://{HUB_NAME}")
