"""squid offers Digest alone; credentials are set, and must not be sent to it as anything else (row R23)."""

from lab.servers import squid
from lab.world import PROXY

causes = ["proxy-auth-unsupported"]
look_alike = "proxy-auth-rejected"


def play(lab):
    lab.endpoint()
    lab.dns()
    lab.squid(squid.only("digest"))
    return lab.check(env={"HTTPS_PROXY": f"http://{PROXY}:3128", "HTTPS_PROXY_USERNAME": "svc",
                          "HTTPS_PROXY_PASSWORD": "right"})
