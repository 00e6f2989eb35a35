"""This machine's DNS knows the site's names alone, the proxy resolves for it, and the profile allows that."""

from lab.servers import odd_dns
from lab.world import DNS2, PROXY

causes = ["dns-only-at-proxy"]
look_alike = "dns-nxdomain"


def play(lab):
    lab.endpoint()
    odd_dns.serve(lab.site, DNS2, "normal", lab.names)  # the proxy's own
    lab.dns({"proxy.lab.example": PROXY})
    lab.squid(dns=DNS2)
    return lab.check(env={"HTTPS_PROXY": "http://proxy.lab.example:3128"},
                     profile={"dns": {"external": "proxy-is-enough"}})
