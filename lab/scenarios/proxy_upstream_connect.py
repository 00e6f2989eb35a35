"""The proxy resolves the endpoint and is refused there."""

from lab.world import CONSOLE, ENDPOINT, PROXY

causes = ["proxy-upstream-connect"]
look_alike = "proxy-upstream-dns"


def play(lab):
    lab.names[CONSOLE] = ENDPOINT
    lab.dns()
    lab.squid()
    return lab.check(env={"HTTPS_PROXY": f"http://{PROXY}:3128"})
