"""NO_PROXY keeps the endpoint off the proxy that would lead there, and the first DNS server is dead."""

from lab.servers import odd_dns
from lab.world import DNS, DNS2, PROXY

causes = ["dns-first-server-dead", "proxy-wrongly-bypassed"]
look_alike = "dns-timeout"
evidence = {"passes-with": f"the proxy http://{PROXY}:3128"}


def play(lab):
    lab.endpoint()
    lab.dns()
    odd_dns.serve(lab.site, DNS2, "silent")
    lab.squid()
    lab.proxied = False  # the entry sends it direct; that is the trouble
    lab.resolvers(DNS2, DNS)
    lab.firewall('iifname "lan" tcp dport 443 reject with icmpx type admin-prohibited')
    return lab.check(env={"HTTPS_PROXY": f"http://{PROXY}:3128", "NO_PROXY": ".lab.example"}, deadline=10)
