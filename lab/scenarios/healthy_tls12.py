"""The endpoint speaks TLS 1.2 and nothing newer."""

causes = []
look_alike = "tls-version"


def play(lab):
    lab.endpoint(server="ssl_protocols TLSv1.2;")
    lab.dns()
    return lab.check()
