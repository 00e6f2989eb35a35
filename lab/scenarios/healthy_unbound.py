"""unbound is the site's resolver."""

from lab.servers import unbound
from lab.world import DNS

causes = []
look_alike = "dns-servfail"


def play(lab):
    lab.endpoint()
    unbound.serve(lab.site, DNS, lab.names)
    return lab.check()
