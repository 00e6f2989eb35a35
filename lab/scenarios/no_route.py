"""The client has a route to its own site, DNS included, but no default gateway."""

causes = ["no-route"]
look_alike = "connect-timeout"


def play(lab):
    lab.endpoint()
    lab.dns()
    lab.client.ip("route", "add", "10.77.1.0/24", "via", "10.77.0.1")
    lab.client.ip("route", "del", "default")
    return lab.check()
