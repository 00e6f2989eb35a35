"""Somebody has given the client its address by hand, with `ip`; a DHCP server is there."""

from lab.servers import dhcp

causes = ["address-static"]
look_alike = "dhcp-absent"


def play(lab):
    lab.endpoint()
    lab.dns()
    dhcp.serve(lab.router)
    return lab.check(profile=dhcp.WANTED, deadline=8)
