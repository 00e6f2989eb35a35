"""The proxy itself is spoken to over TLS, with a certificate of a public CA."""

from lab.world import PROXY

causes = []
look_alike = None


def play(lab):
    lab.endpoint()
    lab.names["proxy.lab.example"] = PROXY
    lab.dns()
    lab.squid(port=3129, certificate=lab.public_ca.issue("proxy.lab.example"))
    return lab.check(env={"HTTPS_PROXY": "https://proxy.lab.example:3129"})
