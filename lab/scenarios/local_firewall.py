"""The client's own nftables drop what it sends to port 443: four endpoints, one cause, and the rule named."""

from lab import own_firewall
from lab.world import four_endpoints

causes = ["local-firewall"]
look_alike = "connect-timeout"
evidence = {"rule-place": "table inet fw, chain output, rule handle", "rule": "tcp dport 443 counter", "verdict": "drops"}


def play(lab):
    endpoints = four_endpoints(lab)
    lab.dns()
    own_firewall.rules(lab, "ct state established,related accept", "tcp dport 443 counter drop")
    return lab.check(*endpoints)
