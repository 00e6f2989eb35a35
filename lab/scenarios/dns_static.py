"""The address comes from DHCP, but resolv.conf names another DNS server than the lease."""

from lab.servers import dhcp, dnsmasq
from lab.world import DNS2

causes = ["dns-static"]
look_alike = "address-static"


def play(lab):
    lab.endpoint()
    dnsmasq.serve(lab.site, DNS2, lab.names)
    dhcp.serve(lab.router)
    dhcp.unset(lab)
    dhcp.dhclient(lab).wait_for("bound to")
    dhcp.routed(lab)
    lab.resolvers(DNS2)
    return lab.check(profile=dhcp.WANTED, deadline=8)
