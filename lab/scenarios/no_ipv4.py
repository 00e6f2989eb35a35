"""The network has gone over to IPv6: the client has an address and a default route of it, none of IPv4."""

from lab.servers import dhcp

causes = ["no-ipv4"]
look_alike = "no-route"


def play(lab):
    lab.endpoint()
    lab.dns()
    dhcp.unset(lab)
    lab.client.ip("-6", "address", "add", "fd00:77::2/64", "dev", "eth0", "nodad")
    lab.client.ip("-6", "route", "add", "default", "via", "fd00:77::1")
    return lab.check(deadline=8, profile={"addressing": {"ipv6": "unsupported"}})
