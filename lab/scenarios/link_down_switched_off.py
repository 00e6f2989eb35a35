"""Somebody has switched the client's only interface off; its routes went with it."""

causes = ["link-down"]
look_alike = "no-route"


def play(lab):
    lab.endpoint()
    lab.dns()
    lab.client.ip("link", "set", "eth0", "down")
    return lab.check(deadline=8, profile={"addressing": {"ipv4": "dhcp", "dns": "dhcp"}})
