"""squid demands Basic, and the two variables hold a user and a password with awkward characters
(row R22)."""

from lab.servers import squid
from lab.world import PROXY

causes = []
look_alike = None


def play(lab):
    user, password = "svc-äsk", "p@ss:w/rd% ü"
    lab.endpoint()
    lab.dns()
    lab.squid(squid.basic(lab.site, {user: password}))
    return lab.check(env={"https_proxy": f"{PROXY}:3128", "HTTPS_PROXY_USERNAME": user,
                          "HTTPS_PROXY_PASSWORD": password})
