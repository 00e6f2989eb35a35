"""NetworkManager has set the address of a manual connection; a DHCP server is there."""

from lab.servers import dhcp, network_manager

causes = ["address-static"]
look_alike = "lease-lost"


def play(lab):
    lab.endpoint()
    lab.dns()
    dhcp.serve(lab.router)
    dhcp.unset(lab)
    network_manager.start(lab, "method=manual", "address1=10.77.0.7/24,10.77.0.1", "dns=10.77.1.53;")
    dhcp.routed(lab)
    return lab.check(profile=dhcp.WANTED, deadline=8)
