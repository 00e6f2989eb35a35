"""mitmproxy opens TLS under a CA that the administrator has put into the machine's bundle (row R24)."""

from lab import ca
from lab.servers import mitmproxy
from lab.world import PROXY

causes = ["tls-intercepted"]
look_alike = "cert-untrusted"


def play(lab):
    lab.endpoint()
    lab.dns()
    lab.proxied = True
    proxy = mitmproxy.serve(lab.site, PROXY, upstream_ca=lab.public_ca)
    lab.trust(ca.Trusted(proxy.ca_pem))
    return lab.check(env={"HTTPS_PROXY": f"http://{PROXY}:8080"})
