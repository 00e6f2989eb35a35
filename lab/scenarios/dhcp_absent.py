"""The DHCP server went away while the client's lease still holds: all works, until the lease ends."""

from lab.servers import dhcp

causes = ["dhcp-absent"]
look_alike = "lease-lost"


def play(lab):
    lab.endpoint()
    lab.dns()
    server = dhcp.serve(lab.router)
    dhcp.unset(lab)
    dhcp.dhclient(lab).wait_for("bound to")
    dhcp.routed(lab)
    server.stop()
    return lab.check(profile=dhcp.WANTED, deadline=12)
