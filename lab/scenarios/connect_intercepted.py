"""A transparent box accepts every connection to port 443, whatever the address, and then closes it: it has no
use for TLS."""

from lab.servers import raw
from lab.world import PORTAL

causes = ["connect-intercepted"]
look_alike = "tls-closed"


def play(lab):
    lab.endpoint()
    lab.dns()
    raw.serve(lab.site, PORTAL, 443, "closes")
    lab.redirect("tcp dport 443", PORTAL)
    return lab.check()
