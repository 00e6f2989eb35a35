"""unbound verifies DNSSEC, and the signatures of the endpoint's zone have run out: SERVFAIL, but an
answer when checking is disabled by the query (CD)."""

from lab.servers import unbound
from lab.world import DNS

causes = ["dnssec-bogus"]
look_alike = "dns-servfail"

NAME_SERVER = "203.0.113.53"
NAME = f"console.{unbound.SIGNED_ZONE}"


def play(lab):
    lab.endpoint(NAME)
    zone = unbound.Zone(lab.folder, lab.names, expired=True)
    zone.serve(lab.internet, NAME_SERVER)
    unbound.serve(lab.site, DNS, {}, verify=zone, at=NAME_SERVER)
    return lab.check({"host": NAME})
