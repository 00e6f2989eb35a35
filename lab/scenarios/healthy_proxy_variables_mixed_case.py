"""The three variables stand there in a mix of cases (row R20)."""

from lab.servers import squid
from lab.world import PROXY

causes = []
look_alike = "proxy-auth-required"


def play(lab):
    lab.endpoint()
    lab.dns()
    lab.squid(squid.basic(lab.site, {"svc": "secret-7"}))
    return lab.check(env={"Https_Proxy": f"{PROXY}:3128", "HTTPS_proxy_UserName": "svc",
                          "https_Proxy_PASSWORD": "secret-7"})
