"""Behind squid two things are wrong at once: its rules forbid one service, and it cannot resolve another."""

from lab.servers import squid
from lab.world import PROXY, four_endpoints

causes = ["proxy-denied", "proxy-upstream-dns"]
look_alike = "proxy-upstream-connect"


def play(lab):
    endpoints = four_endpoints(lab, without=("upload",))
    del lab.names["upload.lab.example"]
    lab.dns()
    lab.squid(squid.deny("session.lab.example"))
    return lab.check(*endpoints, env={"HTTPS_PROXY": f"http://{PROXY}:3128"})
