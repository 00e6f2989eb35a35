"""tinyproxy passes CONNECT to other ports alone: 403."""

from lab.world import PROXY

causes = ["proxy-denied"]
look_alike = "proxy-upstream-connect"


def play(lab):
    lab.endpoint()
    lab.dns()
    lab.tinyproxy(rules="ConnectPort 563")
    return lab.check(env={"HTTPS_PROXY": f"http://{PROXY}:8888"})
