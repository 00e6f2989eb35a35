"""The router rejects the endpoint with ICMP host unreachable; the client's own routes are fine."""

causes = ["connect-prohibited"]
look_alike = "no-route"


def play(lab):
    lab.endpoint()
    lab.dns()
    lab.firewall("tcp dport 443 reject with icmp type host-unreachable")
    return lab.check()
