"""What answers at the hub's address is some other web server."""

from lab.world import HUB, HUB_NAME

causes = ["marker-absent"]
look_alike = "upgrade-filtered"


def play(lab):
    lab.endpoint(HUB_NAME, HUB)
    lab.dns()
    return lab.check(hub=f"https://{HUB_NAME}")
