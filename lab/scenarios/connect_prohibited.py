"""The router rejects outbound 443 and says so: ICMP administratively prohibited."""

causes = ["connect-prohibited"]
look_alike = "connect-refused"


def play(lab):
    lab.endpoint()
    lab.dns()
    lab.firewall("tcp dport 443 reject with icmpx type admin-prohibited")
    return lab.check()
