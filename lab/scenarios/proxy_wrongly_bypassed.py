"""A NO_PROXY entry matches the endpoint, the firewall lets only the proxy out: through it all would be well."""

from lab.world import PROXY

causes = ["proxy-wrongly-bypassed"]
look_alike = "connect-prohibited"


def play(lab):
    lab.endpoint()
    lab.dns()
    lab.squid()
    lab.proxied = False  # the entry sends it direct; that is the trouble
    lab.firewall('iifname "lan" tcp dport 443 reject with icmpx type admin-prohibited')
    return lab.check(env={"HTTPS_PROXY": f"http://{PROXY}:3128", "NO_PROXY": "localhost,.lab.example"})
