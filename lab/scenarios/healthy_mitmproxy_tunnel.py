"""mitmproxy is told to pass TLS on as it is: a proxy of a kind that inspects, which does not."""

from lab.servers import mitmproxy
from lab.world import PROXY

causes = []
look_alike = "tls-intercepted"


def play(lab):
    lab.endpoint()
    lab.dns()
    lab.proxied = True
    mitmproxy.serve(lab.site, PROXY, inspect=False)
    return lab.check(env={"HTTPS_PROXY": f"http://{PROXY}:8080"})
