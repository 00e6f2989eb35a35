"""squid offers Digest first and Basic after it: Basic is taken (row R22)."""

from lab.servers import squid
from lab.world import PROXY

causes = []
look_alike = "proxy-auth-unsupported"


def play(lab):
    lab.endpoint()
    lab.dns()
    lab.squid(squid.digest_first(lab.site, {"svc": "secret-7"}))
    return lab.check(env={"HTTPS_PROXY": f"http://{PROXY}:3128", "HTTPS_PROXY_USERNAME": "svc",
                          "HTTPS_PROXY_PASSWORD": "secret-7"})
