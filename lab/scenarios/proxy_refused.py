"""The proxy's machine is up, the proxy is not."""

from lab.world import PROXY

causes = ["proxy-refused"]
look_alike = "connect-refused"


def play(lab):
    lab.endpoint()
    lab.dns()
    lab.proxied = True
    return lab.check(env={"HTTPS_PROXY": f"http://{PROXY}:3128"})
