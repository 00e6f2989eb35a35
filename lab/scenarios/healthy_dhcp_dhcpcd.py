"""The client has its address and its DNS server from DHCP, by dhcpcd, which
keeps the packet of its lease."""

from lab.servers import dhcp

causes = []
look_alike = None


def play(lab):
    lab.endpoint()
    lab.dns()
    dhcp.serve(lab.router)
    dhcp.unset(lab)
    dhcp.dhcpcd(lab, "--noarp")  # which takes five seconds to see that nobody has its address
    dhcp.routed(lab)
    return lab.check(profile=dhcp.WANTED, deadline=8)
