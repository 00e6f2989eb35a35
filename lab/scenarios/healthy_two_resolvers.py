"""Two DNS servers, both alive."""

from lab.servers import odd_dns
from lab.world import DNS, DNS2

causes = []
look_alike = "dns-first-server-dead"


def play(lab):
    lab.endpoint()
    lab.dns()
    odd_dns.serve(lab.site, DNS2, "normal", lab.names)
    lab.resolvers(DNS, DNS2)
    return lab.check()
