"""The hub is some releases ahead and speaks no protocol version of this agent any more."""

from lab import ca
from lab.servers import fake_hub
from lab.world import HUB, HUB_NAME

causes = ["version-unsupported"]
look_alike = "hub-busy"


def play(lab):
    lab.names[HUB_NAME] = HUB
    fake_hub.serve(lab.internet, HUB, ca.authority("Fake Hub CA").issue(HUB_NAME), "version")
    lab.dns()
    return lab.check(hub=f"https://{HUB_NAME}")
