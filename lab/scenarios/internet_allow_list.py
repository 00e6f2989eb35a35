"""A firewall lets out what is on its list: the endpoint is, the Internet is not. Downloads will fail."""

from lab.servers import known_hosts
from lab.world import ENDPOINT

causes = ["connect-timeout"]
look_alike = "captive-portal"
evidence = {"siblings": "console.lab.example connects", "endpoint": "deb.debian.org:443, www.iana.org:443"}


def play(lab):
    lab.endpoint()
    known_hosts.serve(lab)
    lab.dns()
    lab.firewall(f'iifname "lan" ip daddr {{ {ENDPOINT}, 10.77.1.0/24 }} accept', 'iifname "lan" drop')
    return lab.check(profile=known_hosts.WANTED)
