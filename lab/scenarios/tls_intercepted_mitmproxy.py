"""mitmproxy opens TLS of all four endpoints under a CA that nobody here trusts: one cause."""

from lab.servers import mitmproxy
from lab.world import PROXY

causes = ["tls-intercepted"]
look_alike = "cert-untrusted"


def play(lab):
    others = [f"{name}.lab.example" for name in ("discovery", "session", "upload")]
    lab.endpoint()
    for number, name in enumerate(others):
        lab.endpoint(name, f"203.0.113.{30 + number}")
    lab.dns()
    lab.proxied = True
    mitmproxy.serve(lab.site, PROXY, upstream_ca=lab.public_ca)
    return lab.check({}, *({"host": name} for name in others), env={"HTTPS_PROXY": f"http://{PROXY}:8080"})
