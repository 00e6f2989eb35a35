"""A black hole as narrow as IPv4 allows: 1200 bytes do not pass either, 536 do."""

from lab import path_mtu
from lab.world import CONSOLE

causes = ["mtu-black-hole"]
look_alike = "tls-stalled"
evidence = {"direction": "from the endpoint", "passing-mss": "536", "mss-1200": "tls-stalled",
            "passes-with": "a segment size (MSS) of 536"}


def play(lab):
    lab.endpoint(certificate=path_mtu.large_certificate(lab, CONSOLE))
    lab.dns()
    path_mtu.narrow(lab, path_mtu.TOWARDS_CLIENT, 576)
    return lab.check()
