"""A firewall lets only the proxy out. The shell names it in HTTP_PROXY alone, which HTTPS does not go by: the
report says that it passes with it."""

from lab.world import PROXY

causes = ["connect-timeout"]
look_alike = "proxy-settings-invalid"
evidence = {"passes-with": f"the proxy http://{PROXY}:3128 of HTTP_PROXY (environment)"}


def play(lab):
    lab.endpoint()
    lab.dns()
    lab.squid()
    lab.proxied = False  # no proxy is in use; that is the trouble
    lab.firewall('iifname "lan" tcp dport 443 drop')
    return lab.check(env={"HTTP_PROXY": f"http://{PROXY}:3128"}, deadline=6)
