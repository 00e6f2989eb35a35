"""The endpoint's certificate is for every name of its domain."""

causes = []
look_alike = "cert-name-mismatch"


def play(lab):
    lab.endpoint(certificate=lab.public_ca.issue("*.lab.example"))
    lab.dns()
    return lab.check()
