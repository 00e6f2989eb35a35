"""The client has its address and its DNS server from DHCP, by systemd-networkd."""

from lab.servers import dhcp, networkd

causes = []
look_alike = None


def play(lab):
    lab.endpoint()
    lab.dns()
    dhcp.serve(lab.router)
    dhcp.unset(lab)
    networkd.start(lab, "DHCP=ipv4")
    dhcp.routed(lab)
    return lab.check(profile=dhcp.WANTED, deadline=8)
