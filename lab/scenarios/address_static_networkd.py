"""systemd-networkd has set the address that its file says; a DHCP server is there."""

from lab.servers import dhcp, networkd

causes = ["address-static"]
look_alike = "dns-static"


def play(lab):
    lab.endpoint()
    lab.dns()
    dhcp.serve(lab.router)
    dhcp.unset(lab)
    networkd.start(lab, "Address=10.77.0.7/24", "Gateway=10.77.0.1", "DNS=10.77.1.53")
    dhcp.routed(lab)
    return lab.check(profile=dhcp.WANTED, deadline=8)
