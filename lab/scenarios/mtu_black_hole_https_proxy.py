"""The proxy speaks TLS itself, and its own certificate is what gets lost on the way back."""

from lab import path_mtu
from lab.world import PROXY

causes = ["mtu-black-hole"]
look_alike = "proxy-stalled"
evidence = {"direction": "from the proxy", "met-as": "proxy-stalled", "passing-mss": "1200"}


def play(lab):
    lab.endpoint()
    lab.names["proxy.lab.example"] = PROXY
    lab.dns()
    lab.squid(port=3129, certificate=path_mtu.large_certificate(lab, "proxy.lab.example"))
    path_mtu.narrow(lab, path_mtu.TOWARDS_CLIENT, 1280)
    return lab.check(env={"HTTPS_PROXY": "https://proxy.lab.example:3129"})
