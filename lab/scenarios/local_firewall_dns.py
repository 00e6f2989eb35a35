"""The client's own rules drop its questions to both DNS servers, which are well."""

from lab import own_firewall
from lab.servers import dnsmasq
from lab.world import DNS, DNS2

causes = ["local-firewall"]
look_alike = "dns-timeout"
evidence = {"rule": "udp dport 53 drop", "protocol": "UDP"}


def play(lab):
    lab.endpoint()
    lab.dns()
    dnsmasq.serve(lab.site, DNS2, lab.names)
    lab.resolvers(DNS, DNS2)
    own_firewall.rules(lab, "udp dport 53 drop")
    return lab.check()
