"""The DNS server verifies DNSSEC and the signatures are bad: SERVFAIL, but an answer when checking is
disabled by the query (CD)."""

from lab.servers import odd_dns
from lab.world import DNS

causes = ["dnssec-bogus"]
look_alike = "dns-servfail"


def play(lab):
    lab.endpoint()
    odd_dns.serve(lab.site, DNS, "bogus", lab.names)
    return lab.check()
