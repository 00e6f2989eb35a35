"""An ordinary user runs the check on a machine that has everything from DHCP: nothing is wrong, and
whether the DHCP server still answers is unknown, for only root can ask it."""

from lab.servers import dhcp

causes = []
look_alike = None
code = 3  # nothing failed, something could not be determined


def play(lab):
    lab.endpoint()
    lab.dns()
    dhcp.serve(lab.router)
    dhcp.unset(lab)
    dhcp.dhclient(lab).wait_for("bound to")
    dhcp.routed(lab)
    return lab.check(profile=dhcp.WANTED, deadline=8, user=True)
