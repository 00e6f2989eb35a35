"""The router drops 443, and the client has strict rules of its own that let it out: those are not to blame."""

from lab import own_firewall

causes = ["connect-timeout"]
look_alike = "local-firewall"


def play(lab):
    lab.endpoint()
    lab.dns()
    lab.firewall("tcp dport 443 drop")
    own_firewall.rules(lab, "udp dport 53 accept", "tcp dport { 53, 443 } accept", policy="drop")
    own_firewall.rules(lab, "ct state established,related accept", hook="input", policy="drop")
    return lab.check()
