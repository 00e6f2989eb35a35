"""Two spellings of the variable differ, and the lower-case one is right: it wins (row R20)."""

from lab.world import PROXY

causes = []
look_alike = "proxy-refused"


def play(lab):
    lab.endpoint()
    lab.dns()
    lab.squid()
    return lab.check(env={"HTTPS_PROXY": f"http://{PROXY}:9", "https_proxy": f"http://{PROXY}:3128"})
