"""A bad link loses every segment with data that goes towards the endpoint, once; it still connects."""

causes = ["path-lossy"]
look_alike = "connect-timeout"


def play(lab):
    lab.endpoint()
    lab.dns()
    # SYN and ACK alone are 60 bytes at most; of what is longer each second one is a retransmission.
    lab.firewall("tcp dport 443 meta length > 60 numgen inc mod 2 0 drop")
    return lab.check(deadline=8)
