"""HTTPS_PROXY names a proxy that DNS does not know."""

causes = ["proxy-unresolved"]
look_alike = "dns-nxdomain"


def play(lab):
    lab.endpoint()
    lab.dns()
    lab.squid()
    return lab.check(env={"HTTPS_PROXY": "http://proxi.lab.example:3128"})
