"""The proxy's port is out of range. That never means going direct, although direct would work."""

from lab.world import PROXY

causes = ["proxy-settings-invalid"]
look_alike = "proxy-refused"


def play(lab):
    lab.endpoint()
    lab.dns()
    lab.proxied = True
    return lab.check(env={"HTTPS_PROXY": f"http://{PROXY}:99999"})
