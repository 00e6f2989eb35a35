"""The proxy works, but its DNS server does not know the endpoint; this machine's would."""

from lab.servers import odd_dns
from lab.world import DNS2, PROXY

causes = ["proxy-upstream-dns"]
look_alike = "proxy-upstream-connect"


def play(lab):
    lab.endpoint()
    lab.dns()
    odd_dns.serve(lab.site, DNS2, "normal", {})
    lab.squid(dns=DNS2)
    return lab.check(env={"HTTPS_PROXY": f"http://{PROXY}:3128"})
