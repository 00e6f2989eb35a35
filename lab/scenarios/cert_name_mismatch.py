"""The endpoint's certificate is for other names."""

causes = ["cert-name-mismatch"]
look_alike = "tls-intercepted"


def play(lab):
    lab.endpoint(certificate=lab.public_ca.issue("www.lab.example", "lab.example"))
    lab.dns()
    return lab.check()
