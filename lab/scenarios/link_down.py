"""The cable is out at the other end: the client's only interface has no carrier, its address and its
routes are still there."""

causes = ["link-down"]
look_alike = "connect-timeout"


def play(lab):
    lab.endpoint()
    lab.dns()
    lab.router.ip("link", "set", "lan", "down")
    return lab.check(deadline=8, profile={"addressing": {"ipv6": "unsupported"}})
