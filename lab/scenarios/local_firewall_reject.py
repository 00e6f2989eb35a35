"""The client's own rules answer in the endpoint's place, with a reset: no service refuses here."""

from lab import own_firewall

causes = ["local-firewall"]
look_alike = "connect-refused"
evidence = {"rule": "tcp dport 443 reject with tcp reset", "verdict": "rejects"}


def play(lab):
    lab.endpoint()
    lab.dns()
    own_firewall.rules(lab, "tcp dport 443 reject with tcp reset")
    return lab.check()
