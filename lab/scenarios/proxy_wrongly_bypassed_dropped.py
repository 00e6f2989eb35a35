"""A NO_PROXY entry matches the endpoint, and the firewall drops what does not go through the proxy: the
time that silence takes must leave enough to look at the other way."""

from lab.world import PROXY

causes = ["proxy-wrongly-bypassed"]
look_alike = "connect-timeout"


def play(lab):
    lab.endpoint()
    lab.dns()
    lab.squid()
    lab.proxied = False  # the entry sends it direct; that is the trouble
    lab.firewall('iifname "lan" tcp dport 443 drop')
    return lab.check(env={"HTTPS_PROXY": f"http://{PROXY}:3128", "NO_PROXY": "localhost,.lab.example"})
