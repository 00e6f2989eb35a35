"""A firewall drops DNS to both configured servers."""

from lab.world import DNS, DNS2

causes = ["dns-timeout"]
look_alike = "dns-no-listener"


def play(lab):
    lab.endpoint()
    lab.dns()
    lab.resolvers(DNS, DNS2)
    lab.firewall("udp dport 53 drop", "tcp dport 53 drop")
    return lab.check()
