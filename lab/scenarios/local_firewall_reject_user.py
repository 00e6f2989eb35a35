"""The client's own rules answer with an ICMP error; an ordinary user sees that it comes from this machine."""

from lab import own_firewall

causes = ["local-firewall"]
look_alike = "connect-prohibited"
evidence = {"sign": "own address", "own-firewall": "only root"}


def play(lab):
    lab.endpoint()
    lab.dns()
    own_firewall.rules(lab, "tcp dport 443 reject with icmpx type admin-prohibited")
    return lab.check(user=True)
