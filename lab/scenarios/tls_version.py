"""The endpoint speaks TLS 1.1 at most."""

causes = ["tls-version"]
look_alike = "tls-alert"


def play(lab):
    lab.endpoint(server="ssl_protocols TLSv1.1; ssl_ciphers ALL:@SECLEVEL=0;")
    lab.dns()
    return lab.check()
