"""squid demands Basic, and the password is wrong: 407 again."""

from lab.servers import squid
from lab.world import PROXY

causes = ["proxy-auth-rejected"]
look_alike = "proxy-auth-required"


def play(lab):
    lab.endpoint()
    lab.dns()
    lab.squid(squid.basic(lab.site, {"svc": "right"}))
    return lab.check(env={"HTTPS_PROXY": f"http://{PROXY}:3128", "HTTPS_PROXY_USERNAME": "svc",
                          "HTTPS_PROXY_PASSWORD": "wrong"})
