"""HTTPS_PROXY says https://, and the proxy speaks no TLS on that port."""

from lab.world import PROXY

causes = ["proxy-not-a-proxy"]
look_alike = "tls-not-spoken"


def play(lab):
    lab.endpoint()
    lab.dns()
    lab.squid()
    return lab.check(env={"HTTPS_PROXY": f"https://{PROXY}:3128"})
