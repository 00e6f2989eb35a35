"""The same as an ordinary user: the connection's file is root's, its static route is everybody's to see."""

from lab.servers import dhcp, network_manager

causes = ["address-static"]
look_alike = "dhcp-absent"


def play(lab):
    lab.endpoint()
    lab.dns()
    dhcp.serve(lab.router)
    dhcp.unset(lab)
    network_manager.start(lab, "method=manual", "address1=10.77.0.7/24,10.77.0.1", "dns=10.77.1.53;")
    dhcp.routed(lab)
    return lab.check(profile=dhcp.WANTED, deadline=8, user=True)
