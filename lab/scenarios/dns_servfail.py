"""The DNS server's way to the Internet is broken: it answers SERVFAIL, whatever is asked."""

from lab.servers import odd_dns
from lab.world import DNS

causes = ["dns-servfail"]
look_alike = "dnssec-bogus"


def play(lab):
    lab.endpoint()
    odd_dns.serve(lab.site, DNS, "servfail")
    return lab.check()
