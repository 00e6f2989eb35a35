"""The endpoint sends a chain of five certificates, and its own carries two hundred names: the handshake
takes many segments."""

from lab.world import CONSOLE

causes = []
look_alike = "mtu-black-hole"


def play(lab):
    issuer = lab.public_ca
    for number in range(4):
        issuer = issuer.intermediate(f"Lab Intermediate {number + 1}")
    names = [CONSOLE, *(f"host-{number}.region-{number % 7}.lab.example" for number in range(200))]
    lab.endpoint(certificate=issuer.issue(*names))
    lab.dns()
    return lab.check()
