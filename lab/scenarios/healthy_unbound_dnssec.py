"""unbound verifies DNSSEC, and the endpoint's zone is signed as it should be."""

from lab.servers import unbound
from lab.world import DNS

causes = []
look_alike = "dnssec-bogus"

NAME_SERVER = "203.0.113.53"
NAME = f"console.{unbound.SIGNED_ZONE}"


def play(lab):
    lab.endpoint(NAME)
    zone = unbound.Zone(lab.folder, lab.names)
    zone.serve(lab.internet, NAME_SERVER)
    unbound.serve(lab.site, DNS, {}, verify=zone, at=NAME_SERVER)
    return lab.check({"host": NAME})
