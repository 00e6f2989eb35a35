"""An https:// proxy with a certificate of the company's CA, which this machine does not know."""

from lab import ca
from lab.world import PROXY

causes = ["proxy-cert-untrusted"]
look_alike = "tls-intercepted"


def play(lab):
    lab.endpoint()
    lab.names["proxy.lab.example"] = PROXY
    lab.dns()
    lab.squid(port=3129, certificate=ca.authority("Contoso Internal CA").issue("proxy.lab.example"))
    return lab.check(env={"HTTPS_PROXY": "https://proxy.lab.example:3129"})
