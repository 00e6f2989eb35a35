"""squid opens TLS of one service and passes that of the other three: a rule that somebody forgot."""

from lab.servers import squid
from lab.world import PROXY, four_endpoints

causes = ["tls-intercepted"]
look_alike = "cert-untrusted"


def play(lab):
    endpoints = four_endpoints(lab)
    lab.dns()
    inspection = squid.inspection_ca()
    lab.trust(inspection)
    lab.squid(inspect=inspection, inspect_only=["upload.lab.example"])
    return lab.check(*endpoints, env={"HTTPS_PROXY": f"http://{PROXY}:3128"})
