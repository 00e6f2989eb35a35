"""As in address_static, and the DNS server is another one than DHCP would give: switching the interface to
DHCP mends both, so there is one cause."""

from lab.servers import dhcp, dnsmasq
from lab.world import DNS2

causes = ["address-static"]
look_alike = "dns-static"


def play(lab):
    lab.endpoint()
    dnsmasq.serve(lab.site, DNS2, lab.names)
    dhcp.serve(lab.router)
    lab.resolvers(DNS2)
    return lab.check(profile=dhcp.WANTED, deadline=8)
