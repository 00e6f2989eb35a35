"""The endpoint does not send its intermediate CA."""

from lab.world import CONSOLE

causes = ["cert-chain-incomplete"]
look_alike = "cert-untrusted"


def play(lab):
    certificate = lab.public_ca.intermediate("Lab Intermediate R3").issue(CONSOLE)
    certificate.issuers = ()
    lab.endpoint(certificate=certificate)
    lab.dns()
    return lab.check()
