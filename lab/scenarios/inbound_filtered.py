"""An SSH server listens, and this machine's nftables drop what is not on their list: the policy is named."""

from lab import inbound, own_firewall

causes = ["inbound-filtered"]
look_alike = "inbound-closed"
evidence = {"rule-place": "table inet fw, chain input, whose policy is drop"}


def play(lab):
    inbound.ssh(lab)
    own_firewall.rules(lab, 'iifname "lo" accept', "ct state established,related accept",
                       "tcp dport { 80, 443 } accept", hook="input", policy="drop")
    return inbound.check(lab)
