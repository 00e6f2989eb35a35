"""The endpoint sends its whole chain, an intermediate CA included."""

from lab.world import CONSOLE

causes = []
look_alike = "cert-chain-incomplete"


def play(lab):
    intermediate = lab.public_ca.intermediate("Lab Intermediate R3")
    lab.endpoint(certificate=intermediate.issue(CONSOLE))
    lab.dns()
    return lab.check()
