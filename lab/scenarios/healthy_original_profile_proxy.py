"""The same behind squid with Basic, and the machine may go nowhere else: what the page allows too (rows R18
to R22)."""

from lab.scenarios.healthy_original_profile import furnish
from lab.servers import squid
from lab.world import DNS, PROXY

causes = []
look_alike = "dns-only-at-proxy"


def play(lab):
    profile = furnish(lab)
    lab.squid(squid.basic(lab.site, {"svc": "secret-7"}))
    lab.firewall(f'iifname "lan" ip daddr {{ {PROXY}, {DNS} }} accept', 'iifname "lan" drop')
    return lab.check(profile=profile, deadline=10, env={
        "HTTPS_PROXY": f"{PROXY}:3128", "HTTPS_PROXY_USERNAME": "svc", "HTTPS_PROXY_PASSWORD": "secret-7"})
