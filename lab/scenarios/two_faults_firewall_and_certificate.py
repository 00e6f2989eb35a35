"""Two faults that have nothing to do with each other: a firewall rejects the way to two of the four
services, and a third has a certificate of an unknown CA."""

from lab import ca
from lab.world import four_endpoints

causes = ["cert-untrusted", "connect-prohibited"]
look_alike = "tls-intercepted"


def play(lab):
    endpoints = four_endpoints(lab, without=("upload",))
    lab.endpoint("upload.lab.example", "203.0.113.33", ca.self_signed("upload.lab.example"))
    lab.dns()
    lab.firewall("ip daddr { 203.0.113.30, 203.0.113.31 } reject with icmp admin-prohibited")
    return lab.check(*endpoints)
