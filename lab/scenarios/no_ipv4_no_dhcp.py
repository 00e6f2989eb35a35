"""The same with a DHCP client that asks in vain, as every machine does that comes into a network of IPv6
alone; the profile wants DHCP. There is one cause for all of it."""

from lab.servers import dhcp

causes = ["no-ipv4"]
look_alike = "dhcp-absent"


def play(lab):
    lab.endpoint()
    lab.dns()
    dhcp.unset(lab)
    lab.client.ip("-6", "address", "add", "fd00:77::2/64", "dev", "eth0", "nodad")
    lab.client.ip("-6", "route", "add", "default", "via", "fd00:77::1")
    dhcp.dhclient(lab).wait_for("DHCPDISCOVER")
    return lab.check(deadline=8, profile=dhcp.WANTED)
