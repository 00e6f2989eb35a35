"""The first of two DNS servers is silent; the second answers, and all works, slowly."""

from lab.servers import odd_dns
from lab.world import DNS, DNS2

causes = ["dns-first-server-dead"]
look_alike = "dns-timeout"


def play(lab):
    lab.endpoint()
    lab.dns()
    odd_dns.serve(lab.site, DNS2, "silent")
    lab.resolvers(DNS2, DNS)
    return lab.check(deadline=8)
