"""A captive network sends all DNS to its own server, which answers every name with the portal's address.
The portal's web server accepts on 443 too."""

from lab.servers import nginx
from lab.world import DNS, PORTAL

causes = ["dns-hijack"]
look_alike = "cert-name-mismatch"


def play(lab):
    lab.endpoint()
    lab.dns({}, unknown=PORTAL)
    nginx.serve(lab.site, PORTAL, lab.public_ca.issue("portal.lab.example"))
    lab.resolvers("203.0.113.53")
    lab.redirect("udp dport 53", DNS)
    lab.redirect("tcp dport 53", DNS)
    return lab.check()
