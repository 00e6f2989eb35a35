"""The same with udhcpc, which keeps no lease: what the server would hand out says so."""

from lab.servers import dhcp, dnsmasq
from lab.world import DNS2

causes = ["dns-static"]
look_alike = "address-static"


def play(lab):
    lab.endpoint()
    dnsmasq.serve(lab.site, DNS2, lab.names)
    dhcp.serve(lab.router)
    dhcp.unset(lab)
    dhcp.udhcpc(lab)
    dhcp.routed(lab)
    lab.resolvers(DNS2)
    return lab.check(profile=dhcp.WANTED, deadline=8)
