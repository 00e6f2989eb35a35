"""The proxy is set by its name, which only the site's DNS knows; the machine may go nowhere else."""

from lab.world import DNS, PROXY

causes = []
look_alike = "proxy-unresolved"


def play(lab):
    lab.endpoint()
    lab.names["proxy.corp.example"] = PROXY
    lab.dns()
    lab.squid()
    lab.firewall(f'iifname "lan" ip daddr {{ {PROXY}, {DNS} }} accept', 'iifname "lan" drop')
    return lab.check(env={"HTTPS_PROXY": "http://proxy.corp.example:3128"})
