"""The client has its address and its DNS server from DHCP, by udhcpc, which
keeps no lease and sets a permanent address, as a static one is."""

from lab.servers import dhcp

causes = []
look_alike = None


def play(lab):
    lab.endpoint()
    lab.dns()
    dhcp.serve(lab.router)
    dhcp.unset(lab)
    dhcp.udhcpc(lab)
    dhcp.routed(lab)
    return lab.check(profile=dhcp.WANTED, deadline=8)
