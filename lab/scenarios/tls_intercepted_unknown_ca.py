"""squid opens TLS under the company's CA, which this machine does not know (row R24)."""

from lab.servers import squid
from lab.world import PROXY

causes = ["tls-intercepted"]
look_alike = "cert-untrusted"


def play(lab):
    lab.endpoint()
    lab.endpoint("files.other.example", "203.0.113.12")
    lab.dns()

    lab.squid(inspect=squid.inspection_ca())
    return lab.check({}, {"host": "files.other.example"}, env={"HTTPS_PROXY": f"http://{PROXY}:3128"})
