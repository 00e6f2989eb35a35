"""An ordinary user runs the check on a machine that has everything from DHCP: what only root could ask
the network, its lease proves."""

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
    return lab.check(profile=dhcp.WANTED, deadline=8, user=True)
