"""unbound verifies DNSSEC, and the name server of the signed zone refuses to answer for it: SERVFAIL, whether
the query disables checking or not."""

from lab.servers import dnsmasq, unbound
from lab.world import DNS

causes = ["dns-servfail"]
look_alike = "dnssec-bogus"

NAME_SERVER = "203.0.113.53"
NAME = f"console.{unbound.SIGNED_ZONE}"


def play(lab):
    lab.endpoint(NAME)
    zone = unbound.Zone(lab.folder, lab.names)
    dnsmasq.serve(lab.internet, NAME_SERVER, {}, unknown="refused")
    unbound.serve(lab.site, DNS, {}, verify=zone, at=NAME_SERVER)
    return lab.check({"host": NAME}, deadline=8)
