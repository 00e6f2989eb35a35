"""The legacy iptables of the client keep it from its proxy, which runs and lets everything through."""

from lab import own_firewall
from lab.world import PROXY

causes = ["local-firewall"]
look_alike = "proxy-timeout"
evidence = {"rule-place": "iptables table filter, chain OUTPUT, rule 1", "address": "10.77.1.9"}


def play(lab):
    lab.endpoint()
    lab.dns()
    lab.squid()
    own_firewall.iptables(lab, f"-A OUTPUT -d {PROXY}/32 -p tcp -m tcp --dport 3128 -j DROP")
    return lab.check(env={"HTTPS_PROXY": f"http://{PROXY}:3128"})
