"""The black hole lies between this machine and its proxy, so smaller segments to the proxy pass."""

from lab import path_mtu
from lab.world import CONSOLE, PROXY

causes = ["mtu-black-hole"]
look_alike = "proxy-stalled"
evidence = {"direction": "from the proxy", "passing-mss": "1200",
            "passes-with": "a segment size (MSS) of 1200"}


def play(lab):
    lab.endpoint(certificate=path_mtu.large_certificate(lab, CONSOLE))
    lab.dns()
    lab.squid()
    path_mtu.narrow(lab, path_mtu.TOWARDS_CLIENT, 1280)
    return lab.check(env={"HTTPS_PROXY": f"http://{PROXY}:3128"})
