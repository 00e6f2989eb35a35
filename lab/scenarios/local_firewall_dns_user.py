"""The same with one server, as an ordinary user: the question could not be sent."""

from lab import own_firewall

causes = ["local-firewall"]
look_alike = "dns-timeout"
evidence = {"sign": "could not send", "own-firewall": "only root"}


def play(lab):
    lab.endpoint()
    lab.dns()
    own_firewall.rules(lab, "udp dport 53 drop")
    return lab.check(user=True)
