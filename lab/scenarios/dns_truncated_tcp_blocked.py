"""The answer is too long for UDP (TC), and a firewall drops TCP port 53."""

from lab.servers import odd_dns
from lab.world import DNS

causes = ["dns-truncated-tcp-blocked"]
look_alike = "dns-timeout"


def play(lab):
    lab.endpoint()
    odd_dns.serve(lab.site, DNS, "truncated")
    lab.firewall("tcp dport 53 drop")
    return lab.check()
