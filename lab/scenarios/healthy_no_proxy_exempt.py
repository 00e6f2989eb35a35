"""A proxy is set, NO_PROXY exempts the endpoint, and the direct way works: as the administrator wants it."""

from lab.world import PROXY

causes = []
look_alike = "proxy-wrongly-bypassed"


def play(lab):
    lab.endpoint()
    lab.dns()
    lab.squid()
    lab.proxied = False  # going direct is right here
    return lab.check(env={"HTTPS_PROXY": f"http://{PROXY}:3128", "NO_PROXY": "localhost,.lab.example"})
