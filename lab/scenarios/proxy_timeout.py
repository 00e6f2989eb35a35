"""A firewall drops what goes to the proxy."""

from lab.world import PROXY

causes = ["proxy-timeout"]
look_alike = "connect-timeout"


def play(lab):
    lab.endpoint()
    lab.dns()
    lab.squid()
    lab.firewall("tcp dport 3128 drop")
    return lab.check(env={"HTTPS_PROXY": f"http://{PROXY}:3128"})
