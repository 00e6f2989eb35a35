"""A firewall drops what goes to the endpoint. A second card of the client has no cable, as spare ones have
none, and an IPv6 address waits on it."""

from lab import net
from lab.world import ENDPOINT

causes = ["connect-timeout"]
look_alike = "link-down"


def play(lab):
    lab.endpoint()
    lab.dns()
    net.connect(lab.client, "eth1", lab.router, "spare")
    lab.client.ip("-6", "address", "add", "fd00:78::2/64", "dev", "eth1")
    lab.router.ip("link", "set", "spare", "down")
    lab.firewall(f"ip daddr {ENDPOINT} drop")
    return lab.check(deadline=6)
