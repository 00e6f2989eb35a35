"""squid opens TLS under the company's CA, which the administrator has made trusted here: every
certificate verifies, and it is inspection all the same (row R24)."""

from lab.servers import squid
from lab.world import PROXY

causes = ["tls-intercepted"]
look_alike = "cert-untrusted"


def play(lab):
    lab.endpoint()
    lab.endpoint("files.other.example", "203.0.113.12")
    lab.dns()

    inspection = squid.inspection_ca()
    lab.trust(inspection)
    lab.squid(inspect=inspection)
    return lab.check({}, {"host": "files.other.example"}, env={"HTTPS_PROXY": f"http://{PROXY}:3128"})
