"""The same through squid with Basic, and nothing goes out directly (row R22)."""

from lab.fleet import Hub
from lab.servers import squid
from lab.world import PROXY

causes = []
look_alike = "tls-intercepted"


def play(lab):
    hub = Hub(lab).start()
    lab.dns()
    lab.squid(squid.basic(lab.site, {"svc": "p@ss word"}))
    lab.only_proxy()
    return lab.check(hub=hub.url, env={"HTTPS_PROXY": f"http://{PROXY}:3128", "HTTPS_PROXY_USERNAME": "svc",
                                       "HTTPS_PROXY_PASSWORD": "p@ss word"})
