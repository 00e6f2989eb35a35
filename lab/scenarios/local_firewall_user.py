"""The same as an ordinary user, who cannot read rules: the kernel tells that the SYN could not be sent."""

from lab import own_firewall

causes = ["local-firewall"]
look_alike = "connect-timeout"
evidence = {"sign": "could not send", "own-firewall": "only root"}


def play(lab):
    lab.endpoint()
    lab.dns()
    own_firewall.rules(lab, "tcp dport 443 drop")
    return lab.check(user=True)
