"""The client has its address and its DNS server from DHCP, by dhclient, which
keeps a lease file."""

from lab.servers import dhcp

causes = []
look_alike = None


def play(lab):
    lab.endpoint()
    lab.dns()
    dhcp.serve(lab.router)
    dhcp.unset(lab)
    dhcp.dhclient(lab).wait_for("bound to")
    dhcp.routed(lab)
    return lab.check(profile=dhcp.WANTED, deadline=8)
