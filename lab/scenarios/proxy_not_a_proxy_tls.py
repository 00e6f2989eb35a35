"""HTTPS_PROXY says http://, and the proxy wants TLS on that port."""

from lab.world import PROXY

causes = ["proxy-not-a-proxy"]
look_alike = "proxy-stalled"


def play(lab):
    lab.endpoint()
    lab.dns()
    lab.squid(port=3129, certificate=lab.public_ca.issue("proxy.lab.example"))
    return lab.check(env={"HTTPS_PROXY": f"http://{PROXY}:3129"})
