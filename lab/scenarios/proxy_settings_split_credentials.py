"""Shell and service name the same proxy with different passwords, which the report does not show."""

from lab.servers import squid
from lab.world import PROXY

causes = ["proxy-settings-split"]
look_alike = "proxy-auth-rejected"
evidence = {"difference": "the credentials"}


def play(lab):
    lab.endpoint()
    lab.dns()
    lab.squid(squid.basic(lab.site, {"svc": "right"}))
    lab.proxy_environment(f"HTTPS_PROXY=http://svc:wrong@{PROXY}:3128\n")
    return lab.check(env={"HTTPS_PROXY": f"http://svc:right@{PROXY}:3128"})
