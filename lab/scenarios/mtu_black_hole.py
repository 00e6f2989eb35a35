"""On the way back a tunnel carries 1280 bytes, and nobody may say so: the server's certificate never
arrives, under whatever name it is asked for. Small packets pass both ways."""

from lab import path_mtu
from lab.world import CONSOLE

causes = ["mtu-black-hole"]
look_alike = "tls-stalled"
evidence = {"direction": "from the endpoint", "passing-mss": "1200", "met-as": "tls-stalled",
            "tried-again": "tls-stalled", "clienthello-acknowledged": "yes",
            "passes-with": "a segment size (MSS) of 1200"}


def play(lab):
    lab.endpoint(certificate=path_mtu.large_certificate(lab, CONSOLE))
    lab.dns()
    path_mtu.narrow(lab, path_mtu.TOWARDS_CLIENT, 1280)
    return lab.check()
