"""squid wants credentials and none are set: four endpoints and the profile's demands on the proxy, one
cause."""

from lab.servers import squid
from lab.world import PROXY, four_endpoints

causes = ["proxy-auth-required"]
look_alike = "proxy-auth-unsupported"


def play(lab):
    endpoints = four_endpoints(lab)
    lab.dns()
    lab.squid(squid.basic(lab.site, {"svc": "secret-7"}))
    return lab.check(*endpoints, env={"HTTPS_PROXY": f"http://{PROXY}:3128"},
                     profile={"proxy": {"auth": ["none", "basic"], "inspection": "forbidden"}})
