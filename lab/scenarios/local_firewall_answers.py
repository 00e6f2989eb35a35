"""A firewall for incoming packets forgets connections that begin here: the SYN goes out, and its answer is
dropped at home."""

from lab import own_firewall

causes = ["local-firewall"]
look_alike = "connect-timeout"
evidence = {"rule-place": "table inet fw, chain input, whose policy is drop", "what-note": "the answers"}


def play(lab):
    lab.endpoint()
    lab.dns()
    own_firewall.rules(lab, 'iifname "lo" accept', "udp sport 53 accept", "tcp dport 22 accept",
                       hook="input", policy="drop")
    return lab.check()
