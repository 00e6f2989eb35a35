"""A firewall drops everything but DNS: four endpoints on two ports, one cause."""

from lab.world import DNS, four_endpoints

causes = ["connect-timeout"]
look_alike = "connect-prohibited"
evidence = {"siblings": "none of the 4 endpoints", "port": "443, 8443"}


def play(lab):
    endpoints = four_endpoints(lab)
    endpoints[3]["port"] = 8443
    lab.dns()
    lab.firewall(f'iifname "lan" ip daddr {DNS} accept', 'iifname "lan" drop')
    return lab.check(*endpoints)
