"""No DHCP server has ever answered: the client asks and asks, and has no address. The endpoint cannot be
reached for the same cause."""

from lab.servers import dhcp

causes = ["dhcp-absent"]
look_alike = "no-route"


def play(lab):
    lab.endpoint()
    lab.dns()
    dhcp.unset(lab)
    dhcp.dhclient(lab).wait_for("DHCPDISCOVER")
    return lab.check(profile=dhcp.WANTED, deadline=15)
