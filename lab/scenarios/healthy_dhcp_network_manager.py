"""The client has its address and its DNS server from DHCP, by NetworkManager."""

from lab.servers import dhcp, network_manager

causes = []
look_alike = None


def play(lab):
    lab.endpoint()
    lab.dns()
    dhcp.serve(lab.router)
    dhcp.unset(lab)
    network_manager.start(lab, "method=auto")
    dhcp.routed(lab)
    return lab.check(profile=dhcp.WANTED, deadline=8)
